"""Teaching a network which pixels are landslide: batches of patches and masks, scored by F1 on the tuning part."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from core.errors import InputError
from core.learning.augment import Augmentation
from core.learning.loop import half_precision
from core.learning.losses import Loss
from core.learning.metrics import encode, histogram, threshold_curve
from core.learning.pairs import PairArrays

Prepare = Callable[[Tensor], Tensor]
"""From images in [0, 1] to the network's input (normalisation)."""


class _DepthwiseInSinglePrecision(TorchFunctionMode):
    """Depthwise convolutions in single precision within autocast.

    On CPUs their gradient in bfloat16 takes more than twice as long, and networks made of them gain nothing from it.
    """

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> object:
        """See `torch.overrides.TorchFunctionMode`."""
        del types
        if func is not torch.conv2d or len(args) < 2 or not _is_depthwise(args[0], args[1]):
            return func(*args, **(kwargs or {}))
        images, rest = args[0], args[1:]
        with torch.autocast(images.device.type, enabled=False):
            return func(images.float(), *rest, **(kwargs or {})).to(images.dtype)


def _is_depthwise(images: Tensor, weight: Tensor) -> bool:
    return images.device.type == "cpu" and weight.shape[1] == 1 and images.shape[1] > 1


def predict_codes(network: nn.Module, images: np.ndarray, prepare: Prepare, batch: int = 32) -> np.ndarray:
    """Probability codes (count, height, width) of uint8 images (count, bands, height, width)."""
    where = next(network.parameters()).device
    network.eval()
    parts = []
    with torch.inference_mode(), torch.autocast(where.type, torch.bfloat16, enabled=half_precision(where)):
        for start in range(0, len(images), batch):
            values = torch.from_numpy(images[start : start + batch]).to(where).float() / 255
            logits = network(prepare(values).contiguous(memory_format=torch.channels_last))
            parts.append(encode(torch.sigmoid(logits.float())[:, 0].cpu().numpy()))
    return np.concatenate(parts)


@dataclass(frozen=True)
class PixelLesson:
    """See `core.learning.loop.TrainingObjective`. Networks give logits (batch, 1, height, width).

    Attributes
    ----------
    fitting, tuning
        Patches to learn from, and to choose epoch and threshold by.
    prepare, loss_of, augmentation
        How patches become input, what is minimised, how patches are changed.
    batch
        Patches of one pass when scoring.

    Raises
    ------
    InputError
        When the tuning part holds no landslide.
    """

    fitting: PairArrays
    tuning: PairArrays
    prepare: Prepare
    loss_of: Loss
    augmentation: Augmentation
    batch: int = 32

    def __post_init__(self) -> None:
        if not (self.tuning.truth == 1).any():
            raise InputError(
                "The tuning set holds no landslide.",
                "Without landslides, epochs cannot be compared and no threshold can be chosen.",
                "Use more images, a larger tune_share or another split_seed.",
            )

    @property
    def count(self) -> int:
        """Patches of one epoch."""
        return len(self.fitting.images)

    def loss(self, network: nn.Module, chosen: NDArray[np.int64], generator: torch.Generator) -> Tensor:
        """Loss of some patches, changed at random; unknown pixels do not count."""
        where = next(network.parameters()).device
        images = torch.from_numpy(self.fitting.images[chosen]).to(where).float() / 255
        truth = torch.from_numpy(self.fitting.truth[chosen]).to(where).float()
        images, truth = self.augmentation(images, truth, generator)
        inputs = self.prepare(images).contiguous(memory_format=torch.channels_last)
        half = half_precision(where)
        with torch.autocast(where.type, torch.bfloat16, enabled=half), _DepthwiseInSinglePrecision():
            logits = network(inputs)
        return self.loss_of(logits.float(), (truth == 1).float(), (truth != 255).float())

    def score(self, network: nn.Module) -> dict[str, float]:
        """Best F1 on the tuning part, and the threshold that it is reached at."""
        codes = predict_codes(network, self.tuning.images, self.prepare, self.batch)
        curve = threshold_curve(histogram(codes, self.tuning.truth[:, 0]))
        return {"score": float(np.nanmax(curve.f1)), "threshold": curve.best_threshold}
