"""What a model is: its ``model.toml``, from which forms, checks and cards are built."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

import tomli_w

from core.errors import ModelError

NAME = re.compile(r"[a-z0-9][a-z0-9-]{1,62}")


@dataclass(frozen=True)
class ModelSpec:
    """Description of a trained model.

    Attributes
    ----------
    name
        Folder name: lower case letters, digits and hyphens.
    task, title, summary
        Task it serves, its name for people, and one sentence on what it is.
    architecture, encoder, options, upscale
        How the network is built; see `core.learning.segmentation.build_network`.
    bands
        Roles of the input bands in order, such as ``("red", "green", "blue")``.
    value_range
        Values of the input before normalisation, lowest and highest.
    mean, deviation
        Per band, after scaling the value range to [0, 1].
    stretch_low, stretch_high
        Per band, the 2nd and 98th percentile of the training values, to which a scene of another value range is
        stretched; empty when only scenes of the same range can be read.
    ground_distance
        Metres per pixel the model was trained at, or None when it varied.
    sensor
        Where its training images come from.
    tile
        Side in pixels of the windows it is given, a multiple of 32.
    threshold
        Probability from which a pixel, or confidence from which a box, counts as landslide; chosen on the tuning
        split.
    weights_sha256
        Digest of ``weights.safetensors``.
    training
        Data, licence, split, seed, command, epochs and what training started from.
    scores
        ``validation``, ``tuning`` and ``baseline`` scores by name.
    cost
        ``parameters``, ``flops_per_tile`` and ``milliseconds_per_tile``.
    limits
        Known limits, one sentence each.
    classes
        What a detector tells apart, in the order of its outputs; empty for tasks without classes.
    explanation
        How well each layer explains the model, see `core.explain.layer_tests.LayerTests`; empty where not measured.
    """

    name: str
    task: str
    title: str
    summary: str
    architecture: str
    encoder: str
    bands: tuple[str, ...]
    value_range: tuple[float, float]
    mean: tuple[float, ...]
    deviation: tuple[float, ...]
    sensor: str
    tile: int
    threshold: float
    licence: str
    stretch_low: tuple[float, ...] = ()
    stretch_high: tuple[float, ...] = ()
    ground_distance: float | None = None
    upscale: float = 1.0
    options: Mapping[str, Any] = field(default_factory=dict)
    weights_sha256: str = ""
    training: Mapping[str, Any] = field(default_factory=dict)
    scores: Mapping[str, Any] = field(default_factory=dict)
    cost: Mapping[str, Any] = field(default_factory=dict)
    limits: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()
    explanation: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        problem = ""
        if not NAME.fullmatch(self.name):
            problem = "its name may contain only lower case letters, digits and hyphens"
        elif not len(self.bands) == len(self.mean) == len(self.deviation):
            problem = "bands, mean and deviation differ in length"
        elif self.tile % 32 or self.tile <= 0:
            problem = "its tile is not a multiple of 32 pixels"
        elif not 0 <= self.threshold <= 1:
            problem = "its threshold is not between 0 and 1"
        elif not self.value_range[0] < self.value_range[1]:
            problem = "its value range is empty"
        if problem:
            raise ModelError(f"The description of model {self.name!r} is not valid: {problem}.")

    def to_toml(self) -> str:
        """The description as TOML, keys in the order of the attributes; what is None is left out."""
        values = {key: value for key, value in asdict(self).items() if value is not None}
        plain = {key: list(value) if isinstance(value, tuple) else value for key, value in values.items()}
        return tomli_w.dumps(plain, multiline_strings=True)

    @classmethod
    def from_toml(cls, path: Path) -> ModelSpec:
        """Read ``model.toml``.

        Raises
        ------
        ModelError
            When the file is missing, is not TOML, or lacks or misspells an entry.
        """
        try:
            values = tomllib.loads(path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise ModelError(f"The model description {path.parent.name} cannot be read.", str(error)) from error
        known = {entry.name for entry in fields(cls)}
        if unknown := sorted(set(values) - known):
            raise ModelError(f"The description of model {path.parent.name} has unknown entries: {', '.join(unknown)}.")
        try:
            content: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in values.items()}
            return cls(**content)
        except (TypeError, IndexError) as error:
            raise ModelError(
                f"The description of model {path.parent.name} is incomplete.", str(error)
            ) from error
