"""One scheme of names for all files that leave: ``<data>_<task>_<what>_<first 8 digits of the run>.<ending>``.

So files of several runs lie in one folder, sort by what they are of, and say which run they come from.
"""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from core.runs.records import Run, StoredArtifact

CALLED = {"truth": "reference"}
"""What files of a run are called where that is not their role."""

LONGEST = 40
"""Letters of the name of the data."""


def named(run: Run, what: str, ending: str) -> str:
    """Name of a file of a run, safe on every system whatever its data are called.

    Parameters
    ----------
    what
        What it is to the run, such as ``"probability"``.
    ending
        With its dot; empty for a folder.
    """
    head, tail = _ends(run)
    what = CALLED.get(what, what)
    return f"{head}{safe(what.removesuffix(ending.replace('.', '_'))) or 'file'}{tail}{ending}"


def _ends(run: Run) -> tuple[str, str]:
    return f"{safe(run.subject.name) or 'data'}_{safe(run.task)}_", f"_{run.id[:8]}"


def is_of(run: Run, name: str) -> bool:
    """Whether a file has a name that a file of a run would have."""
    head, tail = _ends(run)
    return name.startswith(head) and name.partition(".")[0].endswith(tail)


def renamed(run: Run, name: str) -> str:
    """Name of a file that is called ``what.ending`` where it was made; endings such as ``.coco.json`` stay whole."""
    what, dot, ending = name.partition(".")
    return named(run, what, dot + ending)


def of_artifact(run: Run, artifact: StoredArtifact) -> str:
    """Name of a file of the store: by what it is to its run."""
    return named(run, artifact.role, artifact.path.suffix)


def safe(text: str) -> str:
    """Letters and digits of any script, with hyphens in place of all else; the ending of a file's name is left out.

    What is longer than `LONGEST` ends with its last whole word, where that leaves more than half.

    Examples
    --------
    >>> safe("../Ünder valley (2).tif"), safe("newest_slides"), safe("...")
    ('Ünder-valley-2', 'newest-slides', '')
    >>> safe("Mountain valley after the event (synthetic)")
    'Mountain-valley-after-the-event'
    """
    stem = text.replace("\\", "/").rsplit("/", 1)[-1]
    head, dot, ending = stem.rpartition(".")
    if dot and head and ending.isascii() and ending.isalnum() and len(ending) <= 7:
        stem = head
    signs = (sign if sign.isalnum() else " " for sign in unicodedata.normalize("NFC", stem))
    name = "-".join("".join(signs).split())
    if len(name) <= LONGEST:
        return name
    whole = name[: LONGEST + 1].rpartition("-")[0]
    return whole if len(whole) > LONGEST / 2 else name[:LONGEST].strip("-")
