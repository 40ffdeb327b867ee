"""The list of runs without a browser."""

from __future__ import annotations

import io
import os
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from urllib.parse import parse_qs

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from core.jobs.perform import perform
from core.runs.records import Failure, Order, RunFilter
from core.runs.store import Store
from core.tasks.imagery.result import image_inputs
from core.tasks.mapping.result import MappingResult
from core.tasks.mapping.run import Request, order_of
from tests.factories import keep, made_run, ramp, tiny_spec, write_model, write_raster

HOSTILE = "<img src=x onerror=alert(1)> [a](b) $x$"


@pytest.fixture
def page(repository: Path, store: Store) -> AppTest:
    test = AppTest.from_file(str(repository / "ui" / "main.py"), default_timeout=120)
    return test.switch_page("../pages/runs.py")


@pytest.fixture
def made(tmp_path: Path, store: Store) -> MappingResult:
    """A finished run with scores: half of 20 pixels mapped, all of them landslide in the reference."""
    probability, reference = np.zeros((4, 5)), np.zeros((4, 5), np.uint8)
    probability[:2], reference[:2] = 0.9, 1
    return keep(store, made_run(tmp_path / "a", probability, reference=reference))


def names(page: AppTest) -> list[str]:
    return list(page.dataframe[0].value["Name"])


def written(page: AppTest) -> str:
    kinds = (page.markdown, page.caption, page.info, page.error, page.warning, page.subheader)
    return "\n".join(part.value for kind in kinds for part in kind)


def texts(page: AppTest) -> str:
    return written(page).replace("\\", "")


def button(page: AppTest, label: str) -> object:
    return next(button for button in page.button if button.label == label)


def open_run(page: AppTest, run: str) -> AppTest:
    page.query_params["run"] = run
    return page.run()


def test_without_a_run_the_sample_is_offered(page: AppTest) -> None:
    page.run()
    assert not page.exception
    assert not page.error
    button(page, "Start with the sample valley").click()
    page.run()
    assert page.title[0].value == "Landslide mapping"


def test_runs_stand_in_a_table_with_their_numbers(page: AppTest, store: Store, made: MappingResult) -> None:
    store.label(made.id, name="North slope", tags=["urgent"], pinned=True)
    page.run()
    (row,) = page.dataframe[0].value.to_dict("records")
    assert (row["Name"], row["Status"], row["Pinned"]) == ("North slope", "Done", "pinned")
    # Of 20 pixels 10 are mapped, and just those are landslide.
    assert (row["F1"], row["IoU"], row["Precision"], row["Recall"], row["Above threshold"]) == (1, 1, 1, 1, 50)
    assert list(row["Tags"]) == ["urgent"]


def test_numbers_that_no_run_has_are_no_columns(page: AppTest, store: Store, tmp_path: Path) -> None:
    keep(store, made_run(tmp_path / "a", np.zeros((4, 5))))
    page.run()
    assert "Above threshold" in page.dataframe[0].value
    assert "F1" not in page.dataframe[0].value


def test_filters_stand_in_the_address(page: AppTest, store: Store, made: MappingResult) -> None:
    store.label(made.id, name="North slope", tags=["urgent"])
    waiting = store.order(Order("mapping", "mapping", {}, image_inputs(""), model="other", name="South slope"))
    store.cancel(waiting)

    def listed(**address: str) -> list[str]:
        test = AppTest.from_file(page._script_path, default_timeout=120).switch_page("../pages/runs.py")
        for name, value in address.items():
            test.query_params[name] = value
        test.run()
        assert not test.exception
        return names(test) if len(test.dataframe) else []

    assert listed() == ["South slope", "North slope"]
    assert listed(text="north") == ["North slope"]
    assert listed(status="Cancelled") == ["South slope"]
    assert listed(model="made") == ["North slope"]
    assert listed(tag="urgent") == ["North slope"]
    today = store.run(made.id).created.date()
    assert listed(**{"from": str(today - timedelta(days=1))}) == ["South slope", "North slope"]
    assert listed(**{"from": str(today + timedelta(days=2))}) == []
    assert listed(to=str(today - timedelta(days=2))) == []
    assert listed(model="there is no such model") == ["South slope", "North slope"]


