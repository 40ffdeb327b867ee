"""D-RISE: hide random parts of the image, and see with which of them visible the box is still found.

References
----------
Petsiuk, V. et al. (2021). Black-box explanation of object detectors via saliency maps. CVPR.
doi:10.1109/CVPR46437.2021.01129
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional
from torchvision.ops import box_iou

from core.explain.cam import scaled
from core.explain.target import check_box, undisturbed
from core.learning.protocols import BoxEvidence, FoundBoxes

MASKS = 400
"""Random images that are tried."""

CELLS = 16
"""Cells of a mask along each side of the image before it is enlarged and shifted."""

VISIBLE = 0.5
"""Share of the cells that stay visible."""

AT_ONCE = 8
"""Images that the detector is given together."""


def drise(detector: BoxEvidence, inputs: Tensor, box: Tensor, layer: str = "") -> NDArray[np.float32]:
    """How much more surely a box like this one is found when a place is visible than on average.

    Of every masked image the best box counts: its overlap (IoU) with the box that is asked about times its score. The
    classes of the paper's similarity are left out, because landslides are of one.

    Parameters
    ----------
    detector
        Evaluated and left in evaluation mode; only its boxes are looked at.
    inputs
        Normalised image (1, bands, height, width), float32.
    box
        (4,) left, top, right, bottom in pixels of the image.
    layer
        Not asked; every method has one signature.

    Returns
    -------
    Map (height, width) float32 in [−1, 1]; all zero when a box like this one is never found. The masks are drawn
    with a fixed seed.

    Raises
    ------
    InputError
        When the image or box cannot be asked about.
    """
    del layer
    check_box(inputs, box)
    generator = torch.Generator().manual_seed(0)
    mean = inputs.mean(dim=(2, 3), keepdim=True)
    size = (inputs.shape[-2], inputs.shape[-1])
    weighted, shown = torch.zeros(size, dtype=torch.float64), torch.zeros(size, dtype=torch.float64)
    total = 0.0
    with undisturbed(detector), torch.no_grad():
        for masks in _masks(size, generator):
            visible = masks[:, None].to(inputs.device)
            found = detector.detect(inputs * visible + mean * (1 - visible), 0.0, 300)
            weights = torch.tensor([similarity(box, one) for one in found], dtype=torch.float64)
            weighted += (masks * weights[:, None, None]).sum(dim=0)
            shown += masks.sum(dim=0)
            total += float(weights.sum())
    # The mean with a place visible, less the mean of all: a place that changes nothing is 0, not merely pale.
    rise = weighted / shown.clamp(min=1e-6) - total / MASKS
    return scaled(rise.float().numpy(), inputs)


def similarity(box: Tensor, found: FoundBoxes) -> float:
    """Overlap with a box times score, of the best of the boxes found; 0 when there is none."""
    if not len(found.boxes):
        return 0.0
    overlap = box_iou(box[None], found.boxes)[0]
    return float((overlap * found.scores).max())


def _masks(size: tuple[int, int], generator: torch.Generator) -> Iterator[Tensor]:
    """Masks (images, height, width) in [0, 1], 1 being visible: coarse, enlarged and shifted by part of a cell."""
    height, width = size
    cell = (-(-height // CELLS), -(-width // CELLS))
    for start in range(0, MASKS, AT_ONCE):
        count = min(AT_ONCE, MASKS - start)
        coarse = (torch.rand((count, 1, CELLS + 1, CELLS + 1), generator=generator) < VISIBLE).float()
        grown = functional.interpolate(
            coarse, size=((CELLS + 1) * cell[0], (CELLS + 1) * cell[1]), mode="bilinear", align_corners=False
        )[:, 0]
        rows = torch.randint(0, cell[0], (count,), generator=generator).tolist()
        columns = torch.randint(0, cell[1], (count,), generator=generator).tolist()
        yield torch.stack(
            [mask[row : row + height, column : column + width]
             for mask, row, column in zip(grown, rows, columns, strict=True)]
        )  # fmt: skip
