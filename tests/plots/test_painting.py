"""Painting by what an address chooses: classes by breaks, a scale by its ends, lines where values are beyond one."""

from __future__ import annotations

import numpy as np
import pytest

from core.errors import InputError
from core.plots.colours import class_colours, spread
from core.plots.layers import HATCH, classed, hatched, numbered, scaled
from core.plots.painting import Painting
from core.serve.layers import Layer

COLOURS = ("#000001", "#000002", "#000003", "#000004", "#000005")


def test_classes_part_at_the_breaks_and_the_unknown_is_clear() -> None:
    codes = np.array([[0, 63, 64, 127, 254, 255]], np.uint8)

    image = classed(COLOURS)([codes], codes < 255, Painting(breaks=(0.25, 0.5)))

    # Three classes take the first, the middle and the last colour.
    assert image[0, :, 2].tolist() == [1, 1, 3, 5, 5, 0]
    assert image[0, :, 3].tolist() == [255, 255, 255, 255, 255, 0]


def test_more_classes_than_colours_stay_apart_and_in_order() -> None:
    assert spread(("#000000", "#808080", "#FF0000"), 5) == ("#000000", "#404040", "#808080", "#C04040", "#FF0000")
    for count in range(2, 11):
        assert len(set(class_colours(count))) == count


def test_a_scale_goes_from_one_end_to_the_other() -> None:
    values = np.array([[0.0, 10.0, 55.0, 100.0, 400.0, np.nan]], np.float32)
    valid = np.isfinite(values)

    image = scaled("Greys")([values], valid, Painting(low=10.0, high=100.0))

    assert image[0, 0].tolist() == image[0, 1].tolist()
    assert image[0, 3].tolist() == image[0, 4].tolist()
    assert image[0, 1, 0] > image[0, 2, 0] > image[0, 3, 0]
    assert image[0, 5, 3] == 0
    assert numbered(COLOURS)([values], valid, Painting())[0, 0, 2] == 1


def test_lines_go_on_from_tile_to_tile_and_leave_the_rest_clear() -> None:
    values = np.full((256, 512), 2.0, np.float32)
    values[:, :100] = 0.5

    whole = hatched([values], np.ones(values.shape, bool), Painting(high=1.0))
    right = hatched([values[:, 256:]], np.ones((256, 256), bool), Painting(high=1.0))

    assert 256 % HATCH == 0
    assert not whole[:, :100].any()
    assert np.array_equal(whole[:, 256:], right)
    assert 0.2 < (whole[:, 100:, 3] > 0).mean() < 0.5


@pytest.mark.parametrize(
    "query", ["breaks=0.5,0.2", "breaks=0,1", "breaks=x", "breaks=" + ",".join(f"{n / 11:.3f}" for n in range(1, 11)),
              "band=0", "band=1.5", "range=3,1", "range=nan,2", "range=1"],
)  # fmt: skip
def test_addresses_that_choose_what_cannot_be_are_refused(query: str) -> None:
    address = f"/tiles/run/{'0' * 32}/classes_1/{{z}}/{{x}}/{{y}}.png"

    found = Layer.at(f"{address}?breaks=0.2,0.4&band=3&range=-5,20")
    assert found is not None
    assert found.painting == Painting(0.5, (0.2, 0.4), 3, -5.0, 20.0)
    with pytest.raises(InputError):
        Layer.at(f"{address}?{query}")
