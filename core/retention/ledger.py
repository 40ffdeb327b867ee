"""Which rows refer to which files of the store, and what remains when some runs and uploads are deleted."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from graphlib import TopologicalSorter
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.retention.disk import EXPORTS, Entry
from core.runs.files import ARTIFACTS, FILES
from core.runs.records import ACTIVE
from core.runs.store import Store
from core.runs.tables import ArtifactRow, DatasetRow, InputRow, LabelRow, ParentRow, ReviewRow, RunRow, StateRow


@dataclass(frozen=True)
class RemovalCandidate:
    """A run, an upload or prepared files that would go, and the bytes freed after those before it.

    Attributes
    ----------
    id
        Of the run or the dataset; of prepared files, their place below the folder of exports: ``run/choice``.
    title
        Its name, of prepared files that of their run.
    created
        When it was ordered, uploaded or last written to.
    freed
        Bytes.
    """

    id: str
    title: str
    created: datetime
    freed: int


def own_files(row: DatasetRow) -> set[str]:
    """Names of the files of a dataset that the store keeps; those used in place are no affair of its."""
    return set() if Path(row.file).is_absolute() else {row.file}


@dataclass
class _Run:
    """A run in the ledger: `age` is when the newest run of its family was ordered."""

    id: str
    title: str
    created: float
    datasets: set[str]
    held: bool
    age: float
    rank: int = 0


@dataclass
class _Dataset:
    """A dataset in the ledger: `others` are those that belong to it."""

    id: str
    title: str
    created: float
    companion: bool
    others: set[str]
    files: set[str]


@dataclass
class _Export:
    """What was prepared of a run at one choice: `created` is when it was last written to."""

    id: str
    title: str
    created: float
    size: int = 0


@dataclass
class Ledger:
    """Who names what, and what has been struck out so far.

    Attributes
    ----------
    naming
        How many remaining runs or datasets name a file, or a dataset.
    sizes
        Bytes of files, and of the exports of runs.
    """

    runs: dict[str, _Run]
    datasets: dict[str, _Dataset]
    exports: list[_Export]
    artifacts: Mapping[str, set[str]]
    naming: Counter[str]
    sizes: Counter[str]
    kept: int
    runs_gone: list[RemovalCandidate] = field(default_factory=list)
    uploads_gone: list[RemovalCandidate] = field(default_factory=list)
    exports_gone: list[RemovalCandidate] = field(default_factory=list)

    @classmethod
    def of(cls, store: Store, found: Iterable[Entry], kept: int) -> Ledger:
        """Read the rows, and what lies on the disk from `found`, of which `kept` bytes count."""
        found = tuple(found)
        sizes: Counter[str] = Counter()
        for entry in found:
            # What was prepared of a run goes with it as one; everything else is told by file.
            whole = entry.path.startswith(f"{EXPORTS}/")
            sizes["/".join(entry.path.split("/")[:2]) if whole else entry.path] += entry.size
        with store.database.read() as session:
            runs, datasets = _runs(session), _datasets(session)
            artifacts: dict[str, set[str]] = defaultdict(set)
            for row in session.execute(select(ArtifactRow.run_id, ArtifactRow.file)):
                artifacts[row.run_id].add(f"{ARTIFACTS}/{row.file}")
        naming = Counter(file for held in artifacts.values() for file in held)
        naming.update(dataset for run in runs.values() for dataset in run.datasets)
        naming.update(name for dataset in datasets.values() for name in dataset.others | dataset.files)
        return cls(runs, datasets, _exports(found, runs), artifacts, naming, sizes, kept)

    def oldest_first(self) -> list[_Run]:
        """Runs that may be deleted, each after all runs derived from it."""
        return sorted((run for run in self.runs.values() if not run.held), key=lambda run: (run.age, run.rank))

    def drop_exports(self, may_go: Callable[[float], bool]) -> None:
        """What was prepared and may go does, the oldest first."""
        for export in sorted(self.exports, key=lambda one: (one.created, one.id)):
            if may_go(export.created):
                self.kept -= export.size
                self.sizes[f"{EXPORTS}/{export.id.partition('/')[0]}"] -= export.size
                self.exports_gone.append(_leaving(export, export.size))

    def drop_run(self, run: _Run, may_go: Callable[[float], bool]) -> None:
        """Delete a run, and then its upload if nothing else refers to it and it may be deleted."""
        held = self.artifacts.get(run.id, set())
        freed = self._freed(held) + self.sizes.get(f"{EXPORTS}/{run.id}", 0)
        self.kept -= freed
        self.runs_gone.append(_leaving(run, freed))
        self.naming.subtract(run.datasets)
        for dataset in sorted(run.datasets):
            self._drop_upload(dataset, may_go)

    def drop_uploads(self, may_go: Callable[[float], bool]) -> None:
        """Delete uploads that nothing refers to and that may be deleted."""
        for dataset in sorted(self.datasets.values(), key=lambda one: (one.companion, one.created, one.id)):
            self._drop_upload(dataset.id, may_go)

    def _drop_upload(self, identity: str, may_go: Callable[[float], bool]) -> None:
        dataset = self.datasets.get(identity)
        if dataset is None or self.naming[identity] > 0 or not may_go(dataset.created):
            return
        if not dataset.companion and not self._uploaded(dataset):
            return  # a file used in place, with nothing of ours
        others, freed = self._struck_out(dataset)
        self.kept -= freed
        self.uploads_gone.append(_leaving(dataset, freed))
        for other in sorted(others):
            self._drop_upload(other, may_go)

    def _uploaded(self, dataset: _Dataset) -> bool:
        """Whether files of ours go with a dataset: its own, or those of its companions."""
        others = (self.datasets.get(one) for one in dataset.others)
        return bool(dataset.files) or any(one.companion and one.files for one in others if one is not None)

    def _struck_out(self, dataset: _Dataset) -> tuple[set[str], int]:
        """Strike a dataset out with the companions that belong to it alone.

        Returns
        -------
        Datasets that it named and that are no companions, and the bytes freed.
        """
        del self.datasets[dataset.id]
        self.naming.subtract(dataset.others)
        left, freed = set(), self._freed(dataset.files)
        for other in sorted(dataset.others):
            one = self.datasets.get(other)
            if one is None or not one.companion:
                left.add(other)
            elif self.naming[other] <= 0:
                more, bytes_freed = self._struck_out(one)
                left, freed = left | more, freed + bytes_freed
        return left, freed

    def _freed(self, held: set[str]) -> int:
        """Remove references to files once, and return the bytes of those without any reference left."""
        self.naming.subtract(held)
        return sum(self.sizes.get(file, 0) for file in held if self.naming[file] <= 0)


def _leaving(one: _Run | _Dataset | _Export, freed: int) -> RemovalCandidate:
    return RemovalCandidate(one.id, one.title, datetime.fromtimestamp(one.created, UTC), freed)


def _exports(found: Iterable[Entry], runs: Mapping[str, _Run]) -> list[_Export]:
    """What was prepared, one for each choice of a run."""
    exports: dict[str, _Export] = {}
    for entry in found:
        parts = entry.path.split("/")
        if parts[0] != EXPORTS or len(parts) < 3 or (len(parts) == 3 and not entry.folder):
            continue
        run, identity = parts[1], "/".join(parts[1:3])
        title = runs[run].title if run in runs else run
        one = exports.setdefault(identity, _Export(identity, title, entry.modified))
        one.created, one.size = max(one.created, entry.modified), one.size + entry.size
    return list(exports.values())


def _runs(session: Session) -> dict[str, _Run]:
    query = (
        select(
            RunRow.id, RunRow.created, LabelRow.name, LabelRow.pinned, StateRow.status,
        )  # fmt: skip
        .join(LabelRow, LabelRow.run_id == RunRow.id)
        .join(StateRow, StateRow.run_id == RunRow.id)
    )
    reviewed = set(session.scalars(select(ReviewRow.run_id).distinct()))  # what people did cannot be made again
    names: dict[str, str] = {}
    datasets: dict[str, set[str]] = defaultdict(set)
    for used in session.scalars(select(InputRow).order_by(InputRow.run_id, InputRow.position)):
        names.setdefault(used.run_id, used.name)
        datasets[used.run_id] |= {used.dataset_id} - {""}
    runs = {
        row.id: _Run(
            row.id, row.name or names.get(row.id, ""), row.created, datasets[row.id],
            row.pinned or row.id in reviewed or row.status in ACTIVE, row.created,
        )  # fmt: skip
        for row in session.execute(query)
    }
    parents: dict[str, list[str]] = {identity: [] for identity in runs}
    for row in session.execute(select(ParentRow.run_id, ParentRow.parent_id)):
        if row.parent_id in runs:
            parents[row.run_id].append(row.parent_id)
    # From the youngest generation up: a run is held and aged by what stands on it.
    for rank, identity in enumerate(reversed(list(TopologicalSorter(parents).static_order()))):
        run = runs[identity]
        run.rank = rank
        for parent in parents[identity]:
            runs[parent].held |= run.held
            runs[parent].age = max(runs[parent].age, run.age)
    return runs


def _datasets(session: Session) -> dict[str, _Dataset]:
    datasets = {}
    for row in session.scalars(select(DatasetRow)):
        held, others = {f"{FILES}/{name}" for name in own_files(row)}, set(row.companions.values())
        datasets[row.id] = _Dataset(row.id, row.name, row.created, row.companion, others, held)
    return datasets
