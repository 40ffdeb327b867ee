"""Which layer explains best, on a network whose score is known exactly."""

from __future__ import annotations

from dataclasses import asdict

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from core.errors import InputError
from core.explain.cam import activations_of
from core.explain.faithfulness import deletion_of
from core.explain.layer_tests import SHARE, TRIALS, LayerTest, LayerTests, Place, layer_tests_in, measure_layers
from core.explain.layers import LayerChoice
from core.explain.methods import GRAD_CAM, HIRES_CAM
from core.explain.regions import METHODS
from core.explain.target import region_score

REGION = np.zeros((10, 10), dtype=bool)
REGION[:4, :5] = True
LAYERS = tuple(LayerChoice(name, f"Layer {name}", 1, "network") for name in ("astray", "true", "unused"))


class TwoPaths(nn.Module):
    """The logit is the image, and nearly nothing of the image five columns to the right.

    ``true`` holds the image; ``astray`` holds it shifted, and its next step changes it in place; the score takes
    nothing from ``unused``.
    """

    def __init__(self) -> None:
        super().__init__()
        self.true, self.astray, self.unused = (nn.Conv2d(1, 1, 1, bias=False) for _ in range(3))
        for layer in (self.true, self.astray, self.unused):
            nn.init.ones_(layer.weight)

    def forward(self, images: Tensor) -> Tensor:
        self.unused(images)
        shifted = self.astray(images.roll(5, dims=3))
        # The region takes this from five columns to the right of it, where nothing is to be seen.
        return self.true(images) + 1e-6 * shifted.mul_(1e-3).roll(-5, dims=3).flip(3)


def place() -> tuple[TwoPaths, Place]:
    """Just a fifth of the image, the region, is 10 and the rest 0; the mean is 2."""
    network, image = TwoPaths(), torch.zeros(1, 1, 10, 10)
    image[..., :4, :5] = 10.0
    return network, Place(image, region_score(network, REGION))


def test_the_layer_whose_map_holds_the_score_is_the_best() -> None:
    network, asked = place()
    methods = [METHODS[HIRES_CAM]]
    brighter = Place(2 * asked.inputs, asked.score)
    done: list[int] = []

    tests = measure_layers(network, [asked, brighter], methods, LAYERS, done.append)

    # Masking the region replaces it by the mean: 10 falls to 2, and 20 to 4.
    best = tests.best
    assert (best.method, best.layer, best.title, best.held) == (HIRES_CAM, "true", "Layer true", 2)
    assert best.drop == pytest.approx(12)
    assert best.margin == pytest.approx(best.drop - best.drop_random, abs=1e-3)
    # Falls are in proportion to the value, so the margins of both places are as 1 to 2 and differ from their mean by a
    # third of it.
    assert best.spread == pytest.approx(best.margin / 3, abs=1e-3)
    assert {test.layer: test.held for test in tests.tests} == {"true": 2, "astray": 0, "unused": 0}
    assert [(test.drop, test.drop_random) for test in tests.tests if test.layer == "unused"] == [(0, 0)]
    assert (tests.places, done) == (2, [1, 2])


def test_each_figure_is_that_of_the_deletion_test_of_the_methods_own_map() -> None:
    network, asked = place()

    tests = measure_layers(network, [asked], list(METHODS.values())[:2], LAYERS)

    for test in tests.tests:
        cam = METHODS[test.method].attribute(network, asked.inputs, REGION, test.layer)
        if not cam.any():
            continue
        alone = deletion_of(network, asked.score, asked.inputs, cam, share=SHARE, trials=TRIALS)
        assert (test.drop, test.drop_random) == pytest.approx((alone.drop_top, alone.drop_random), abs=1e-3)
    assert {test.method for test in tests.tests} == {GRAD_CAM, HIRES_CAM}


def test_one_pass_gives_the_activations_of_all_layers_as_they_were_before_a_change_in_place() -> None:
    network, asked = place()

    held = activations_of(network, asked.score, asked.inputs, ["true", "astray", "unused"])

    shifted = held.values["astray"]
    assert isinstance(shifted, Tensor)
    assert torch.equal(shifted, asked.inputs.roll(5, dims=3))
    # The logit of each of the region's twenty pixels is its own value: a gradient of a twentieth there.
    np.testing.assert_allclose(held.cells("true", local=True)[REGION], 10 / 20)
    assert not held.cells("unused").any()
    assert not any(module._forward_hooks for module in network.modules())


def test_the_tests_of_a_model_stand_in_its_description() -> None:
    network, asked = place()
    tests = measure_layers(network, [asked], [METHODS[HIRES_CAM]], LAYERS)

    description = tests.to_spec()

    assert layer_tests_in(description) == tests
    assert description["tests"][0] == asdict(tests.best)
    assert tests.layers(HIRES_CAM)[0] == "true"
    assert tests.layers(GRAD_CAM) == []
    assert isinstance(tests.best, LayerTest)
    assert layer_tests_in({}) is None


@pytest.mark.parametrize(("held", "first"), [(16, HIRES_CAM), (15, GRAD_CAM)])
def test_of_methods_that_held_equally_often_the_one_that_marks_only_the_place_itself_is_begun_with(
    held: int, first: str
) -> None:
    tests = LayerTests(16, (
        LayerTest(GRAD_CAM, "deep", "Deep", 9.0, 1.0, 8.0, 2.0, 16),
        LayerTest(HIRES_CAM, "once", "Once", 8.0, 1.0, 7.0, 9.0, 10),
        LayerTest(HIRES_CAM, "fine", "Fine", 5.0, 1.0, 4.0, 2.0, held),
    ))  # fmt: skip

    assert tests.best.method == first
    # A large margin on the mean is worth less than one at every place.
    assert tests.layers(HIRES_CAM) == ["fine", "once"]


def test_a_model_that_finds_nothing_cannot_be_tested() -> None:
    with pytest.raises(InputError, match="finds nothing"):
        measure_layers(TwoPaths(), [], [METHODS[HIRES_CAM]], LAYERS)
