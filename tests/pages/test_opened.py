"""Addresses of runs of every kind: each opens where the run is seen, also when the image it mapped is gone."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from affine import Affine
from streamlit.runtime.scriptrunner import get_script_run_ctx
from streamlit.runtime.scriptrunner_utils.script_requests import RerunData
from streamlit.testing.v1 import AppTest

from core.errors import InputError
from core.jobs.jobs import InlineJobs
from core.raster.grid import Grid
from core.report.words import area
from core.runs.records import Failure, Order, SceneRecord
from core.runs.store import Store
from core.tasks.imagery.result import image_inputs
from core.tasks.mapping.findings import default_choice
from core.tasks.mapping.result import MappingResult
from core.tasks.mapping.run import Request, order_of
from core.tasks.mapping.run_change import order_difference
from core.tasks.mapping.run_explanation import explain, layers_of
from core.tasks.mapping.run_outlines import order_outlines
from tests.factories import deep_weights, found_ids, keep, made_run, ramp, tiny_spec, write_model, write_raster
from tests.pages.test_mapping import labels, on_map, press, texts
from ui.task.press import Press, held
from ui.task.selection import place_in
from ui.task.view import area_text, single_area_text


@pytest.fixture
def page(repository: Path, store: Store, models: Path) -> AppTest:
    """The page with a tiny model that can be asked why, and an empty store."""
    write_model(models, tiny_spec("red", encoder="deep", tile=64), deep_weights())
    test = AppTest.from_file(str(repository / "ui" / "main.py"), default_timeout=120)
    return test.switch_page("../pages/mapping.py")


@pytest.fixture
def scene(store: Store, tmp_path: Path) -> SceneRecord:
    """A scene that is used where it lies."""
    return store.add_scene(write_raster(tmp_path / "scene.tif", ramp(48, 64)), "scene.tif")


@pytest.fixture
def mapped(page: AppTest, store: Store, scene: SceneRecord) -> str:
    """A finished map of it."""
    return InlineJobs(store).submit(order_of(scene, Request("red")))


def open_run(page: AppTest, run: str, **more: str) -> AppTest:
    for name, value in {"run": run, **more}.items():
        page.query_params[name] = value
    page.run()
    assert not page.exception
    return page


def address(page: AppTest) -> dict[str, str]:
    """The page's address, of which each name has one value."""
    return {name: value if isinstance(value, str) else value[0] for name, value in page.query_params.items()}


def explained(store: Store, scene: SceneRecord, mapped: str, pixel: tuple[int, int] = (20, 20)) -> str:
    return explain(store, store.result(mapped, MappingResult), pixel, layers_of("red")[1].name).id


def layers(page: AppTest) -> str:
    """What the map is told to show."""
    return json.dumps([part.proto.json_args for part in page.get("component_instance")])


def pictures(page: AppTest) -> list[str]:
    return [one.caption for part in page.get("image") for one in part.proto.imgs]


def test_an_explanation_opens_the_map_it_explains_with_its_layer_and_its_entry(
    page: AppTest, store: Store, scene: SceneRecord, mapped: str
) -> None:
    other, why = explained(store, scene, mapped, (5, 40)), explained(store, scene, mapped)

    open_run(page, other, threshold="0.3")

    assert not page.error
    assert address(page)["run"] == mapped
    assert address(page)["why"] == other
    assert next(slider for slider in page.slider if slider.label == "Threshold").value == 0.3
    assert next(tab for tab in page.tabs if tab.label == "Why").proto.label == page.session_state["mapping-tab"]
    assert f"/tiles/run/{other}/cam/" in layers(page)
    assert "**Explanation shown: Row 5, column 40, Grad-CAM at first**" in texts(page)
    assert [button.disabled for button in page.button if button.label in ("Shown", "Show")] == [False, True]
    assert len(pictures(page)) == 2

    press(page, "Show")
    assert address(page)["why"] == why
    assert f"/tiles/run/{why}/cam/" in layers(page)
    assert other not in layers(page)
    assert "**Explanation shown: Row 20, column 20, Grad-CAM at first**" in texts(page)


def test_what_is_asked_here_is_shown_from_the_store_and_no_picture_stays_in_the_session(
    page: AppTest, store: Store, mapped: str
) -> None:
    page.session_state[f"selected-{mapped}"] = first = found_ids(store, mapped)[0]
    page.session_state["mapping-tab"] = "Why"
    open_run(page, mapped)
    assert f"Why was landslide {first} mapped?" in texts(page)
    press(page, "Explain")
    assert not page.exception
    assert not page.error
    (why,) = store.children(mapped, "explanation")
    assert address(page)["why"] == why.id
    assert f"/tiles/run/{why.id}/cam/" in layers(page)
    assert len(pictures(page)) == 2
    assert f"**Explanation shown: Landslide {first}, Grad-CAM**" in texts(page)
    kept = page.session_state._state.filtered_state
    assert why.id in kept.values()
    assert not [value for value in kept.values() if isinstance(value, np.ndarray) or hasattr(value, "attribution")]
    press(page, "Explain")
    assert len(store.children(mapped, "explanation")) == 1


