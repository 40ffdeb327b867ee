"""Boxes around what a mapping network maps: the baseline beside every detector, which needs no training of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from core.learning.encoder import encoder_maps
from core.learning.segmentation import build_network
from core.tasks.detection.families.base import Detected, Detector, Target, family

if TYPE_CHECKING:
    from core.learning.spec import ModelSpec


def decoder_blocks(detector: nn.Module) -> tuple[str, ...]:
    """Names of the decoder's blocks that keep places, finest first, of the network of a detector."""
    known = {name for name, _ in detector.named_modules()}
    # A network that enlarges its input lies one name deeper.
    places = ("network.", "network.network.")
    blocks = (f"{place}decoder.blocks.{number}" for number in (3, 2, 1) for place in places)
    return tuple(name for name in blocks if name in known)


class MaskComponents(Detector):
    """A segmentation network whose 8-connected components above a threshold are boxes.

    The score of a box is the mean probability of its component times its pixels to a small power, scaled into
    0 to 1: of two components as sure, the larger is more often a landslide that others drew alike.

    Parameters
    ----------
    network
        Gives logits (batch, 1, height, width).
    threshold
        Probability from which pixels belong to a component.
    smallest
        Pixels of the smallest component.
    power
        Power of the pixel count.
    """

    family = "mask-components"
    has_masks = True

    LARGE = 16384.0
    """Pixels of a component whose score is its mean probability: a whole patch of 128 by 128."""

    def __init__(self, network: nn.Module, threshold: float, smallest: int, power: float) -> None:
        super().__init__()
        self.network = network
        self.threshold, self.smallest, self.power = threshold, smallest, power
        self.explained = decoder_blocks(self)

    def losses(self, images: Tensor, targets: list[Target]) -> dict[str, Tensor]:
        """Not trained as a detector: the network is a mapping model."""
        raise NotImplementedError("The mapping model is trained separately; its components need no training.")

    def detect(
        self, images: Tensor, min_confidence: float, max_detections: int, nms_iou: float = 0.7
    ) -> list[Detected]:
        """See `Detector`; components never overlap by much, so that `nms_iou` leaves nothing out."""
        probability = torch.sigmoid(self.network(images)).float()[:, 0].cpu().numpy()
        return [self.components(one, min_confidence, max_detections) for one in probability]

    def components(self, probability: NDArray[np.float32], min_confidence: float, max_detections: int) -> Detected:
        """Boxes of one map of probabilities (height, width)."""
        from scipy import ndimage

        labels, count = ndimage.label(probability >= self.threshold, np.ones((3, 3)))
        numbers = np.arange(1, count + 1)
        pixels = np.bincount(labels.ravel(), minlength=count + 1)[1:]
        means = np.asarray(ndimage.mean(probability, labels, numbers)) if count else np.empty(0)
        scores = means * np.minimum(1.0, pixels / self.LARGE) ** self.power
        places = ndimage.find_objects(labels)
        order = np.argsort(-scores, kind="stable")
        kept = order[(pixels[order] >= self.smallest) & (scores[order] >= min_confidence)][:max_detections]
        corners = [(places[k][1].start, places[k][0].start, places[k][1].stop, places[k][0].stop) for k in kept]
        masks = [labels == k + 1 for k in kept]
        return Detected(
            torch.tensor(corners, dtype=torch.float32).reshape(-1, 4),
            torch.from_numpy(scores[kept].astype(np.float32)),
            torch.zeros(len(kept), dtype=torch.int64),
            torch.from_numpy(np.stack(masks).astype(np.float32)) if masks else torch.zeros(0, *probability.shape),
        )

    def encode(self, images: Tensor) -> Tensor:
        """See `Detector`."""
        return encoder_maps(self.network, images)

    def evidence(self, images: Tensor, box: Tensor) -> Tensor:
        """Mean logit of the pixels above the threshold within the box, or of all of it where none is."""
        logits = self.network(images)[0, 0]
        left, top, right, bottom = (int(value) for value in box.round())
        part = logits[top : max(bottom, top + 1), left : max(right, left + 1)]
        above = torch.sigmoid(part) >= self.threshold
        asked: Tensor = part[above] if bool(above.any()) else part
        return asked.mean()


@family("mask-components")
def _components(spec: ModelSpec) -> Detector:
    options = spec.options
    more = options.get("network_options")
    network = build_network(str(options["network"]), spec.encoder, len(spec.bands), more, spec.upscale)
    return MaskComponents(
        network, float(options["threshold"]), int(options.get("smallest", 10)), float(options.get("power", 0.1))
    )