def test_filters_that_leave_nothing_can_be_cleared(page: AppTest, made: MappingResult) -> None:
    page.query_params["text"] = "no such run"
    page.run()
    assert "No run matches these filters." in texts(page)
    button(page, "Clear filters").click().run()
    assert names(page) == ["made"]


def test_one_scene_can_be_listed(page: AppTest, store: Store, tmp_path: Path) -> None:
    for name in ("one.tif", "other.tif"):
        path = write_raster(tmp_path / name, ramp(8, 8))
        keep(store, made_run(tmp_path / name[:3], np.zeros((4, 5)), scene=name), store.add_scene(path, name).id)
    page.run()
    next(box for box in page.selectbox if box.label == "Input").set_value("one.tif").run()
    assert names(page) == ["one.tif"]


def test_the_list_has_pages(page: AppTest, store: Store) -> None:
    for number in range(53):
        store.cancel(store.order(Order("mapping", "mapping", {}, image_inputs(""), name=f"run {number}")))
    page.run()
    assert names(page)[0] == "run 52"
    assert len(names(page)) == 50
    button(page, "Older").click().run()
    assert names(page) == ["run 2", "run 1", "run 0"]
    assert page.query_params["page"] == "2"
    next(text for text in page.text_input if text.label == "Search").set_value("run 5").run()
    assert names(page) == ["run 52", "run 51", "run 50", "run 5"]
    assert "page" not in page.query_params


def test_explanations_are_listed_when_asked_for(
    page: AppTest, store: Store, made: MappingResult, tmp_path: Path
) -> None:
    child = replace(made_run(tmp_path / "c", np.zeros((4, 5)), scene="why"), kind="explanation")
    keep(store, child, parents=(made.id,))
    page.run()
    assert names(page) == ["made"]
    assert "1 run, newest first. Hidden by the filters above: 1." in texts(page)
    next(box for box in page.selectbox if box.label == "Show").set_value("All").run()
    assert names(page) == ["why", "made"]
    assert "2 runs, newest first." in texts(page)
    assert "Hidden by the filters" not in texts(page)
    assert list(page.dataframe[0].value["Kind"]) == ["Explanation", "Map"]


def test_a_run_is_named_tagged_noted_and_pinned(page: AppTest, store: Store, made: MappingResult) -> None:
    open_run(page, made.id)
    next(text for text in page.text_input if text.label == "Name").set_value("North slope")
    next(text for text in page.text_area if text.label == "Note").set_value("Go and see.")
    next(box for box in page.checkbox if box.label == "Pinned").set_value(True)
    button(page, "Save").click().run()
    assert not page.exception
    run = store.run(made.id)
    assert (run.name, run.note, run.pinned) == ("North slope", "Go and see.", True)
    assert names(page) == ["North slope"]
    assert page.subheader[0].value == "North slope"


def test_a_run_opens_on_its_page_and_as_a_zip(page: AppTest, made: MappingResult) -> None:
    open_run(page, made.id)
    links = [link.proto.url for link in page.get("link_button")]
    assert links == [f"/runs/{made.id}.zip"]
    button(page, "Reading view").click().run()
    assert page.query_params["run"] == made.id
    assert "landslide" in page.markdown[0].value


def test_deleting_says_what_goes_and_takes_it(page: AppTest, store: Store, made: MappingResult, tmp_path: Path) -> None:
    child = replace(made_run(tmp_path / "c", np.zeros((4, 5))), kind="explanation")
    keep(store, child, parents=(made.id,))
    open_run(page, made.id)
    assert "This permanently deletes this run and one run derived from it." in texts(page)
    button(page, "Delete permanently").click().run()
    assert not page.exception
    assert store.runs() == []
    assert "No runs yet." in texts(page)


