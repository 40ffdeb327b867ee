"""What a visitor does on the mapping page, and what they then see."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import TimeoutError

STATE = """() => ({
  mark: window.mark, zoom: map.getZoom(), centre: map.getCenter(), drawn: window.drawnItems.getLayers().length,
})"""
TILES = """part => [...document.querySelectorAll("img.leaflet-tile-loaded")]
  .some(tile => tile.src.includes(part) && tile.naturalWidth === 256)"""
INSIDE = """id => {
  let found = null;
  map.eachLayer(layer => {
    if (!layer.feature || layer.feature.properties.id !== id || !layer.getLatLngs || !layer.options.interactive) return;
    const seen = [];
    layer._rings.forEach(() => seen.push(1));
    const size = map.getSize();
    for (let y = 4; y < size.y && !found; y += 2) for (let x = 4; x < size.x && !found; x += 2) {
      const inner = [[0, 0], [3, 0], [-3, 0], [0, 3], [0, -3]];
      const at = inner.map(d => map.containerPointToLayerPoint([x + d[0], y + d[1]]));
      const free = document.elementFromPoint(x, y).closest(".leaflet-control") === null;
      if (free && at.every(point => layer._containsPoint(point))) found = [x, y];
    }
  });
  return found;
}"""


def start(page: Any, button: str = "Map landslides") -> None:
    """Load the sample from the empty page."""
    page.get_by_role("button", name="Start with the sample valley").click()
    page.get_by_role("button", name=button).wait_for()


def choose(page: Any, label: str, option: str) -> None:
    """Choose from a list, unless it is chosen already; opened again where the page, drawing itself, closes the list."""
    box = page.get_by_role("combobox", name=label).first
    box.wait_for()
    for last in (False,) * 9 + (True,):
        if option in box.input_value() and box.get_attribute("aria-expanded") != "true":
            return
        box.fill("")
        box.fill(option)
        try:
            page.get_by_role("option", name=option).first.click(timeout=15_000)
        except TimeoutError:
            if last:
                raise
        else:
            return


def detect_landslides(page: Any) -> str:
    """Press the button, wait for the boxes, and return the run's id."""
    before = page.evaluate("() => new URL(location).searchParams.get('run')")
    page.get_by_role("button", name="Detect landslides").click()
    return finished(page, before, "Detections")


def map_landslides(page: Any) -> str:
    """Press the button, wait for the findings, and return the run's id."""
    before = page.evaluate("() => new URL(location).searchParams.get('run')")
    page.get_by_role("button", name="Map landslides").click()
    return finished(page, before)


def map_at_rest(frame: Any) -> None:
    """Wait until a map no longer moves: the same place and zoom twice, a third of a second apart."""
    before = None
    while (now := frame.evaluate(STATE)) != before:
        before = now
        frame.page.wait_for_timeout(333)


def finished(page: Any, before: str | None = None, found: str = "Landslides") -> str:
    """Wait for the findings of another run than this one, and return its id."""
    other = "before => ![before, null].includes(new URL(location).searchParams.get('run'))"
    page.wait_for_function(other, arg=before, timeout=300_000)
    page.get_by_role("tab", name="Findings").wait_for()
    metric(page, found)
    return str(page.evaluate("() => new URL(location).searchParams.get('run')"))


def metric(page: Any, label: str) -> str:
    """Value of a number on the page, once it is there."""
    return str(_metric(page, label).inner_text())


def _metric(page: Any, label: str) -> Any:
    name = page.locator("[data-testid=stMetricLabel]").get_by_text(label, exact=True)
    value = page.locator("[data-testid=stMetric]").filter(has=name).locator("[data-testid=stMetricValue]")
    value.first.wait_for()
    return value.first


def changed(page: Any, label: str, old: str) -> str:
    """Value of a number once it differs."""
    page.wait_for_function(
        """([label, old]) => [...document.querySelectorAll('[data-testid=stMetric]')].some(part =>
          part.querySelector('[data-testid=stMetricLabel]').innerText.trim() === label &&
          part.querySelector('[data-testid=stMetricValue]').innerText.trim() !== old)""",
        arg=[label, old],
    )
    return metric(page, label)


def becomes(page: Any, label: str, value: str) -> None:
    """Wait until a number is this."""
    page.wait_for_function(
        """([label, value]) => [...document.querySelectorAll('[data-testid=stMetric]')].some(part =>
          part.querySelector('[data-testid=stMetricLabel]').innerText.trim() === label &&
          part.querySelector('[data-testid=stMetricValue]').innerText.trim() === value)""",
        arg=[label, value],
    )


def open_tab(page: Any, name: str) -> None:
    """Open a tab below the map."""
    page.get_by_role("tab", name=name).click()
    page.locator(f"[role=tab][aria-selected=true]:has-text('{name}')").wait_for()


def settled(page: Any) -> dict[str, float]:
    """Place of the map's frame on the screen, once the page above it has stopped moving."""
    frame, before = page.locator("iframe").first, None
    frame.scroll_into_view_if_needed()
    while (box := frame.bounding_box()) != before:
        before = box
        page.wait_for_timeout(400)
    return box


def click_polygon(page: Any, frame: Any, identity: str) -> None:
    """Click inside a found landslide."""
    box = settled(page)
    frame.wait_for_function(INSIDE, arg=identity)
    x, y = frame.evaluate(INSIDE, identity)
    page.mouse.click(box["x"] + x, box["y"] + y)


def draw_rectangle(page: Any, frame: Any, size: tuple[int, int] = (120, 90)) -> None:
    """Draw a rectangle at the middle of the map."""
    box = settled(page)
    frame.locator(".leaflet-draw-draw-rectangle").click()
    x, y = box["x"] + box["width"] / 2 - size[0], box["y"] + box["height"] / 2 - size[1]
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + size[0], y + size[1], steps=4)
    page.mouse.up()
    frame.wait_for_function("() => window.drawnItems.getLayers().length === 1")
    page.get_by_text("maps only the drawn area").wait_for()


def move_threshold(page: Any, steps: int, name: str = "Threshold") -> None:
    """Move the threshold, or another slider, by its steps."""
    slider = page.get_by_role("slider", name=name)
    slider.focus()
    for _ in range(abs(steps)):
        page.keyboard.press("ArrowRight" if steps > 0 else "ArrowLeft")


def without_probes(complaints: list[str]) -> list[str]:
    """Complaints of the console but for Streamlit's own: on a deep link it asks for two files where they are not."""
    return [words for words in complaints if not words.endswith(("/_stcore/health", "/_stcore/host-config"))]


def has_tiles(frame: Any, part: str) -> None:
    """Wait until the map shows a tile whose address holds this."""
    frame.wait_for_function(f"part => ({TILES})(part)", arg=part)
