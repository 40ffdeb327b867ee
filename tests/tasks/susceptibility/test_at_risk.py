"""Elements on classes: lengths and counts worked out by hand."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
import shapely

from core.errors import GridError
from core.raster.write import write_array
from core.tasks.susceptibility.at_risk import elements_at_risk
from core.tasks.susceptibility.classed import Classed
from core.tasks.susceptibility.classes import class_rows
from core.tasks.susceptibility.map_result import SusceptibilityMap
from tests.tasks.susceptibility.areas import GRID, at, inventory, square


@pytest.fixture
def halves(tmp_path: Path) -> tuple[SusceptibilityMap, Classed]:
    """A map whose left 30 columns are low and whose right ones are high, the first row being unknown."""
    codes = np.full(GRID.shape, 50, np.uint8)
    codes[:, 30:] = 200
    codes[0] = 255
    path = write_array(tmp_path / "index.tif", GRID, codes, nodata=255)
    area = np.bincount(codes[1:].ravel(), minlength=255)[:255]
    classes = Classed("svm", (100,), class_rows((100,), area, area * 100.0, area * 0))
    result = SimpleNamespace(grid=GRID, artifact=lambda role: path, role_of=lambda model: "index")
    return cast("SusceptibilityMap", result), classes


def test_a_road_is_measured_in_each_class(tmp_path: Path, halves: tuple[Any, Classed]) -> None:
    road = shapely.LineString([at(10, 20.5), at(40, 20.5)])
    short = shapely.LineString([at(5, 10.5), at(7, 10.5)])
    path = inventory(tmp_path, [road, short], "roads")

    found = elements_at_risk(path, *halves, "roads")

    assert found.kind == "lines"
    table = found.classes.set_index("class")
    # Ten metres of the map are 10.004 m on the ground there.
    assert table.loc["class 2", "length_m"] == pytest.approx(100, rel=1e-3)
    assert table.loc["class 1", "length_m"] == pytest.approx(220, rel=1e-3)
    assert table["elements"].tolist() == [1, 1, 0]
    assert found.elements["class"].tolist() == ["class 2", "class 1"]
    assert found.elements["m_class_2"].tolist() == pytest.approx([100, 0], rel=1e-3)
    assert found.elements.geometry[0].coords[0] == pytest.approx(at(10, 20.5))


def test_a_building_counts_where_it_is_highest_and_beside_the_map_as_unknown(
    tmp_path: Path, halves: tuple[Any, Classed]
) -> None:
    buildings = [square(5, 5, 2), square(29, 5, 3), square(10, -0.9, 1.2)]

    found = elements_at_risk(inventory(tmp_path, buildings, "houses"), *halves, "houses")

    assert found.kind == "areas"
    assert found.elements["class"].tolist() == ["class 1", "class 2", "unknown"]
    assert "length_m" not in found.classes
    points = inventory(tmp_path, [shapely.Point(at(45.5, 9.5)), shapely.Point(at(2.5, 0.5))], "wells")
    assert elements_at_risk(points, *halves, "wells").classes["elements"].tolist() == [1, 0, 1]


def test_elements_elsewhere_are_refused(tmp_path: Path, halves: tuple[Any, Classed]) -> None:
    with pytest.raises(GridError, match="does not overlap the map"):
        elements_at_risk(inventory(tmp_path, [square(900, 900, 3)], "far"), *halves, "far")
    with pytest.raises(GridError, match="no coordinate system"):
        elements_at_risk(inventory(tmp_path, [square(9, 9, 3)], "bare", None), *halves, "bare")
    assert replace(halves[1], model="svm") == halves[1]
