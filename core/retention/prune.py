"""Room on the disk: what takes it, and which exports, runs and uploads may go to make some.

A plan says first what would go; then it is done, and whatever was pinned or taken into use meanwhile stays.
"""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.errors import InputError
from core.retention import disk
from core.retention.disk import Entry, Missing, Orphan, missing, orphans, remove_orphans
from core.retention.ledger import Ledger, RemovalCandidate, own_files
from core.runs import failures, files, processes
from core.runs.records import SILENT_AFTER, RunFilter, clock
from core.runs.store import Store
from core.runs.tables import DatasetRow, InputRow, LinkRow
from core.wording import count

__all__ = [
    "Missing", "Orphan", "Plan", "RemovalCandidate", "Removed", "Storage", "delete_dataset", "missing", "orphans",
    "plan", "prune", "remove_orphans", "settle", "storage",
]  # fmt: skip

LATELY = 24 * 3600.0
"""Seconds for which an upload without a run is kept even if space is needed: a run may be about to start."""


IN_HAND = 3600.0
"""Seconds for which prepared files are kept after they were written: a download may be in progress."""


SAME_TIME = 0.001
"""Seconds by which a time may differ after it was a datetime, which has microseconds only."""


@dataclass(frozen=True)
class Storage:
    """Bytes below the home folder, and what the disk has free.

    Attributes
    ----------
    artifacts, uploads, exports
        What runs computed, what users gave, and what was prepared for them to take away.
    work
        Of runs under way.
    cache
        Made again when it is needed.
    rest
        Database, checkpoints of trainings and all else.
    free
        On the disk that the home folder lies on.
    """

    artifacts: int
    uploads: int
    exports: int
    work: int
    cache: int
    rest: int
    free: int

    @property
    def kept(self) -> int:
        """What a quota counts: everything that is deleted with runs and uploads."""
        return self.artifacts + self.uploads + self.exports

    @property
    def used(self) -> int:
        """All below the home folder."""
        return self.kept + self.work + self.cache + self.rest


@dataclass(frozen=True)
class Plan:
    """What would go.

    Attributes
    ----------
    runs
        In the order of their going: whatever stands on a run goes before it.
    uploads
        Datasets that no remaining run and no other dataset names, with those that belong to them alone.
    kept
        Bytes of artifacts, uploads and exports afterwards.
    beyond
        Bytes that are then still beyond the quota, because all that is left is pinned, active or in use.
    exports
        Prepared files that go before all else, because they can be made again.
    """

    runs: tuple[RemovalCandidate, ...]
    uploads: tuple[RemovalCandidate, ...]
    kept: int
    beyond: int = 0
    exports: tuple[RemovalCandidate, ...] = ()

    @property
    def nothing(self) -> bool:
        """Whether all stays."""
        return not (self.exports or self.runs or self.uploads)

    @property
    def freed(self) -> int:
        """Bytes that all of it frees."""
        return sum(leaving.freed for leaving in (*self.exports, *self.runs, *self.uploads))


@dataclass(frozen=True)
class Removed:
    """How many runs, uploads and prepared exports went."""

    runs: int
    uploads: int
    exports: int = 0


def storage(store: Store, found: list[Entry] | None = None) -> Storage:
    """What takes room below the home folder of a store; `found` spares another look at the disk."""
    used: Counter[str] = Counter()
    for entry in found or disk.look(store.home):
        used[entry.path.partition("/")[0]] += entry.size
    known = (files.ARTIFACTS, files.FILES, disk.EXPORTS, files.WORK, disk.CACHE)
    artifacts, uploads, exports, work, cache = (used.pop(name, 0) for name in known)
    return Storage(artifacts, uploads, exports, work, cache, used.total(), disk.free(store.home))