def test_a_failed_run_says_why_with_the_details_apart(page: AppTest, store: Store) -> None:
    run = store.order(Order("mapping", "mapping", {}, image_inputs(""), name="bad"))
    store.claim(run, server="s", worker="w")
    store.fail(run, Failure("The disk is full.", "Nothing was kept.", "Free some space.", "Traceback: OSError"))
    open_run(page, run)
    (error,) = page.error
    assert all(words in error.value for words in ("The disk is full.", "Nothing was kept.", "Free some space."))
    assert page.code[0].value == "Traceback: OSError"


def test_a_run_is_done_again_exactly(page: AppTest, store: Store, models: Path, tmp_path: Path) -> None:
    write_model(models, tiny_spec("red", tile=256))
    scene = store.add_scene(write_raster(tmp_path / "scene.tif", ramp(48, 64)), "scene.tif")
    first = store.order(order_of(scene, Request("red"), name="first"))
    perform(store, first, worker="tests")
    open_run(page, first)
    button(page, "Repeat").click().run()
    assert not page.exception
    again, _ = store.runs()
    assert page.query_params["run"] == again.id
    assert (again.status, again.name) == ("done", "first")
    assert [one.digest for one in again.artifacts] == [one.digest for one in store.run(first).artifacts]


def test_a_waiting_run_can_be_cancelled(page: AppTest, store: Store) -> None:
    run = store.order(Order("mapping", "mapping", {}, image_inputs(""), name="waiting"))
    open_run(page, run)
    button(page, "Cancel").click().run()
    assert store.run(run).status == "cancelled"
    assert "The run was cancelled." in texts(page)


def test_two_maps_can_be_compared_and_others_not(
    page: AppTest, store: Store, made: MappingResult, tmp_path: Path
) -> None:
    other = keep(store, made_run(tmp_path / "b", np.zeros((4, 5))))
    bad = store.order(Order("mapping", "mapping", {}, image_inputs("")))
    page.session_state["runs-picked"] = (made.id, other.id)
    page.run()
    (link,) = [one.proto for one in page.get("page_link") if one.proto.label == "Compare runs"]
    assert link.page == "compare"
    assert parse_qs(link.query_string) == {"runs": [f"{made.id},{other.id}"]}

    third = AppTest.from_file(page._script_path, default_timeout=120).switch_page("../pages/runs.py")
    third.session_state["runs-picked"] = (made.id, bad)
    third.run()
    assert "Not all of these runs are done." in texts(third)


def test_an_address_of_no_run_says_so_and_the_list_stays(page: AppTest, made: MappingResult) -> None:
    open_run(page, "f" * 32)
    assert any("not in the store" in error.value for error in page.error)
    assert names(page) == ["made"]


def test_texts_of_users_are_text(page: AppTest, store: Store, made: MappingResult) -> None:
    store.label(made.id, name=HOSTILE, note=HOSTILE, tags=["<b>"])
    failed = store.order(Order("mapping", "mapping", {}, image_inputs(""), name=HOSTILE, parents=(made.id,)))
    store.claim(failed, server="s", worker="w")
    store.fail(failed, Failure(HOSTILE, HOSTILE, HOSTILE))
    for run in (made.id, failed):
        open_run(page, run)
        assert not page.exception
        assert HOSTILE in texts(page)
        assert HOSTILE not in written(page)
        assert not any(part.allow_html for part in page.markdown)


def test_what_would_be_removed_is_said_first(page: AppTest, store: Store, made: MappingResult) -> None:
    page.run()
    assert "Storage used" in texts(page)
    next(number for number in page.number_input if number.label == "Older than (days)").set_value(0)
    button(page, "Preview").click().run()
    assert "This permanently deletes 1 run" in texts(page)
    assert len(store.runs(RunFilter())) == 1
    button(page, "Delete permanently").click().run()
    assert not page.exception
    assert store.runs() == []


