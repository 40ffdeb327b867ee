"""The deletion test, on a network whose score is known exactly."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from core.errors import InputError
from core.explain.faithfulness import Deletion, brightest, deletion


class Copy(nn.Module):
    """The logit is the image itself."""

    def forward(self, images: Tensor) -> Tensor:
        return images[:, :1]


def scene() -> tuple[Tensor, np.ndarray]:
    """Ten by ten pixels, 10 in a square of 4 × 5 at the corner and 0 elsewhere; its mean is 2."""
    image = torch.zeros(1, 1, 10, 10)
    image[..., :4, :5] = 10.0
    region = np.zeros((10, 10), dtype=bool)
    region[:4, :5] = True
    return image, region


def test_deleting_the_region_itself_takes_all_but_the_mean() -> None:
    image, region = scene()
    outcome = deletion(Copy(), image, region, region.astype(np.float32))
    # Exactly the region is the brightest 20 %: its score falls from 10 to the image's mean, 2.
    assert outcome.score == pytest.approx(10)
    assert outcome.drop_top == pytest.approx(8)
    # The same square shifted at random overlaps the region in part at most, unless it falls on it.
    assert 0 <= outcome.drop_random < 8
    assert outcome.faithful
    begin = "Masking the 20 % of the explained part with the highest values lowered the score (logit) by 8.0; "
    begin += "masking random areas of the "
    assert outcome.verdict.startswith(begin)


def test_a_map_of_the_wrong_place_is_called_unreliable() -> None:
    image, region = scene()
    outcome = deletion(Copy(), image, region, np.flip(region).astype(np.float32))
    assert outcome.drop_top == 0
    assert not outcome.faithful
    assert outcome.verdict.endswith("do not rely on this map.")


def test_the_same_seed_draws_the_same_places() -> None:
    image, region = scene()
    attribution = region.astype(np.float32)
    assert deletion(Copy(), image, region, attribution, seed=3) == deletion(
        Copy(), image, region, attribution, seed=3
    )


def test_the_brightest_share_has_as_many_pixels_as_asked_also_among_equals() -> None:
    mask = brightest(np.zeros((5, 4), dtype=np.float32), 0.2)
    assert mask.sum() == 4
    assert mask[0].all()


def test_a_rise_of_the_score_is_no_faithfulness() -> None:
    assert not Deletion(share=0.2, score=1.0, drop_top=-0.1, drop_random=-0.5, trials=5).faithful


@pytest.mark.parametrize(
    ("top", "random", "fell", "fell_at_random", "trusted"),
    [
        (-0.26, 0.8, "raised the score (logit) by 0.3", "lowered it by 0.8", False),
        (1.0, -0.5, "lowered the score (logit) by 1.0", "raised it by 0.5", True),
        (-1.0, -2.0, "raised the score (logit) by 1.0", "raised it by 2.0", False),
        (0.04, 0.01, "lowered the score (logit) by 0.04", "lowered it by 0.01", True),
        (0.01, 0.04, "lowered the score (logit) by 0.01", "lowered it by 0.04", False),
        (0.52, 0.54, "lowered the score (logit) by 0.52", "lowered it by 0.54", False),
    ],
)
def test_a_rise_of_the_score_is_called_one(
    top: float, random: float, fell: str, fell_at_random: str, trusted: bool
) -> None:
    told = f"Masking the 20 % of the explained part with the highest values {fell}; "
    told += f"masking random areas of the same size {fell_at_random}"
    ending = "." if trusted else ": do not rely on this map."
    assert Deletion(0.2, 1.0, top, random, 5).verdict == f"{told}{ending}"


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_a_share_that_deletes_nothing_or_all_is_refused(share: float) -> None:
    image, region = scene()
    with pytest.raises(InputError, match="share between 0 and 1"):
        deletion(Copy(), image, region, region.astype(np.float32), share=share)
