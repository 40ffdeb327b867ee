"""The map in a real browser: a slider never rebuilds it, and a click says which pixel it met."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely
from PIL import Image
from pyproj import Geod, Transformer

from core.runs.store import Store
from core.serve.assets import installed
from tests.serve.made import COLOURS, HEIGHT, WIDTH, made_grid, make_run

pytestmark = pytest.mark.browser

STATE = """() => ({
  mark: window.mark, zoom: map.getZoom(), centre: map.getCenter(), drawn:
  window.drawnItems.getLayers().length,
})"""
MASK_TILES = """() => [...document.querySelectorAll("img.leaflet-tile-loaded")]
  .filter(tile => tile.src.includes("/mask/") && tile.naturalWidth === 256).map(tile => tile.src)"""


@dataclass(frozen=True)
class Demo:
    """A server with the demo page of one scene."""

    address: str
    georeferenced: bool


@pytest.fixture(scope="module", params=[(True, ""), (False, "slidelens")], ids=["ground", "pixels-base-path"])
def demo(
    request: pytest.FixtureRequest, start_server: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory
) -> Demo:
    georeferenced, base = request.param
    home: Path = tmp_path_factory.mktemp("demo") / "home"
    made = make_run(Store(home), georeferenced=georeferenced)
    env = {"SLIDELENS_HOME": str(home), "DEMO_SCENE": made.record.id, "DEMO_RUN": made.run.id}
    return Demo(start_server("tests/browser/demo_app.py", base=base, env=env).address, georeferenced)


def told(page: Any, **expected: Any) -> dict[str, Any]:
    """What the page was told by the map, once it is what is expected."""
    wanted = json.dumps(expected)
    page.wait_for_function(
        """wanted => { const told = JSON.parse(document.querySelector("[data-testid=stCode] code").innerText);
        return Object.entries(JSON.parse(wanted)).every(
          ([name, value]) => value === "anything" ? told[name] !== null
            : JSON.stringify(told[name]) === JSON.stringify(value)); }""",
        arg=wanted,
    )
    return json.loads(page.locator("[data-testid=stCode] code").inner_text())


def settled(page: Any) -> dict[str, float]:
    """Place of the map's frame on the screen, once the page above it has stopped moving."""
    frame, before = page.locator("iframe").first, None
    while (box := frame.bounding_box()) != before:
        before = box
        page.wait_for_timeout(400)
    return box


def open_layers(frame: Any) -> None:
    """Unfold the list of layers, which begins so on wide maps only."""
    if not frame.evaluate("() => document.querySelector('.sl-panel').open"):
        frame.locator(".sl-panel summary").first.click()


def at(page: Any, frame: Any, row: float, col: float) -> tuple[float, float]:
    """Place on the screen of a scene's pixel, by the share of the scene's extent on the map."""
    script = """([down, across]) => {
      const all = L.latLngBounds(%s);
      const a = map.latLngToContainerPoint(all.getNorthWest()), b =
      map.latLngToContainerPoint(all.getSouthEast()); return [a.x + (b.x - a.x) * across, a.y + (b.y - a.y) *
      down]; }"""
    place = None
    while True:  # the map may still be given its size, and then finds its view anew
        bounds = frame.evaluate("() => slidelens.bounds()")
        x, y = frame.evaluate(script % json.dumps(bounds), [(row + 0.5) / HEIGHT, (col + 0.5) / WIDTH])
        box = settled(page)
        if place == (place := (box["x"] + x, box["y"] + y)):
            return place


def test_moving_the_threshold_keeps_pan_zoom_and_drawing(demo: Demo, visit: Callable[..., Any]) -> None:
    seen = visit(demo.address)
    page, frame = seen.page, seen.map_frame()
    frame.wait_for_function(f"() => ({MASK_TILES})().length > 0")
    frame.evaluate("() => { window.mark = 'same'; map.zoomIn(1, {animate: false}); }")
    frame.evaluate("() => map.panBy([90, 40], {animate: false})")
    corner = at(page, frame, 100, 150)
    frame.locator(".leaflet-draw-draw-rectangle").click()
    page.mouse.move(*corner)
    page.mouse.down()
    page.mouse.move(corner[0] + 90, corner[1] + 60, steps=4)
    page.mouse.up()
    drawn = told(page, drawn="anything")["drawn"]
    before = frame.evaluate(STATE)
    assert before["drawn"] == 1

    page.get_by_role("slider").first.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    after = told(page, threshold=0.6)
    frame.wait_for_function(f"() => ({MASK_TILES})().some(address => address.includes('threshold=0.6'))")

    assert frame.evaluate(STATE) == before
    assert after["drawn"] == drawn
    ring = drawn["coordinates"][0]
    assert len(ring) == 5
    if not demo.georeferenced:  # x is the column, y the row
        assert min(x for x, _ in ring) == pytest.approx(150.5, abs=1)
        assert min(y for _, y in ring) == pytest.approx(100.5, abs=1)
    assert seen.complaints == []


