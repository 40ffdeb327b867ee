"""What a finished run holds: files by role, numbers to compare by, and where all of it came from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from core.errors import StorageError
from core.raster.grid import Grid
from core.runs.records import Input


@dataclass(frozen=True, kw_only=True)
class RunResult:
    """The base of the results of all kinds of runs, and the whole result of those that hold numbers and files alone.

    Attributes
    ----------
    id
        32 hexadecimal digits, random.
    kind
        Name of the kind of run within its task.
    folder
        Folder that `artifacts` are named relative to; in the store they are named by their digests.
    artifacts
        File names by role. Before a result is kept, a name may also be the absolute path of an artifact of another
        run, which the store then shares.
    inputs
        The datasets that the run used, by role.
    model
        Name of the model; empty without one.
    parents
        Ids of the runs that this one is derived from.
    numbers
        What `metrics` returns; NaN where a number is undefined.
    provenance
        Inputs with digests, model and weights' digest, parameters, versions, machine, times.
    notes
        Sentences that users must see.
    """

    id: str
    kind: str
    folder: Path
    artifacts: Mapping[str, str] = field(default_factory=dict)
    inputs: tuple[Input, ...] = ()
    model: str = ""
    parents: tuple[str, ...] = ()
    numbers: Mapping[str, float] = field(default_factory=dict)
    provenance: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def input(self, role: str) -> Input:
        """The first input of a role; an empty one when the run had none."""
        return next((one for one in self.inputs if one.role == role), Input(role))

    @property
    def subject(self) -> Input:
        """The input that the run is about: the first one; an empty one without any."""
        return self.inputs[0] if self.inputs else Input("")

    @property
    def has_reference(self) -> bool:
        """Whether the run was compared with a reference that a user brought."""
        return False

    def baseline_metrics(self) -> tuple[str, dict[str, float]]:
        """Name and metrics of the simple method that a model must beat on the same inputs; empty without one."""
        return "", {}

    def beside_metrics(self) -> dict[str, str]:
        """What is said beside some of `metrics` in a comparison, by their names, such as an interval."""
        return {}

    def artifact(self, role: str) -> Path:
        """Path of an artifact.

        Raises
        ------
        StorageError
            When the run has none of that role or the file is gone.
        """
        name = self.artifacts.get(role)
        if name is None:
            raise StorageError(f"Run {self.id[:8]} has no {role} file.")
        path = self.folder / name
        if not path.is_file():
            raise StorageError(f"The {role} file of run {self.id[:8]} is no longer on disk.", remedy="Repeat the run.")
        return path

    def metrics(self) -> dict[str, float]:
        """Numbers by which runs are compared, NaN where undefined."""
        return dict(self.numbers)

    def to_json(self) -> dict[str, Any]:
        """What `from_json` needs in addition to what the store keeps of every run."""
        return {}

    @classmethod
    def from_json(cls, content: Mapping[str, Any], **stored: Any) -> Self:  # noqa: ANN401  the fields of this class
        """Make a result of what `to_json` gave and the store kept beside it.

        Parameters
        ----------
        content
            What `to_json` gave.
        stored
            The fields of `RunResult`.

        Raises
        ------
        StorageError
            When the content is not what `to_json` gives.
        """
        try:
            return cls(**{**stored, **cls._fields(content)})
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise StorageError(f"The run {str(stored.get('id'))[:8]} cannot be read.", str(error)) from error

    @classmethod
    def _fields(cls, content: Mapping[str, Any]) -> dict[str, Any]:
        """The fields that a kind of result adds, from what its `to_json` gave."""
        del content
        return {}


@dataclass(frozen=True, kw_only=True)
class GridResult(RunResult):
    """A result that lies on a grid: a map, boxes in pixels of a scene, or what is derived from them.

    Attributes
    ----------
    grid
        Grid of its raster artifacts, or that of the scene when they are tables.
    """

    grid: Grid

    def to_json(self) -> dict[str, Any]:
        """See `RunResult`."""
        return {"format": 2, "grid": self.grid.to_json()}

    @classmethod
    def _fields(cls, content: Mapping[str, Any]) -> dict[str, Any]:
        return {"grid": Grid.from_json(content["grid"])}
