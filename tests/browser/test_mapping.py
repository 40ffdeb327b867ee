"""The sample valley from the first press to the file in another program, in a real browser."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import geopandas as gpd
import pytest

from core.catalog.samples import sample
from core.raster.scene import Scene
from core.runs.records import RunFilter
from core.runs.store import Store
from core.tasks.mapping.findings import default_choice, find
from core.tasks.mapping.result import MappingResult
from core.tasks.mapping.run_explanation import explain, layers_of
from tests.browser import steps
from tests.browser.networks import write_networks
from tests.factories import found_ids

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]  # for busy machines; a quiet one needs seconds

CHOSEN = 1  # the second largest landslide; the map may draw the largest below its panels


@dataclass(frozen=True)
class Site:
    """A server with two small networks, and where it keeps what it makes."""

    address: str
    store: Store


@pytest.fixture(scope="module")
def networks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("networks")
    write_networks(folder)
    return folder


@pytest.fixture(scope="module")
def start_site(
    start_server: Callable[..., Any], networks: Path, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], Site]:
    def start(base: str) -> Site:
        home = tmp_path_factory.mktemp("site")
        env = {"SLIDELENS_HOME": str(home), "SLIDELENS_MODELS": str(networks)}
        return Site(start_server(base=base, env=env).address, Store(home))

    return start


@pytest.fixture(scope="module")
def site(start_site: Callable[[str], Site]) -> Site:
    return start_site("")


@pytest.fixture
def open_page(visit: Callable[..., Any]) -> Iterator[Callable[..., Any]]:
    """Give a function that opens a page; at the end none asked another host or complained."""
    pages = []

    def open_one(address: str, **options: Any) -> Any:
        pages.append((address.split("/")[2], visit(address, **options)))
        return pages[-1][1]

    yield open_one
    for host, seen in pages:
        assert seen.hosts == {host}
        assert steps.without_probes(seen.complaints) == []


@pytest.fixture(scope="module")
def mapped(site: Site, browser: Any) -> str:
    """Id of a run of the valley after its event: two presses from the empty page."""
    context = browser.new_context()
    page = context.new_page()
    page.set_default_timeout(300_000)
    page.goto(f"{site.address}/mapping")
    steps.start(page)
    run = steps.map_landslides(page)
    context.close()
    return run


@pytest.fixture
def result(site: Site, mapped: str, open_page: Callable[..., Any]) -> tuple[Any, Any]:
    """A page with that run, and the frame of its map."""
    seen = open_page(f"{site.address}/mapping?run={mapped}", accept_downloads=True)
    frame = seen.map_frame()
    steps.metric(seen.page, "Landslides")
    steps.has_tiles(frame, "/mask/")
    return seen.page, frame


def test_the_threshold_acts_at_once_and_the_map_stays(result: tuple[Any, Any]) -> None:
    page, frame = result
    steps.has_tiles(frame, "/tiles/scene/")
    frame.evaluate("() => { window.mark = 'same'; map.zoomIn(1, {animate: false}); }")
    frame.evaluate("() => { map.panBy([60, 40], {animate: false}); }")
    steps.draw_rectangle(page, frame)
    before, count = frame.evaluate(steps.STATE), steps.metric(page, "Landslides")
    steps.move_threshold(page, 20)
    steps.changed(page, "Landslides", count)
    steps.has_tiles(frame, "threshold=0.7")
    assert frame.evaluate(steps.STATE) == before
    assert "threshold=0.7" in page.url

    # The drawing is still there, and still the page's, after another map stood in its place.
    page.get_by_text("Swipe image / probability", exact=True).click()
    page.frame_locator("iframe").first.locator(".sl-swipe-label").first.wait_for()
    page.get_by_text("Layers", exact=True).first.click()
    page.frame_locator("iframe").first.locator(".leaflet-draw-draw-rectangle").wait_for()
    again = page.locator("iframe").first.element_handle().content_frame()
    again.wait_for_function("() => window.drawnItems && window.drawnItems.getLayers().length === 1")


def test_a_clicked_landslide_says_why(result: tuple[Any, Any], site: Site, mapped: str) -> None:
    page, frame = result
    chosen = found_ids(site.store, mapped)[CHOSEN]
    steps.click_polygon(page, frame, chosen)
    page.get_by_text("Selected landslide").wait_for()
    steps.open_tab(page, "Why")
    page.get_by_text(f"Why was landslide {chosen} mapped?").wait_for()
    page.get_by_role("button", name="Explain").click()
    pictures = page.get_by_role("img", name="Grad-CAM over the image:")
    pictures.wait_for()
    assert pictures.evaluate("async picture => { await picture.decode(); return picture.naturalWidth; }") > 100
    page.get_by_text("Bright areas").first.wait_for()
    steps.has_tiles(frame, "/cam/")
    page.wait_for_url("**why=*")


def test_the_address_of_an_explanation_opens_its_map_with_it(
    site: Site, mapped: str, networks: Path, open_page: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLIDELENS_MODELS", str(networks))
    layer, result = layers_of(site.store.run(mapped).model)[1].name, site.store.result(mapped, MappingResult)
    place = find(result, default_choice(result, result.threshold)).polygons.geometry[0].representative_point()
    row, column = result.grid.rowcol(place.x, place.y)
    why = explain(site.store, result, (row, column), layer).id
    seen = open_page(f"{site.address}/mapping?run={why}&threshold=0.3")
    page, frame = seen.page, seen.map_frame()
    page.get_by_role("tab", name="Why", selected=True).wait_for()
    picture = page.get_by_role("img", name="Grad-CAM over the image:")
    picture.wait_for()
    page.get_by_text(f"Row {row}, column {column}").first.wait_for()
    steps.has_tiles(frame, f"/tiles/run/{why}/cam/")
    shown = "() => [...document.querySelectorAll('img.leaflet-tile')].map(tile => tile.src)"
    assert not [one for one in frame.evaluate(shown) if "/mask/" in one], "the fill would cover the colours"
    frame.locator("summary", has_text="Layers").click()
    frame.get_by_label("Grad-CAM", exact=True).uncheck()
    steps.has_tiles(frame, "threshold=0.3")
    assert f"run={mapped}" in page.url
    assert f"why={why}" in page.url


def test_a_row_of_the_table_moves_the_map(result: tuple[Any, Any]) -> None:
    page, frame = result
    before = frame.evaluate(steps.STATE)["centre"]
    table = page.get_by_test_id("stDataFrame").first
    table.scroll_into_view_if_needed()
    table.click(position={"x": 20, "y": 35 * 4 + 17})  # the box of the fourth row, below the heading
    page.get_by_text("Selected landslide").wait_for()
    frame.wait_for_function("before => map.getCenter().distanceTo(before) > 10", arg=before)

    # Other rows of the table, as by the slider, leave the choice as it is.
    said = page.get_by_text("Selected landslide").inner_text()
    count = steps.metric(page, "Landslides")
    steps.move_threshold(page, -6)
    steps.changed(page, "Landslides", count)
    page.wait_for_timeout(3000)  # a table tells that its rows were unticked, if it does, a moment later
    assert page.get_by_text("Selected landslide").inner_text().split(" · ")[0] == said.split(" · ")[0]
    page.wait_for_url(f"**selected={said.split()[2]}*")


def test_scores_stand_beside_the_colour_index(result: tuple[Any, Any]) -> None:
    page, _ = result
    steps.open_tab(page, "Scores")
    assert float(steps.metric(page, "F1")) > 0.5
    page.get_by_text("colour index 0.").first.wait_for()
    page.locator(".js-plotly-plot .main-svg").first.wait_for()


def test_what_was_there_before_is_not_new(result: tuple[Any, Any]) -> None:
    page, frame = result
    steps.open_tab(page, "Compare")
    page.get_by_role("button", name="Find new landslides").click()
    new, old = (int(steps.metric(page, name)) for name in ("New landslides", "Also mapped before"))
    assert new > 10
    assert old > 0
    # What was asked for is on the map, in the table as elsewhere, and for other programs.
    steps.has_tiles(frame, "/change/")
    frame.locator("summary", has_text="Layers").click()
    assert frame.get_by_label("Change in probability", exact=True).is_checked()
    page.get_by_role("button", name="Prepare files of the new landslides").click()
    page.get_by_role("button", name="new_landslides.gpkg").wait_for()
    steps.open_tab(page, "Findings")
    assert new + old == int(steps.metric(page, "Landslides"))


def test_polygons_open_elsewhere_at_the_right_place(result: tuple[Any, Any], tmp_path: Path) -> None:
    page, _ = result
    count = int(steps.metric(page, "Landslides"))
    steps.open_tab(page, "Export")
    page.get_by_role("button", name="Prepare files").click()
    button = page.get_by_role("button", name="landslides.gpkg")
    button.wait_for()
    with page.expect_download() as download:
        button.click()
    download.value.save_as(tmp_path / "landslides.gpkg")
    polygons = gpd.read_file(tmp_path / "landslides.gpkg")
    left, bottom, right, top = Scene.open(sample("valley-after").path).grid.bounds
    west, south, east, north = polygons.total_bounds
    assert polygons.crs.to_epsg() == 32632
    assert len(polygons) == count
    assert left <= west < east <= right
    assert bottom <= south < north <= top
    # Landslides of the inventory are found where they are: not a pixel beside, nor mirrored.
    reference = gpd.read_file(sample("valley-after").reference).to_crs(polygons.crs).union_all()
    assert polygons.union_all().intersection(reference).area > 0.3 * reference.area


def test_the_address_holds_the_threshold(site: Site, mapped: str, open_page: Callable[..., Any]) -> None:
    seen = open_page(f"{site.address}/mapping?run={mapped}&threshold=0.3")
    steps.has_tiles(seen.map_frame(), "threshold=0.3")
    assert seen.page.get_by_role("slider", name="Threshold").input_value() == "0.3"


def test_a_drawn_area_limits_the_run(site: Site, mapped: str, open_page: Callable[..., Any]) -> None:
    scene = site.store.result(mapped, MappingResult).scene_id
    seen = open_page(f"{site.address}/mapping?scene={scene}")
    frame = seen.map_frame()
    steps.has_tiles(frame, "/tiles/scene/")
    steps.draw_rectangle(seen.page, frame)
    run = site.store.result(steps.map_landslides(seen.page), MappingResult)
    whole = int(site.store.result(mapped, MappingResult).counts.sum())
    assert 0 < int(run.counts.sum()) < whole / 4
    assert run.provenance["parameters"]["area"]
    assert float(steps.metric(seen.page, "Share of the drawn area").rstrip("%")) < 100


def test_a_bad_file_is_refused_and_the_scene_stays(
    site: Site, mapped: str, open_page: Callable[..., Any], tmp_path: Path
) -> None:
    page = open_page(f"{site.address}/mapping?run={mapped}").page
    steps.metric(page, "Landslides")
    bad = tmp_path / "slide.tif"
    bad.write_text("Dear sir, please find attached the image.")
    page.locator("[data-testid=stApp][data-test-script-state=notRunning]").wait_for()
    page.get_by_text("Image", exact=True).first.click()
    steps.choose(page, "Source", "Upload")
    # Elevation and reference have uploaders of their own further down, which are there already.
    page.get_by_test_id("stFileUploader").filter(has_text="Image").locator("input[type=file]").set_input_files(bad)
    scenes = len(list(site.store.scenes()))
    page.get_by_role("button", name="Use this image").click()
    # Warnings about the run that is shown are alerts as well.
    page.get_by_test_id("stAlert").filter(has_text=re.compile("slide.tif|GeoTIFF")).wait_for()
    assert f"run={mapped}" in page.url
    steps.metric(page, "Landslides")
    assert len(list(site.store.scenes())) == scenes


@pytest.mark.parametrize("viewport", [{"width": 390, "height": 844}, {"width": 1440, "height": 480}])
def test_a_cancelled_run_leaves_nothing(
    viewport: dict[str, int], site: Site, mapped: str, open_page: Callable[..., Any]
) -> None:
    cancelled = RunFilter(statuses=("cancelled",))
    before = {one.id for one in site.store.runs(cancelled)}
    scene = site.store.result(mapped, MappingResult).scene_id
    page = open_page(f"{site.address}/mapping?scene={scene}", viewport=viewport).page
    steps.choose(page, "Model", "Tiny slow")
    page.get_by_role("button", name="Map landslides").click()
    page.get_by_text("Mapping tile").first.wait_for()
    # On a phone or in a low window the progress is far from the button, and comes into view by itself.
    page.wait_for_function(
        """() => {
          const progress = document.querySelector("[class*=st-key-progress-]");
          if (!progress) return false;  // while the page is drawn anew
          const box = progress.getBoundingClientRect();
          const head = document.querySelector("[data-testid=stHeader]");
          const top = head ? head.getBoundingClientRect().bottom : 0;
          return box.height > 0 && box.top >= top && box.bottom <= innerHeight;
        }"""
    )
    page.get_by_role("button", name="Cancel").click()
    page.get_by_text("The run was cancelled.").wait_for()
    page.get_by_role("button", name="Repeat").wait_for()
    (run,) = (one for one in site.store.runs(cancelled) if one.id not in before)
    assert run.artifacts == ()
    assert not site.store.work_folder(run.id).exists()


def test_two_visitors_do_not_meet(site: Site, mapped: str, open_page: Callable[..., Any]) -> None:
    after = site.store.result(mapped, MappingResult)
    before = site.store.scene_record(site.store.scene_record(after.scene_id).before)
    one = open_page(f"{site.address}/mapping?scene={after.scene_id}").page
    two = open_page(f"{site.address}/mapping?scene={before.id}").page
    for page in (one, two):
        page.get_by_role("button", name="Map landslides").wait_for()
    for page in (one, two):
        page.get_by_role("button", name="Map landslides").click()
    runs = [steps.finished(page) for page in (one, two)]
    assert [site.store.result(run, MappingResult).scene_id for run in runs] == [after.scene_id, before.id]
    assert (site.store.result(runs[0], MappingResult).counts == after.counts).all()
    one.get_by_text("Mountain valley after the event").first.wait_for()
    two.get_by_text("Mountain valley before the event").first.wait_for()
    # A threshold that one of them moves is not the other's.
    count = steps.metric(two, "Landslides")
    mine = steps.metric(one, "Landslides")
    steps.move_threshold(one, 30)
    steps.changed(one, "Landslides", mine)
    assert steps.metric(two, "Landslides") == count


def test_the_valley_below_a_base_path(start_site: Callable[[str], Site], open_page: Callable[..., Any]) -> None:
    seen = open_page(f"{start_site('slidelens').address}/mapping")
    page = seen.page
    steps.start(page)
    steps.map_landslides(page)
    frame = seen.map_frame()
    steps.has_tiles(frame, "/slidelens/tiles/scene/")
    steps.has_tiles(frame, "/slidelens/tiles/run/")
    count = steps.metric(page, "Landslides")
    steps.move_threshold(page, 20)
    steps.changed(page, "Landslides", count)
    steps.has_tiles(frame, "threshold=0.7")
    steps.open_tab(page, "Scores")
    assert not math.isnan(float(steps.metric(page, "F1")))
