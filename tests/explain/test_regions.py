"""Asking a segmentation network about a region, on networks small enough to work the answer out by hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from core.errors import InputError
from core.explain.faithfulness import Deletion, curves_of, deletion_of, faithfulness_of
from core.explain.layers import LayerChoice
from core.explain.methods import find_method, sentence
from core.explain.regions import GRAD_CAM, HIRES_CAM, METHODS, OCCLUSION
from core.explain.target import region_score


class Copy(nn.Module):
    """The logit is the image itself, which the layer ``features`` holds as it is."""

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Conv2d(1, 1, 1, bias=False)
        nn.init.ones_(self.features.weight)

    def forward(self, images: Tensor) -> Tensor:
        return self.features(images)


REGION = np.zeros((32, 32), dtype=bool)
REGION[16:24, 8:16] = True


def two_blobs() -> Tensor:
    """A square of 10 just where the region is, and the same square elsewhere."""
    image = torch.zeros(1, 1, 32, 32)
    image[..., 16:24, 8:16] = 10.0
    image[..., 2:10, 20:28] = 10.0
    return image


@pytest.mark.parametrize("name", METHODS)
def test_every_method_marks_the_region_itself(name: str) -> None:
    cam = METHODS[name].attribute(Copy(), two_blobs(), REGION, "features")

    assert cam.shape == (32, 32)
    assert cam.max() == pytest.approx(1)
    assert cam[REGION].mean() > 0.5


def test_hires_cam_marks_nothing_but_what_the_region_took() -> None:
    other = np.zeros_like(REGION)
    other[2:10, 20:28] = True
    alike = GRAD_CAM.attribute(Copy(), two_blobs(), REGION, "features")
    local = HIRES_CAM.attribute(Copy(), two_blobs(), REGION, "features")

    np.testing.assert_allclose(alike[REGION | other], 1)
    np.testing.assert_allclose(local[REGION], 1)
    np.testing.assert_allclose(local[~REGION], 0)


def test_only_grad_cam_is_cut_at_zero() -> None:
    image = two_blobs()
    image[..., 16:20, 8:16] = -5.0

    # The mean gradient is the same everywhere, so Grad-CAM is the image itself, here without its negative half.
    np.testing.assert_allclose(GRAD_CAM.attribute(Copy(), image, REGION, "features")[16:20, 8:16], 0)
    np.testing.assert_allclose(HIRES_CAM.attribute(Copy(), image, REGION, "features")[16:20, 8:16], -0.5)
    assert [method.name for method in METHODS.values() if not method.signed] == ["grad-cam"]


def test_masking_what_lowers_the_score_raises_it() -> None:
    image = two_blobs()
    image[..., 16:20, 8:16] = -5.0

    assert OCCLUSION.attribute(Copy(), image, REGION, "")[17, 12] < 0


@pytest.mark.parametrize(
    ("written", "name"), [("gradcam", "grad-cam"), ("Grad-CAM", "grad-cam"), ("hirescam", "hires-cam")]
)
def test_a_method_is_known_however_it_is_written(written: str, name: str) -> None:
    assert find_method(METHODS, written).name == name


def test_d_rise_is_refused_with_the_reason() -> None:
    with pytest.raises(InputError, match="a pixel or an outline is not a box") as refused:
        find_method(METHODS, "drise")
    assert "grad-cam, hires-cam, occlusion" in refused.value.remedy


@pytest.mark.parametrize("name", METHODS)
def test_a_region_without_a_pixel_is_refused(name: str) -> None:
    with pytest.raises(InputError, match="no pixel"):
        METHODS[name].attribute(Copy(), two_blobs(), np.zeros_like(REGION), "features")


def test_the_curve_at_random_places_is_the_mean_of_shifted_masks() -> None:
    network, image = Copy(), two_blobs()
    score = region_score(network, REGION)
    # A map of the region alone: shifted, its highest sixteenth is a square of the same size at another place.
    curves = curves_of(network, score, image, REGION.astype(np.float32), (0.0, 1 / 16, 1.0), trials=4, seed=1)
    draws = np.random.default_rng(1)
    mean = float(image.mean())
    expected = []
    for _ in range(4):
        moved = np.roll(REGION, (int(draws.integers(32)), int(draws.integers(32))), axis=(0, 1))
        expected.append(float(np.where(moved, mean, image[0, 0].numpy())[REGION].mean()))

    assert curves.deletion == pytest.approx((10, mean, mean))
    assert curves.random == pytest.approx((10, np.mean(expected), mean))


def test_both_tests_of_faithfulness_together_try_no_image_twice() -> None:
    network, image = Copy(), two_blobs()
    cam = HIRES_CAM.attribute(network, image, REGION, "features")
    seen: list[bytes] = []

    def score(images: Tensor) -> Tensor:
        seen.append(images.numpy().tobytes())
        return region_score(network, REGION)(images)

    together = faithfulness_of(network, score, image, cam)

    assert len(seen) == len(set(seen))
    assert together == (deletion_of(network, score, image, cam), curves_of(network, score, image, cam))


def test_the_sentence_names_the_layer_and_the_limits() -> None:
    layer = LayerChoice("a", "Encoder stage 2 of 5 (cells of 4 × 4 pixels)", 4, "encoder")
    assert sentence(GRAD_CAM, layer, Deletion(0.2, 3.0, 11.69, 0.77, 5)) == (
        "Bright areas raised the score most. Masking the 20 % of the explained part with the highest values "
        "lowered the score (logit) by "
        "11.7; masking random areas of the same size lowered it by 0.8. The picture shows what the model reacted to, "
        "not the cause of the landslide (layer: encoder "
        "stage 2 of 5, cells of 4 × 4 pixels)."
    )
