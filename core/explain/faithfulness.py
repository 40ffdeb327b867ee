"""Does a map show what the model used? Take away what it calls important, and see how far the score falls."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from core.errors import InputError
from core.explain.target import check_question, region_score, undisturbed
from core.learning.protocols import SegmentationNetwork


@dataclass(frozen=True)
class Deletion:
    """How far the region's mean logit falls when places are replaced by the image's mean colour.

    Attributes
    ----------
    share
        Share of the image's pixels that was replaced, in (0, 1).
    score
        Mean logit of the region before.
    drop_top
        Fall when the places brightest in the map are replaced; negative when the score rises.
    drop_random
        Mean fall when as many pixels at random places are replaced.
    trials
        Number of random draws.
    """

    share: float
    score: float
    drop_top: float
    drop_random: float
    trials: int

    @property
    def faithful(self) -> bool:
        """Whether the bright places mattered more to the score than random ones."""
        return self.drop_top > max(self.drop_random, 0.0)

    @property
    def words(self) -> str:
        """The outcome as one sentence."""
        text = (
            f"Replacing the brightest {self.share:.0%} of the image by its mean colour changed the score "
            f"(logit) of {self.score:.2f} by {_signed(-self.drop_top)}, against {_signed(-self.drop_random)} "
            "for as many pixels at random places"
        )
        return f"{text}." if self.faithful else f"{text}: do not rely on this map."


def deletion(
    network: SegmentationNetwork,
    inputs: Tensor,
    region: NDArray[np.bool_],
    attribution: NDArray[np.float32],
    *,
    share: float = 0.2,
    trials: int = 5,
    seed: int = 0,
) -> Deletion:
    """Replace the brightest share of pixels by each band's mean and compare with random places.

    The random places are the same pixels shifted together over the image and round its edges: equal in number
    and shape, because a network reacts to scattered single pixels otherwise than to patches.

    Parameters
    ----------
    network
        Evaluated and left in evaluation mode.
    inputs
        Normalised image (1, bands, height, width), float32.
    region
        Pixels whose mean logit is measured (height, width).
    attribution
        The map to test (height, width); larger is more important.
    share
        Share of pixels to replace.
    trials
        Number of random places.
    seed
        Seed of the random places.

    Raises
    ------
    InputError
        When shapes differ, the share is not within (0, 1) or there is no trial.
    """
    check_question(inputs, region)
    if attribution.shape != region.shape:
        raise InputError(f"The map has {attribution.shape} pixels, the region {region.shape}.")
    if not 0 < share < 1 or trials < 1:
        raise InputError("The deletion test takes a share between 0 and 1 and at least one trial.")
    top = brightest(attribution, share)
    generator = np.random.default_rng(seed)
    height, width = top.shape
    masks = [np.zeros_like(top), top]
    for _ in range(trials):
        down, right = int(generator.integers(height)), int(generator.integers(width))
        masks.append(np.roll(top, (down, right), axis=(0, 1)))
    scores = _scores(network, inputs, region, masks)
    return Deletion(share, scores[0], scores[0] - scores[1], scores[0] - float(np.mean(scores[2:])), trials)


def brightest(attribution: NDArray[np.float32], share: float) -> NDArray[np.bool_]:
    """Mask of the largest values: at least one pixel, of equal ones the first in row order."""
    count = max(1, round(share * attribution.size))
    order = np.argsort(-attribution, axis=None, kind="stable")[:count]
    mask = np.zeros(attribution.size, dtype=bool)
    mask[order] = True
    return mask.reshape(attribution.shape)


def _scores(
    network: SegmentationNetwork, inputs: Tensor, region: NDArray[np.bool_], masks: list[NDArray[np.bool_]]
) -> list[float]:
    """Mean logit of the region with the pixels of each mask replaced."""
    score = region_score(network, region)
    mean = inputs.mean(dim=(2, 3), keepdim=True)
    with undisturbed(network), torch.no_grad():
        replaced = (torch.from_numpy(mask).to(inputs.device) for mask in masks)
        return [float(score(torch.where(mask, mean, inputs))[0]) for mask in replaced]


def _signed(value: float) -> str:
    return f"{value:+.2f}".replace("-", "−")