def test_the_visible_part_becomes_the_drawn_area(demo: Demo, visit: Callable[..., Any]) -> None:
    seen = visit(demo.address)
    page, frame = seen.page, seen.map_frame()
    at(page, frame, 0, 0)  # the map has come to rest
    use = page.get_by_role("button", name="Use the visible part")
    use.click()
    frame.get_by_text("The whole image is visible, so there is no part to use.").wait_for()
    assert told(page, drawn=None)["drawn"] is None

    frame.evaluate("() => map.zoomIn(1, {animate: false})")
    frame.evaluate("() => map.panBy([4000, 0], {animate: false})")
    frame.evaluate("() => map.panInsideBounds(L.latLngBounds(slidelens.bounds()).pad(-0.25), {animate: false})")
    use.click()
    ring = told(page, drawn="anything")["drawn"]["coordinates"][0]
    view, image = frame.evaluate(
        """() => [map.getBounds(), L.latLngBounds(slidelens.bounds())].map(
        bounds => [bounds.getWest(), bounds.getSouth(), bounds.getEast(), bounds.getNorth()])"""
    )
    west, south, east, north = view
    assert image[0] < west < image[2], "part of the image is out of view"
    expected = [max(west, image[0]), max(south, image[1]), min(east, image[2]), min(north, image[3])]
    if not demo.georeferenced:  # the map's latitude is minus the row
        expected = [expected[0], -expected[3], expected[2], -expected[1]]
    assert list(shapely.Polygon(ring).bounds) == pytest.approx(expected, abs=1e-5)
    assert seen.complaints == []


def test_a_click_names_the_pixel_and_selects_the_polygon(demo: Demo, visit: Callable[..., Any]) -> None:
    seen = visit(demo.address)
    page, frame = seen.page, seen.map_frame()
    page.mouse.click(*at(page, frame, 40, 300))
    row, col = told(page, rowcol="anything", selected=None)["rowcol"]
    # A pixel of the screen spans up to two of the scene, and the extent in degrees is a little turned.
    assert (row, col) == (pytest.approx(40, abs=4), pytest.approx(300, abs=4))

    # The first polygon spans an eighth to three sixteenths of the width; its y runs 50 to 150 pixels from the
    # edge.
    inside = 100 if not demo.georeferenced else HEIGHT - 100
    page.mouse.click(*at(page, frame, inside, 62))
    told(page, selected=7, shown=7)
    tip = frame.locator(".leaflet-tooltip")
    tip.wait_for()
    assert "<b>one</b>" in tip.inner_text()

    page.mouse.click(*at(page, frame, 40, 300))
    told(page, selected=None, shown=None)
    assert seen.complaints == []


def test_opacity_and_ticks_act_in_the_browser_and_stay(demo: Demo, visit: Callable[..., Any]) -> None:
    seen = visit(demo.address)
    page, frame = seen.page, seen.map_frame()
    open_layers(frame)
    frame.get_by_label("Opacity of Found landslides (area)").fill("0.2")
    frame.get_by_label("Found landslides (outlines)", exact=True).uncheck()
    page.get_by_role("slider").first.focus()
    page.keyboard.press("ArrowRight")
    told(page, threshold=0.55)
    frame.wait_for_function(f"() => ({MASK_TILES})().every(address => address.includes('threshold=0.55'))")
    opacities = frame.evaluate(
        "() => [...document.querySelectorAll('.leaflet-layer')].map(l => l.style.opacity)"
    )
    assert "0.2" in opacities
    assert not frame.get_by_label("Found landslides (outlines)", exact=True).is_checked()
    assert "(outlines)" not in frame.locator(".sl-panel").nth(1).inner_text()


def test_the_swipe_divides_two_rasters(demo: Demo, visit: Callable[..., Any]) -> None:
    frame = visit(demo.address).map_frame(1)
    frame.locator(".sl-swipe-range").fill("0.25")
    left, right = frame.evaluate(
        "() => ['left', 'right'].map(side => map.getPane('swipe-' + side).style.clipPath)"
    )
    width = frame.evaluate("() => map.getSize().x")
    assert f"{width / 4:g}px" in left
    assert f"{width / 4:g}px" in right
    assert frame.locator(".sl-swipe-label").all_inner_texts() == ["Image", "Probability"]


