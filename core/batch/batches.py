"""Batches in the store: which datasets belong to one, which files were refused, and the runs on it.

A batch ties ordinary runs together and holds no result of its own. It is there before its first run: what was chosen
has an address at once, and whoever looks knows how many runs are to come.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete as delete_rows
from sqlalchemy import exists, select

from core.errors import InputError
from core.raster.files import one_line
from core.runs.dataset_rows import new_id
from core.runs.files import remove, text
from core.runs.records import ID, Run, RunFilter, clock, moment
from core.runs.tables import BatchRow, MemberRow
from core.wording import count

if TYPE_CHECKING:
    from core.runs.store import Store

UNUSED = 30 * 86_400.0
"""Seconds after which a batch without a run, never started or with all runs deleted, is forgotten."""

LONGEST_NAME = 200
"""Letters of the name of a batch."""

MOST_TOLD = 3
"""Refused files whose reason an error gives."""


@dataclass(frozen=True)
class Refused:
    """A file that is no part of a batch: its name, and why not."""

    name: str
    why: str

    @property
    def words(self) -> str:
        """Both in a line."""
        return with_name(self.name, self.why)


def with_name(name: str, why: str) -> str:
    """A reason with the name of the file that it is about, unless it begins with that."""
    return why if why.startswith(name) else f"{name}: {why}"


@dataclass(frozen=True)
class Batch:
    """Several datasets that are worked on alike.

    Attributes
    ----------
    id
        32 hexadecimal digits.
    name, created
        What users call it, empty where they did not say, and when it was made.
    datasets
        Ids of its datasets, in the order in which they are listed.
    refused
        Images that were given and could not be used.
    notes
        What else is to be said of the files that were given, a sentence each.
    """

    id: str
    name: str
    created: datetime
    datasets: tuple[str, ...]
    refused: tuple[Refused, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def images(self) -> str:
        """How many images were accepted for it, in words."""
        return count(len(self.datasets), "image")

    @property
    def title(self) -> str:
        """Its name, else how many images it has."""
        return self.name or self.images


def add(
    store: Store, name: str, datasets: Sequence[str], refused: Iterable[Refused] = (), notes: Sequence[str] = ()
) -> Batch:
    """Make a batch; those that were never used are forgotten on the way.

    Raises
    ------
    InputError
        When it would have no dataset.
    """
    refused = tuple(refused)
    if not datasets:
        reasons = "\n".join(one.words for one in refused[:MOST_TOLD])
        if len(refused) > MOST_TOLD:
            more = len(refused) - MOST_TOLD
            reasons += f"\n{count(more, 'more file')} cannot be used either."
        raise InputError("None of the files can be used.", reasons, "Choose GeoTIFF, PNG or JPEG images.")
    row = BatchRow(id=new_id(), created=clock(), name=_named(name), content=_content(datasets, refused, notes))
    with store.database.write() as session:
        unused = ~exists().where(MemberRow.batch_id == BatchRow.id)
        session.execute(delete_rows(BatchRow).where(BatchRow.created < clock() - UNUSED, unused))
        session.add(row)
        session.flush()
        return _batch(row)


def change(
    store: Store, batch: Batch, *, name: str | None = None, datasets: Sequence[str] | None = None,
    refused: Iterable[Refused] | None = None,
) -> Batch:  # fmt: skip
    """Rename a batch, or narrow one that has no runs yet; what is None stays as it is.

    Raises
    ------
    InputError
        When it was deleted.
    """
    kept = batch.datasets if datasets is None else datasets
    known = batch.refused if refused is None else tuple(refused)
    with store.database.write() as session:
        row = session.get(BatchRow, batch.id)
        if row is None:
            raise _gone()
        row.name = row.name if name is None else _named(name)
        row.content = _content(kept, known, batch.notes)
        return _batch(row)


def find(store: Store, identity: str) -> Batch:
    """A batch by its id.

    Raises
    ------
    InputError
        When there is none.
    """
    with store.database.read() as session:
        row = session.get(BatchRow, identity) if ID.fullmatch(identity) else None
        if row is None:
            raise _gone()
        return _batch(row)


def latest(store: Store, limit: int | None = None) -> list[Batch]:
    """Batches that have a run, the newest first."""
    used = exists().where(MemberRow.batch_id == BatchRow.id)
    query = select(BatchRow).where(used).order_by(BatchRow.created.desc(), BatchRow.id).limit(limit)
    with store.database.read() as session:
        return [_batch(row) for row in session.scalars(query)]


def runs_of(store: Store, batch: Batch) -> list[Run]:
    """All runs of a batch, earlier tries as well, the newest first."""
    return store.runs(RunFilter(batch=batch.id))


def current(batch: Batch, runs: Iterable[Run]) -> dict[str, Run]:
    """The run that counts of each dataset: the one that was ordered last.

    Parameters
    ----------
    runs
        Runs of the batch, the newest first.
    """
    found: dict[str, Run] = {}
    for run in runs:
        found.setdefault(run.subject.dataset_id, run)
    return {identity: found[identity] for identity in batch.datasets if identity in found}


def doomed(store: Store, batch: Batch) -> list[Run]:
    """All runs that go with a batch: its own, and those derived from them."""
    found = {run.id: run for run in runs_of(store, batch)}
    for identity in list(found):
        found |= {run.id: run for run in store.descendants(identity)}
    return list(found.values())


def delete(store: Store, batch: Batch) -> int:
    """Delete a batch with its runs and what is derived from them; return how many runs went.

    Raises
    ------
    InputError
        When one of them is being computed.
    """
    going = doomed(store, batch)
    if any(run.status == "running" for run in going):
        raise InputError("Runs of this batch are still being processed.", remedy="Cancel them first.")
    gone = 0
    # The youngest first, so that none has gone with another by its turn.
    for run in sorted(going, key=lambda one: one.created, reverse=True):
        gone += store.delete(run.id)
    with store.database.write() as session:
        session.execute(delete_rows(BatchRow).where(BatchRow.id == batch.id))
    remove(exports(store, batch))
    return gone


def exports(store: Store, batch: Batch) -> Path:
    """Folder of the files that were prepared of a batch; any of them can be made again."""
    return store.home / "exports" / batch.id


def copied(store: Store, batch: Batch) -> Batch:
    """The batch itself while it has no run, else a new one of the same datasets: settings of a batch do not change."""
    if not runs_of(store, batch):
        return batch
    return add(store, batch.name, batch.datasets, batch.refused, batch.notes)


def _named(name: str) -> str:
    return one_line(name)[:LONGEST_NAME]


def _content(datasets: Sequence[str], refused: Iterable[Refused], notes: Sequence[str]) -> dict[str, Any]:
    told = [{"name": text(one_line(one.name, 200)), "why": text(one.why)[:2000]} for one in refused]
    return {"datasets": list(datasets), "refused": told, "notes": [text(one)[:2000] for one in notes]}


def _batch(row: BatchRow) -> Batch:
    refused = tuple(Refused(one["name"], one["why"]) for one in row.content["refused"])
    created = moment(row.created)
    assert created is not None  # noqa: S101  every row has its time
    return Batch(row.id, row.name, created, tuple(row.content["datasets"]), refused, tuple(row.content["notes"]))


def _gone() -> InputError:
    return InputError("No such batch.", "It may have been deleted.", "Check the link or choose from Runs.")


def without(batch: Batch, refused: Sequence[tuple[str, Refused]]) -> Batch:
    """A batch without some datasets, each by its id with the reason."""
    left_out = {identity for identity, _ in refused}
    kept = tuple(one for one in batch.datasets if one not in left_out)
    return replace(batch, datasets=kept, refused=(*batch.refused, *(one for _, one in refused)))
