"""Asking for runs and doing them: the rows of the store are the queue.

A run is a row from the moment it is asked for. While it works it writes into a folder of its own; when it is done, its
files take their lasting names and its row is completed in one transaction, and from then on neither changes.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, cast

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from core.errors import InputError, LandslideError, RunCancelled, StorageError
from core.raster.files import one_line
from core.runs import failures, files
from core.runs.dataset_rows import new_id
from core.runs.datasets import hold
from core.runs.kinds import check_inputs
from core.runs.records import (
    ACTIVE,
    Failure,
    Input,
    Order,
    Progress,
    Status,
    checked_id,
    clock,
    default_time_limit,
)
from core.runs.result import RunResult
from core.runs.scenes import SceneStore
from core.runs.tables import ArtifactRow, BatchRow, InputRow, LabelRow, MemberRow, ParentRow, RunRow, StateRow


class Queue(SceneStore):
    """Runs from their order to their end."""

    def order(self, order: Order) -> str:
        """Put a run in the queue and return its id.

        Raises
        ------
        InputError
            When a dataset or a parent is not in the store, or the datasets are not those that the task takes.
        """
        return self._ordered(order, {"status": "queued"})

    def begin(self, order: Order, *, server: str, worker: str) -> str:
        """Make a run that works from the start, in the process that asks for it; no worker takes it up meanwhile.

        Raises
        ------
        InputError
            When a dataset or a parent is not in the store, or the datasets are not those that the task takes.
        """
        now = clock()
        working = {"status": "running", "server": server, "worker": worker, "started": now, "heartbeat": now}
        return self._ordered(order, working)

    def _ordered(self, order: Order, state: Mapping[str, Any]) -> str:
        identity = new_id()
        limit = default_time_limit() if order.time_limit is None else order.time_limit
        for name, most in _LENGTHS.items():
            if len(getattr(order, name)) > most:
                raise InputError(f"The {name} of a run is longer than {most} characters.")
        with self.database.write() as session:
            forms = [self._held(session, one) for one in order.inputs]
            check_inputs(order, [form for form, _ in forms])
            inputs = [_input_row(named, at) for at, (_, named) in enumerate(forms)]
            for parent in order.parents:
                # Held until this run is there, so that whoever deletes the parent finds it.
                held = select(RunRow.id).filter_by(id=checked_id(parent)).with_for_update(read=True, key_share=True)
                if session.scalar(held) is None:
                    raise gone()
            run = RunRow(
                id=identity, task=order.task, kind=order.kind, created=state.get("started") or clock(),
                owner=files.text(order.owner), model=files.text(order.model), inputs=inputs,
                parameters=finite(order.parameters), seed=order.seed, time_limit=limit, weights_sha256="",
                metrics={}, notes=[], provenance={}, result={},
            )  # fmt: skip
            unsaid = {"server": "", "worker": "", "cancelling": False, "done": 0, "total": 0, "words": ""}
            run.state = StateRow(**{**unsaid, **state})
            run.label = LabelRow(name=one_line(order.name), note="", pinned=False)
            run.parents = [ParentRow(position=at, parent_id=parent) for at, parent in enumerate(order.parents)]
            if order.batch:
                if session.get(BatchRow, checked_id(order.batch)) is None:
                    raise InputError("The batch of this run was deleted.", remedy="Start it again.")
                run.member = MemberRow(batch_id=order.batch)
            session.add(run)
        return identity

    def _held(self, session: Session, asked: Input) -> tuple[str, Input]:
        """Form and name of a dataset, locked until the run is stored, so that a removal finds it in use."""
        if not asked.dataset_id:
            return "", asked
        row = hold(session, asked.dataset_id)
        return row.form, replace(asked, name=row.name)

    def claim(self, identity: str, *, server: str, worker: str) -> bool:
        """Make a queued run a running one; False when another worker was first or it was cancelled."""
        now = clock()
        values = {"status": "running", "server": server, "worker": worker, "started": now, "heartbeat": now}
        return self._change(identity, ("queued",), values)

    def beat(self, identity: str, progress: Progress | None = None) -> bool:
        """Say that a run is alive, and how far it is; False when it should stop."""
        values: dict[str, Any] = {"heartbeat": clock()}
        if progress is not None:
            values |= {**asdict(progress), "words": files.text(progress.words)}
        return self._alive(identity, values)

    def advance(self, identity: str, steps: int) -> bool:
        """Add steps to those done, for a run that several workers share; False when it should stop."""
        return self._alive(identity, {"heartbeat": clock(), "done": StateRow.done + steps})

    def cancel(self, identity: str) -> None:
        """Stop a run: at once while it waits, at its next window or batch while it works."""
        if not self._end(identity, ("queued",), "cancelled", failures.cancelled()):
            self._change(identity, ("running",), {"cancelling": True})

    def fail(self, identity: str, failure: Failure, status: Status = "failed") -> bool:
        """End an active run without a result; False when it had ended before."""
        folder = self.work_folder(identity)
        try:
            return self._end(identity, ACTIVE, status, failure)
        except StorageError:
            files.remove(folder)  # on a full disk this makes room for the words
            return self._end(identity, ACTIVE, status, failure)
        finally:
            # Also of one that had ended before: a worker that did not know may have gone on writing.
            files.remove(folder)

    def finish(self, identity: str, result: RunResult) -> None:
        """Keep what a running run computed: its files take their lasting names, its row is completed for good.

        Raises
        ------
        RunCancelled
            When the run has ended meanwhile: cancelled, given up for lost, or removed.
        StorageError
            When disk or database do not take it; the run is then still running, and it may be tried again.
        """
        try:
            self._finish(identity, result)
        except (OSError, LandslideError) as error:
            # Whoever ended the run took away its files as well: that is then what is to be said.
            if isinstance(error, RunCancelled) or self._works(identity):
                raise
            raise _over() from error
        files.remove(self.work_folder(identity))

    def _finish(self, identity: str, result: RunResult) -> None:
        root = self.home / files.ARTIFACTS
        found = {role: self._digested(result.folder / name, root) for role, name in result.artifacts.items()}
        kept = {
            "weights_sha256": str(result.provenance.get("model", {}).get("weights_sha256", "")),
            "metrics": finite(result.metrics()),
            "notes": finite(result.notes),
            "provenance": finite(result.provenance),
            "result": finite(result.to_json()),
        }
        done = {"status": "done", "finished": clock(), "cancelling": False, "left": None, "words": ""}
        with self._placing() as place:
            rows = [place(role, path, digest) for role, (path, digest) in found.items()]
            with self.database.write() as session:
                # Decided by the database, so that nobody can end the run between a look and the change.
                if not self._changed(session, identity, ("running",), done):
                    raise _over()
                session.execute(update(RunRow).where(RunRow.id == identity).values(**kept))
                if result.inputs:  # else those of the order stand
                    session.execute(delete(InputRow).where(InputRow.run_id == identity))
                    session.add_all(_input_row(one, at, run_id=identity) for at, one in enumerate(result.inputs))
                for row in rows:
                    row.run_id = identity
                session.add_all(rows)

    def work_folder(self, identity: str) -> Path:
        """Where a run writes until it is done; not made here."""
        return self.home / files.WORK / checked_id(identity)

    # Within

    def _change(self, identity: str, statuses: Sequence[str], values: Mapping[str, Any]) -> bool:
        with self.database.write() as session:
            return self._changed(session, identity, statuses, values)

    def _changed(self, session: Session, identity: str, statuses: Sequence[str], values: Mapping[str, Any]) -> bool:
        query = update(StateRow).where(StateRow.run_id == checked_id(identity), StateRow.status.in_(statuses))
        quickly = query.values(**values).execution_options(synchronize_session=False)
        return bool(cast("Any", session.execute(quickly)).rowcount)

    def _works(self, identity: str) -> bool:
        with self.database.read() as session:
            return session.scalar(select(StateRow.status).filter_by(run_id=identity)) == "running"

    def _alive(self, identity: str, values: Mapping[str, Any]) -> bool:
        with self.database.write() as session:
            return self._changed(session, identity, ("running",), values) and not session.scalar(
                select(StateRow.cancelling).filter_by(run_id=identity)
            )

    def _end(self, identity: str, statuses: Sequence[str], status: Status, failure: Failure) -> bool:
        said = {key: files.text(words) for key, words in asdict(failure).items()}
        values = {"status": status, "finished": clock(), "failure": said, "cancelling": False}
        return self._change(identity, statuses, values)

    def _digested(self, path: Path, root: Path) -> tuple[Path, str]:
        if path.is_relative_to(root):
            return path, path.stem  # of another run already, and named by its digest
        return path, files.content_digest(path)

    @contextmanager
    def _placing(self) -> Iterator[Callable[[str, Path, str], ArtifactRow]]:
        """Have a turn in which files get their lasting names; when it ends badly, those that no row has go again.

        But not the only copy of one, which the disk made us move: tidying finds that.
        """
        names: set[str] = set()
        moved: set[str] = set()

        def place(role: str, path: Path, digest: str) -> ArtifactRow:
            row, only = self._placed(role, path, digest)
            (moved if only else names).add(row.file)
            return row

        with files.store_lock(self.home):
            try:
                yield place
            except BaseException:
                self._drop_unnamed(names - moved)
                raise

    def _placed(self, role: str, path: Path, digest: str) -> tuple[ArtifactRow, bool]:
        """The row of a file that has got its lasting name, and whether it had to be moved for that."""
        root, suffix = self.home / files.ARTIFACTS, path.suffix
        try:
            size = path.stat().st_size
        except OSError as error:
            raise StorageError(
                f"The {role} file of the run is no longer on disk.", str(error), "Repeat the run."
            ) from error
        known = path.is_relative_to(root)
        name, moved = (path.relative_to(root).as_posix(), False) if known else files.put(path, root, digest, suffix)
        media_type = files.MEDIA_TYPES.get(suffix, "application/octet-stream")
        row = ArtifactRow(role=role, digest=digest, file=name, size=size, media_type=media_type, derived=False)
        return row, moved

    def _drop_unnamed(self, names: set[str]) -> None:
        """Remove those of some artifact files that no run names; only in one's turn."""
        self._drop_all_but(files.ARTIFACTS, names, select(ArtifactRow.file).where(ArtifactRow.file.in_(names)))


_LENGTHS = {"task": 32, "kind": 32, "owner": 64, "model": 128}
"""Most signs of the words by which runs are found; PostgreSQL takes no more."""


def _input_row(one: Input, position: int, **owner: str) -> InputRow:
    name = files.text(one.name)
    return InputRow(position=position, role=one.role, dataset_id=one.dataset_id, name=name, digest=one.digest, **owner)


def _over() -> RunCancelled:
    return RunCancelled("The run ended before its result was saved.", "No results were saved.")


def gone() -> InputError:
    """The error about a run that is not in the store."""
    return InputError("This run is not in the store.", "It may have been deleted.", "Choose another run.")


def finite(content: Any) -> Any:  # noqa: ANN401  whatever JSON can hold
    """Content as JSON that every database takes: numbers that are none become null, tuples lists."""
    if isinstance(content, Mapping):
        return {files.text(str(key)): finite(value) for key, value in content.items()}
    if isinstance(content, list | tuple):
        return [finite(value) for value in content]
    if isinstance(content, float) and not math.isfinite(content):
        return None
    return files.text(content) if isinstance(content, str) else content