def test_scale_and_pointer_tell_metres_where_they_are_known(demo: Demo, visit: Callable[..., Any]) -> None:
    seen = visit(demo.address)
    page, frame = seen.page, seen.map_frame()
    frame.wait_for_function(f"() => ({MASK_TILES})().length > 0")  # layers are shown once the map's size is at rest
    words = frame.locator(".leaflet-control-scale-line").inner_text()
    assert words.split()[1] in (("m", "km") if demo.georeferenced else ("px",))
    page.mouse.move(*at(page, frame, 40, 300))
    told = frame.locator(".sl-pointer").inner_text()
    if not demo.georeferenced:
        column, row = (int(part.split()[1]) for part in told.split(","))
        assert (row, column) == (pytest.approx(40, abs=2), pytest.approx(300, abs=2))
        return
    x, y = made_grid(georeferenced=True).xy(40, 300)
    own = re.search(r"x ([\d,]+), y ([\d,]+) \(EPSG:32633\)", told)
    assert own is not None, told
    # A pixel of the screen spans up to two of the scene, and the extent in degrees is a little turned.
    assert [float(part.replace(",", "")) for part in own.groups()] == pytest.approx((x, y), abs=40)
    assert re.match(r"46\.9\d+° N, 15\.03\d+° E", told)


def test_the_picture_is_the_map_as_it_is_seen(demo: Demo, visit: Callable[..., Any]) -> None:
    seen = visit(demo.address)
    page, frame = seen.page, seen.map_frame()
    frame.wait_for_function(f"() => ({MASK_TILES})().length > 0")  # layers are shown once the map's size is at rest
    open_layers(frame)
    frame.get_by_label("Opacity of Image").fill("0.5")
    with page.expect_download() as saved:
        frame.get_by_role("button", name="Save the map").click()
    image = np.asarray(Image.open(saved.value.path()).convert("RGB")).astype(int)
    size = frame.evaluate("() => map.getSize()")
    assert image.shape[0] > size["y"]
    assert image.shape[1] > size["x"]
    box, (x, y) = settled(page), at(page, frame, 250, 40)
    found = image[54 + round(y - box["y"]), round(x - box["x"])]
    half = (COLOURS[0] + np.array([233, 232, 236])) / 2  # the left half of the scene is red
    assert np.abs(found - half).max() <= 3
    assert seen.complaints == []


def test_the_map_reaches_no_other_host(demo: Demo, visit: Callable[..., Any]) -> None:
    if not installed():
        pytest.skip("the map's scripts are not installed: npm ci --prefix assets")
    seen = visit(demo.address)
    seen.map_frame(1)
    seen.page.wait_for_timeout(1000)
    assert seen.hosts == {demo.address.split("/")[2]}
    assert seen.complaints == []


@pytest.mark.parametrize("look", ["dark", "light"])
def test_a_phone_shows_the_whole_map_in_either_theme(
    demo: Demo, visit: Callable[..., Any], look: str
) -> None:
    seen = visit(demo.address, viewport={"width": 390, "height": 844}, color_scheme=look)
    frame = seen.map_frame()
    assert frame.evaluate("() => map.getContainer().classList.contains('sl-dark')") == (look == "dark")
    inside = "() => map.getBounds().contains(L.latLngBounds(slidelens.bounds()))"
    frame.wait_for_function(inside)
    assert seen.page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")


READINGS = """texts => texts.map(text => slidelens.places().read(text))"""