def test_an_explanation_that_is_not_of_the_map_is_said_to_be_none(
    page: AppTest, store: Store, scene: SceneRecord, mapped: str
) -> None:
    again = InlineJobs(store).submit(order_of(scene, Request("red")))
    why = explained(store, scene, again)
    open_run(page, mapped, why=why)
    assert not page.error
    assert any("belongs to another map" in warning.value for warning in page.warning)
    assert f"/{why}/cam/" not in layers(page)


def test_an_explanation_whose_picture_is_gone_says_so_and_the_map_goes_on(
    page: AppTest, store: Store, scene: SceneRecord, mapped: str
) -> None:
    why = explained(store, scene, mapped)
    store.artifact(why, "cam").path.unlink()
    open_run(page, why)
    (error,) = page.error
    assert "cam file" in error.value
    assert "/cam/" not in layers(page)
    assert f"/tiles/run/{mapped}/mask/" in layers(page)


def test_outlines_open_their_map_at_the_values_they_were_made_for(
    page: AppTest, store: Store, mapped: str
) -> None:
    result = store.result(mapped, MappingResult)
    choice = replace(default_choice(result, 0.4), minimum_area=1800.0)
    open_run(page, InlineJobs(store).submit(order_outlines(result, choice, terrain=False)))
    assert not page.error
    assert address(page)["run"] == mapped
    assert next(slider for slider in page.slider if slider.label == "Threshold").value == 0.4
    assert next(box for box in page.number_input if box.label.startswith("Minimum area")).value == 1800.0


def test_a_difference_opens_the_comparison_of_its_two_maps(
    page: AppTest, store: Store, scene: SceneRecord, mapped: str
) -> None:
    other = InlineJobs(store).submit(order_of(scene, Request("red", (2, 2, 2))))
    order = order_difference(store.result(mapped, MappingResult), store.result(other, MappingResult))
    open_run(page, InlineJobs(store).submit(order))
    assert not page.error
    assert [title.value for title in page.title] == ["Compare runs"]
    assert address(page)["runs"] == f"{mapped},{other}"
    assert address(page)["view"] == "Difference"


def test_an_evaluation_has_a_page_with_all_that_it_is(page: AppTest, store: Store, tmp_path: Path) -> None:
    made = made_run(tmp_path / "made", np.full((4, 4), 0.25))
    order = Order("mapping", "evaluation", {"data": "<b>twelve squares</b>"}, image_inputs("Squares"), "red")
    run = store.order(order)
    assert store.claim(run, server="tests", worker="tests")
    told = {"notes": ("Counted on *twelve* images.",), "provenance": {"seed": 7}}
    store.finish(run, replace(made, kind="evaluation", inputs=(), **told))
    open_run(page, run)
    assert not page.error
    assert "Map landslides" not in labels(page)
    assert "Squares" in [heading.value for heading in page.subheader]
    assert "Evaluation of a model · Done · red" in texts(page)
    assert "Counted on *twelve* images." in texts(page)
    assert [json.loads(part.value) for part in page.json] == [{"data": "<b>twelve squares</b>"}, {"seed": 7}]
    (link,) = page.get("link_button")
    assert link.proto.url.endswith(f"/artifacts/{run}/probability")


def test_beside_an_evaluation_of_a_scene_the_scene_can_be_mapped(
    page: AppTest, store: Store, scene: SceneRecord, tmp_path: Path
) -> None:
    made = replace(made_run(tmp_path / "made", np.full((4, 4), 0.25)), kind="evaluation")
    evaluation = keep(store, made, scene.id).id
    press(open_run(page, evaluation), "Map landslides")
    assert not page.error
    newest = store.runs()[0]
    assert (newest.kind, newest.subject.dataset_id) == ("mapping", scene.id)
    assert address(page)["run"] == newest.id


