"""Grad-CAM on networks small enough to work the answer out by hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from core.errors import InputError, ModelError
from core.explain.cam import grad_cam, raw_grad_cam, signed_grad_cam
from core.explain.target import region_around


class TwoChannels(nn.Module):
    """Channel 0 copies the image, channel 1 doubles it; the logit is 3 times the first less the second."""

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Conv2d(1, 2, 1, bias=False)
        self.head = nn.Conv2d(2, 1, 1, bias=False)
        with torch.no_grad():
            self.features.weight.copy_(torch.tensor([1.0, 2.0]).view(2, 1, 1, 1))
            self.head.weight.copy_(torch.tensor([3.0, -1.0]).view(1, 2, 1, 1))

    def forward(self, images: Tensor) -> Tensor:
        return self.head(self.features(images))


IMAGE = torch.tensor([[1.0, -2.0], [0.0, 4.0]]).view(1, 1, 2, 2)
CORNER = np.array([[True, False], [False, False]])


def test_grad_cam_of_two_channels_is_the_sum_worked_out_by_hand() -> None:
    # The mean logit of one pixel is 3 a0 - a1 there, so over the four cells the mean gradients are 3/4 and
    # -1/4; with a0 = x and a1 = 2x the map is (3/4 - 2/4) x = x/4 at every place.
    cells = raw_grad_cam(TwoChannels(), IMAGE, CORNER, "features")
    np.testing.assert_allclose(cells, [[0.25, -0.5], [0.0, 1.0]], atol=1e-7)


def test_a_larger_region_has_the_mean_of_its_pixels_as_target() -> None:
    # The mean over two pixels has gradient 3/2 at each, whose mean over the four cells is again 3/4.
    both = np.array([[True, False], [False, True]])
    cells = raw_grad_cam(TwoChannels(), IMAGE, both, "features")
    np.testing.assert_allclose(cells, [[0.25, -0.5], [0.0, 1.0]], atol=1e-7)


def test_the_map_is_cut_at_zero_and_its_brightest_place_is_one() -> None:
    cam = grad_cam(TwoChannels(), IMAGE, CORNER, "features")
    assert cam.dtype == np.float32
    np.testing.assert_allclose(cam, [[0.25, 0.0], [0.0, 1.0]], atol=1e-7)


def test_the_signed_map_keeps_what_spoke_against() -> None:
    cam = signed_grad_cam(TwoChannels(), IMAGE, CORNER, "features")
    np.testing.assert_allclose(cam, [[0.25, -0.5], [0.0, 1.0]], atol=1e-7)


def test_where_nothing_spoke_for_a_landslide_the_map_is_all_zero() -> None:
    cam = grad_cam(TwoChannels(), -IMAGE.abs(), CORNER, "features")
    assert not cam.any()


class Coarse(nn.Module):
    """Cells of 2 × 2 pixels: mean, then back to the image's size; the logit is that mean."""

    def __init__(self) -> None:
        super().__init__()
        self.pool = nn.AvgPool2d(2)
        self.grow = nn.Upsample(scale_factor=2, mode="nearest")
        self.first = nn.Conv2d(1, 1, 1, bias=False)
        nn.init.ones_(self.first.weight)

    def forward(self, images: Tensor) -> Tensor:
        return self.grow(self.pool(self.first(images)))


def test_coarse_cells_are_brought_to_the_size_of_the_image() -> None:
    image = torch.zeros(1, 1, 4, 4)
    image[..., :2, :2] = 8.0
    region = np.zeros((4, 4), dtype=bool)
    region[:2, :2] = True
    cells = raw_grad_cam(Coarse(), image, region, "pool")
    # One of the four cells holds the region's mean: gradient 1 there, mean 1/4, times the activation 8.
    np.testing.assert_allclose(cells, [[2.0, 0.0], [0.0, 0.0]])
    cam = grad_cam(Coarse(), image, region, "pool")
    assert cam.shape == (4, 4)
    # Bilinear between cell centres: 3/4 of the way at the next pixel in each direction.
    np.testing.assert_allclose(cam[0], [1.0, 0.75, 0.25, 0.0])
    np.testing.assert_allclose(cam[1, 1], 0.75**2)


def test_frozen_weights_are_explained_all_the_same() -> None:
    network = TwoChannels().requires_grad_(False)
    assert grad_cam(network, IMAGE, CORNER, "features").max() == 1


def test_an_explanation_is_possible_within_inference_mode() -> None:
    network = TwoChannels()
    with torch.inference_mode():
        cam = grad_cam(network, IMAGE, CORNER, "features")
    assert cam.max() == 1


def hooks_of(network: nn.Module) -> int:
    return sum(
        len(m._forward_hooks) + len(m._forward_pre_hooks) + len(m._backward_hooks) for m in network.modules()
    )


def test_the_network_is_left_as_it_was_found_but_in_evaluation_mode() -> None:
    network = TwoChannels().train()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    grad_cam(network, IMAGE, CORNER, "features")
    assert not network.training
    assert hooks_of(network) == 0
    assert all(weight.grad is None for weight in network.parameters())
    assert all(torch.equal(before[name], value) for name, value in network.state_dict().items())


class Failing(TwoChannels):
    """Fails after the layer that is asked has run."""

    def forward(self, images: Tensor) -> Tensor:
        self.features(images)
        raise RuntimeError("out of memory")


def test_no_hook_is_left_when_the_network_fails_midway() -> None:
    network = Failing().train()
    with pytest.raises(RuntimeError, match="out of memory"):
        grad_cam(network, IMAGE, CORNER, "features")
    assert hooks_of(network) == 0
    assert not network.training


def test_an_unknown_layer_is_named_in_the_message() -> None:
    with pytest.raises(InputError, match="no layer 'features.9'"):
        grad_cam(TwoChannels(), IMAGE, CORNER, "features.9")


def test_a_network_with_two_classes_is_refused() -> None:
    network = TwoChannels()
    network.head = nn.Conv2d(2, 2, 1)
    with pytest.raises(ModelError, match="one logit for each pixel"):
        grad_cam(network, IMAGE, CORNER, "features")


@pytest.mark.parametrize(
    ("image", "region", "words"),
    [
        (IMAGE, np.zeros((2, 2), dtype=bool), "no pixel"),
        (IMAGE, np.ones((3, 2), dtype=bool), "the image"),
        (IMAGE[0], CORNER, "one image"),
        (IMAGE.expand(2, 1, 2, 2), CORNER, "one image"),
        (IMAGE * float("nan"), CORNER, "not numbers"),
    ],
)
def test_what_cannot_be_asked_is_refused_in_words(image: Tensor, region: np.ndarray, words: str) -> None:
    with pytest.raises(InputError, match=words):
        grad_cam(TwoChannels(), image, region, "features")


def test_the_neighbourhood_of_a_pixel_is_cut_at_the_border() -> None:
    region = region_around(0, 3, (4, 5), radius=1)
    expected = np.zeros((4, 5), dtype=bool)
    expected[0:2, 2:5] = True
    np.testing.assert_array_equal(region, expected)
    with pytest.raises(InputError, match="outside the image of 4 × 5"):
        region_around(4, 0, (4, 5))