def test_tools_go_to_places_measure_the_ground_and_show_two_maps(demo: Demo, visit: Callable[..., Any]) -> None:
    seen = visit(demo.address)
    page, frame = seen.page, seen.map_frame()
    frame.wait_for_function(f"() => ({MASK_TILES})().length > 0")
    zooms = """() => [...new Set(performance.getEntriesByType("resource").map(one => one.name)
      .filter(name => name.includes("/tiles/")).map(name => name.match(/(-?\\d+)\\/-?\\d+\\/-?\\d+\\.png/)[1]))]"""
    assert len(frame.evaluate(zooms)) == 1, "a map asks for the tiles of one zoom when it is opened"

    (_coordinates_on_the_ground if demo.georeferenced else _coordinates_in_pixels)(frame)
    frame.get_by_role("button", name="Go to a coordinate").click()
    frame.get_by_label("Coordinate", exact=True).fill("-5, 12345")
    frame.get_by_role("button", name="Go", exact=True).click()
    assert "is outside the map" in frame.locator(".sl-tool-box").inner_text()

    frame.get_by_role("button", name="Measure length and area").click()
    clicks = [at(page, frame, row, col) for row, col in ((60, 150), (60, 250), (160, 250))]
    for place in clicks:
        page.mouse.click(*place)
    words = frame.locator(".sl-measured").inner_text()
    # A pixel of the screen spans up to two of the scene.
    length, area = (float(one.replace(",", "")) for one in re.findall(r"([\d.,]+) (?:km|ha|px)", words))
    assert (length, area) == (
        (pytest.approx(2.0, rel=0.05), pytest.approx(50, rel=0.08)) if demo.georeferenced
        else (pytest.approx(200, rel=0.05), pytest.approx(5000, rel=0.08))
    )  # fmt: skip
    assert told(page, drawn=None)["clicked"] is None, "measuring is told to nobody"
    frame.get_by_role("button", name="Close").click()

    frame.get_by_role("button", name="Two maps side by side").click()
    frame.get_by_label("Layer of map 2").select_option(label="Probability")
    frame.evaluate("() => map.setView(map.getCenter(), map.getZoom() + 1, {animate: false})")
    frame.evaluate("() => map.panBy([60, 30], {animate: false})")
    apart = """() => slidelens.second().getZoom() === map.getZoom() &&
      map.latLngToContainerPoint(slidelens.second().getCenter()).distanceTo(map.getSize().divideBy(2)) < 1.5"""
    frame.wait_for_function(apart)
    frame.wait_for_function("() => document.querySelector('.sl-beside img[src*=\"/probability/\"]') !== null")
    files: list[Any] = []
    page.on("download", lambda one: files.append(one))
    with page.expect_download(lambda one: one.suggested_filename.endswith("_map2.png")):
        frame.get_by_role("button", name="Save the map").click()
    first, second = (np.asarray(Image.open(one.path()).convert("RGB")).astype(int) for one in files)
    assert first.shape[0] == second.shape[0]
    assert np.abs(first[:, :200] - second[:, :200]).mean() > 3, "the second picture shows the raster of map 2"
    frame.get_by_role("button", name="Two maps side by side").click()
    assert frame.evaluate("() => slidelens.second()") is None
    assert seen.complaints == []

    if demo.georeferenced:
        page.route("https://tile.openstreetmap.org/**", lambda route: route.abort())
        open_layers(frame)
        frame.get_by_label("Street map (online)", exact=True).check()
        frame.get_by_text("The street map cannot be reached").wait_for()


def _coordinates_in_pixels(frame: Any) -> None:
    found = frame.evaluate(READINGS, ["100, 200", "Column 100, row 200", "401, 20"])
    assert [one.get("at") for one in found[:2]] == [{"lat": -200.5, "lng": 100.5}] * 2
    assert "outside the map" in found[2]["error"]


def _coordinates_on_the_ground(frame: Any) -> None:
    """Every common form of one place means that place, and lengths and areas are those of the ellipsoid."""
    to_degrees = Transformer.from_crs(32633, 4326, always_xy=True)
    longitude, latitude = to_degrees.transform(501_000, 5_198_000)

    def parts(angle: float) -> str:
        minutes = angle % 1 * 60
        return f"{int(angle)}°{int(minutes)}'{minutes % 1 * 60:.4f}\""

    forms = [
        f"{latitude}, {longitude}", f"{longitude} {latitude}", "501000, 5198000", "501,000 5,198,000",
        "x 501,000, y 5,198,000 (EPSG:32633)", "501000E 5198000N", f"{parts(latitude)}N {parts(longitude)}E",
        f"N {latitude}° E {longitude}°", f"POINT({longitude} {latitude})", "POINT (501000 5198000)",
        f"geo:{latitude},{longitude}", f"https://maps.example/@{latitude},{longitude},12z",
        f"{latitude}; {longitude}".replace(".", ","), f"SRID=4326;POINT({longitude} {latitude})",
    ]  # fmt: skip
    for form, found in zip(forms, frame.evaluate(READINGS, forms), strict=True):
        assert "at" in found, (form, found)
        assert (found["at"]["lat"], found["at"]["lng"]) == pytest.approx((latitude, longitude), abs=1e-7), form
    # Commas before three digits: thousands nowhere in the scene, so decimals.
    (rounded,) = frame.evaluate(READINGS, [f"{latitude:.3f} {longitude:.3f}".replace(".", ",")])
    assert (rounded["at"]["lat"], rounded["at"]["lng"]) == pytest.approx(
        (round(latitude, 3), round(longitude, 3)), abs=1e-7
    )
    refused = frame.evaluate(READINGS, ["", "hello", "12", "40, 15", "600000 5198000", "EPSG:32632 501000 5198000"])
    assert all(one.get("error") for one in refused)
    corners = ((500_100, 5_197_100), (503_900, 5_197_300), (500_500, 5_199_900))
    ring = [to_degrees.transform(*corner) for corner in corners]
    line = [{"lng": x, "lat": y} for x, y in ring]
    measured = frame.evaluate("line => slidelens.places().measured(line)", line)
    ellipsoid = Geod(ellps="WGS84")
    assert measured["length"] == pytest.approx(ellipsoid.line_length(*zip(*ring, strict=True)), rel=1e-8)
    area = ellipsoid.geometry_area_perimeter(shapely.Polygon(ring))[0]
    assert measured["area"] == pytest.approx(area, rel=1e-6)
