"""The figure of deletion and insertion."""

from __future__ import annotations

import pytest

from core.explain.faithfulness import Curves
from core.plots.faithfulness import curves_figure


def test_both_curves_are_drawn_as_confidence_with_their_areas() -> None:
    # Logits of 0 and of very much: confidences of one half and of one.
    figure = curves_figure(Curves((0.0, 0.5, 1.0), (60.0, 0.0, 0.0), (0.0, 60.0, 60.0)))

    taken, there = figure.data
    assert list(taken.x) == [0, 50, 100]
    assert list(taken.y) == pytest.approx([1, 0.5, 0.5])
    assert taken.name == "Highest areas masked, area 0.62"
    assert list(there.y) == pytest.approx([0.5, 1, 1])
    assert there.name == "Only highest areas visible, area 0.88"


def test_the_curve_at_random_places_is_drawn_where_it_was_measured() -> None:
    figure = curves_figure(Curves((0.0, 1.0), (60.0, 0.0), (0.0, 60.0), (60.0, 0.0)), "place")

    *_, random = figure.data
    assert (random.name, list(random.y)) == ("Random areas masked, area 0.75", pytest.approx([1, 0.5]))
    assert figure.layout.yaxis.title.text == "Score of the place"
