"""The store: datasets and runs under one home, found by random ids and never by a path from outside."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import Any, TypeVar, overload

import platformdirs
from sqlalchemy import and_, delete, func, select
from sqlalchemy.orm import Session, contains_eager, undefer

from core.errors import InputError, StorageError
from core.raster.files import one_line
from core.runs import files
from core.runs.database import Database, database_url, sqlite_url
from core.runs.dataset_rows import new_id
from core.runs.kinds import find_task, result_class
from core.runs.queries import apply_filter, descendants, inputs_of, to_run
from core.runs.queue import Queue, gone
from core.runs.records import (
    ACTIVE,
    ID,
    Artifact,
    Failure,
    Input,
    Order,
    Progress,
    Run,
    RunFilter,
    SceneRecord,
    SceneSummary,
    checked_id,
    checked_tags,
)
from core.runs.result import RunResult
from core.runs.tables import ArtifactRow, LabelRow, ReviewRow, RunRow, StateRow, TagRow

__all__ = [
    "ID", "Artifact", "Failure", "Input", "Order", "Progress", "Run", "RunFilter", "SceneRecord", "SceneSummary",
    "Store", "data_folder", "database_url", "default_store", "home_folder", "new_id",
]  # fmt: skip

R = TypeVar("R", bound=RunResult)


class Store(Queue):
    """Datasets and runs under one home folder.

    Parameters
    ----------
    home
        Folder that this store owns; made when missing.
    url
        Address of its database; by default SQLite in the home folder. Kept as an attribute, with its password.

    Raises
    ------
    StorageError
        When folder or database cannot be made or opened.
    """

    def __init__(self, home: Path, url: str | None = None) -> None:
        files.folder(home)
        self.url = url or sqlite_url(home)
        super().__init__(home, Database(self.url, home / ".lock"))
        self._artifacts = home / files.ARTIFACTS

    # Finding

    def run(self, identity: str) -> Run:
        """A run in any state.

        Raises
        ------
        InputError
            When the id is malformed or unknown.
        """
        with self.database.read() as session:
            return to_run(self._known(session, identity), self._artifacts)

    def runs(self, wanted: RunFilter | None = None) -> list[Run]:
        """Runs, those asked for last first."""
        wanted = wanted or RunFilter()
        query = apply_filter(select(RunRow), wanted).order_by(RunRow.created.desc(), RunRow.id)
        query = query.options(contains_eager(RunRow.state), contains_eager(RunRow.label))
        with self.database.read() as session:
            rows = session.scalars(query.limit(wanted.limit).offset(wanted.offset)).all()
            return [to_run(row, self._artifacts) for row in rows]

    def count(self, wanted: RunFilter | None = None) -> int:
        """How many runs there are of a kind."""
        query = apply_filter(select(RunRow.id), wanted or RunFilter())
        with self.database.read() as session:
            return session.scalar(select(func.count()).select_from(query.subquery())) or 0

    def active(self) -> list[Run]:
        """Runs that wait or work, the oldest first."""
        return self.runs(RunFilter(statuses=ACTIVE))[::-1]

    def children(self, identity: str, kind: str = "") -> list[Run]:
        """Runs derived from a run, the newest first."""
        return self.runs(RunFilter(parent=checked_id(identity), kinds=(kind,) if kind else ()))

    def descendants(self, identity: str) -> list[Run]:
        """All runs derived from a run, directly or not, which are deleted with it, the newest first."""
        with self.database.read() as session:
            self._known(session, identity)
            query = select(RunRow).where(RunRow.id.in_(descendants(session, identity)[1:]))
            rows = session.scalars(query.order_by(RunRow.created.desc(), RunRow.id))
            return [to_run(row, self._artifacts) for row in rows]

    def provenance(self, identity: str) -> dict[str, Any]:
        """Where all of a run came from."""
        with self.database.read() as session:
            return self._known(session, identity, whole=True).provenance

    @overload
    def result(self, identity: str) -> RunResult: ...

    @overload
    def result(self, identity: str, expected: type[R]) -> R: ...

    def result(self, identity: str, expected: type[RunResult] = RunResult) -> RunResult:
        """What a finished run computed.

        Parameters
        ----------
        expected
            Class that the result must be of.

        Raises
        ------
        InputError
            When the run is unknown, not done, or of a kind whose result is another.
        """
        with self.database.read() as session:
            row = self._known(session, identity, whole=True)
            made = result_class(row.task, row.kind)
            if not issubclass(made, expected):
                title = getattr(find_task(row.task).kind(row.kind), "title", row.kind)
                raise InputError(
                    f"Run {identity[:8]} cannot be used for this: it is “{title}” of the task {row.task}.",
                    remedy="Choose another run.",
                )
            if row.state.status != "done":
                what = f"This run is {row.state.status} and has no result."
                raise InputError(what, remedy="Wait, or repeat the run.")
            return made.from_json(
                row.result,
                id=row.id,
                kind=row.kind,
                folder=self._artifacts,
                artifacts={artifact.role: artifact.file for artifact in row.artifacts if not artifact.derived},
                inputs=inputs_of(row),
                model=row.model,
                parents=tuple(parent.parent_id for parent in row.parents),
                numbers={name: math.nan if value is None else value for name, value in row.metrics.items()},
                provenance=row.provenance,
                notes=tuple(row.notes),
            )

    def files_of(self, identity: str) -> tuple[str, dict[str, Path]]:
        """Task of a finished run and the files of its result by role, in one query: a map asks for many tiles of them.

        Raises
        ------
        InputError
            When the run is unknown or not done.
        """
        query = (
            select(RunRow.task, StateRow.status, ArtifactRow.role, ArtifactRow.file)
            .join(StateRow, StateRow.run_id == RunRow.id)
            .outerjoin(ArtifactRow, and_(ArtifactRow.run_id == RunRow.id, ~ArtifactRow.derived))
            .where(RunRow.id == checked_id(identity))
        )
        with self.database.read() as session:
            rows = session.execute(query).all()
        if not rows:
            raise gone()
        task, status = rows[0].task, rows[0].status
        if status != "done":
            raise InputError(f"This run is {status} and has no result.", remedy="Wait, or repeat the run.")
        return task, {row.role: self._artifacts / row.file for row in rows if row.role is not None}

    def artifact(self, identity: str, role: str) -> Artifact:
        """A file of a run, by its role.

        Raises
        ------
        InputError, StorageError
            When the run or the role is unknown, or the file is gone.
        """
        run = self.run(identity)
        stored = run.artifact(role)
        if stored is None:
            has = ", ".join(artifact.role for artifact in run.artifacts) or "none"
            raise InputError(f"This run has no file {role!r}.", remedy=f"Its files: {has}.")
        if not stored.path.is_file():
            raise StorageError(f"The {role} file of run {identity[:8]} is no longer on disk.", remedy="Repeat the run.")
        return Artifact(stored.path, stored.media_type, stored.derived)

    # What people add, and taking away

    def label(
        self,
        identity: str,
        *,
        name: str | None = None,
        note: str | None = None,
        tags: Sequence[str] | None = None,
        pinned: bool | None = None,
    ) -> None:
        """Name a run, write a note, tag or pin it; what is None stays as it is.

        Raises
        ------
        InputError
            When a tag is empty, longer than 64 signs or holds a comma.
        """
        wanted = None if tags is None else checked_tags(tags)
        with self.database.write() as session:
            run = self._known(session, identity, held=True)
            if name is not None:
                run.label.name = one_line(name)[:200]
            if note is not None:
                run.label.note = files.text(note)[:20_000]
            if pinned is not None:
                run.label.pinned = pinned
            if wanted is not None:
                had = {row.tag: row for row in run.tags}
                run.tags = [had.get(tag) or TagRow(tag=tag) for tag in wanted]

    def tags(self) -> list[str]:
        """All tags in use."""
        with self.database.read() as session:
            return list(session.scalars(select(TagRow.tag).distinct().order_by(TagRow.tag)))

    def models(self) -> list[str]:
        """Names of all models that runs used."""
        with self.database.read() as session:
            return [name for name in session.scalars(select(RunRow.model).distinct().order_by(RunRow.model)) if name]

    def add_artifact(self, identity: str, role: str, path: Path) -> None:
        """Add a file that was derived from a finished run, such as a report; an earlier one of that role is replaced.

        `path` is moved into the store.

        Raises
        ------
        InputError
            When the run is unknown, or the role is one of its results.
        """
        digest = files.content_digest(path)
        with self._placing() as place:
            row = place(role, path, digest)
            row.run_id, row.derived = identity, True
            with self.database.write() as session:
                self._known(session, identity, held=True)
                earlier = session.get(ArtifactRow, (identity, role))
                if earlier is not None and not earlier.derived:
                    raise InputError(f"The {role} of a run is its result and cannot be replaced.")
                replaced = {earlier.file} if earlier is not None else set()
                session.merge(row)
            self._drop_unnamed(replaced)
        if not path.is_relative_to(self.home / files.ARTIFACTS):
            path.unlink(missing_ok=True)

    def delete(self, identity: str, *, sparing: bool = False) -> int:
        """Delete a run, all runs derived from it, and files that no other run uses; return how many runs were deleted.

        Parameters
        ----------
        sparing
            Whether to leave it, and return 0, when it or one that stands on it is pinned, reviewed, waits or works.

        Raises
        ------
        InputError
            When it, or one that stands on it, is being computed.
        """
        with files.store_lock(self.home):
            with self.database.write() as session:
                self._known(session, identity, held=True)
                doomed = descendants(session, identity, held=True)
                if sparing and self._dear(session, doomed):
                    return 0
                states = select(StateRow.status).where(StateRow.run_id.in_(doomed)).with_for_update()
                if "running" in session.scalars(states).all():
                    raise InputError("The run is still being processed.", remedy="Cancel it first.")
                names = select(ArtifactRow.file).where(ArtifactRow.run_id.in_(doomed))
                named = set(session.scalars(names))
                session.execute(delete(RunRow).where(RunRow.id.in_(doomed)))
            self._drop_unnamed(named)
        for run in doomed:
            files.remove(self.work_folder(run))
            files.remove(self.home / "exports" / run)
        return len(doomed)

    # Within

    def _known(self, session: Session, identity: str, *, whole: bool = False, held: bool = False) -> RunRow:
        """The row of a run: with all that it is, or held until the transaction ends."""
        options = [undefer(RunRow.provenance), undefer(RunRow.result)] if whole else []
        hold = {"of": RunRow} if held else None
        row = session.get(RunRow, checked_id(identity), options=options, with_for_update=hold)
        if row is None:
            raise gone()
        return row

    def _dear(self, session: Session, runs: Sequence[str]) -> bool:
        """Whether one of some runs is pinned, reviewed, waits or works."""
        pinned = select(LabelRow.run_id).where(LabelRow.run_id.in_(runs), LabelRow.pinned)
        active = select(StateRow.run_id).where(StateRow.run_id.in_(runs), StateRow.status.in_(ACTIVE))
        reviewed = select(ReviewRow.run_id).where(ReviewRow.run_id.in_(runs))
        return bool(session.scalars(pinned.union(active, reviewed)).first())


def home_folder() -> Path:
    """``SLIDELENS_HOME``, else the user's data folder for slidelens; absolute, as workers may start elsewhere."""
    return Path(os.environ.get("SLIDELENS_HOME") or platformdirs.user_data_dir("slidelens", appauthor=False)).absolute()


def data_folder() -> Path | None:
    """``SLIDELENS_DATA``: the operator's folder whose rasters may be opened by path; None when not set."""
    value = os.environ.get("SLIDELENS_DATA")
    return Path(value).resolve() if value else None


_OPENING = Lock()


@lru_cache(maxsize=4)
def open_store(home: Path, url: str) -> Store:
    """The store of a home folder and a database, opened once a process."""
    return Store(home, url)


def default_store() -> Store:
    """The store of this process, under `home_folder()`, with the database of `database_url`."""
    home = home_folder()
    with _OPENING:  # two that find none would otherwise each open one
        return open_store(home, database_url(home))
