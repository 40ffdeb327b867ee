"""Does a map show what the model used? Take away what it calls important, and see how far the score falls.

References
----------
Petsiuk, V., Das, A., Saenko, K. (2018). RISE: randomized input sampling for explanation of black-box models. BMVC.
arXiv:1806.07421 (deletion and insertion)
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from core.errors import InputError
from core.explain.target import Score, check_image, check_question, region_score, undisturbed
from core.learning.protocols import ExplainedNetwork, SegmentationNetwork

SHARES = (0.0, 0.02, 0.05, 0.1, 0.2, 0.4, 0.7, 1.0)
"""Shares of the image at which the curves are measured: close together where a target of a few cells is decided."""


@dataclass(frozen=True)
class Curves:
    """The score while the places that a map calls important are taken away, and while only they are there.

    Attributes
    ----------
    shares
        Shares of the image's pixels, from 0 to 1.
    deletion
        Score (a logit) when that share, the highest in the map first, is replaced by the image's mean colour.
    insertion
        Score when that share, the highest first, is put into an image of nothing but its mean colour.
    random
        Score when that share is replaced at random places: mean of some draws. Empty where it was not measured.
    """

    shares: tuple[float, ...]
    deletion: tuple[float, ...]
    insertion: tuple[float, ...]
    random: tuple[float, ...] = ()

    @property
    def confidence_deletion(self) -> float:
        """Area under the deletion curve of the confidence, 0 to 1: the smaller, the more faithful the map."""
        return self._area(self.deletion)

    @property
    def confidence_insertion(self) -> float:
        """Area under the insertion curve of the confidence, 0 to 1: the larger, the more faithful the map."""
        return self._area(self.insertion)

    @property
    def confidence_random(self) -> float:
        """Area under the deletion curve of the confidence at random places; NaN where it was not measured."""
        return self._area(self.random) if self.random else float("nan")

    def _area(self, scores: tuple[float, ...]) -> float:
        return float(np.trapezoid(confidence(scores), self.shares))


def confidence(scores: tuple[float, ...]) -> NDArray[np.float64]:
    """Logits as confidences between 0 and 1."""
    return np.asarray(1 / (1 + np.exp(-np.clip(scores, -60, 60))), dtype=np.float64)


@dataclass(frozen=True)
class Deletion:
    """How far a score falls when places are replaced by the image's mean colour.

    Attributes
    ----------
    share
        Share of the image's pixels that was replaced, in (0, 1).
    score
        The score before, in units of a logit: of a region, or of a box.
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
    def verdict(self) -> str:
        """The outcome in a plain sentence."""
        top, random = (_fell(drop, self._digits) for drop in (self.drop_top, self.drop_random))
        first = top.replace(" it ", " the score (logit) ")
        masked = f"Masking the {100 * self.share:.0f} % of the explained part with the highest values {first}"
        told = f"{masked}; masking random areas of the same size {random}"
        return f"{told}." if self.faithful else f"{told}: do not rely on this map."

    @property
    def _digits(self) -> int:
        """Decimals at which the two falls can be told apart, and neither reads as nothing: one, two or three."""
        pairs = ((round(self.drop_top, digits), round(self.drop_random, digits)) for digits in (1, 2))
        return next((n for n, (top, other) in enumerate(pairs, 1) if top != other and (top or not self.drop_top)), 3)


def _fell(drop: float, digits: int) -> str:
    return f"{'raised' if drop < 0 else 'lowered'} it by {abs(drop):.{digits}f}"


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
    """Test a map of a region's mean logit: see `deletion_of`, whose parameters these are.

    Parameters
    ----------
    region
        Pixels whose mean logit is measured (height, width).
    """
    check_question(inputs, region)
    score = region_score(network, region)
    return deletion_of(network, score, inputs, attribution, share=share, trials=trials, seed=seed)


