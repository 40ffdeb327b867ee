"""Going to another page and back: nothing is lost, and each task can be given the data of the others."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import parse_qs

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from core.runs.kinds import tasks
from core.runs.records import SceneRecord
from core.runs.store import Store
from tests.factories import keep, made_run, ramp, write_raster
from ui.task.task import task_pages


@pytest.fixture
def start(repository: Path, store: Store, models: Path) -> AppTest:
    return AppTest.from_file(str(repository / "ui" / "main.py"), default_timeout=120)


@pytest.fixture
def scene(store: Store, tmp_path: Path) -> SceneRecord:
    return store.add_scene(write_raster(tmp_path / "scene.tif", ramp(48, 64)), "scene.tif")


@pytest.fixture
def mapped(store: Store, tmp_path: Path, scene: SceneRecord) -> str:
    probability = np.zeros((48, 64))
    probability[10:30, 10:40] = 0.8
    return keep(store, made_run(tmp_path / "run", probability, scene="scene.tif"), scene.id).id


def goto(page: AppTest, name: str, **address: str) -> AppTest:
    page.switch_page("../pages/home.py" if not name else f"../pages/{name}.py")
    for key in list(page.query_params):
        del page.query_params[key]
    for key, value in address.items():
        page.query_params[key] = value
    page.run()
    assert not page.exception
    return page


def leads(page: AppTest, label: str) -> dict[str, str]:
    """Query parameters of the link with a label."""
    (link,) = [one.proto for one in page.get("page_link") if one.proto.label == label]
    return {name: values[0] for name, values in parse_qs(link.query_string).items()}


def address(page: AppTest) -> dict[str, str]:
    return {name: value if isinstance(value, str) else value[0] for name, value in page.query_params.items()}


def labels(page: AppTest) -> list[str]:
    return [one.proto.label for one in page.get("page_link")]


def test_the_sidebar_leads_back_to_the_run_its_view_and_its_tab(
    start: AppTest, mapped: str, scene: SceneRecord
) -> None:
    address = {"run": mapped, "scene": scene.id, "threshold": "0.3"}
    goto(start, "mapping", **address)
    start.session_state["mapping-tab"] = "Provenance"
    start.run()
    goto(start, "detection")
    assert leads(start, "Mapping") == {**address, "tab": "Provenance"}
    assert leads(start, "Detection") == {}
    goto(start, "mapping", **leads(start, "Mapping"))
    assert next(one for one in start.slider if one.label == "Threshold").value == 0.3
    assert start.session_state["mapping-tab"] == "Provenance"


def test_another_tab_of_the_browser_begins_with_nothing_and_changes_nothing(
    start: AppTest, repository: Path, mapped: str
) -> None:
    goto(start, "mapping", run=mapped)
    goto(start, "")
    other = AppTest.from_file(str(repository / "ui" / "main.py"), default_timeout=120)
    goto(other, "mapping")
    goto(other, "")
    assert leads(other, "Mapping") == {}
    start.run()
    assert leads(start, "Mapping") == {"run": mapped}


def test_the_address_wins_over_what_is_kept(start: AppTest, mapped: str, scene: SceneRecord) -> None:
    goto(start, "mapping", run=mapped)
    goto(start, "")
    goto(start, "mapping", scene=scene.id)
    assert "run" not in start.query_params
    goto(start, "")
    assert leads(start, "Mapping") == {"scene": scene.id}


def test_no_link_leads_to_a_run_that_was_deleted(start: AppTest, store: Store, mapped: str) -> None:
    goto(start, "mapping", run=mapped)
    store.delete(mapped)
    goto(start, "")
    assert leads(start, "Mapping") == {}


def test_the_data_of_a_page_are_offered_to_the_other_tasks(start: AppTest, store: Store, scene: SceneRecord) -> None:
    dem = store.add_dataset(scene.scene.path, "dem.tif", "raster")
    record = store.add_scene(scene.scene.path, "other.tif", dem=dem.path)
    goto(start, "mapping", scene=record.id)
    assert leads(start, "Detect in this image") == {"scene": record.id}
    assert leads(start, "Use this elevation model for susceptibility") == {"dem": record.companions["dem"].id}
    assert leads(start, "Use this raster as a susceptibility factor") == {"factors": record.id}
    assert "Map this image" not in labels(start)


def test_a_photo_without_a_place_on_earth_is_no_factor(start: AppTest, store: Store, tmp_path: Path) -> None:
    photo = store.add_scene(write_raster(tmp_path / "p.tif", ramp(48, 64), crs=None), "p.tif")
    goto(start, "detection", scene=photo.id)
    assert "Map this image" in labels(start)
    assert "Use this raster as a susceptibility factor" not in labels(start)


def test_a_raster_is_added_to_the_factors_that_are_chosen(start: AppTest, store: Store, scene: SceneRecord) -> None:
    rock = store.add_dataset(scene.scene.path, "rock.tif", "raster")
    goto(start, "susceptibility", factors=rock.id, dem=rock.id)
    goto(start, "mapping", scene=scene.id)
    expected = {"factors": f"{rock.id},{scene.id}", "dem": rock.id}
    assert leads(start, "Use this raster as a susceptibility factor") == expected


def test_a_page_without_data_takes_up_what_another_shows(start: AppTest, scene: SceneRecord) -> None:
    goto(start, "mapping", scene=scene.id)
    goto(start, "detection")
    button = next(one for one in start.button if one.label == "Detect in this image: scene.tif")
    button.click().run()
    assert not start.error
    assert start.query_params["scene"] in (scene.id, [scene.id])


def test_what_pages_take_is_in_their_tasks_roles() -> None:
    roles = {role.name for task in tasks().values() for role in task.roles}
    for page in task_pages().values():
        own = {role.name for role in page.task.roles}
        for taken in page.takes:
            assert taken.role in own
            assert set(taken.of) <= roles


def test_a_run_opens_from_its_row_of_the_list(start: AppTest, mapped: str) -> None:
    goto(start, "runs")
    assert start.dataframe[0].value["Open"].tolist() == ["Open"]
    start.session_state["runs-opened"] = 0
    start.run()
    assert address(start) == {"run": mapped}
    assert start.title[0].value == "Landslide mapping"


def test_the_reading_view_is_linked_in_the_view_that_is_open(
    start: AppTest, repository: Path, mapped: str
) -> None:
    goto(start, "mapping", run=mapped, threshold="0.3")
    (link,) = [one.proto for one in start.get("link_button") if one.proto.label == "Reading view"]
    assert link.url == f"/read?run={mapped}&threshold=0.3"
    other = AppTest.from_file(str(repository / "ui" / "main.py"), default_timeout=120)  # another tab of the browser
    goto(other, "read", run=mapped, threshold="0.3")
    assert "at threshold 0.30" in " ".join(one.value for one in other.markdown)
    assert leads(other, "Open in mapping") == {"run": mapped, "threshold": "0.3"}


@pytest.mark.parametrize("task", ["mapping", "detection", "susceptibility", "displacement"])
def test_an_image_or_table_of_ones_own_opens_on_the_upload(start: AppTest, task: str) -> None:
    goto(start, "")
    links = [one.proto for one in start.get("page_link") if one.proto.label == task_pages()[task].card.other]
    assert {link.query_string for link in links} == {"source=upload"}
    goto(start, task, source="upload")
    assert start.get("file_uploader")


def test_a_run_is_shown_as_its_address_says_not_as_the_one_before(
    start: AppTest, store: Store, tmp_path: Path, mapped: str, scene: SceneRecord
) -> None:
    second = keep(store, made_run(tmp_path / "second", np.full((48, 64), 0.8), scene="scene.tif"), scene.id).id

    def threshold() -> float:
        return next(one for one in start.slider if one.label == "Threshold").value

    goto(start, "mapping", run=second)
    usual = threshold()
    goto(start, "mapping", run=mapped, threshold="0.3")
    assert threshold() == 0.3
    start.query_params.clear()
    start.query_params["run"] = second  # as by Back
    start.run()
    assert threshold() == usual
