"""A table becomes cells, or an error that names the option which mends it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from core.errors import InputError
from core.tasks.susceptibility.cells import Columns, cells_of
from core.tasks.susceptibility.guess import guess_columns
from core.tasks.susceptibility.rows import LATITUDE, LONGITUDE

COLUMNS = Columns("slide", ("slope", "rock"), ("rock",), "x", "y", "EPSG:32717")


def table(**changes: Any) -> pd.DataFrame:
    """Forty cells, every other one a landslide."""
    rng = np.random.default_rng(0)
    content = {
        "slide": np.tile(["yes", "no"], 20), "slope": rng.uniform(0, 50, 40), "rock": np.tile(["a", "b", "c", "d"], 10),
        "x": rng.uniform(700_000, 710_000, 40), "y": rng.uniform(9_550_000, 9_560_000, 40),
    }  # fmt: skip
    return pd.DataFrame(content | changes)


def test_a_complete_table_is_taken_as_it_is() -> None:
    cells = cells_of(table(), COLUMNS)

    assert cells.landslide.tolist() == [True, False] * 20
    assert cells.places is not None
    np.testing.assert_array_equal(cells.places, table()[["x", "y"]])
    assert cells.categorical == ("rock",)
    assert cells.notes == ()


@pytest.mark.parametrize(
    "labels", [[1, 0], [True, False], ["TRUE", "FALSE"], ["Yes", "No"], [1.0, 0.0], ["landslide", "none"]]
)
def test_labels_of_every_kind_are_known(labels: list[Any]) -> None:
    assert cells_of(table(slide=labels * 20), COLUMNS).landslide.tolist() == [True, False] * 20


def test_a_label_that_is_not_plain_is_asked_for() -> None:
    with pytest.raises(InputError, match="Name the value \\(--positive\\); the values are 'rotational', 'stable'"):
        cells_of(table(slide=["rotational", "stable"] * 20), COLUMNS)
    cells = cells_of(table(slide=["rotational", "stable"] * 20), replace(COLUMNS, positive="rotational"))
    assert cells.landslide.sum() == 20


@pytest.mark.parametrize(
    ("changes", "columns", "message"),
    [
        ({}, {"factors": ("slop",)}, "no column 'slop'.*Its columns are slide, slope"),
        ({}, {"factors": ("slide",)}, "cannot also be a factor"),
        ({}, {"factors": ("slope", "rock"), "categorical": ()}, "holds text, such as 'a'.*--categorical rock"),
        ({}, {"y": ""}, "Name both"),
        ({"slide": ["yes"] * 40}, {}, "All 40 complete cells .* are landslides"),
        ({"slide": ["yes"] * 35 + ["no"] * 5}, {}, "35 complete cells with a landslide and 5 without; at least 10 of"),
        ({"slope": [3.0] * 40, "rock": ["a"] * 40}, {}, "All factors are constant"),
        ({"rock": [f"r{n}" for n in range(40)] * 1}, {"factors": ("rock",), "crs": "EPSG:9999999"}, "--crs"),
        ({"x": np.linspace(9.55e6, 9.56e6, 40), "y": np.linspace(7e5, 7.1e5, 40)}, {}, "seem to be swapped.*--swap-xy"),
        ({"x": np.linspace(-45, -44, 40), "y": np.linspace(-100, -99, 40)}, {"crs": ""}, "swapped.*latitude"),
        ({"x": ["here"] * 40}, {}, "No row .* has numeric coordinates"),
    ],
)  # fmt: skip
def test_what_cannot_be_says_why_and_what_mends_it(
    changes: dict[str, Any], columns: dict[str, Any], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        cells_of(table(**changes), replace(COLUMNS, **columns))


def test_swapped_coordinates_are_taken_for_each_other_when_asked() -> None:
    given = table().rename(columns={"x": "y", "y": "x"})

    cells = cells_of(given, replace(COLUMNS, swap_xy=True))

    assert cells.places is not None
    np.testing.assert_array_equal(cells.places, table()[["x", "y"]])


def test_degrees_are_projected_to_the_local_zone_and_said() -> None:
    given = table(x=np.linspace(-79.1, -79.0, 40), y=np.linspace(-4.0, -3.9, 40))

    cells = cells_of(given, replace(COLUMNS, crs=""))

    assert cells.places is not None
    # 0.1° of longitude at 4° south are 11.1 km, as are 0.1° of latitude.
    assert np.ptp(cells.places, axis=0) == pytest.approx([11_100, 11_060], rel=0.01)
    assert any("assumed to be WGS 84" in note and "EPSG:32717" in note for note in cells.notes)


def test_of_added_coordinates_only_what_distances_mean_is_said() -> None:
    added = {LONGITUDE: np.linspace(-79.1, -79.0, 40), LATITUDE: np.linspace(-4.0, -3.9, 40)}

    cells = cells_of(table(**added), replace(COLUMNS, x=LONGITUDE, y=LATITUDE, crs="EPSG:4326"))

    assert "Distances between units are those between the points inside them, in the local UTM zone (EPSG:32717)." in (
        cells.notes
    )
    assert not any("degrees" in note for note in cells.notes)


def test_what_is_left_out_is_said_with_its_number() -> None:
    given = table()
    given["level"] = 7.0
    given.loc[0, "slide"] = None
    given.loc[[1, 2], "slope"] = np.nan
    given.loc[3, "slope"] = -9999.0
    given.loc[4, "slope"] = -3.4e38
    given.loc[5, "x"] = np.nan

    cells = cells_of(given, replace(COLUMNS, factors=("slope", "rock", "level")))

    assert cells.rows.tolist() == list(range(6, 40))
    told = " ".join(cells.notes)
    for words in (
        "1 row without a label in slide was left out.", "4 cells lacking the value of a factor were left out.",
        "1 cell without coordinates was left out.",
        "2 values of slope are -3.4e+38, -9999",
        "constant: level",
    ):  # fmt: skip
        assert words in told


def test_factors_that_say_the_same_and_codes_that_look_like_quantities_are_told() -> None:
    given = table(percent=table()["slope"] * 2 + 1, code=np.tile([1.0, 2.0, 3.0, 4.0], 10))
    given = pd.concat([given] * 3, ignore_index=True)

    told = " ".join(cells_of(given, replace(COLUMNS, factors=("slope", "percent", "code"), categorical=())).notes)

    assert "percent carries the same information as slope" in told
    assert "code holds 4 different whole numbers" in told
    assert "--categorical code" in told


def test_classes_stored_as_floats_are_whole_numbers() -> None:
    cells = cells_of(table(rock=np.tile([1.0, 2.0, 3.0, 10.0], 10)), COLUMNS)

    assert sorted(set(cells.factors["rock"])) == ["1", "10", "2", "3"]


def test_columns_are_guessed_by_name_and_content() -> None:
    given = table().rename(columns={"x": "x_epsg32717", "y": "y_epsg32717", "slide": "Landslide"})
    given["cell_id"] = range(40)

    assert guess_columns(given) == Columns(
        "Landslide", ("slope", "rock"), ("rock",), "x_epsg32717", "y_epsg32717", "EPSG:32717"
    )
