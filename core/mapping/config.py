"""A training described in TOML: data, network, loss, augmentation, phases."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from core.errors import InputError, LandslideError
from core.learning.augment import Augmentation
from core.learning.loop import Schedule


@dataclass(frozen=True)
class Data:
    """Where training images lie and how they are divided.

    Attributes
    ----------
    images, masks
        Folders, relative to the data folder given by command.
    validation_images, validation_masks
        Folders scored once at the end.
    validation_numbers
        Instead of such folders: numbers of pairs in `images` that are kept out for validation.
    tune_share
        Share of the remaining pairs that chooses epoch, threshold and architecture.
    split_seed
        Seed of that division.
    tile, stride
        Cut larger images into square tiles of this side at this stride, in pixels after reduction; 0 leaves them.
    reduce
        Reduce images by this whole factor first (area mean).
    """

    images: str
    masks: str
    title: str
    licence: str
    citation: str
    validation_images: str = ""
    validation_masks: str = ""
    validation_numbers: tuple[int, ...] = ()
    tune_share: float = 0.1
    split_seed: int = 0
    tile: int = 0
    stride: int = 0
    reduce: int = 1


@dataclass(frozen=True)
class Phase:
    """One stretch of training; a later phase goes on from the best weights of the one before."""

    schedule: Schedule
    augmentation: Augmentation
    upscale: float = 1.0


@dataclass(frozen=True)
class TrainConfig:
    """Everything a training needs but the data folder."""

    name: str
    title: str
    summary: str
    architecture: str
    encoder: str
    data: Data
    phases: tuple[Phase, ...]
    loss: Mapping[str, Mapping[str, float]]
    sensor: str
    tile: int
    licence: str
    ground_distance: float | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    start_from: str = ""
    limits: tuple[str, ...] = ()

    @classmethod
    def read(cls, path: Path) -> TrainConfig:
        """Read a TOML file.

        Raises
        ------
        InputError
            When it is missing, is not TOML, or lacks or misspells an entry.
        """
        try:
            content = tomllib.loads(path.read_text(encoding="utf-8"))
            common = content.pop("training", {})
            phases = tuple(_phase({**common, **phase}) for phase in content.pop("phase", [{}]))
            given = content.pop("data").items()
            entries: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in given}
            data = Data(**entries)
            limits = tuple(content.pop("limits", ()))
            return cls(data=data, phases=phases, limits=limits, **content)
        except LandslideError:
            raise
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, TypeError, KeyError, AttributeError) as error:
            raise InputError(
                f"The training description {path} cannot be used.", str(error), "Compare it with models/configs."
            ) from error


def _phase(values: dict[str, Any]) -> Phase:
    augmentation = Augmentation(**values.pop("augmentation", {}))
    upscale = float(values.pop("upscale", 1.0))
    return Phase(Schedule(**values), augmentation, upscale)
