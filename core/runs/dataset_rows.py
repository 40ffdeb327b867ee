"""Rows of scenes: found, copied, and what is written in them."""

from __future__ import annotations

import secrets
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.errors import InputError
from core.runs import files
from core.runs.records import checked_id, clock
from core.runs.tables import SceneRow

_SAID = tuple(key for key in SceneRow.__table__.columns.keys() if key not in ("id", "created"))  # noqa: SIM118


def new_id() -> str:
    """128 random bits as 32 hexadecimal digits."""
    return secrets.token_hex(16)


def scene_row(session: Session, identity: str) -> SceneRow:
    """The row of a scene.

    Raises
    ------
    InputError
        When the id is malformed or unknown.
    """
    row = session.get(SceneRow, checked_id(identity))
    if row is None:
        raise InputError("This scene is not in the store.", remedy="Choose or upload it again.")
    return row


def own_row(session: Session, row: SceneRow, role: str, value: str, *, known: bool = False) -> SceneRow:
    """The row of a scene in which something new may be said: itself, or a copy of one that all visitors share.

    A sample or another file used in place is shared, and is never changed.

    Parameters
    ----------
    role, value
        What is said, which the row given back says.
    known
        Whether a scene used in place that says the same already serves as the copy.
    """
    if Path(row.file).is_absolute() and getattr(row, role) != value:
        said = {key: getattr(row, key) for key in _SAID} | {role: value}
        same = session.scalars(select(SceneRow).filter_by(**said).limit(1)).first() if known else None
        row = same or SceneRow(id=new_id(), created=clock(), **said)
        session.add(row)
    setattr(row, role, value)
    return row


def in_place(path: Path | None) -> str:
    """A file used where it lies, as it is written in a row; empty without one.

    Raises
    ------
    InputError
        When its name holds what no database takes.
    """
    name = str(path.resolve()) if path else ""
    if files.text(name) != name:
        raise InputError(
            f"The name {files.text(name)!r} holds letters that are none.", "No database takes it.", "Rename the file."
        )
    return name
