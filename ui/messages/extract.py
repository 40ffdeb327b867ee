"""Bring the message files up to date with the code: ``python -m ui.messages.extract``.

Writes ``slidelens.pot``, and takes new messages into each translation and removed ones out of it. A message whose text
has changed is a new one: its translation begins again.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from ui.messages import ENGLISH, FOLDER, LANGUAGES

if TYPE_CHECKING:
    from babel.messages.catalog import Catalog

ROOT = FOLDER.parents[1]

TEMPLATE = FOLDER / "slidelens.pot"

KEYWORDS = ("tr", "tr_noop")

_LONGEST_LABEL = 45
"""Characters up to which a text without a full stop is a label rather than a sentence."""


def messages() -> dict[str, list[str]]:
    """Return every message, with where it stands: the code of the pages, and what the tasks declare."""
    from core.runs.kinds import all_metrics, tasks

    found: dict[str, list[str]] = {}
    for task in tasks().values():
        kinds = (text for kind in task.kinds for text in (kind.title, kind.group))
        roles = (role.title for role in task.roles)
        for text in (task.title, *kinds, *roles, task.counted, task.counted_each, task.level):
            if text:
                found.setdefault(text, ["core/tasks"])
    for metric in all_metrics():
        found.setdefault(metric.title, ["core/tasks"])
    for path in (*sorted(ROOT.glob("ui/**/*.py")), *sorted(ROOT.glob("pages/*.py"))):
        name = path.relative_to(ROOT).as_posix()
        for text in _in_file(path.read_text(encoding="utf-8"), name):
            files = found.setdefault(text, [])
            if name not in files:
                files.append(name)
    return found


def is_label(text: str) -> bool:
    """Whether a message is a label, heading or button: short, and no sentence. Labels are translated completely."""
    return len(text) <= _LONGEST_LABEL and not text.rstrip("*_ ").endswith((".", "!", "?", ":", "…"))


def placeholders(text: str) -> set[str]:
    """Return what is filled into a message: ``{"count"}`` of ``"{count:,} runs"``."""
    return set(re.findall(r"\{(\w+)[^{}]*\}", text))


def read(path: Path) -> Catalog:
    """Return a message file; an empty one where there is no file yet."""
    from babel.messages.catalog import Catalog
    from babel.messages.pofile import read_po

    if not path.exists():
        return Catalog(locale=None if path == TEMPLATE else path.stem)
    with path.open("rb") as file:
        return read_po(file, locale=None if path == TEMPLATE else path.stem)


def write() -> None:
    """Write the template, and bring each translation up to date with it."""
    from babel.messages.catalog import Catalog

    found = messages()
    for path in (TEMPLATE, *(FOLDER / f"{code}.po" for code in LANGUAGES if code != ENGLISH)):
        before = read(path)
        after = Catalog(
            locale=before.locale, project="SlideLens", charset="utf-8", fuzzy=False,
            header_comment=f"# Texts of the pages{f', {LANGUAGES[path.stem]}' if path != TEMPLATE else ''}.",
            version="1", msgid_bugs_address="none", last_translator="SlideLens", language_team="SlideLens",
            creation_date=before.creation_date, revision_date=before.creation_date,
        )
        for text, files in found.items():
            known = before.get(text)
            after.add(text, "" if known is None else known.string, locations=[(name, None) for name in files])
        _save(after, path)


def _save(catalog: Catalog, path: Path) -> None:
    from babel.messages.pofile import write_po

    with path.open("wb") as file:
        write_po(file, catalog, width=110, include_lineno=False)


def _in_file(source: str, name: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in KEYWORDS:
            (text,) = node.args
            if isinstance(text, ast.Constant) and isinstance(text.value, str):
                yield text.value
            elif isinstance(text, ast.JoinedStr):
                raise SyntaxError(f"{name}, line {node.lineno}: an f-string cannot be translated; use str.format")


if __name__ == "__main__":
    write()
