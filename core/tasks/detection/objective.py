"""Teaching a detector: batches of changed images with their boxes, scored by average precision on the tuning part."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from core.errors import InputError
from core.learning.augment import Augmentation, symmetry
from core.learning.loop import half_precision
from core.tasks.detection.boxes import Boxes
from core.tasks.detection.data import Examples
from core.tasks.detection.families.base import Detected, Detector, Target
from core.tasks.detection.metrics import scores

Corners = NDArray[np.float32]

VISIBLE = 0.4
"""Share of a box that must still be seen after cutting for it to be one."""

SHORTEST = 2.0
"""Pixels that each side of a cut box must still have."""

FLOOR = 0.01
"""Confidence threshold which boxes are scored while tuning."""


@dataclass(frozen=True)
class Example:
    """One image on its way to the network.

    Attributes
    ----------
    image
        (bands, height, width) float32.
    valid
        (height, width) bool.
    corners, labels, members
        (count, 4), (count,) class and (count,) number of each box in `numbers`.
    numbers
        (height, width) number of the box of each pixel; None without masks.
    """

    image: Tensor
    valid: Tensor
    corners: Corners
    labels: NDArray[np.int64]
    members: NDArray[np.int64]
    numbers: Tensor | None


def seen_part(
    corners: Corners, rows: tuple[float, float], columns: tuple[float, float]
) -> tuple[Corners, NDArray[np.bool_]]:
    """Boxes cut to a part of the image, in its pixels, and which of them are still to be found there."""
    low = np.array([columns[0], rows[0]], dtype=np.float32)
    high = np.array([columns[1], rows[1]], dtype=np.float32)
    cut = np.concatenate([np.clip(corners[:, :2], low, high), np.clip(corners[:, 2:], low, high)], axis=1)
    sides, whole = cut[:, 2:] - cut[:, :2], corners[:, 2:] - corners[:, :2]
    share = sides.prod(axis=1) / np.maximum(whole.prod(axis=1), 1e-6)
    return cut, (share >= VISIBLE) & (sides >= np.minimum(SHORTEST, whole)).all(axis=1)


def turned(example: Example, which: int) -> Example:
    """One of the eight symmetries of the square; a quarter turn swaps height and width."""
    height, width = example.image.shape[-2:]
    left, top, right, bottom = example.corners.T
    if which >= 4:
        left, right = width - right, width - left
    for _ in range(which % 4):
        # As torch.rot90 from the last but one axis to the last: what was the right edge becomes the top.
        left, top, right, bottom = top, width - right, bottom, width - left
        height, width = width, height
    corners = np.stack([left, top, right, bottom], axis=1).astype(np.float32)
    numbers = None if example.numbers is None else symmetry(example.numbers, which)
    return replace(
        example, image=symmetry(example.image, which), valid=symmetry(example.valid, which), corners=corners,
        numbers=numbers,
    )  # fmt: skip


def zoomed(example: Example, factor: float, right: float, down: float) -> Example:
    """A part of an image enlarged to the whole.

    Parameters
    ----------
    factor
        Enlargement, at least 1.
    right, down
        Place of the part between the left and right, and the upper and lower edge, 0 to 1.
    """
    from torch.nn import functional

    height, width = example.image.shape[-2:]
    rows, columns = max(8, round(height / factor)), max(8, round(width / factor))
    top, left = round((height - rows) * down), round((width - columns) * right)
    part = (slice(top, top + rows), slice(left, left + columns))
    cut, kept = seen_part(example.corners, (top, top + rows), (left, left + columns))
    scale = np.array([width / columns, height / rows] * 2, dtype=np.float32)
    corners = (cut - np.array([left, top, left, top], dtype=np.float32)) * scale

    def nearest(values: Tensor) -> Tensor:
        return functional.interpolate(values[None, None].float(), size=(height, width), mode="nearest")[0, 0]

    image = functional.interpolate(
        example.image[:, part[0], part[1]][None], size=(height, width), mode="bilinear", align_corners=False
    )[0]
    return Example(
        image, nearest(example.valid[part]) > 0.5, corners[kept], example.labels[kept], example.members[kept],
        None if example.numbers is None else nearest(example.numbers[part]).to(torch.int32),
    )  # fmt: skip


def mosaic(parts: list[Example], row: int, column: int) -> Example:
    """Four images of one size joined at a point, each giving its own quarter, at their own scale.

    Mosaics that shrink four images into one would make slides of a few pixels vanish.
    """
    height, width = parts[0].image.shape[-2:]
    image, valid = parts[0].image.clone(), parts[0].valid.clone()
    numbers = None if any(part.numbers is None for part in parts) else torch.zeros(height, width, dtype=torch.int32)
    corners, labels, members = [], [], []
    quarters = [((0, row), (0, column)), ((0, row), (column, width)), ((row, height), (0, column)),
                ((row, height), (column, width))]  # fmt: skip
    shift = 0
    for part, (rows, columns) in zip(parts, quarters, strict=True):
        place = (slice(*rows), slice(*columns))
        image[:, place[0], place[1]] = part.image[:, place[0], place[1]]
        valid[place] = part.valid[place]
        cut, kept = seen_part(part.corners, rows, columns)
        corners.append(cut[kept])
        labels.append(part.labels[kept])
        members.append(part.members[kept] + shift)
        if numbers is not None and part.numbers is not None:
            own = part.numbers[place]
            numbers[place] = torch.where(own > 0, own + shift, own).to(torch.int32)
            shift += int(part.numbers.max()) if part.numbers.numel() else 0
    return Example(
        image, valid, np.concatenate(corners), np.concatenate(labels), np.concatenate(members), numbers
    )


@dataclass(frozen=True)
class BoxLesson:
    """See `core.learning.loop.TrainingObjective`.

    Attributes
    ----------
    fitting, tuning
        Images to learn from, and to choose the epoch by.
    prepare
        From images in [0, 1] (batch, bands, height, width) to the network's input; what has no data becomes 0 after.
    value_range
        Values of the images, lowest and highest.
    augmentation
        How images are changed; `mix` is the share of mosaics.
    batch
        Images of one pass when scoring.

    Raises
    ------
    InputError
        When the tuning part holds no box.
    """

    fitting: Examples
    tuning: Examples
    prepare: Callable[[Tensor], Tensor]
    value_range: tuple[float, float]
    augmentation: Augmentation
    batch: int = 32

    def __post_init__(self) -> None:
        if not any(len(boxes) for boxes in self.tuning.boxes):
            raise InputError(
                "The tuning set holds no landslide.",
                "Without landslides, epochs cannot be compared and no confidence can be chosen.",
                "Use more images, a larger tune_share or another split_seed.",
            )

    @property
    def count(self) -> int:
        """Images of one epoch."""
        return len(self.fitting.images)

    def example(self, index: int) -> Example:
        """One image as it is, scaled to [0, 1]."""
        of, (low, high) = self.fitting, self.value_range
        boxes = of.boxes[index]
        return Example(
            (torch.from_numpy(of.images[index]).float() - low) / (high - low),
            torch.from_numpy(of.valid[index]),
            boxes.corners,
            boxes.classes.astype(np.int64),
            np.arange(1, len(boxes) + 1),
            None if of.numbers is None else torch.from_numpy(of.numbers[index]).to(torch.int32),
        )

    def changed(self, index: int, generator: torch.Generator) -> Example:
        """One image, changed at random in place and size."""
        how = self.augmentation
        draws = torch.rand(8, generator=generator)
        example = self.example(index)
        if how.mix > 0 and float(draws[0]) < how.mix:
            others = torch.randint(0, self.count, (3,), generator=generator).tolist()
            height, width = example.image.shape[-2:]
            row, column = (round(side * (0.25 + 0.5 * float(d))) for side, d in ((height, draws[1]), (width, draws[2])))
            example = mosaic([example, *(self.example(other) for other in others)], row, column)
        if how.zoom > 1:
            example = zoomed(example, how.zoom ** float(draws[3]), float(draws[4]), float(draws[5]))
        if how.turn:
            which = int(draws[6] * 8) % 8
            square = example.image.shape[-1] == example.image.shape[-2]
            example = turned(example, which if square or which % 2 == 0 else which - 1)
        return example

    def loss(self, network: nn.Module, chosen: NDArray[np.int64], generator: torch.Generator) -> Tensor:
        """Sum of the family's terms for some images."""
        assert isinstance(network, Detector)  # noqa: S101  what build_detector gives
        where = next(network.parameters()).device
        examples = [self.changed(int(index), generator) for index in chosen]
        images = torch.stack([example.image for example in examples])
        lit = replace(self.augmentation, turn=False, zoom=1.0, mix=0.0)
        images, _ = lit(images, torch.zeros(len(images), 1, 1, 1), generator)
        valid = torch.stack([example.valid for example in examples])
        inputs = (self.prepare(images) * valid[:, None]).to(where).contiguous(memory_format=torch.channels_last)
        targets = [self._target(example, where) for example in examples]
        with torch.autocast(where.type, torch.bfloat16, enabled=half_precision(where)):
            terms = network.losses(inputs, targets)
        total: Tensor = torch.stack([term.float() for term in terms.values()]).sum()
        return total

    def _target(self, example: Example, where: torch.device) -> Target:
        masks = None
        if example.numbers is not None:
            numbers = torch.from_numpy(example.members.astype(np.int32))
            masks = (example.numbers[None] == numbers[:, None, None]).to(where)
        return Target(
            torch.from_numpy(example.corners.astype(np.float32)).to(where),
            torch.from_numpy(example.labels).to(where),
            masks,
        )

    def score(self, network: nn.Module) -> dict[str, float]:
        """AP50 on the tuning part, and the best F1 with its confidence."""
        assert isinstance(network, Detector)  # noqa: S101
        found = detect_all(network, self.tuning, self.prepare, self.value_range, self.batch)
        told = scores(found, self.tuning.boxes)
        return {"score": told.ap50, "f1": told.f1, "confidence": told.confidence}


def detect_all(
    network: Detector,
    examples: Examples,
    prepare: Callable[[Tensor], Tensor],
    value_range: tuple[float, float],
    batch: int = 32,
    nms_iou: float = 0.5,
) -> list[Boxes]:
    """Boxes of all examples, in half precision where the machine multiplies it natively."""
    low, high = value_range
    where = next(network.parameters()).device
    network.eval()
    found: list[Boxes] = []
    with torch.inference_mode(), torch.autocast(where.type, torch.bfloat16, enabled=half_precision(where)):
        for start in range(0, len(examples.images), batch):
            values = (torch.from_numpy(examples.images[start : start + batch]).float() - low) / (high - low)
            valid = torch.from_numpy(examples.valid[start : start + batch])
            inputs = (prepare(values) * valid[:, None]).to(where).contiguous(memory_format=torch.channels_last)
            found.extend(boxes_of(one) for one in network.detect(inputs, FLOOR, 100, nms_iou))
    return found


def boxes_of(found: Detected) -> Boxes:
    """What a detector gives for one image, as boxes."""
    return Boxes.of(found.boxes.float().cpu().numpy(), found.scores.float().cpu().numpy(), found.labels.cpu().numpy())
