"""Classes of an index and curves of rates: worked out by hand, or by trying all there is."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from core.errors import InputError
from core.plots.colours import SUSCEPTIBILITY
from core.plots.layers import classed
from core.serve.layers import checked_painting
from core.tasks.susceptibility.classed import Classed
from core.tasks.susceptibility.classes import breaks_of, class_rows, jenks, order_note
from core.tasks.susceptibility.rates import prediction_rate, success_rate


def histogram(**counts: int) -> np.ndarray:
    found = np.zeros(255, np.int64)
    for code, count in counts.items():
        found[int(code[1:])] = count
    return found


def within(counts: np.ndarray, breaks: tuple[int, ...]) -> float:
    values, total = np.arange(len(counts)), 0.0
    for low, high in zip((0, *breaks), (*breaks, len(counts)), strict=True):
        weight = counts[low:high]
        if weight.sum():
            mean = np.average(values[low:high], weights=weight)
            total += float((weight * (values[low:high] - mean) ** 2).sum())
    return total


def test_natural_breaks_are_the_best_of_all() -> None:
    rng = np.random.default_rng(0)
    for _ in range(20):
        counts = rng.integers(0, 30, 14)
        found = jenks(counts, 4)
        best = min(within(counts, one) for one in combinations(range(1, 14), 3))
        assert within(counts, tuple(found)) == pytest.approx(best)


def test_natural_breaks_part_groups_that_lie_apart() -> None:
    counts = histogram(c10=5, c11=7, c100=3, c101=4, c200=9)

    assert breaks_of("jenks", counts, counts, 3) == (100, 200)
    assert jenks(counts, 9) == [11, 100, 101, 200]


def test_classes_by_area_interval_deviation_and_landslides() -> None:
    even = np.zeros(255, np.int64)
    even[:250] = 4  # the codes 0 to 249, as often each

    assert breaks_of("quantile", even, even) == (50, 100, 150, 200)
    assert breaks_of("equal", even, even) == (50, 100, 150, 200)
    # Mean 124.5, deviation 72.168: -0.5 and 1.5 of it.
    assert breaks_of("deviation", even, even) == (17, 89, 161, 233)
    # As many landslides in each code: the highest half of the codes holds half of them.
    assert breaks_of("landslides", even, even) == (round(250 * 0.03), 25, round(250 * 0.25), 125)
    assert breaks_of("given", even, even, given=(0.25, 0.5)) == (64, 127)


def test_an_index_of_one_value_is_one_class_and_one_of_none_has_none() -> None:
    assert breaks_of("jenks", histogram(c10=5), histogram(c10=1)) == ()
    with pytest.raises(InputError, match="no value"):
        breaks_of("jenks", histogram(), histogram())
    with pytest.raises(InputError, match="no landslides"):
        breaks_of("landslides", histogram(c10=5, c20=5), histogram())
    with pytest.raises(InputError, match="No class breaks were given"):
        breaks_of("given", histogram(c10=5, c20=5), histogram())


def test_no_class_beyond_all_of_the_area_is_made_up() -> None:
    heavy = histogram(c10=5, c100=5, c200=90)

    # Of all cuts, that between 10 % and 90 % of the area is the nearest to each fifth of it: codes 101 to 200 alike.
    assert breaks_of("quantile", heavy, heavy) == (101,)
    # Half of the codes 0 and 100: mean 50, deviation 50, so that -1.5 and 1.5 of it lie beyond both.
    assert breaks_of("deviation", histogram(c0=1, c100=1), heavy) == (25, 75)


def test_breaks_that_are_given_stay_where_they_are() -> None:
    area = histogram(c50=3, c200=3)

    assert breaks_of("given", area, area, given=(0.1, 0.5, 0.9)) == (26, 127, 229)
    assert [row.cells for row in class_rows((26, 127, 229), area, area * 1.0, area)] == [0, 3, 3, 0]


def test_the_map_parts_classes_at_the_very_codes_that_are_counted() -> None:
    for code in range(1, 255):
        painting = checked_painting({"breaks": Classed("model", (code,), ()).address})
        image = classed(SUSCEPTIBILITY)([np.array([[code - 1, code]], np.uint8)], np.ones((1, 2), bool), painting)
        assert (image[0, 0] != image[0, 1]).any(), code


def test_an_empty_class_hides_no_turn_in_their_order() -> None:
    area, hits = histogram(c10=100, c250=100), histogram(c10=30, c250=10)

    rows = class_rows((20, 240), area, area * 1.0, hits)

    assert "class 3 (0.50) below class 1 (1.50)" in order_note(rows)


def test_a_class_tells_its_share_of_area_and_landslides() -> None:
    area, hits = histogram(c10=600, c100=300, c200=100), histogram(c10=1, c100=3, c200=6)

    low, middle, high = class_rows((50, 150), area, area * 25.0, hits)

    assert (low.cells, low.square_metres, low.share, low.share_of_hits) == (600, 15000.0, 0.6, 0.1)
    assert high.frequency_ratio == pytest.approx(6.0)
    assert middle.density == pytest.approx(0.01)
    assert (low.low, high.high) == (0.0, 1.0)
    assert order_note((low, middle, high)) == ""
    assert "class 1 (0.17) below class 2 (1.00)" in order_note((high, middle, low))


def test_rates_from_the_top_down() -> None:
    area, hits = histogram(c10=600, c100=300, c200=100), histogram(c10=1, c100=3, c200=6)

    curve = success_rate(area * 25.0, hits)

    assert curve is not None
    assert curve.held_in(0.1) == pytest.approx(0.6)
    assert curve.held_in(0.4) == pytest.approx(0.9)
    # Trapezia: 0.1 × 0.3 + 0.3 × 0.75 + 0.6 × 0.95.
    assert curve.under == pytest.approx(0.825)
    assert success_rate(area * 25.0, histogram()) is None


def test_landslides_not_seen_are_ranked_against_the_area() -> None:
    curve = prediction_rate(np.array([0.4, 0.1, 0.1, 0.2]))

    assert curve is not None
    assert curve.held_in(0.2) == pytest.approx(0.75)
    assert curve.held_in(0.15) == pytest.approx(0.5)
    assert curve.held_in(0.05) == 0.0
    assert curve.held_in(1.0) == 1.0
    assert curve.under == pytest.approx(1 - 0.2)
    assert prediction_rate(np.empty(0)) is None
    by_chance = prediction_rate(np.full(10, 0.5))
    assert by_chance is not None
    assert by_chance.under == pytest.approx(0.5)
