"""What augmentation may change and what it must not."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from core.learning.augment import Augmentation, inverse_symmetry, symmetry

NOTHING = Augmentation(turn=False, brightness=0, contrast=0, colour=0)


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def patches(count: int = 8, side: int = 16) -> tuple[Tensor, Tensor]:
    """Images whose first band is the truth, so that any change of place must move both alike."""
    random = torch.Generator().manual_seed(5)
    truth = torch.randint(0, 3, (count, 1, side, side), generator=random).float()
    truth[truth == 2] = 255
    images = torch.rand((count, 3, side, side), generator=random)
    images[:, :1] = truth / 255
    return images, truth


@pytest.mark.parametrize("which", range(8))
def test_each_symmetry_is_undone_by_its_inverse(which: int) -> None:
    values = torch.rand(2, 3, 4, 6)

    assert torch.equal(inverse_symmetry(symmetry(values, which), which), values)


def test_the_eight_symmetries_of_a_square_are_all_different() -> None:
    square = torch.arange(9.0).view(3, 3)

    assert len({tuple(symmetry(square, which).flatten().tolist()) for which in range(8)}) == 8


def test_without_any_change_asked_for_nothing_changes() -> None:
    images, truth = patches()

    changed, changed_truth = NOTHING(images, truth, generator())

    torch.testing.assert_close(changed, images)
    assert torch.equal(changed_truth, truth)


def test_turns_move_image_and_truth_alike_and_lose_no_pixel() -> None:
    images, truth = patches()
    turning = Augmentation(turn=True, brightness=0, contrast=0, colour=0)

    changed, changed_truth = turning(images, truth, generator())

    torch.testing.assert_close(changed[:, :1] * 255, changed_truth)
    assert torch.equal(changed_truth.flatten(1).sort().values, truth.flatten(1).sort().values)
    assert not torch.equal(changed_truth, truth)


def test_mixing_takes_image_and_truth_from_the_same_patch() -> None:
    images, truth = patches()
    mixing = Augmentation(turn=False, brightness=0, contrast=0, colour=0, mix=1.0)

    changed, changed_truth = mixing(images, truth, generator())

    torch.testing.assert_close(changed[:, :1] * 255, changed_truth)
    assert not torch.equal(changed_truth, truth)


def test_enlarging_never_makes_a_new_class_of_unknown_truth() -> None:
    images, truth = patches()
    zooming = Augmentation(turn=False, brightness=0, contrast=0, colour=0, zoom=3.0)

    _, changed = zooming(images, truth, generator())

    assert set(changed.unique().tolist()) <= {0.0, 1.0, 255.0}
    assert not torch.equal(changed, truth)


def test_enlarging_a_uniform_patch_leaves_it_uniform_at_the_borders_too() -> None:
    zooming = Augmentation(turn=False, brightness=0, contrast=0, colour=0, zoom=2.5)
    images, truth = torch.full((4, 3, 16, 16), 0.25), torch.ones(4, 1, 16, 16)

    changed, changed_truth = zooming(images, truth, generator())

    torch.testing.assert_close(changed, images)
    assert torch.equal(changed_truth, truth)


def test_light_changes_values_and_never_the_truth_and_stays_in_range() -> None:
    images, truth = patches()
    lighting = Augmentation(turn=False, brightness=0.9, contrast=0.9, colour=0.5, noise=0.5)

    changed, changed_truth = lighting(images, truth, generator())

    assert torch.equal(changed_truth, truth)
    assert not torch.equal(changed, images)
    assert changed.min() >= 0
    assert changed.max() <= 1


def test_brightness_alone_scales_a_patch_by_at_most_its_strength() -> None:
    images, truth = torch.full((64, 3, 2, 2), 0.5), torch.zeros(64, 1, 2, 2)

    changed, _ = Augmentation(turn=False, brightness=0.2, contrast=0, colour=0)(images, truth, generator())

    factor = changed / 0.5
    assert 0.8 <= factor.min() < 0.9
    assert 1.1 < factor.max() <= 1.2
    assert torch.equal(factor.amin(dim=(1, 2, 3)), factor.amax(dim=(1, 2, 3)))


def test_the_same_seed_changes_patches_in_the_same_way() -> None:
    images, truth = patches()
    everything = Augmentation(zoom=2.0, noise=0.1, mix=0.5)

    one, other = everything(images, truth, generator(3)), everything(images, truth, generator(3))

    assert torch.equal(one[0], other[0])
    assert torch.equal(one[1], other[1])
    assert not torch.equal(one[0], everything(images, truth, generator(4))[0])
