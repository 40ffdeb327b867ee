"""Reviewed inventories that come back as a reference: which outlines are landslides, and whose result was reviewed.

`core.review.inventory` exports every outline of a review with its status. Among them are false alarms, which are no
landslides, and outlines that nobody has reviewed, of which it is not known. Such a file is recognised by its columns,
whatever it is called, also as GeoJSON or Shapefile.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.errors import InputError, UnsafeFileError
from core.raster.files import first_bytes, one_line
from core.raster.vector_limits import LIMITS, unreadable
from core.raster.vectors import Attributes, first_attributes
from core.wording import agree, count

REVIEWED = "The reference is a review of"
"""Beginning of the note on scores against a reviewed inventory."""

NOT_SEARCHED = "The reference does not state that the whole area was searched for missed landslides"
"""Beginning of the note on such an inventory; files of earlier versions never state it."""

COLUMNS = ("status", "landslide", "reviewer", "run", "model")
"""Columns by which a reviewed inventory is recognised, together with one that begins with `SETTING`."""

SETTING, SEARCHED = "view_", "searched"
READ = 64
"""Columns that are looked at; ours has fewer."""

HEAD = 1 << 16
"""Bytes at the begin of a GeoJSON in which the first feature stands."""

LONGEST = 80
"""Letters of a name."""

NAMED = 5
"""Reviewers that are named; of more, how many."""

_RUN = re.compile(r"[0-9a-f]{8,64}")


@dataclass(frozen=True)
class ReviewMarks:
    """What a reviewed inventory says.

    Attributes
    ----------
    landslide
        (features,) whether the review accepts each as a landslide.
    unknown
        (features,) whether nobody has reviewed it.
    searched
        Whether the whole area was searched for what the model missed: only then ground outside all outlines is known
        to have no landslide.
    run, model
        Id of the run whose result was reviewed, and name of its model; empty where the file gives none, or several.
    reviewers
        Names of who reviewed.
    """

    landslide: NDArray[np.bool_]
    unknown: NDArray[np.bool_]
    searched: bool = False
    run: str = ""
    model: str = ""
    reviewers: tuple[str, ...] = ()

    @property
    def complete(self) -> bool:
        """Whether it says of all ground whether there is a landslide."""
        return self.searched and not self.unknown.any()

    def notes(self) -> tuple[str, ...]:
        """What does not count as landslide, and what is not known."""
        false, unknown = int((~self.landslide & ~self.unknown).sum()), int(self.unknown.sum())
        told = []
        if false:
            told.append(
                f"{count(false, 'outline')} of the reference {agree(false, 'is a false alarm', 'are false alarms')} by "
                f"its review and {agree(false, 'does', 'do')} not count as {agree(false, 'a landslide', 'landslides')}."
            )
        if unknown:
            told.append(
                f"{count(unknown, 'outline')} of the reference {agree(unknown, 'is', 'are')} not reviewed and "
                f"{agree(unknown, 'is', 'are')} left out of the scores."
            )
        if not self.searched:
            told.append(
                f"{NOT_SEARCHED}: ground outside the reviewed outlines is left out of the scores, which therefore do "
                "not show what the model missed."
            )
        return tuple(told)

    def to_json(self) -> dict[str, Any]:
        """Whose result was reviewed, and by whom, as it stands in a run's provenance."""
        return {
            "run": self.run, "model": self.model, "reviewers": list(self.reviewers), "complete": self.complete,
        }  # fmt: skip


def review_marks(path: str | os.PathLike[str], features: int | None = None) -> ReviewMarks | None:
    """What a reviewed inventory says of its features; None for any other file.

    Parameters
    ----------
    path
        GeoPackage, GeoJSON or zipped Shapefile.
    features
        How many features `core.raster.vectors.read_vectors_untrusted` gave; None where they were not read.

    Raises
    ------
    UnsafeFileError, InputError
        As of `core.raster.vectors.first_attributes`; when no outline is a landslide, or not each has its attributes.
    """
    head = first_bytes(Path(path), HEAD)
    if head.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"{") and b'"reviewer"' not in head:
        return None  # a large GeoJSON is not read twice
    said = first_attributes(path, 1, READ)
    if not (set(COLUMNS) <= set(said.names[:READ]) and any(name.startswith(SETTING) for name in said.names)):
        return None
    said = first_attributes(path, LIMITS.features, READ)
    if features is not None and len(said.rows) != features:
        raise unreadable(Path(path).name)
    column = {name: [row[said.names.index(name)] for row in said.rows] for name in COLUMNS}
    codes = [_code(value) for value in column["landslide"]]
    landslide, unknown = (np.array([code == wanted for code in codes], dtype=bool) for wanted in (1, None))
    if not landslide.any():
        raise InputError(
            f"{Path(path).name} is a reviewed inventory in which no outline is a landslide.",
            "All of its outlines are false alarms or not reviewed.", "Review the landslides first.",
        )  # fmt: skip
    runs, models = (_one(column[name]) for name in ("run", "model"))
    reviewers = dict.fromkeys(text for value in column["reviewer"] if (text := _text(value)))
    searched = _searched(said)
    return ReviewMarks(landslide, unknown, searched, runs if _RUN.fullmatch(runs) else "", models, tuple(reviewers))


def review_in(path: str | os.PathLike[str]) -> Mapping[str, Any] | None:
    """Whose result a reference is a review of, see `ReviewMarks.to_json`; None for any other reference.

    Raises
    ------
    UnsafeFileError, InputError
        As of `review_marks`.
    """
    from core.raster.untrusted import sniff

    try:
        sniff(path)
    except UnsafeFileError:
        marks = review_marks(path)
        return None if marks is None else marks.to_json()
    return None  # a raster


def reviewed_by(review: Mapping[str, Any]) -> str:
    """Name of a review: of which run, and by whom.

    Examples
    --------
    >>> reviewed_by({"run": "80ab4341c3d2", "model": "unet", "reviewers": ["Anna Rossi"]})
    'Review of run 80ab4341 by Anna Rossi'
    """
    names = [str(name) for name in review.get("reviewers") or ()]
    more = len(names) - NAMED
    people = ", ".join(names[:NAMED]) + (f" and {count(more, 'other')}" if more > 0 else "")
    return f"Review of {'run ' + str(review['run'])[:8] if review.get('run') else 'a run'}" + (
        f" by {people}" if people else ""
    )


def _searched(said: Attributes) -> bool:
    """Whether all rows say that the area was searched; a Shapefile has the first letters of the column's name."""
    at = next((at for at, name in enumerate(said.names[:READ]) if name[:10] == SEARCHED[:10]), None)
    return at is not None and all(_code(row[at]) == 1 for row in said.rows)


def _code(value: object) -> int | None:
    """1 for a landslide, 0 for none, None where nothing is said."""
    try:
        number = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        return None
    return None if np.isnan(number) else int(number != 0)


def _one(values: list[Any]) -> str:
    """The only text of a column; empty where there are several."""
    found = {text for value in values if (text := _text(value))}
    return found.pop() if len(found) == 1 else ""


def _text(value: object) -> str:
    return one_line(str(value), LONGEST) if isinstance(value, str) else ""