def test_the_numbers_of_an_evaluation_are_shown(
    page: AppTest, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = replace(made_run(tmp_path / "made", np.full((4, 4), 0.25)), kind="evaluation")
    monkeypatch.setattr(type(made), "metrics", lambda self: {"f1": 0.4567, "images": 1234.0, "kappa": float("nan")})
    run = keep(store, made).id
    open_run(page, run)
    assert {part.label: part.value for part in page.metric} == {"F1": "0.457", "Images": "1,234", "Kappa": "–"}


def test_a_training_that_failed_says_why_and_one_under_way_is_followed(page: AppTest, store: Store) -> None:
    run = store.order(Order("mapping", "training", {}, image_inputs("Squares")))
    open_run(page, run)
    assert "You can close this page" in texts(page)
    store.claim(run, server="elsewhere", worker="one")
    store.fail(run, Failure("The disk is full.", "No room.", "Make some."))
    open_run(page, run)
    (error,) = page.error
    assert "The disk is full." in error.value
    assert "Repeat" not in labels(page)  # nothing here could do it


def test_a_run_whose_image_is_gone_is_still_found_and_can_be_read(
    page: AppTest, store: Store, scene: SceneRecord, mapped: str
) -> None:
    scene.scene.path.unlink()
    open_run(page, mapped)
    assert any("cannot be shown" in warning.value for warning in page.warning)
    assert not any("No image yet" in text.value for text in page.markdown)
    (link,) = [link for link in page.get("page_link") if link.proto.label == "Open reading view"]
    assert link.proto.query_string == f"run={mapped}"
    assert "Start with the sample valley" not in labels(page)
    assert labels(page).count("Use this sample") == 1


def test_an_explanation_whose_image_is_gone_leads_to_the_reading_view_of_its_map(
    page: AppTest, store: Store, scene: SceneRecord, mapped: str
) -> None:
    why = explained(store, scene, mapped)
    scene.scene.path.unlink()
    open_run(page, why)
    (link,) = [link for link in page.get("page_link") if link.proto.label == "Open reading view"]
    assert link.proto.query_string == f"run={mapped}"


def test_the_earlier_scene_of_a_shared_one_is_this_visitors_choice_and_the_run_stays_open(
    page: AppTest, store: Store, scene: SceneRecord, mapped: str, tmp_path: Path
) -> None:
    before = store.add_scene(write_raster(tmp_path / "before.tif", ramp(48, 64) // 2), "before.tif")
    page.session_state["mapping-tab"] = "Compare"
    open_run(page, mapped)
    box = next(box for box in page.selectbox if box.label == "Image before the event")
    box.set_value(before.id).run()
    press(page, "Compare")
    assert not page.exception
    assert not page.error

    assert store.scene_record(scene.id).before == ""
    own = address(page)["scene"]
    assert own != scene.id
    assert address(page)["run"] == mapped
    assert "Earlier image: **before.tif**" in texts(page)
    press(page, "Find new landslides")
    assert not page.error
    assert "New landslides" in {part.label for part in page.metric}

    press(page, "Map landslides")  # what is mapped from here on knows the earlier scene by itself
    newest = store.runs()[0]
    assert newest.subject.dataset_id == own
    assert store.scene_record(newest.subject.dataset_id).before == before.id


def test_a_scene_of_another_image_in_the_address_of_a_run_is_passed_over(
    page: AppTest, store: Store, scene: SceneRecord, mapped: str, tmp_path: Path
) -> None:
    other = store.add_scene(write_raster(tmp_path / "other.tif", ramp(48, 64) // 2), "other.tif")
    for wrong in (other.id, "0" * 32, "../etc"):
        open_run(page, mapped, scene=wrong)
        assert not page.error
        assert f"/tiles/scene/{scene.id}/" in layers(page)
        assert other.id not in layers(page)


def test_areas_are_written_as_in_reports() -> None:
    assert area_text(42_200.0, georeferenced=True) == area(42_200.0) == "42,200 m²"
    assert area_text(1204.0, georeferenced=False) == "1,204 px"


def test_the_area_of_one_landslide_is_in_the_unit_of_the_tables() -> None:
    # The columns of all tables are in m², or in pixels; a sum of this size would read 0.12 km².
    assert single_area_text(115_583.0, georeferenced=True) == "115,583 m²"
    assert single_area_text(1204.0, georeferenced=False) == "1,204 px"


def test_a_late_request_by_the_old_address_does_not_lead_away_from_the_run_that_was_started(
    page: AppTest, store: Store, scene: SceneRecord
) -> None:
    """A browser may still ask for the page that it left; whoever goes back afterwards is let go."""
    page.query_params["scene"] = scene.id
    press(page.run(), "Map landslides")
    (run,) = store.runs()
    assert address(page)["run"] == run.id

    del page.query_params["run"]
    page.run()
    assert address(page)["run"] == run.id
    del page.query_params["run"]
    page.run()
    assert "run" not in page.query_params
    assert not page.exception


def test_a_page_drawn_anew_while_the_run_is_started_opens_that_run_and_starts_no_second(
    page: AppTest, store: Store, scene: SceneRecord, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The map or the sidebar may ask for the page at that very moment."""
    submit, asked = InlineJobs.submit, []

    def asking(self: InlineJobs, order: Order) -> str:
        run = submit(self, order)
        context = get_script_run_ctx()
        assert context is not None
        assert context.script_requests is not None
        address = RerunData(query_string=context.query_string, page_script_hash=context.page_script_hash)
        asked.append(context.script_requests.request_rerun(address))
        return run

    monkeypatch.setattr(InlineJobs, "submit", asking)
    page.query_params["scene"] = scene.id
    press(page.run(), "Map landslides")
    assert asked == [True]
    (run,) = store.runs()
    assert address(page)["run"] == run.id
    assert not page.exception
    assert not page.error


def test_a_page_drawn_anew_before_the_run_is_started_still_starts_it(
    page: AppTest, store: Store, scene: SceneRecord, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def asking(words: str, subject: str) -> Press:
        context = get_script_run_ctx()
        if not asked and context is not None and context.script_requests is not None and found(words, subject).counts:
            address = RerunData(query_string=context.query_string, page_script_hash=context.page_script_hash)
            asked.append(context.script_requests.request_rerun(address))
        return found(words, subject)

    found = held
    monkeypatch.setattr("ui.task.press.held", asking)
    page.query_params["scene"] = scene.id
    press(page.run(), "Map landslides")
    assert asked == [True]
    (run,) = store.runs()
    assert address(page)["run"] == run.id
    assert not page.error


def test_a_press_that_is_refused_is_not_repeated(
    page: AppTest, store: Store, scene: SceneRecord, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refusing(self: InlineJobs, order: Order) -> str:
        raise InputError("The queue is full.")

    page.query_params["scene"] = scene.id
    with monkeypatch.context() as patched:
        patched.setattr(InlineJobs, "submit", refusing)
        press(page.run(), "Map landslides")
        assert ["The queue is full." in error.value for error in page.error] == [True]
    page.run()
    assert not page.error
    assert not store.runs()


def test_what_is_selected_is_handed_on_in_the_link_and_chosen_where_it_opens(
    page: AppTest, store: Store, mapped: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ui.task.export._server", lambda: "http://localhost")  # which a browser tells
    first = found_ids(store, mapped)[0]
    open_run(page, mapped, selected=first, threshold="0.3")
    assert page.session_state[f"selected-{mapped}"] == first
    assert page.query_params["selected"] in (first, [first])  # so that a reload finds it again
    page.session_state["mapping-tab"] = "Export"
    page.run()
    assert page.query_params["tab"] in ("Export", ["Export"])
    (link,) = [one.value for one in page.code if "/mapping?run=" in one.value]
    assert f"&selected={first}" in link
    assert "threshold=0.30" in link
    assert not [name for name in ("why=", "tab=") if name in link]
    page.session_state[f"selected-{mapped}"] = None
    page.run()
    assert "selected" not in page.query_params


def test_an_address_may_name_anything(page: AppTest, mapped: str) -> None:
    open_run(page, mapped, selected="<b>" * 100, at="nan,1e999", tab="<b>")
    assert not page.error
    assert len(page.session_state[f"selected-{mapped}"]) == 100
    assert page.session_state[f"last-click-{mapped}"] is None
    assert {"at", "tab"}.isdisjoint(page.query_params)


def test_a_place_and_a_tab_are_found_again_by_their_address(page: AppTest, store: Store, mapped: str) -> None:
    left, bottom, right, top = store.result(mapped, MappingResult).grid.bounds
    at = f"{(left + right) / 2:g},{(bottom + top) / 2:g}"
    open_run(page, mapped, at=at, tab="Scores")
    assert page.session_state[f"last-click-{mapped}"] == ((left + right) / 2, (bottom + top) / 2)
    assert page.session_state["mapping-tab"] == "Scores"
    shown = on_map(page)
    latitude, longitude = shown["marker"]
    assert shown["arrival"]
    (south, west), (north, east) = shown["focus"]
    assert south < latitude < north
    assert west < longitude < east

    # Later the address says what is chosen, and may say so a moment late.
    page.session_state[f"selected-{mapped}"] = found_ids(store, mapped)[0]
    page.session_state[f"last-click-{mapped}"] = None
    page.run()
    assert page.query_params["selected"] in (found_ids(store, mapped)[0], found_ids(store, mapped)[:1])
    assert "at" not in page.query_params
    assert not on_map(page)["arrival"]


@pytest.mark.parametrize(
    ("text", "place"),
    [("12,7.25", (12.0, 7.25)), ("0,0", (0.0, 0.0)), ("65,7", None), ("inf,1", None), ("1", None), ("1,2,3", None),
     ("", None), ("a,b", None)],
)  # fmt: skip
def test_a_place_of_an_address_lies_on_the_grid(text: str, place: tuple[float, float] | None) -> None:
    assert place_in(text, Grid(64, 48, Affine.identity(), None)) == place
