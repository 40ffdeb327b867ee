"""Areas and events that are left out of a validation in turn: names worked out by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from core.errors import InputError
from core.tasks.susceptibility.folds import MOST_GROUPS
from core.tasks.susceptibility.groups import OUTSIDE, group_labels
from core.tasks.susceptibility.landslides import InventoryPlan
from tests.tasks.susceptibility.areas import GRID, at, inventory, square

WIDTH = GRID.width
CELLS = np.array([11 * WIDTH + 11, 30 * WIDTH + 50, 12 * WIDTH + 5, 25 * WIDTH + 58])
SLIDE = np.array([True, True, False, False])


def slides(folder: Path) -> Path:
    """One landslide in the west of 2010, one in the east of 2015."""
    return inventory(folder, [square(10, 10, 4), square(48, 28, 4)], valley=["west", "east"], date=["2010", "2015"])


def test_a_cell_belongs_to_the_area_of_the_nearest_landslide(tmp_path: Path) -> None:
    labels = group_labels(slides(tmp_path), "vector", InventoryPlan(area="valley"), GRID, "slides")

    assert labels is not None
    groups, notes = labels.of(CELLS, SLIDE, WIDTH, 0, drawn=True)
    assert groups["group"].tolist() == ["west", "east", "west", "east"]
    assert "date" not in groups
    assert "nearest" in " ".join(notes)


def test_a_layer_of_areas_says_where_a_cell_lies(tmp_path: Path) -> None:
    layer = inventory(tmp_path, [square(0, 0, 20), square(40, 20, 14)], "areas", basin=["A", None])
    plan = InventoryPlan(area="basin")

    labels = group_labels(slides(tmp_path), "vector", plan, GRID, "slides", (layer, "areas"))

    assert labels is not None
    groups, notes = labels.of(CELLS, SLIDE, WIDTH, 0, drawn=True)
    assert groups["group"].tolist() == ["A", "area 2", "A", OUTSIDE]
    assert "1 cell outside all areas" in " ".join(notes)
    assert "1 area of areas without basin" in " ".join(notes)


def test_drawn_cells_are_dealt_out_to_events_as_their_landslides_are(tmp_path: Path) -> None:
    labels = group_labels(slides(tmp_path), "vector", InventoryPlan(event="date"), GRID, "slides")
    cells = np.concatenate([np.full(30, CELLS[0]), np.full(10, CELLS[1]), np.full(4_000, CELLS[3])])
    landslide = np.arange(len(cells)) < 40

    assert labels is not None
    drawn, notes = labels.of(cells, landslide, WIDTH, 3, drawn=True)
    again, _ = labels.of(cells, landslide, WIDTH, 3, drawn=True)
    given, _ = labels.of(cells, landslide, WIDTH, 3, drawn=False)

    assert drawn["date"][:40].tolist() == ["2010"] * 30 + ["2015"] * 10
    assert np.mean(drawn["date"][40:] == "2010") == pytest.approx(0.75, abs=0.03)
    assert (drawn["date"] == again["date"]).all()
    assert set(given["date"][40:]) == {"2015"}  # those that the inventory gives are of the event nearest to them
    assert "seed 3" in " ".join(notes)


def test_many_dates_are_taken_by_year_and_names_that_are_missing_are_told(tmp_path: Path) -> None:
    count = MOST_GROUPS + 20
    dates = pd.date_range("1999-12-01", periods=count, freq="D").strftime("%Y-%m-%d").tolist()
    table = tmp_path / "slides.csv"
    x, y = at(11.5, 11.5)
    pd.DataFrame({"x": x, "y": y, "date": [*dates, ""]}).to_csv(table, index=False)

    labels = group_labels(table, "table", InventoryPlan(x="x", y="y", event="date"), GRID, "slides")

    assert labels is not None
    assert labels.events is not None
    assert set(labels.events) == {"1999", "2000"}
    assert f"{count} dates" in " ".join(labels.notes)
    assert "1 landslide of slides without date" in " ".join(labels.notes)


def test_a_column_that_is_not_there_and_areas_that_are_none_are_refused(tmp_path: Path) -> None:
    path = slides(tmp_path)

    assert group_labels(path, "vector", InventoryPlan(), GRID, "slides") is None
    with pytest.raises(InputError, match="no column 'basin'"):
        group_labels(path, "vector", InventoryPlan(area="basin"), GRID, "slides")
    with pytest.raises(InputError, match="no column 'basin'"):
        group_labels(path, "vector", InventoryPlan(area="basin"), GRID, "slides", (path, "areas"))
    empty = inventory(tmp_path, [square(0, 0, 20), square(30, 0, 20)], "unnamed", basin=[None, " "])
    with pytest.raises(InputError, match="No landslide of unnamed has a value"):
        group_labels(empty, "vector", InventoryPlan(area="basin"), GRID, "unnamed")
