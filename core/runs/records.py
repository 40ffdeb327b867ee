"""What travels between the store and those who ask it: datasets, orders, runs, artifacts."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from core.errors import InputError
from core.runs.files import bytes_digest

if TYPE_CHECKING:
    from core.raster.scene import Scene

Form = Literal["raster", "vector", "table"]
Status = Literal["queued", "running", "done", "failed", "cancelled", "interrupted"]
ACTIVE: tuple[Status, ...] = ("queued", "running")
ENDED: tuple[Status, ...] = ("done", "failed", "cancelled", "interrupted")

SILENT_AFTER = 20.0
"""Seconds without a heartbeat after which a run's worker is taken for lost."""

ID = re.compile(r"[0-9a-f]{32}")
TAG = re.compile(r"[^\s,\x00-\x1f\ud800-\udfff][^,\x00-\x1f\ud800-\udfff]{0,63}")


def checked_id(identity: str, what: Literal["run", "dataset"] = "run") -> str:
    """An id as it is.

    Parameters
    ----------
    what
        What it is the id of, for the message.

    Raises
    ------
    InputError
        When it is not 32 hexadecimal digits.
    """
    if not ID.fullmatch(identity):
        remedy = "Check the link or choose from Runs." if what == "run" else (
            "Check the link, or choose or upload the file again."
        )
        raise InputError(f"No such {what}.", remedy=remedy)
    return identity


def checked_tags(tags: Sequence[str]) -> tuple[str, ...]:
    """Tags as they are kept: each once, in order.

    Raises
    ------
    InputError
        When one is empty, longer than 64 signs or holds a comma.
    """
    wrong = next((tag for tag in tags if not TAG.fullmatch(tag)), None)
    if wrong is not None:
        raise InputError(f"{wrong[:80]!r} is not a valid tag.", remedy="Use up to 64 characters, without commas.")
    return tuple(sorted(set(tags)))


def default_time_limit() -> float:
    """Seconds that a run may take: ``SLIDELENS_TIME_LIMIT``, else twelve hours.

    Raises
    ------
    InputError
        When the setting is not a positive number.
    """
    text = os.environ.get("SLIDELENS_TIME_LIMIT", "43200")
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < float("inf"):
        raise InputError(f"SLIDELENS_TIME_LIMIT is {text!r}, not a number of seconds.", remedy="Set it to 43200.")
    return seconds


@dataclass(frozen=True)
class DatasetRecord:
    """A dataset in the store.

    Attributes
    ----------
    id
        32 hexadecimal digits.
    form
        ``"raster"``, ``"vector"`` or ``"table"``.
    name
        What users call it.
    path
        Its file.
    created
        When it was added.
    origin
        Where it came from, in words: "uploaded", "sample", the open data set's name, "data folder".
    synthetic
        Whether the data were made up rather than measured.
    licence, citation
        Of the data, empty when unknown.
    companions
        Ids of the datasets that belong to it, by role: ``"reference"``, ``"dem"``, ``"before"``.
    """

    id: str
    form: Form
    name: str
    path: Path
    created: datetime
    origin: str = ""
    synthetic: bool = False
    licence: str = ""
    citation: str = ""
    companions: Mapping[str, str] = field(default_factory=dict)

    @property
    def digest(self) -> str:
        """SHA-256 of values, validity and grid of a raster, of the bytes of others.

        Raises
        ------
        InputError
            When the file is gone or damaged.
        """
        if self.form == "raster":
            from core.raster.scene import Scene

            return Scene.open(self.path).digest
        try:
            return bytes_digest(self.path)
        except OSError as error:
            raise InputError(
                f"The file of {self.name} cannot be read: {error.strerror}.", remedy="Choose or upload it again."
            ) from error


@dataclass(frozen=True)
class DatasetSummary:
    """A dataset in a list: its id, form, name, where it came from and when it was added."""

    id: str
    form: Form
    name: str
    origin: str
    created: datetime


@dataclass(frozen=True)
class SceneRecord:
    """A raster dataset as a scene, with what belongs to it.

    Attributes
    ----------
    id
        32 hexadecimal digits.
    scene
        The raster.
    reference, dem
        Inventory (raster or vector) and elevation on disk, or None.
    origin
        Where it came from, in words; see `DatasetRecord`.
    before
        Id of the scene of the same place before the event, or empty.
    companions
        The datasets that `reference` and `dem` are files of, by role: ``"reference"``, ``"dem"``.
    """

    id: str
    scene: Scene
    reference: Path | None = None
    dem: Path | None = None
    origin: str = ""
    before: str = ""
    companions: Mapping[str, DatasetRecord] = field(default_factory=dict)


@dataclass(frozen=True)
class SceneSummary:
    """A scene in a list: its id, its name and where it came from."""

    id: str
    name: str
    origin: str


@dataclass(frozen=True)
class Artifact:
    """A file of a run as it is sent to a browser; a derived one may be another tomorrow."""

    path: Path
    media_type: str
    derived: bool = False


@dataclass(frozen=True)
class StoredArtifact:
    """A file of a run.

    Attributes
    ----------
    role
        What it is to the run: ``"probability"``.
    digest
        SHA-256 of its content: of values and grid for rasters, of bytes otherwise.
    path, size, media_type
        Where it lies, its bytes, its type.
    derived
        Whether it was made afterwards from the run and may be made again, as a report.
    """

    role: str
    digest: str
    path: Path
    size: int
    media_type: str
    derived: bool = False