def test_pinned_runs_are_not_removed(page: AppTest, store: Store, made: MappingResult) -> None:
    store.label(made.id, pinned=True)
    page.run()
    next(number for number in page.number_input if number.label == "Older than (days)").set_value(0)
    button(page, "Preview").click().run()
    assert "Nothing to delete." in texts(page)


def test_prepared_downloads_go_first(page: AppTest, store: Store, made: MappingResult) -> None:
    folder = store.home / "exports" / made.id / "abc"
    folder.mkdir(parents=True)
    (folder / "mask.tif").write_bytes(b"0" * 2000)
    for one in (folder / "mask.tif", folder):
        os.utime(one, (1, 1))
    page.run()
    page.number_input(key="prune-days").set_value(1)
    button(page, "Preview").click()
    page.run()

    assert "This permanently deletes 1 prepared download and frees 2.0 kB" in texts(page)
    assert "prepared download of made" in texts(page)
    page.button(key="prune-now").click().run()
    assert not folder.exists()
    assert store.run(made.id).status == "done"


def test_lost_files_are_listed_and_those_of_nothing_removed(
    page: AppTest, store: Store, made: MappingResult
) -> None:
    store.run(made.id).artifacts[0].path.unlink()
    stray = store.home / "artifacts" / "ab" / "abc.tif"
    stray.parent.mkdir(parents=True, exist_ok=True)
    stray.write_bytes(b"stray")
    os.utime(stray, (1, 1))
    page.run()
    page.button(key="lost-look").click().run()

    assert "1 file missing" in texts(page)
    assert f"probability of the run made ({made.id[:8]})" in texts(page)
    assert "1 orphaned file, 5 B" in texts(page)
    assert "result without a run" in texts(page)
    page.button(key="lost-remove").click().run()
    assert not stray.exists()
    assert not page.exception


def test_a_store_without_lost_files_says_so(page: AppTest, made: MappingResult) -> None:
    page.run()
    page.button(key="lost-look").click().run()
    assert "No problems found" in page.success[0].value


def test_a_file_that_was_lost_is_told_of(page: AppTest, store: Store, made: MappingResult) -> None:
    made.artifact("probability").unlink()
    open_run(page, made.id)
    assert any("no longer on disk" in error.value for error in page.error)


def test_scenes_of_one_name_are_told_apart(page: AppTest, store: Store, tmp_path: Path, made: MappingResult) -> None:
    for number in range(2):
        path = write_raster(tmp_path / f"{number}.tif", ramp(8 + number, 8))
        store.upload_scene(io.BytesIO(path.read_bytes()), "same.tif")
    page.run()
    box = next(box for box in page.selectbox if box.label == "Input")
    assert len(set(box.options)) == len(box.options) == 3


def test_an_address_goes_before_what_was_chosen_last(page: AppTest, store: Store, tmp_path: Path) -> None:
    one, other = (keep(store, made_run(tmp_path / name, np.full((4, 5), 0.8))).id for name in "ab")
    page.query_params["run"] = one
    page.run()
    page.query_params["run"] = other
    page.run()
    assert page.query_params["run"] in (other, [other])


def test_what_a_run_stands_on_is_one_click_away(page: AppTest, store: Store, tmp_path: Path) -> None:
    parent = keep(store, made_run(tmp_path / "a", np.full((4, 5), 0.8)))
    child = keep(store, replace(made_run(tmp_path / "b", np.full((4, 5), 0.8)), kind="scored"), parents=(parent.id,))
    page.query_params["run"] = child.id
    page.run()
    next(button for button in page.button if button.label.startswith("Based on")).click().run()
    assert page.query_params["run"] in (parent.id, [parent.id])