def deletion_of(
    network: ExplainedNetwork,
    score: Score,
    inputs: Tensor,
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
    score
        What was explained, computed by that network.
    inputs
        Normalised image (1, bands, height, width), float32.
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
    _check_map(inputs, attribution)
    return _deletion(_Scorer(network, score, inputs), attribution, share, trials, seed)


def _deletion(
    scored: _Scorer, attribution: NDArray[np.float32], share: float = 0.2, trials: int = 5, seed: int = 0
) -> Deletion:
    if not 0 < share < 1 or trials < 1:
        raise InputError("The deletion test needs a share between 0 and 1 and at least one trial.")
    top = brightest(attribution, share)
    shifted = (np.roll(top, by, axis=(0, 1)) for by in _shifts(top.shape, trials, seed))
    scores = scored([np.zeros_like(top), top, *shifted])
    return Deletion(share, scores[0], scores[0] - scores[1], scores[0] - float(np.mean(scores[2:])), trials)


def curves_of(
    network: ExplainedNetwork,
    score: Score,
    inputs: Tensor,
    attribution: NDArray[np.float32],
    shares: tuple[float, ...] = SHARES,
    *,
    trials: int = 3,
    seed: int = 0,
) -> Curves:
    """Follow the score while a map's highest places are deleted from the image, and inserted into an empty one.

    The random places of the third curve are those of the first, shifted together as in `deletion_of`.

    Parameters
    ----------
    network, score, inputs, attribution
        As for `deletion_of`.
    shares
        Shares of the pixels, ascending, from 0 to 1.
    trials
        Number of random shifts.
    seed
        Seed of the random shifts.

    Raises
    ------
    InputError
        When shapes differ, or the shares do not ascend from 0 to 1.
    """
    _check_map(inputs, attribution)
    return _curves(_Scorer(network, score, inputs), attribution, shares, trials, seed)


def faithfulness_of(
    network: ExplainedNetwork, score: Score, inputs: Tensor, attribution: NDArray[np.float32]
) -> tuple[Deletion, Curves]:
    """What `deletion_of` and `curves_of` give, without trying twice what both of them try."""
    _check_map(inputs, attribution)
    scored = _Scorer(network, score, inputs)
    return _deletion(scored, attribution), _curves(scored, attribution)


def deletions_of(
    network: ExplainedNetwork,
    score: Score,
    inputs: Tensor,
    attributions: Iterable[NDArray[np.float32]],
    *,
    share: float = 0.2,
    trials: int = 5,
    seed: int = 0,
) -> list[Deletion]:
    """What `deletion_of` gives for several maps of one image, without trying twice what several of them try."""
    scored = _Scorer(network, score, inputs)
    return [_deletion(scored, attribution, share, trials, seed) for attribution in attributions]


def _curves(
    scored: _Scorer,
    attribution: NDArray[np.float32],
    shares: tuple[float, ...] = SHARES,
    trials: int = 3,
    seed: int = 0,
) -> Curves:
    if len(shares) < 2 or shares[0] != 0 or shares[-1] != 1 or list(shares) != sorted(set(shares)):
        raise InputError("The curves need increasing shares from 0 to 1.")
    inner = [brightest(attribution, share) for share in shares[1:-1]]
    none, every = np.zeros_like(attribution, dtype=bool), np.ones_like(attribution, dtype=bool)
    scores = scored([none, every, *inner, *(~mask for mask in inner)])
    (whole, empty), found = scores[:2], scores[2:]
    shifted = [np.roll(mask, by, axis=(0, 1)) for by in _shifts(attribution.shape, trials, seed) for mask in inner]
    random = np.asarray(scored(shifted)).reshape(trials, len(inner)).mean(axis=0)
    return Curves(
        shares, (whole, *found[: len(inner)], empty), (empty, *found[len(inner) :], whole),
        (whole, *random.tolist(), empty),
    )  # fmt: skip


def _shifts(shape: tuple[int, ...], trials: int, seed: int) -> list[tuple[int, int]]:
    """Rows and columns of random shifts over an image."""
    generator = np.random.default_rng(seed)
    height, width = shape
    return [(int(generator.integers(height)), int(generator.integers(width))) for _ in range(trials)]


def brightest(attribution: NDArray[np.float32], share: float) -> NDArray[np.bool_]:
    """Mask of the largest values: at least one pixel, of equal ones the first in row order."""
    count = max(1, round(share * attribution.size))
    order = np.argsort(-attribution, axis=None, kind="stable")[:count]
    mask = np.zeros(attribution.size, dtype=bool)
    mask[order] = True
    return mask.reshape(attribution.shape)


def _check_map(inputs: Tensor, attribution: NDArray[np.float32]) -> None:
    check_image(inputs)
    if attribution.shape != tuple(inputs.shape[-2:]):
        raise InputError(f"The map has {attribution.shape} pixels, the image {tuple(inputs.shape[-2:])}.")


class _Scorer:
    """The score with some pixels of an image replaced by its mean colour; each mask is tried once."""

    def __init__(self, network: ExplainedNetwork, score: Score, inputs: Tensor) -> None:
        self._network, self._score, self._inputs = network, score, inputs
        self._mean = inputs.mean(dim=(2, 3), keepdim=True)
        self._known: dict[bytes, float] = {}

    def __call__(self, masks: Iterable[NDArray[np.bool_]]) -> list[float]:
        """Scores of the image under each mask."""
        with undisturbed(self._network), torch.no_grad():
            return [self._of(mask) for mask in masks]

    def _of(self, mask: NDArray[np.bool_]) -> float:
        key = np.packbits(mask).tobytes()
        if key not in self._known:
            where = torch.from_numpy(mask).to(self._inputs.device)
            self._known[key] = float(self._score(torch.where(where, self._mean, self._inputs))[0])
        return self._known[key]
