"""Labels of units reviewed in a real browser: by a click on the map, by keys and buttons, and kept over a reload."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import geopandas
import pandas
import pytest
from shapely.geometry import box

from core.review.labels import open_labels
from core.runs.store import Store
from core.tasks.susceptibility.cells import Columns
from core.tasks.susceptibility.rows import LATITUDE, LONGITUDE
from tests.browser import steps
from tests.tasks.susceptibility.test_labelled import ROWS, validated, write_table

pytestmark = pytest.mark.browser

EXTENT = """id => {
  let bounds = null;
  map.eachLayer(layer => {
    if (layer.feature && layer.feature.properties.id === id && layer.getLatLngs && layer.options.interactive)
      bounds = layer.getBounds();
  });
  const [a, b] = [bounds.getSouthWest(), bounds.getNorthEast()].map(at => map.latLngToContainerPoint(at));
  return [a.x, a.y, b.x, b.y];
}"""
"""West, south, east and north of a unit, in pixels of the map."""

COLUMNS = Columns("label", ("slope", "relief"), (), LONGITUDE, LATITUDE, "EPSG:4326")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def run(home: Path, tmp_path: Path) -> str:
    """A validation of units of 80 m in eight columns."""
    table = pandas.read_csv(write_table(tmp_path / "units.csv")).drop(columns=["x", "y"])
    corners = [(700_000 + 100 * (n % 8), 9_550_000 + 100 * (n // 8)) for n in range(ROWS)]
    units = geopandas.GeoDataFrame(table, geometry=[box(x, y, x + 80, y + 80) for x, y in corners], crs=32717)
    units.to_file(tmp_path / "units.gpkg")
    return validated(Store(home), tmp_path / "units.gpkg", COLUMNS)


def test_units_are_selected_on_the_map_and_their_labels_marked(
    home: Path, run: str, start_server: Callable[..., Any], visit: Callable[..., Any]
) -> None:
    server = start_server(env={"SLIDELENS_HOME": str(home)})
    seen = visit(f"{server.address}/susceptibility?run={run}&tab=Review")
    page = seen.page
    page.get_by_role("textbox", name="Reviewer").first.fill("Anna")
    page.keyboard.press("Enter")
    page.get_by_text("Select rows in the table, or one on the map.").wait_for()
    steps.click_polygon(page, seen.map_frame(), "R20")
    page.get_by_text("Selected row R20").wait_for()

    page.get_by_role("button", name="Reason, note").click()
    page.get_by_role("textbox", name="Note").fill("seen on site")
    page.keyboard.press("Control+Enter")
    page.keyboard.press("Escape")
    page.locator(f".st-key-label-N-{run} button").first.click()
    page.get_by_text("1 of 59 rows reviewed: 0 labels correct, 1 wrong").wait_for()
    page.get_by_text("Selected row R21").wait_for(state="detached")  # the next one is that which is doubted most
    page.keyboard.press("y")
    page.get_by_text("2 of 59 rows reviewed: 1 label correct, 1 wrong").wait_for()
    found = open_labels(Store(home), Store(home).run(run))
    one = found.review.features["R20"]
    assert (one.status, one.note, one.reviewer) == ("rejected", "seen on site", "Anna")

    page.locator(f".st-key-label-undo-{run} button").first.click()
    page.get_by_text("1 of 59 rows reviewed: 0 labels correct, 1 wrong").wait_for()
    (undone,) = (one.id for one in found.review.features.values() if one.status == "confirmed")
    page.get_by_text(f"Selected row {undone}").wait_for()
    page.wait_for_url(f"**selected={undone}*")
    page.reload()
    page.get_by_text(f"Selected row {undone}").wait_for()
    assert steps.without_probes(seen.complaints) == []


def test_a_unit_is_split_by_a_shape_drawn_over_it_and_another_is_drawn_and_deleted(
    home: Path, run: str, start_server: Callable[..., Any], visit: Callable[..., Any]
) -> None:
    server = start_server(env={"SLIDELENS_HOME": str(home)})
    seen = visit(f"{server.address}/susceptibility?run={run}&tab=Review&selected=R20")
    page = seen.page
    page.get_by_role("textbox", name="Reviewer").first.fill("Anna")
    page.keyboard.press("Enter")
    page.get_by_text("Selected row R20").wait_for()
    page.get_by_text("Enter your name first").wait_for(state="detached")
    frame = seen.map_frame()

    def rectangle(around: str, left: float, right: float) -> None:
        """Draw a rectangle about a unit, from and to a share of its width."""
        frame.wait_for_function("() => !window.drawnItems.getLayers().length")  # what was used is taken off the map
        frame.wait_for_function(steps.INSIDE, arg=around)
        frame.locator(".leaflet-draw-draw-rectangle").click()  # this may scroll the page
        steps.map_at_rest(frame)
        place = steps.settled(page)
        west, south, east, north = frame.evaluate(EXTENT, around)
        page.mouse.move(place["x"] + west + left * (east - west), place["y"] + north - 4)
        page.mouse.down()
        page.mouse.move(place["x"] + west + right * (east - west), place["y"] + south + 4, steps=4)
        page.mouse.up()
        page.get_by_text("Drawn shape", exact=True).wait_for()

    rectangle("R20", -0.1, 0.4)
    page.get_by_role("button", name="Split off from R20").click()
    page.get_by_text("1 of 59 rows reviewed. 1 row was split.").wait_for()
    page.get_by_text("Selected row R20b").wait_for()
    now = open_labels(Store(home), Store(home).run(run))
    whole, parts = now.features["R20"].outline, [now.review.features[name].outline for name in ("R20a", "R20b")]
    assert sum(part.area for part in parts) == pytest.approx(whole.area)
    assert parts[1].area / whole.area == pytest.approx(0.4, abs=0.05)

    rectangle("R20a", 0.2, 0.8)
    page.get_by_role("button", name="Add as unit without landslide").click()
    page.get_by_text("1 unit was drawn.").wait_for()
    page.get_by_text("Selected row N1").wait_for()
    assert open_labels(Store(home), Store(home).run(run)).review.features["N1"].label is False
    page.locator(f".st-key-label-delete-{run} button").first.click()
    page.get_by_text("1 unit was drawn.").wait_for(state="detached")
    assert list(open_labels(Store(home), Store(home).run(run)).review.deleted) == ["N1"]
    assert steps.without_probes(seen.complaints) == []
