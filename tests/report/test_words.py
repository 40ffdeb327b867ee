"""Numbers in reports, as people write them."""

from __future__ import annotations

import math

import pytest

from core.raster.files import one_line
from core.report.words import area, moment_of, of_hundred, percent, why_undefined
from core.wording import agree, count, tied


@pytest.mark.parametrize(
    ("square_metres", "words"),
    [
        (0.0, "0 m²"), (5_432.1, "5,432 m²"), (99_999.0, "99,999 m²"), (422_000.0, "0.42 km²"), (1e6, "1.00 km²"),
        (13_394_000.0, "13.4 km²"), (2_345_600_000.0, "2,346 km²"),
    ],
)  # fmt: skip
def test_areas_have_the_unit_and_digits_that_mean_something(square_metres: float, words: str) -> None:
    assert area(square_metres) == words


@pytest.mark.parametrize(
    ("share", "words"),
    [
        (0.0, "0 %"), (1.0, "100 %"), (0.0314, "3.1 %"), (0.00995, "1.0 %"), (0.0999, "10 %"), (0.00042, "0.042 %"),
        (0.0098, "0.98 %"), (1e-9, "less than 0.001 %"), (math.nan, "undefined"),
    ],
)  # fmt: skip
def test_shares_keep_two_digits(share: float, words: str) -> None:
    assert percent(share) == words


def test_none_and_all_are_said_only_of_none_and_all() -> None:
    assert [of_hundred(share) for share in (0.0, 1e-6, 0.574, 0.9999, 1.0)] == [
        "none", "fewer than 1", "57", "more than 99", "all",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("number", "words"),
    [(0, "0 boxes of it were"), (1, "1 box of it was"), (2, "2 boxes of it were"), (1200, "1,200 boxes of it were")],
)
def test_noun_and_verb_agree_with_their_number(number: int, words: str) -> None:
    assert f"{count(number, 'box', 'boxes')} of it {agree(number, 'was', 'were')}" == words


def test_a_measured_number_has_the_noun_that_goes_with_how_it_is_written() -> None:
    told = [count(days, "day", form=".3g") for days in (0.5, 0.9999, 1.0, 1.0004, 1.006, 12.0)]
    assert told == ["0.5 days", "1 day", "1 day", "1 day", "1.01 days", "12 days"]


def test_what_is_no_time_is_told_as_it_stands() -> None:
    assert moment_of("2025-01-02T03:04:05+02:00") == "2 January 2025, 01:04 UTC"
    assert moment_of("yesterday") == "yesterday"
    assert moment_of(None) == "not recorded"


def test_text_from_outside_is_one_line_without_signs_that_turn_it_round() -> None:
    assert one_line("a\n\tb \N{RIGHT-TO-LEFT OVERRIDE}c\x00") == "a b c"


def test_a_number_is_not_parted_from_its_unit() -> None:
    assert tied("3 km² and 5 % of 7 metres") == "3\N{NO-BREAK SPACE}km² and 5\N{NO-BREAK SPACE}% of 7 metres"


@pytest.mark.parametrize(
    ("found", "known", "reason"),
    [
        (0, 3, "because no box was found in the compared area."),
        (2, 0, "because the reference holds no landslide in the area processed."),
        (0, 0, "because no box was found in the compared area and the reference holds no landslide "
               "in the area processed."),
    ],
)  # fmt: skip
def test_an_undefined_score_says_why(found: int, known: int, reason: str) -> None:
    words = why_undefined({"Precision": math.nan, "Recall": 0.0, "F1": math.nan}, "box", found, known)

    assert words == f"Undefined (–): Precision, F1, {reason}"


def test_scores_that_are_defined_need_no_words() -> None:
    assert why_undefined({"Precision": 0.0}, "pixel", 1, 1) == ""
