"""Files below the home folder of a store, and which of them are orphaned."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from sqlalchemy import select
from sqlalchemy.orm import InstrumentedAttribute, Session

from core.errors import StorageError
from core.runs import files
from core.runs.records import ACTIVE, clock
from core.runs.store import Store
from core.runs.tables import ArtifactRow, DatasetRow, InputRow, LabelRow, RunRow, StateRow

EXPORTS, CACHE = "exports", "cache"
ASIDE = (".writing-", ".upload-")
"""How names begin under which files are written before they get their own."""

UPLOADS = (DatasetRow.file,)
"""Columns that name files of uploads."""

AN_HOUR = 3600.0
AT_ONCE = 500
"""Names asked of a database in one statement."""

Kind = Literal["artifact", "upload", "work", "export", "leftover"]


@dataclass(frozen=True)
class Entry:
    """A file or folder: its path below the home folder with slashes, bytes, seconds since 1970, and which it is."""

    path: str
    size: int
    modified: float
    folder: bool


@dataclass(frozen=True)
class Orphan:
    """An orphaned file or folder: nothing refers to it.

    Attributes
    ----------
    kind
        ``"artifact"`` and ``"upload"`` that no row names, ``"work"`` of no active run, ``"export"`` of a run that is
        gone, ``"leftover"`` of something that was being written when its process ended.
    path, size
        Where it lies, and the bytes in it.
    """

    kind: Kind
    path: Path
    size: int


@dataclass(frozen=True)
class Missing:
    """A file that a row names and that is not there: of a run or a dataset, what it is to it, and where it was."""

    owner: Literal["run", "dataset"]
    id: str
    title: str
    role: str
    path: Path


def look(home: Path) -> list[Entry]:
    """All files and folders below a folder; what vanishes while one looks is left out, links are not followed."""
    return list(_walk(str(home), ""))


def _walk(folder: str, below: str) -> Iterator[Entry]:
    try:
        found = list(os.scandir(folder))
    except FileNotFoundError:
        return
    for one in found:
        path = below + one.name
        try:
            status, is_folder = one.stat(follow_symlinks=False), one.is_dir(follow_symlinks=False)
        except FileNotFoundError:
            continue
        yield Entry(path, 0 if is_folder else status.st_size, status.st_mtime, is_folder)
        if is_folder:
            yield from _walk(one.path, f"{path}/")


def orphans(store: Store, older: float = AN_HOUR) -> tuple[Orphan, ...]:
    """Orphaned files and folders.

    Parameters
    ----------
    older
        Seconds for which nothing may have been written to it: what another process is just writing is no orphan.
    """
    # First the disk, then the rows: whatever is there has had its row before, or is too young to count.
    found = look(store.home)
    with store.database.read() as session:
        named = {files.ARTIFACTS: _artifacts(session), files.FILES: _uploads(session)}
        alive = {files.WORK: _active(session), EXPORTS: set(session.scalars(select(RunRow.id)))}
    sizes: dict[tuple[Kind, str], int] = {}
    latest: dict[tuple[Kind, str], float] = {}
    for entry in found:
        unit = _unit(entry, named, alive)
        if unit is not None:
            sizes[unit] = sizes.get(unit, 0) + entry.size
            latest[unit] = max(latest.get(unit, 0.0), entry.modified)
    until = clock() - older
    lost = sorted(unit for unit, modified in latest.items() if modified <= until)
    return tuple(Orphan(kind, store.home / path, sizes[kind, path]) for kind, path in lost)


def _unit(entry: Entry, named: dict[str, set[str]], alive: dict[str, set[str]]) -> tuple[Kind, str] | None:
    """Kind of orphan of an entry and the path to remove it with; None when something refers to it."""
    top, _, rest = entry.path.partition("/")
    first = rest.partition("/")[0]
    if top in alive and first:
        if first not in alive[top]:
            return "work" if top == files.WORK else "export", f"{top}/{first}"
        if top == files.WORK:
            return None  # whatever a run at work has there is its own affair
    parts = entry.path.split("/")
    aside = next((at for at, part in enumerate(parts) if part.startswith(ASIDE)), None)
    if aside is not None:
        return "leftover", "/".join(parts[: aside + 1])
    if top in named and not entry.folder and rest not in named[top]:
        return "artifact" if top == files.ARTIFACTS else "upload", entry.path
    return None


def remove_orphans(store: Store, found: Iterable[Orphan]) -> tuple[Orphan, ...]:
    """Remove orphans except those that are referred to by now, and return the removed ones.

    Raises
    ------
    StorageError
        When one of them cannot be removed.
    """
    found = tuple(found)
    gone = []
    for kind, root, columns in (
        ("artifact", files.ARTIFACTS, (ArtifactRow.file,)),
        ("upload", files.FILES, UPLOADS),
    ):
        lost = {one.path.relative_to(store.home / root).as_posix(): one for one in found if one.kind == kind}
        # In one's turn, so that no row is written for a file between the look and its end.
        with files.store_lock(store.home):
            for name in unnamed(store, lost, columns):
                remove_file(lost[name].path)
                gone.append(lost[name])
    with store.database.read() as session:
        active = _active(session)
    for one in found:
        if one.kind in ("artifact", "upload") or (one.kind == "work" and one.path.name in active):
            continue
        if one.path.is_dir():
            files.remove(one.path)
        else:
            remove_file(one.path)
        gone.append(one)
    return tuple(gone)


def unnamed(store: Store, names: Iterable[str], columns: Iterable[InstrumentedAttribute[str]]) -> list[str]:
    """Names that are in none of the given columns."""
    left, columns = list(names), tuple(columns)
    kept: set[str] = set()
    with store.database.read() as session:
        for at in range(0, len(left), AT_ONCE):
            for column in columns:
                kept.update(session.scalars(select(column).where(column.in_(left[at : at + AT_ONCE]))))
    return [name for name in left if name not in kept]


def remove_file(path: Path) -> None:
    """Remove a file, if it is there.

    Raises
    ------
    StorageError
        When it cannot be removed.
    """
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise StorageError(f"{path} could not be removed.", str(error),
            "Check which program uses it, and try again.") from error


def missing(store: Store) -> tuple[Missing, ...]:
    """Files that rows refer to and that are missing, so that they are found before they are needed."""
    artifacts, uploads = store.home / files.ARTIFACTS, store.home / files.FILES
    there = {entry.path for entry in look(store.home) if not entry.folder}
    query = (
        select(RunRow.id, LabelRow.name, ArtifactRow.role, ArtifactRow.file)
        .join(ArtifactRow, ArtifactRow.run_id == RunRow.id)
        .join(LabelRow, LabelRow.run_id == RunRow.id)
        .order_by(RunRow.created, ArtifactRow.role)
    )
    with store.database.read() as session:
        of_runs = session.execute(query).all()
        positions = select(InputRow.run_id, InputRow.name).order_by(InputRow.position.desc())
        names = {row.run_id: row.name for row in session.execute(positions)}
        datasets = session.scalars(select(DatasetRow).order_by(DatasetRow.created, DatasetRow.id)).all()
    lost = [
        Missing("run", identity, name or names.get(identity, ""), role, artifacts / file)
        for identity, name, role, file in of_runs
        if f"{files.ARTIFACTS}/{file}" not in there
    ]
    lost += [
        Missing("dataset", row.id, row.name, row.form, uploads / row.file)
        for row in datasets
        if f"{files.FILES}/{row.file}" not in there
    ]
    # Files used in place lie elsewhere, and some have arrived since the look.
    return tuple(one for one in lost if not one.path.is_file())


def _artifacts(session: Session) -> set[str]:
    return set(session.scalars(select(ArtifactRow.file)))


def _uploads(session: Session) -> set[str]:
    return {name for column in UPLOADS for name in session.scalars(select(column)) if name}


def _active(session: Session) -> set[str]:
    return set(session.scalars(select(StateRow.run_id).where(StateRow.status.in_(ACTIVE))))


def free(home: Path) -> int:
    """Bytes that are free on the disk of a folder."""
    return shutil.disk_usage(home).free
