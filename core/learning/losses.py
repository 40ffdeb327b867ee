"""Losses for binary segmentation, each a function of logits and truth.

All take ``logits`` of shape (batch, 1, height, width), ``truth`` of the same shape with 0 and 1, and ``known`` of
the same shape, False where the truth is unknown or the image has no data: such pixels carry no gradient.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor
from torch.nn import functional

from core.errors import ModelError

Loss = Callable[[Tensor, Tensor, Tensor], Tensor]


def cross_entropy(positive_weight: float = 1.0) -> Loss:
    """Binary cross-entropy; landslide pixels weigh ``positive_weight`` times as much, against class imbalance."""

    def loss(logits: Tensor, truth: Tensor, known: Tensor) -> Tensor:
        weight = torch.tensor(positive_weight, device=logits.device)
        each = functional.binary_cross_entropy_with_logits(logits, truth, pos_weight=weight, reduction="none")
        return (each * known).sum() / known.sum().clamp(min=1)

    return loss


def dice(smooth: float = 1.0) -> Loss:
    """One minus the soft Dice coefficient over the whole batch (Milletari et al. 2016, doi:10.1109/3DV.2016.79).

    Taken over the batch and not per image, because a patch without landslide has no Dice coefficient.
    """

    def loss(logits: Tensor, truth: Tensor, known: Tensor) -> Tensor:
        probability = torch.sigmoid(logits) * known
        real = truth * known
        overlap = (probability * real).sum()
        return 1 - (2 * overlap + smooth) / (probability.sum() + real.sum() + smooth)

    return loss


def focal(gamma: float = 2.0, alpha: float = 0.5) -> Loss:
    """Focal loss: easy pixels count less (Lin et al. 2017, doi:10.1109/ICCV.2017.324)."""

    def loss(logits: Tensor, truth: Tensor, known: Tensor) -> Tensor:
        each = functional.binary_cross_entropy_with_logits(logits, truth, reduction="none")
        right = torch.exp(-each)
        balance = alpha * truth + (1 - alpha) * (1 - truth)
        return (balance * (1 - right) ** gamma * each * known).sum() / known.sum().clamp(min=1)

    return loss


TERMS: Mapping[str, Callable[..., Loss]] = {"cross_entropy": cross_entropy, "dice": dice, "focal": focal}


def weighted_sum(terms: Mapping[str, Mapping[str, float]]) -> Loss:
    """Sum of named terms.

    Parameters
    ----------
    terms
        For each name in `TERMS` its ``weight`` (1 when absent) and its own parameters.

    Raises
    ------
    ModelError
        For an unknown name or no term at all.
    """
    unknown = sorted(set(terms) - set(TERMS))
    if unknown or not terms:
        raise ModelError(
            f"Unknown loss {', '.join(unknown) or '(none)'}.", remedy=f"Use a sum of {', '.join(TERMS)}."
        )
    parts = []
    for name, options in terms.items():
        own = {key: value for key, value in options.items() if key != "weight"}
        parts.append((float(options.get("weight", 1.0)), TERMS[name](**own)))

    def loss(logits: Tensor, truth: Tensor, known: Tensor) -> Tensor:
        return torch.stack([weight * part(logits, truth, known) for weight, part in parts]).sum()

    return loss
