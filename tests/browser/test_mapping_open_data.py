"""Real images from choice to explained map, in a real browser, without a coordinate system and without a network."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from core.catalog.open_data import open_pairs
from core.learning.store import MODELS
from core.runs.store import Store
from core.tasks.mapping.result import MappingResult
from tests.browser import steps

pytestmark = [pytest.mark.browser, pytest.mark.realdata, pytest.mark.timeout(900)]


@dataclass(frozen=True)
class Case:
    """A real image, the model that is made for such, the sides of the image, and whether its preview is pressed."""

    title: str
    model: str
    side: int
    by_preview: bool = False


CASES = [
    Case("Landslide4Sense patch 735", "segformer-mit", 128, by_preview=True),
    Case("Sichuan aerial image 005", "aerial-unet", 1024),
]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("site")


@pytest.fixture(scope="module")
def address(start_server: Callable[..., Any], shared_data: Path, home: Path) -> str:
    env = {"SLIDELENS_HOME": str(home), "SLIDELENS_DATA_MIRROR": str(shared_data / "open")}
    return str(start_server(env=env).address)


@pytest.mark.parametrize("case", CASES, ids=["satellite", "aerial"])
def test_a_real_image_is_mapped_scored_and_explained(
    case: Case, address: str, home: Path, visit: Callable[..., Any]
) -> None:
    if not (MODELS / "mapping" / case.model / "model.toml").is_file():
        pytest.skip(f"the model {case.model} does not ship yet")
    seen = visit(f"{address}/mapping")
    page = seen.page
    steps.choose(page, "Source", "Open data")
    steps.choose(page, "Image", case.title)
    page.get_by_text("Licence:").first.wait_for()  # shown before anything is fetched
    if case.by_preview:
        page.get_by_role("button", name="Browse previews").click()
        (identity,) = [pair.id for pair in open_pairs() if pair.title == case.title]
        tile = page.get_by_role("dialog").locator(".stVerticalBlock", has=page.locator(f".st-key-use-{identity}")).last
        tile.get_by_alt_text(f"{case.title}, reference landslides outlined").wait_for()
        # Pictures that still load when the dialog closes are gone from the server, and their absence is complained of.
        page.wait_for_function(
            "() => [...document.querySelectorAll('[role=dialog] img')].every(one => one.complete && one.naturalWidth)"
        )
        tile.get_by_role("button", name="Use").click()
    else:
        page.get_by_role("button", name="Download and use").click()
    page.get_by_text("no coordinate system: pixel coordinates only").wait_for()
    steps.choose(page, "Model", title_of(case.model))
    run = Store(home).result(steps.map_landslides(page), MappingResult)
    assert run.model == case.model
    assert (run.grid.width, run.grid.height, run.grid.crs) == (case.side, case.side, None)
    assert run.has_reference
    assert not run.provenance["scene"]["seen_by_model"]

    frame = seen.map_frame()
    steps.has_tiles(frame, "/tiles/scene/")
    steps.has_tiles(frame, "/mask/")
    assert steps.metric(page, "Landslide area").endswith("px")
    box = steps.settled(page)
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    read = page.get_by_text(re.compile(r"^Row \d+, column \d+"))
    read.wait_for()
    row, column = (int(number) for number in re.findall(r"\d+", read.inner_text())[:2])
    assert (row, column) == (pytest.approx(case.side / 2, abs=case.side / 50),) * 2

    steps.open_tab(page, "Scores")
    assert 0 <= float(steps.metric(page, "F1")) <= 1
    page.get_by_text("colour index 0.").first.wait_for()
    steps.open_tab(page, "Why")
    page.get_by_role("button", name="Explain").click()
    page.get_by_role("img", name=re.compile("CAM over the image:")).wait_for(timeout=400_000)
    page.wait_for_url("**why=*")
    why = page.evaluate("() => new URL(location).searchParams.get('why')")
    steps.has_tiles(frame, f"/tiles/run/{why}/")
    assert seen.hosts == {address.split("/")[2]}
    assert steps.without_probes(seen.complaints) == []


def title_of(model: str) -> str:
    """What the page calls a shipped model."""
    from core.learning.store import find_model

    return find_model("mapping", model).spec.title
