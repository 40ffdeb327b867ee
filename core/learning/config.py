"""A training described in TOML: data, network, loss, augmentation, phases; the same for every task that sees images."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from core.errors import InputError, LandslideError
from core.learning.augment import Augmentation
from core.learning.loop import Schedule
from core.raster.files import resolve_inside


@dataclass(frozen=True)
class Data:
    """Where training images lie and how they are divided.

    Attributes
    ----------
    images, masks
        Folders, relative to the data folder given by command.
    name
        What the data set is called beside a score, such as ``"Landslide4Sense"``; the beginning of `title` when empty.
    labels
        For detectors, instead of masks: a COCO JSON file, or a folder of YOLO text files.
    validation_images, validation_masks, validation_labels
        What is scored once at the end.
    tune_images, tune_masks, tune_labels
        For detectors: what chooses epoch and confidence, where it lies apart; else a share of the rest does.
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
    title: str
    licence: str
    citation: str
    name: str = ""
    masks: str = ""
    labels: str = ""
    validation_images: str = ""
    validation_masks: str = ""
    validation_labels: str = ""
    tune_images: str = ""
    tune_masks: str = ""
    tune_labels: str = ""
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
    """Everything a training needs but the data folder.

    Attributes
    ----------
    name, title, summary, architecture, encoder, options, sensor, tile, licence, ground_distance, limits
        As in the model's description; see `core.learning.spec.ModelSpec`. An option ``yaml`` that names a file beside
        the description is replaced by its content.
    data, phases
        What is learnt from, and in which stretches.
    loss
        Terms of the loss with their weights; a detector's family brings its own.
    start_from
        Name of a mapping model whose encoder (and, where it fits, decoder) training starts from, or ``package:NAME``
        for an encoder from a package that only training needs; see `core.learning.pretrained`.
    paces
        Share of the learning rate for parameters by the beginning of their names.
    bands, value_range, classes
        Input bands by role, their values before normalisation, and what a detector tells apart.
    task
        Which folder of models it goes to; empty where only the command says so.
    """

    name: str
    title: str
    summary: str
    architecture: str
    data: Data
    phases: tuple[Phase, ...]
    sensor: str
    tile: int
    licence: str
    encoder: str = ""
    loss: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    ground_distance: float | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    start_from: str = ""
    limits: tuple[str, ...] = ()
    paces: Mapping[str, float] = field(default_factory=dict)
    bands: tuple[str, ...] = ("red", "green", "blue")
    value_range: tuple[float, float] = (0.0, 255.0)
    classes: tuple[str, ...] = ()
    task: str = ""

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
            options = _with_network(content.pop("options", {}), path)
            rest: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in content.items()}
            return cls(data=data, phases=phases, options=options, **rest)
        except LandslideError:
            raise
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, TypeError, KeyError, AttributeError) as error:
            raise InputError(
                f"The training description {path} is not valid.", str(error), "Compare it with models/configs."
            ) from error


def _with_network(options: dict[str, Any], path: Path) -> dict[str, Any]:
    """Options in which a named YAML file beside the description is replaced by what it holds."""
    named = options.get("yaml", "")
    if not named.endswith(".yaml"):
        return options
    return {**options, "yaml": resolve_inside(path.resolve().parent, named).read_text(encoding="utf-8")}


def _phase(values: dict[str, Any]) -> Phase:
    augmentation = Augmentation(**values.pop("augmentation", {}))
    upscale = float(values.pop("upscale", 1.0))
    return Phase(Schedule(**values), augmentation, upscale)