def plan(store: Store, *, older_than: datetime | None = None, quota: int | None = None) -> Plan:
    """Plan deletions so that no run is older than a date and a quota is kept; nothing is deleted yet.

    What was prepared to be taken away goes first, the oldest first and of pinned runs as well: it can be made again.
    A run is as old as the newest that stands on it. Pinned, reviewed and active runs stay, and all that they stand on.

    Parameters
    ----------
    older_than
        With a time zone. Exports and uploads of before that are in no use go as well.
    quota
        Bytes of artifacts, uploads and exports. After the exports go uploads that are in no use, because nothing that
        was computed is lost with them, then runs, the oldest first, each with its upload when no other run uses that.

    Raises
    ------
    InputError
        When the date has no time zone or the quota is negative.
    """
    if older_than is not None and older_than.tzinfo is None:
        raise InputError("The date has no time zone.", "The age of runs depends on it.", "Add one.")
    if quota is not None and quota < 0:
        raise InputError("A quota cannot be negative.", remedy="Give 0 or more bytes.")
    cut = float("-inf") if older_than is None else older_than.timestamp()
    found = disk.look(store.home)
    ledger = Ledger.of(store, found, storage(store, found).kept)

    def crowded() -> bool:
        return quota is not None and ledger.kept > quota

    ledger.drop_exports(lambda written: written < clock() - IN_HAND and (written < cut or crowded()))
    ledger.drop_uploads(lambda created: created < cut)
    ledger.drop_uploads(lambda created: created < clock() - LATELY and crowded())
    for run in ledger.oldest_first():
        if run.age < cut or crowded():
            ledger.drop_run(run, lambda created: created < cut or crowded())
    beyond = max(0, ledger.kept - quota) if quota is not None else 0
    return Plan(
        tuple(ledger.runs_gone), tuple(ledger.uploads_gone), ledger.kept, beyond, tuple(ledger.exports_gone)
    )


def prune(store: Store, plan: Plan) -> Removed:
    """Do what was planned, but for what was pinned, begun or taken into use since."""
    exports = sum(_remove_export(store, leaving) for leaving in plan.exports)
    gone = 0
    for leaving in plan.runs:
        if store.count(RunFilter(parent=leaving.id)):
            continue  # something new stands on it
        try:
            gone += store.delete(leaving.id, sparing=True)
        except InputError:
            continue  # somebody else has removed it
    return Removed(gone, sum(_remove_upload(store, leaving.id) for leaving in plan.uploads), exports)


def delete_dataset(store: Store, identity: str) -> None:
    """Remove a dataset, with those that belong to it alone; a file used in place stays where it is.

    Raises
    ------
    InputError
        When it is not in the store, or a run or another dataset uses it.
    """
    name = store.dataset(identity).name
    if _remove_upload(store, identity):
        return
    runs = store.count(RunFilter(dataset_id=identity))
    users = count(runs, "run") if runs else "another dataset"
    raise InputError(f"{name} is used by {users}.", "Those could not be repeated without it.", "Delete them first.")


def settle(store: Store) -> int:
    """Mark runs as interrupted whose process on this machine has ended, and return how many there were.

    A server does so for itself all the time; this is for where none is running.
    """
    settled = 0
    for run in store.active():
        silent = run.heartbeat is not None and clock() - run.heartbeat.timestamp() > SILENT_AFTER
        if run.status == "running" and silent and processes.is_alive(run.server) is False:
            settled += store.fail(run.id, failures.abandoned(), "interrupted")
    return settled


def _remove_export(store: Store, leaving: RemovalCandidate) -> bool:
    folder = store.home / disk.EXPORTS / leaving.id
    if not folder.is_dir():
        return False
    if max((one.modified for one in disk.look(folder)), default=0.0) > leaving.created.timestamp() + SAME_TIME:
        return False  # somebody has prepared it anew
    files.remove(folder)
    with suppress(OSError):  # what else was prepared of the run stays
        folder.parent.rmdir()
    return not folder.exists()


def _remove_upload(store: Store, identity: str) -> bool:
    """Remove an unused dataset, with the companions that belong to it alone."""
    with files.store_lock(store.home):
        names: set[str] = set()
        with store.database.write() as session:
            left, gone = [identity], False
            while left:
                row = session.get(DatasetRow, left.pop(), with_for_update=True)
                if row is None or (gone and not row.companion) or _used(session, row.id):
                    continue
                names |= own_files(row)
                left += row.companions.values()
                session.delete(row)
                session.flush()
                gone = True
        for name in disk.unnamed(store, names, disk.UPLOADS):
            disk.remove_file(store.home / files.FILES / name)
    return gone


def _used(session: Session, identity: str) -> bool:
    """Whether a run or another dataset names a dataset."""
    runs = select(InputRow.run_id).where(InputRow.dataset_id == identity)
    datasets = select(LinkRow.dataset_id).where(LinkRow.other_id == identity)
    return session.scalars(runs.union(datasets).limit(1)).first() is not None
