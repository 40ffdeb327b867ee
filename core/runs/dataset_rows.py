"""Rows of datasets: found, made, linked and copied."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.errors import InputError
from core.runs import files
from core.runs.records import Form, checked_id, clock
from core.runs.tables import DatasetRow, LinkRow

RASTERS = frozenset({".tif", ".tiff", ".png", ".jpg", ".jpeg"})
_NOUNS: Mapping[str, str] = {"": "dataset", "raster": "image", "vector": "vector layer", "table": "table"}
_COPIED = tuple(
    key for key in DatasetRow.__table__.columns.keys() if key not in ("id", "created")  # noqa: SIM118
)


def new_id() -> str:
    """128 random bits as 32 hexadecimal digits."""
    return secrets.token_hex(16)


def dataset_row(session: Session, identity: str, form: Form | None = None) -> DatasetRow:
    """The row of a dataset.

    Parameters
    ----------
    form
        Form that it must have; any when None.

    Raises
    ------
    InputError
        When the id is malformed or unknown, or the dataset has another form.
    """
    row = session.get(DatasetRow, checked_id(identity, "dataset"))
    if row is None or form not in (None, row.form):
        raise not_here(form)
    return row


def not_here(form: Form | None = None) -> InputError:
    """The error about a dataset that is not in the store."""
    return InputError(f"This {_NOUNS[form or '']} is not in the store.", remedy="Choose or upload it again.")


def same_row(session: Session, values: Mapping[str, Any], links: Mapping[str, str]) -> DatasetRow | None:
    """A dataset with these values and exactly these links; None without one."""
    found = session.scalars(select(DatasetRow).filter_by(**values).order_by(DatasetRow.created, DatasetRow.id))
    return next((row for row in found if row.companions == dict(links)), None)


def make_row(session: Session, values: Mapping[str, Any], links: Mapping[str, str]) -> DatasetRow:
    """A new dataset."""
    row = DatasetRow(id=new_id(), created=clock(), **values)
    row.links = [LinkRow(role=role, other_id=other) for role, other in links.items()]
    session.add(row)
    return row


def link(row: DatasetRow, role: str, other: str) -> None:
    """Have a dataset belong to another one in a role; empty takes the present one away."""
    present = next((one for one in row.links if one.role == role), None)
    if present is None:
        row.links.extend([LinkRow(role=role, other_id=other)] if other else [])
    elif other:
        present.other_id = other
    else:
        row.links.remove(present)


def companion_row(session: Session, values: Mapping[str, Any]) -> DatasetRow:
    """The dataset of a file that belongs to a scene; the same file under the same name is one dataset."""
    same = {key: values[key] for key in ("file", "name", "form")}
    return same_row(session, {**same, "companion": True}, {}) or make_row(session, {**values, "companion": True}, {})


def companion_of(session: Session, file: str, form: Form) -> str | None:
    """Id of the dataset of a file that belongs to a scene; None when there is none yet."""
    query = select(DatasetRow.id).filter_by(file=file, form=form, companion=True)
    return session.scalar(query.order_by(DatasetRow.created, DatasetRow.id).limit(1))


def own_row(session: Session, row: DatasetRow, role: str, other: str, *, known: bool = False) -> DatasetRow:
    """The row of a scene that has another dataset in a role: itself, or a copy of one that all visitors share.

    A sample or another file used in place is shared, and is never changed.

    Parameters
    ----------
    role, other
        The role, and the id of the dataset that has it in the row given back.
    known
        Whether a scene used in place with the same links already serves as the copy.
    """
    if Path(row.file).is_absolute() and row.companions.get(role) != other:
        values, links = {key: getattr(row, key) for key in _COPIED}, {**row.companions, role: other}
        return (same_row(session, values, links) if known else None) or make_row(session, values, links)
    link(row, role, other)
    return row


def form_of(path: Path) -> Form:
    """Form of a file that belongs to a scene, by its suffix."""
    return "raster" if path.suffix.lower() in RASTERS else "vector"


def in_place(path: Path) -> str:
    """A file used where it lies, as it is written in a row.

    Raises
    ------
    InputError
        When its name holds what no database takes.
    """
    name = str(path.resolve())
    if files.text(name) != name:
        raise InputError(
            f"The name {files.text(name)!r} contains invalid characters.",
                "The database cannot store it.", "Rename the file."
        )
    return name
