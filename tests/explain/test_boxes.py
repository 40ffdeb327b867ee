"""Asking a detector about one box, on a detector small enough to know every answer."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from core.errors import InputError, ModelError
from core.explain.boxes import (
    D_RISE,
    GRAD_CAM,
    HIRES_CAM,
    METHODS,
    OCCLUSION,
    box_layers,
)
from core.explain.drise import similarity
from core.explain.faithfulness import Deletion, confidence, curves_of, deletion_of
from core.explain.layers import LayerChoice
from core.explain.methods import find_method, sentence
from core.explain.target import box_score
from core.learning.protocols import BoxEvidence


@dataclass(frozen=True)
class Found:
    boxes: Tensor
    scores: Tensor


class Brightness(nn.Module):
    """The evidence for a box is the mean of the image within it, less 1; what is brighter than 3 is found.

    The layer ``copy`` holds the image as it is, ``coarse`` its mean over cells of 4 × 4 pixels, which nothing uses.
    """

    explained = ("copy", "coarse")

    def __init__(self) -> None:
        super().__init__()
        self.copy = nn.Conv2d(1, 1, 1, bias=False)
        self.coarse = nn.AvgPool2d(4)
        nn.init.ones_(self.copy.weight)

    def evidence(self, images: Tensor, box: Tensor) -> Tensor:
        values = self.copy(images)
        self.coarse(values)
        left, top, right, bottom = (int(side) for side in box)
        return values[0, 0, top:bottom, left:right].mean() - 1

    def detect(self, images: Tensor, floor: float, limit: int, nms_iou: float = 0.7) -> list[Found]:
        found = []
        for image in self.copy(images)[:, 0]:
            rows, columns = torch.nonzero(image > 3, as_tuple=True)
            if not len(rows):
                found.append(Found(torch.zeros(0, 4), torch.zeros(0)))
                continue
            corners = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
            found.append(Found(torch.stack(corners).float()[None], torch.tensor([0.9])))
        return found


BOX = torch.tensor([8.0, 16.0, 16.0, 24.0])


def blob() -> Tensor:
    """Nothing but a square of 10, just where the box is."""
    image = torch.zeros(1, 1, 32, 32)
    image[..., 16:24, 8:16] = 10.0
    return image


def two_blobs() -> Tensor:
    """The same square once more, elsewhere."""
    image = blob()
    image[..., 2:10, 20:28] = 10.0
    return image


INSIDE = np.zeros((32, 32), dtype=bool)
INSIDE[16:24, 8:16] = True


def test_a_detector_is_known_by_the_protocol() -> None:
    assert isinstance(Brightness(), BoxEvidence)
    assert not isinstance(nn.Conv2d(1, 1, 1), BoxEvidence)


@pytest.mark.parametrize("name", METHODS)
def test_every_method_points_at_the_planted_blob(name: str) -> None:
    cam = METHODS[name].attribute(Brightness(), blob(), BOX, "copy")

    assert cam.shape == (32, 32)
    assert cam.dtype == np.float32
    assert np.abs(cam).max() == pytest.approx(1)
    row, column = np.unravel_index(int(cam.argmax()), cam.shape)
    assert INSIDE[row, column]
    assert cam[INSIDE].mean() > 5 * abs(cam[~INSIDE].mean())


def test_grad_cam_marks_whatever_looks_alike_and_hires_cam_only_what_the_box_took() -> None:
    alike = GRAD_CAM.attribute(Brightness(), two_blobs(), BOX, "copy")
    local = HIRES_CAM.attribute(Brightness(), two_blobs(), BOX, "copy")

    other = np.zeros_like(INSIDE)
    other[2:10, 20:28] = True
    np.testing.assert_allclose(alike[INSIDE | other], 1)
    np.testing.assert_allclose(local[INSIDE], 1)
    np.testing.assert_allclose(local[~INSIDE], 0)


def test_what_speaks_against_a_box_is_below_zero() -> None:
    image = blob()
    image[..., 16:20, 8:16] = -5.0
    cam = HIRES_CAM.attribute(Brightness(), image, BOX, "copy")

    np.testing.assert_allclose(cam[20:24, 8:16], 1)
    np.testing.assert_allclose(cam[16:20, 8:16], -0.5)


def test_occlusion_gives_each_place_the_mean_fall_of_the_squares_over_it() -> None:
    # Squares of 4 pixels, 2 apart, over a square of 8 on their grid: those within it take away a quarter of the
    # evidence, those half outside an eighth, and those that only meet its corner a sixteenth. Inside, each pixel is
    # covered by four squares; in the middle all four are whole.
    cam = OCCLUSION.attribute(Brightness(), blob(), BOX, "")

    np.testing.assert_allclose(cam[18:22, 10:14], 1, atol=1e-6)
    np.testing.assert_allclose(cam[16, 8], (1 + 0.5 + 0.5 + 0.25) / 4, atol=1e-6)
    assert cam[0, 31] == 0


def test_d_rise_weighs_overlap_with_score_and_knows_no_box_as_nothing() -> None:
    # Half of the box, and as much again beside it: 32 shared of 96 together.
    half = torch.tensor([[12.0, 16.0, 20.0, 24.0]])
    assert similarity(BOX, Found(half, torch.tensor([0.6]))) == pytest.approx(0.6 / 3)
    both = torch.cat([half, BOX[None]])
    assert similarity(BOX, Found(both, torch.tensor([0.6, 0.1]))) == pytest.approx(0.6 / 3)
    assert similarity(BOX, Found(torch.zeros(0, 4), torch.zeros(0))) == 0


def test_d_rise_of_what_is_never_found_is_all_zero_and_the_same_each_time() -> None:
    dark = torch.zeros(1, 1, 32, 32)
    assert not D_RISE.attribute(Brightness(), dark, BOX, "").any()
    first, second = (D_RISE.attribute(Brightness(), blob(), BOX, "") for _ in range(2))
    np.testing.assert_array_equal(first, second)


def test_the_layers_are_those_that_the_detector_names() -> None:
    layers = box_layers(Brightness(), blob())

    assert [(layer.name, layer.downsampling) for layer in layers] == [("copy", 1), ("coarse", 4)]
    assert layers[1].title == "Stage 2 of 2 (cells of 4 × 4 pixels)"


def test_a_layer_that_had_no_say_gives_an_empty_map() -> None:
    assert not GRAD_CAM.attribute(Brightness(), blob(), BOX, "coarse").any()


def test_the_deletion_curve_of_a_true_map_falls_and_the_insertion_curve_rises() -> None:
    detector, image = Brightness(), blob()
    cam = HIRES_CAM.attribute(detector, image, BOX, "copy")
    score = box_score(detector, BOX)
    curves = curves_of(detector, score, image, cam, (0.0, 1 / 32, 1 / 16, 0.5, 1.0))

    # The box is a sixteenth of the image; half of it replaced by the mean colour, 10/16, leaves the middle.
    mean = 10 / 16
    assert curves.deletion == pytest.approx((9, (10 + mean) / 2 - 1, mean - 1, mean - 1, mean - 1))
    assert curves.insertion == pytest.approx((mean - 1, (10 + mean) / 2 - 1, 9, 9, 9))
    assert curves.confidence_insertion > curves.confidence_deletion
    assert list(curves.deletion) == sorted(curves.deletion, reverse=True)
    # Random places of the box's size seldom meet it: between the whole score and that of an empty image.
    assert curves.random[0] == pytest.approx(9)
    assert curves.random[-1] == pytest.approx(mean - 1)
    assert curves.confidence_deletion < curves.confidence_random <= 1
    wrong = curves_of(detector, score, image, -cam, (0.0, 1 / 32, 1 / 16, 0.5, 1.0))
    assert wrong.confidence_deletion > curves.confidence_deletion
    assert deletion_of(detector, score, image, cam).faithful
    assert not deletion_of(detector, score, image, -cam).faithful


@pytest.mark.parametrize("shares", [(0.0,), (0.0, 0.5), (0.0, 0.5, 0.5, 1.0), (0.2, 1.0)])
def test_curves_go_from_nothing_to_all(shares: tuple[float, ...]) -> None:
    detector, cam = Brightness(), np.zeros((32, 32), np.float32)
    with pytest.raises(InputError, match="increasing shares from 0 to 1"):
        curves_of(detector, box_score(detector, BOX), blob(), cam, shares)


def test_a_logit_of_zero_is_a_confidence_of_one_half() -> None:
    np.testing.assert_allclose(confidence((0.0, -1000.0, 1000.0)), [0.5, 0, 1], atol=1e-12)


@pytest.mark.parametrize(
    ("box", "words"),
    [
        ([8.0, 8.0, 8.0, 20.0], "no pixel"),
        ([40.0, 8.0, 50.0, 20.0], "outside the image"),
        ([8.0, 8.0, float("nan"), 20.0], "four numbers"),
        ([8.0, 8.0, 20.0], "four numbers"),
    ],
)
@pytest.mark.parametrize("name", METHODS)
def test_what_cannot_be_asked_is_refused_in_words(name: str, box: list[float], words: str) -> None:
    with pytest.raises(InputError, match=words):
        METHODS[name].attribute(Brightness(), blob(), torch.tensor(box), "copy")


class Silent(Brightness):
    """Has no number for a box."""

    def evidence(self, images: Tensor, box: Tensor) -> Tensor:
        return self.copy(images).mean() * float("nan")


def test_evidence_that_is_no_number_is_said_to_be_so() -> None:
    with pytest.raises(ModelError, match="not finite"):
        GRAD_CAM.attribute(Silent(), blob(), BOX, "copy")


def test_the_detector_is_left_without_hooks_and_gradients() -> None:
    detector = Brightness().train()
    for method in METHODS.values():
        method.attribute(detector, blob(), BOX, "copy")
    assert not detector.training
    assert all(weight.grad is None for weight in detector.parameters())
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in detector.modules())


def test_an_unknown_method_is_named() -> None:
    with pytest.raises(InputError, match="no method 'guess'"):
        find_method(METHODS, "guess")


@pytest.mark.parametrize("written", ["d-rise", "drise", "D-RISE"])
def test_a_method_is_known_however_it_is_written(written: str) -> None:
    assert find_method(METHODS, written) is D_RISE


def test_the_sentence_says_what_is_shown_and_what_is_not() -> None:
    layer = LayerChoice("copy", "Stage 2 of 2 (cells of 4 × 4 pixels)", 4, "network")
    assert sentence(HIRES_CAM, layer, Deletion(0.2, 3.0, 2.04, 0.5, 5)) == (
        "Red areas raised the score, blue areas lowered it. Masking the 20 % of the explained part with the highest "
        "values lowered the score "
        "(logit) by 2.0; masking random areas of the same size lowered it by 0.5. The picture shows what the model "
        "reacted to, not the cause of the landslide "
        "(layer: stage 2 "
        "of 2, cells of 4 × 4 pixels)."
    )
    assert sentence(OCCLUSION, None).endswith("not the cause of the landslide.")
