"""What travels between the store and those who ask it: scenes, orders, runs, artifacts."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, Protocol

from core.errors import InputError, StorageError
from core.raster.scene import Scene

Status = Literal["queued", "running", "done", "failed", "cancelled", "interrupted"]
ACTIVE: tuple[Status, ...] = ("queued", "running")
ENDED: tuple[Status, ...] = ("done", "failed", "cancelled", "interrupted")

ID = re.compile(r"[0-9a-f]{32}")
TAG = re.compile(r"[^\s,\x00-\x1f\ud800-\udfff][^,\x00-\x1f\ud800-\udfff]{0,63}")


def checked_id(identity: str) -> str:
    """An id as it is.

    Raises
    ------
    InputError
        When it is not 32 hexadecimal digits.
    """
    if not ID.fullmatch(identity):
        raise InputError("That is not an id of this store.", remedy="Open the page without it and choose again.")
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
        raise InputError(f"{wrong[:80]!r} is no tag.", remedy="Give up to 64 signs without a comma.")
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
class SceneRecord:
    """A scene in the store with what belongs to it.

    Attributes
    ----------
    id
        32 hexadecimal digits.
    scene
        The raster.
    truth, dem
        Inventory (raster or vector) and elevation on disk, or None.
    origin
        Where it came from, in words: "uploaded", "sample", the open data set's name, "data folder".
    before
        Id of the scene of the same place before the event, or empty.
    """

    id: str
    scene: Scene
    truth: Path | None = None
    dem: Path | None = None
    origin: str = ""
    before: str = ""


@dataclass(frozen=True)
class SceneSummary:
    """A scene in a list: its id, its name and where it came from."""

    id: str
    name: str
    origin: str


@dataclass(frozen=True)
class SeriesRecord:
    """A monitoring table in the store: its id, name, file and where it came from."""

    id: str
    name: str
    path: Path
    origin: str = ""
    synthetic: bool = False
    licence: str = ""
    citation: str = ""


@dataclass(frozen=True)
class Artifact:
    """A file of a run as it is sent to a browser; a derived one may be another tomorrow."""

    path: Path
    media_type: str
    download_name: str
    derived: bool = False


@dataclass(frozen=True)
class Rasters:
    """The rasters of a finished run, as map tiles are cut from them.

    Attributes
    ----------
    run
        Id of the run.
    files
        Path by role; of some tasks roles of the same name are tables, which are not among them.
    georeferenced
        Whether they have a coordinate system.
    """

    run: str
    files: Mapping[str, Path]
    georeferenced: bool

    def path(self, role: str) -> Path:
        """A raster that is still there.

        Raises
        ------
        InputError, StorageError
            When the run has no such raster, or its file is gone.
        """
        if role not in self.files:
            raise InputError(f"This run has no {role} raster.")
        if not self.files[role].is_file():
            raise StorageError(f"The {role} file of run {self.run[:8]} is no longer on disk.", remedy="Run it again.")
        return self.files[role]


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
class Order:
    """What is asked; in the store it becomes a queued run.

    Attributes
    ----------
    task, kind
        ``"mapping"`` or ``"detection"``, and what of it: ``"mapping"``, ``"detection"``, ``"change"``,
        ``"explanation"``, ``"scored"`` and so on; see `core.runs.work.WORK`.
    scene_id
        Id of a stored scene, or empty.
    parameters
        All that decides the result, as JSON.
    model
        Name of the model.
    parents
        Runs that it stands on.
    owner
        The visitor that asked, by a random token; queues are fair between owners.
    name
        What to call it; the scene's name when empty.
    seed
        Seed of everything random in it; None when nothing is.
    time_limit
        Seconds after which it is stopped; None takes the installation's limit.
    """

    task: str
    kind: str
    parameters: Mapping[str, Any]
    scene_id: str = ""
    scene: str = ""
    model: str = ""
    parents: tuple[str, ...] = ()
    owner: str = ""
    name: str = ""
    seed: int | None = None
    time_limit: float | None = None


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
    """Why a run did not end well: for users, and in detail for who looks after the server."""

    what: str
    why: str = ""
    remedy: str = ""
    detail: str = ""


@dataclass(frozen=True)
class Run:
    """A run with its state and its labels.

    Attributes
    ----------
    id, task, kind, scene_id, scene, model, parameters, seed, parents, owner, created, time_limit
        What was asked, by whom and when; see `Order`.
    status, started, finished, heartbeat, server, worker, cancelling, progress, failure
        How far it is.
    scene_digest, weights_sha256, metrics, notes, artifacts
        What came of it, once it is done.
    name, note, tags, pinned
        What people call it.
    """

    id: str
    task: str
    kind: str
    status: Status
    created: datetime
    scene_id: str = ""
    scene: str = ""
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
    scene_digest: str = ""
    weights_sha256: str = ""
    metrics: Mapping[str, float | None] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    artifacts: tuple[StoredArtifact, ...] = ()
    name: str = ""
    note: str = ""
    tags: tuple[str, ...] = ()
    pinned: bool = False

    @property
    def active(self) -> bool:
        """Whether it waits or works."""
        return self.status in ACTIVE

    @property
    def title(self) -> str:
        """Its name, else that of the scene."""
        return self.name or self.scene or f"Run {self.id[:8]}"

    @property
    def seconds(self) -> float | None:
        """Time it has worked so far, or took."""
        if self.started is None:
            return None
        return ((self.finished or datetime.now(UTC)) - self.started).total_seconds()

    @property
    def eta(self) -> float | None:
        """Seconds that are left if it goes on as so far; None while that cannot be said."""
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
    task, model, scene_id, parent, owner, tag
        Equal to this.
    kinds, statuses
        One of these.
    text
        Found in name, scene, note or the beginning of the id, in any case.
    after, before
        Ordered at or after, and before, this time.
    limit, offset
        How many, from which on; the newest come first.
    """

    task: str = ""
    kinds: tuple[str, ...] = ()
    statuses: tuple[Status, ...] = ()
    scene_id: str = ""
    model: str = ""
    tag: str = ""
    text: str = ""
    parent: str = ""
    owner: str = ""
    after: datetime | None = None
    before: datetime | None = None
    limit: int | None = None
    offset: int = 0


class Result(Protocol):
    """What a task computed, ready to be kept; its artifacts lie in `folder` or, unchanged, in the store."""

    @property
    def folder(self) -> Path:
        """Folder that artifacts are named relative to."""

    @property
    def artifacts(self) -> Mapping[str, str]:
        """File names by role."""

    @property
    def scene(self) -> str:
        """Name of the scene."""

    @property
    def scene_digest(self) -> str:
        """Content digest of the scene."""

    @property
    def provenance(self) -> Mapping[str, Any]:
        """Where all of it came from."""

    @property
    def notes(self) -> tuple[str, ...]:
        """Sentences that users must see."""

    def metrics(self) -> dict[str, float]:
        """Numbers by which runs are compared."""

    def to_json(self) -> dict[str, Any]:
        """All that is needed to have it again, but id, artifacts, provenance and notes."""


def moment(seconds: float | None) -> datetime | None:
    """Seconds since 1970 as a time in UTC."""
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)


def clock() -> float:
    """The time in seconds since 1970."""
    return time.time()
