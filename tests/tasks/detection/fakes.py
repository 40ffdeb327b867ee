"""A detector whose boxes are known without running anything: those of bright patches."""

from __future__ import annotations

import numpy as np
import torch
from scipy import ndimage
from torch import Tensor, nn

from core.learning.spec import ModelSpec
from core.tasks.detection.families.base import Detected, Detector, Target, family

BRIGHT = 0.5


class BrightBoxes(Detector):
    """Boxes of the patches whose first band is brighter than half; the score is their mean brightness.

    Parameters
    ----------
    bands
        Of the input.
    outlines
        Whether it gives the patches themselves as well.
    """

    family = "bright"
    explained = ("last",)

    def __init__(self, bands: int, *, outlines: bool = False) -> None:
        super().__init__()
        self.last = nn.Conv2d(bands, 1, 1)
        self.has_masks = outlines
        self.seen: list[tuple[int, ...]] = []

    def losses(self, images: Tensor, targets: list[Target]) -> dict[str, Tensor]:
        """Brightness outside boxes less that inside."""
        values = self.last(images)[:, 0]
        inside = [values[i, int(y):int(bottom), int(x):int(right)].mean()
                  for i, target in enumerate(targets) for x, y, right, bottom in target.boxes.tolist()]  # fmt: skip
        return {"outside": values.mean(), "inside": -torch.stack(inside).mean() if inside else values.sum() * 0}

    def detect(
        self, images: Tensor, min_confidence: float, max_detections: int, nms_iou: float = 0.7
    ) -> list[Detected]:
        """See `Detector`."""
        self.seen.append(tuple(images.shape))
        return [
            self._one(values, min_confidence, max_detections)
            for values in self.last(images)[:, 0].float().cpu().numpy()
        ]

    def _one(self, values: np.ndarray, min_confidence: float, max_detections: int) -> Detected:
        labels, count = ndimage.label(values > BRIGHT, structure=np.ones((3, 3)))
        found = []
        for number, (rows, columns) in enumerate(ndimage.find_objects(labels), start=1):
            mask = labels == number
            score = min(float(values[mask].mean()), 1.0)
            if score >= min_confidence:
                found.append((score, (columns.start, rows.start, columns.stop, rows.stop), mask))
        found = sorted(found, key=lambda one: -one[0])[:max_detections]
        masks = np.array([mask for *_, mask in found]).reshape(-1, *values.shape).astype(np.float32)
        return Detected(
            torch.tensor([box for _, box, _ in found], dtype=torch.float32).reshape(-1, 4),
            torch.tensor([score for score, *_ in found], dtype=torch.float32),
            torch.zeros(len(found), dtype=torch.int64),
            torch.from_numpy(masks) if self.has_masks else None,
        )

    def evidence(self, images: Tensor, box: Tensor) -> Tensor:
        """Mean brightness inside the box."""
        left, top, right, bottom = (round(float(edge)) for edge in box)
        return self.last(images)[0, 0, top:bottom, left:right].mean()


@family("bright")
def _bright(spec: ModelSpec) -> Detector:
    return BrightBoxes(len(spec.bands), outlines=bool(spec.options.get("outlines", False)))