@dataclass(frozen=True)
class Input:
    """A dataset that a run uses.

    Attributes
    ----------
    role
        What it is to the run, such as ``"scene"``; see `core.runs.kinds.Role`.
    dataset_id
        Its id in the store; empty where the dataset is not in it.
    name, digest
        Its name and content digest when the run used it; empty until they are known.
    """

    role: str
    dataset_id: str = ""
    name: str = ""
    digest: str = ""


@dataclass(frozen=True)
class Order:
    """What is asked; in the store it becomes a queued run.

    Attributes
    ----------
    task, kind
        Names of a task and of one of its kinds of runs; see `core.runs.kinds`.
    parameters
        All that decides the result, as JSON.
    inputs
        Datasets of the store by role, that which the run is about first.
    model
        Name of the model.
    parents
        Runs that it is derived from.
    owner
        The visitor that asked, by a random token; queues are fair between owners.
    name
        What to call it; the name of its first input when empty.
    seed
        Seed of everything random in it; None when nothing is.
    time_limit
        Seconds after which it is stopped; None takes the installation's limit.
    batch
        Id of the batch that it belongs to; empty for none.
    """

    task: str
    kind: str
    parameters: Mapping[str, Any]
    inputs: tuple[Input, ...] = ()
    model: str = ""
    parents: tuple[str, ...] = ()
    owner: str = ""
    name: str = ""
    seed: int | None = None
    time_limit: float | None = None
    batch: str = ""


@dataclass(frozen=True)
class Progress:
    """Steps done of all, words for what is being done, and seconds left as far as the steps so far tell."""

    done: int = 0
    total: int = 0
    words: str = ""
    left: float | None = None

    @property
    def share(self) -> float:
        """Share that is done, 0 to 1."""
        return min(1.0, self.done / self.total) if self.total else 0.0


@dataclass(frozen=True)
class Failure:
    """Why a run did not end well: for users, and in detail for the administrator."""

    what: str
    why: str = ""
    remedy: str = ""
    detail: str = ""


@dataclass(frozen=True)
class Run:
    """A run with its state and its labels.

    Attributes
    ----------
    id, task, kind, inputs, model, parameters, seed, parents, owner, created, time_limit, batch
        What was asked, by whom and when; see `Order`.
    status, started, finished, heartbeat, server, worker, cancelling, progress, failure
        How far it is.
    weights_sha256, metrics, notes, artifacts
        What came of it, once it is done.
    name, note, tags, pinned
        What people call it.
    """

    id: str
    task: str
    kind: str
    status: Status
    created: datetime
    inputs: tuple[Input, ...] = ()
    model: str = ""
    parameters: Mapping[str, Any] = field(default_factory=dict)
    seed: int | None = None
    parents: tuple[str, ...] = ()
    owner: str = ""
    time_limit: float = 0.0
    started: datetime | None = None
    finished: datetime | None = None
    heartbeat: datetime | None = None
    server: str = ""
    worker: str = ""
    cancelling: bool = False
    progress: Progress = field(default_factory=Progress)
    failure: Failure | None = None
    weights_sha256: str = ""
    metrics: Mapping[str, float | None] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    artifacts: tuple[StoredArtifact, ...] = ()
    name: str = ""
    note: str = ""
    tags: tuple[str, ...] = ()
    pinned: bool = False
    batch: str = ""

    @property
    def active(self) -> bool:
        """Whether it waits or works."""
        return self.status in ACTIVE

    @property
    def subject(self) -> Input:
        """The input that it is about: the first one; an empty one without any."""
        return self.inputs[0] if self.inputs else Input("")

    def input(self, role: str) -> Input:
        """The first input of a role; an empty one when it has none."""
        return next((one for one in self.inputs if one.role == role), Input(role))

    @property
    def title(self) -> str:
        """Its name, else that of its first input."""
        return self.name or self.subject.name or f"Run {self.id[:8]}"

    @property
    def seconds(self) -> float | None:
        """Time it has worked so far, or took."""
        if self.started is None:
            return None
        return ((self.finished or datetime.now(UTC)) - self.started).total_seconds()

    @property
    def eta(self) -> float | None:
        """Estimated remaining seconds at the present rate; None while that is unknown."""
        share, seconds, left = self.progress.share, self.seconds, self.progress.left
        if self.status != "running" or seconds is None or self.heartbeat is None:
            return None
        if left is not None:
            return max(0.0, left - (datetime.now(UTC) - self.heartbeat).total_seconds())
        return seconds * (1 - share) / share if share >= 0.05 and seconds >= 5 else None

    @property
    def bytes(self) -> int:
        """Size of its files, shared ones included."""
        return sum(artifact.size for artifact in self.artifacts)

    def artifact(self, role: str) -> StoredArtifact | None:
        """A file by its role."""
        return next((artifact for artifact in self.artifacts if artifact.role == role), None)


@dataclass(frozen=True)
class RunFilter:
    """Which runs are wanted; what is left out does not narrow.

    Attributes
    ----------
    task, model, dataset_id, parent, owner, tag, batch
        Equal to this; the dataset in any role.
    kinds, statuses
        One of these.
    text
        Found in name, names of inputs, note or the beginning of the id, in any case.
    after, before
        Ordered at or after, and before, this time.
    limit, offset
        How many, from which on; the newest come first.
    """

    task: str = ""
    kinds: tuple[str, ...] = ()
    statuses: tuple[Status, ...] = ()
    dataset_id: str = ""
    model: str = ""
    tag: str = ""
    text: str = ""
    parent: str = ""
    owner: str = ""
    batch: str = ""
    after: datetime | None = None
    before: datetime | None = None
    limit: int | None = None
    offset: int = 0


def moment(seconds: float | None) -> datetime | None:
    """Seconds since 1970 as a time in UTC."""
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)


def clock() -> float:
    """The time in seconds since 1970."""
    return time.time()
