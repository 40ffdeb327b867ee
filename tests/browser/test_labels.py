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
    page.get_by_text("1 of 59 labels reviewed: 0 correct, 1 wrong").wait_for()
    page.get_by_text("Selected row R21").wait_for(state="detached")  # the next one is that which is doubted most
    page.keyboard.press("y")
    page.get_by_text("2 of 59 labels reviewed: 1 correct, 1 wrong").wait_for()
    found = open_labels(Store(home), Store(home).run(run))
    one = found.review.features["R20"]
    assert (one.status, one.note, one.reviewer) == ("rejected", "seen on site", "Anna")

    page.locator(f".st-key-label-undo-{run} button").first.click()
    page.get_by_text("1 of 59 labels reviewed: 0 correct, 1 wrong").wait_for()
    selected = page.get_by_text("Selected row R").inner_text()
    page.reload()
    page.get_by_text(selected.split(" · ")[0]).wait_for()
    assert steps.without_probes(seen.complaints) == []
