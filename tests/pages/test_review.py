"""The tab Review: what was found is corrected and accepted on the page, and the model's result stays."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np
import pytest
import shapely
import streamlit as st
from shapely.geometry import MultiPolygon, Polygon, box, mapping
from streamlit.proto.WidgetStates_pb2 import WidgetState, WidgetStates
from streamlit.testing.v1 import AppTest

from core.errors import InputError
from core.jobs.jobs import InlineJobs
from core.report.make import report_input, report_kind
from core.report.write import render
from core.review import actions, log
from core.review.edits import Edit
from core.review.found import Opened, open_review
from core.runs.records import SceneRecord
from core.runs.store import Store
from core.tasks.detection.boxes import Boxes
from core.tasks.mapping.run import Request, order_of
from tests.factories import found_ids, tiny_spec, write_model, write_raster
from tests.pages.test_detection import kept, slider
from tests.pages.test_mapping import on_map, press, texts
from ui import messages
from ui.maps import MapEvent
from ui.task.review_rows import meant
from ui.task.reviewer import COOKIE
from ui.task.rows import LATE, LATE_WITH_OTHERS, Replaced

ANNA = "Anna"


@pytest.fixture
def scene(store: Store, tmp_path: Path) -> SceneRecord:
    """Two bright rectangles of 10 × 20 and 6 × 10 pixels of 10 m."""
    values = np.full((3, 60, 70), 20, np.uint8)
    values[0, 4:14, 5:25] = 250
    values[0, 30:36, 40:50] = 220
    return store.add_scene(write_raster(tmp_path / "scene.tif", values), "scene.tif")


@pytest.fixture
def run(store: Store, scene: SceneRecord, models: Path) -> str:
    write_model(models, tiny_spec("red"))
    return InlineJobs(store).submit(order_of(scene, Request("red", stretch="none", engine="torch")))


@pytest.fixture
def page(repository: Path, models: Path) -> AppTest:
    return AppTest.from_file(str(repository / "ui" / "main.py"), default_timeout=120)


def opened(page: AppTest, run: str, task: str = "mapping", name: str = ANNA) -> AppTest:
    page.switch_page(f"../pages/{task}.py")
    page.query_params["run"] = run
    page.session_state[f"{task}-tab"] = "Review"
    if name:
        page.session_state["reviewer"] = name
    page.run()
    assert not page.exception
    assert not [error.value for error in page.error]
    return page


def review(store: Store, run: str) -> Opened:
    return open_review(store, store.run(run))


def statuses(store: Store, run: str) -> list[str]:
    return [one.status for one in review(store, run).review.features.values()]


def select(page: AppTest, run: str, name: str) -> None:
    page.session_state[f"selected-{run}"] = name
    page.run()


def shown(page: AppTest) -> Mapping[str, Any]:
    """The reviewed inventory as the map is told of it."""
    return next(one for one in on_map(page)["vectors"] if one["id"] == "review")


def draw(page: AppTest, scene: SceneRecord, left: int, top: int, right: int, bottom: int) -> None:
    """Draw a rectangle on the map, in pixels of the scene."""
    from rasterio.warp import transform_geom

    grid = scene.scene.grid
    corners = box(*grid.xy(bottom - 0.5, left - 0.5), *grid.xy(top - 0.5, right - 0.5))
    key = f"mapping-map-{scene.id}-drawn-{scene.id}"
    page.session_state[key] = transform_geom(grid.crs, "EPSG:4326", mapping(corners))
    page.run()


def test_a_name_is_asked_for_first(page: AppTest, store: Store, run: str) -> None:
    opened(page, run, name="")
    select(page, run, found_ids(store, run)[0])
    assert {button.label for button in page.button if button.disabled} >= {"Correct", "False alarm", "Delete"}
    next(one for one in page.text_input if one.label == "Reviewer").set_value("  Anna \n Bell ").run()
    press(page, "Correct")
    assert review(store, run).review.log[-1].reviewer == "Anna Bell"


def test_a_name_outlives_a_page_that_is_loaded_anew(
    page: AppTest, store: Store, run: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = {COOKIE: quote("Zoë  <b>\n" + "x" * 200)}
    monkeypatch.setattr(type(st.context), "cookies", property(lambda _: kept))
    opened(page, run, name="")
    press(page, "Next")
    press(page, "Correct")
    assert "Reviewing as Zoë" in texts(page)
    assert review(store, run).review.log[-1].reviewer == "Zoë <b> " + "x" * 72
    # Whoever empties the field has no name, whatever the browser remembers.
    next(one for one in page.text_input if one.label == "Reviewer").set_value("").run()
    assert "Enter your name above the map to review." in texts(page)


def test_right_and_wrong_are_marked_one_after_the_other(page: AppTest, store: Store, run: str) -> None:
    first, second = found_ids(store, run)
    opened(page, run)
    assert "0 of 2 reviewed" in page.get("progress")[0].proto.text
    press(page, "Next")
    assert f"**Selected landslide {first}**" in texts(page)
    press(page, "Correct")
    assert statuses(store, run) == ["confirmed", "unreviewed"]
    assert f"**Selected landslide {second}**" in texts(page)
    reason = next(one for one in page.selectbox if one.label == "Reason for a false alarm or a deletion")
    reason.select("road or building").run()
    press(page, "False alarm")
    assert statuses(store, run) == ["confirmed", "rejected"]
    assert review(store, run).review.features[second].reason == "road or building"
    colours = {one["properties"]["id"]: one["properties"]["colour"] for one in shown(page)["features"]["features"]}
    assert colours == {first: "#009E73", second: "#E69F00"}

    # A press before the bar is drawn for what is selected now means no other landslide.
    select(page, run, second)
    shown_for_second = next(button for button in page.button if button.label == "Correct")
    page.session_state[f"selected-{run}"] = first
    shown_for_second.click().run()
    assert statuses(store, run) == ["confirmed", "rejected"]

    press(page, ":material/undo:")
    assert statuses(store, run) == ["confirmed", "unreviewed"]
    press(page, ":material/redo:")
    assert statuses(store, run) == ["confirmed", "rejected"]


def test_shapes_drawn_together_are_landslides_of_their_own(
    page: AppTest, store: Store, run: str, scene: SceneRecord
) -> None:
    from rasterio.warp import transform_geom

    opened(page, run)
    grid = scene.scene.grid
    two = MultiPolygon([box(*grid.xy(49.5, left), *grid.xy(44.5, left + 4)) for left in (49.5, 59.5)])
    page.session_state[f"mapping-map-{scene.id}-drawn-{scene.id}"] = transform_geom(grid.crs, "EPSG:4326", mapping(two))
    page.run()
    assert "**2 drawn shapes**" in texts(page)
    press(page, "Add as 2 missed landslides")
    now = review(store, run)
    added = [one for one in now.review.features.values() if one.status == "added"]
    assert [one.outline.geom_type for one in added] == ["Polygon", "Polygon"]
    assert f"**2 selected**: {', '.join(one.id for one in added)}" in texts(page)
    page.button(f"several-{run}-delete").click().run()
    assert "Deleted (2, all drawn by reviewers)" in [one.label for one in page.expander]


def test_an_outline_that_crosses_itself_is_told_before_it_is_used(
    page: AppTest, store: Store, run: str, scene: SceneRecord
) -> None:
    from rasterio.warp import transform_geom

    opened(page, run)
    grid = scene.scene.grid
    corners = [grid.xy(row, column) for row, column in ((44.5, 49.5), (54.5, 59.5), (54.5, 49.5), (44.5, 59.5))]
    page.session_state[f"mapping-map-{scene.id}-drawn-{scene.id}"] = transform_geom(
        grid.crs, "EPSG:4326", mapping(Polygon(corners))
    )
    page.run()
    assert "The outline crosses itself. Used like this, it has 2 separate parts" in texts(page)
    draw(page, scene, 50, 45, 60, 50)
    assert "crosses itself" not in texts(page)


def test_restored_outlines_are_all_selected(page: AppTest, store: Store, run: str) -> None:
    first, second = found_ids(store, run)
    opened(page, run)
    select(page, run, first)
    page.session_state[f"review-ticked-{run}"] = [first, second]
    page.run()
    page.button(f"several-{run}-delete").click().run()
    (gone,) = (one for one in page.multiselect if one.label == "Deleted from the inventory")
    gone.set_value([first, second]).run()
    press(page, "Restore")
    assert f"**2 selected**: {first}, {second}" in texts(page)
    page.session_state[f"review-ticked-{run}"] = [first]
    select(page, run, first)
    press(page, "Correct")
    page.button_group(key=f"review-show-{run}").set_value(["confirmed"]).run()
    assert f"Selected, but not among the rows that are listed: {second}." in texts(page)
    select(page, run, first)
    assert "not among the rows that are listed" not in texts(page)


def test_what_the_review_made_is_shown_and_explained_beside_what_the_model_found(
    page: AppTest, store: Store, run: str, scene: SceneRecord
) -> None:
    first, second = found_ids(store, run)
    opened(page, run)
    select(page, run, first)
    draw(page, scene, 5, 4, 15, 14)
    press(page, f"Split off from {first}")
    page.session_state["mapping-tab"] = "Findings"
    select(page, run, f"{first}b")
    assert f"**Selected landslide {first}b** · part of {first}, split in the review" in texts(page)
    (marked,) = (one for one in on_map(page)["vectors"] if one["id"] == "of-review")
    (part,) = marked["features"]["features"]
    assert part["properties"]["id"] == f"{first}b"
    (south, west), (north, east) = on_map(page)["focus"]  # the map moves to it
    longitudes, latitudes = zip(*part["geometry"]["coordinates"][0], strict=True)
    assert west < min(longitudes) < max(longitudes) < east
    assert south < min(latitudes) < max(latitudes) < north
    table = next(one.value for one in page.dataframe if "review" in one.value)
    assert list(table["review"][table["id"] == first]) == [f"split into {first}a, {first}b"]
    select(page, run, second)
    assert not [one for one in on_map(page)["vectors"] if one["id"] == "of-review"]


def test_a_shape_over_a_false_alarm_is_told(page: AppTest, store: Store, run: str, scene: SceneRecord) -> None:
    first, _ = found_ids(store, run)
    opened(page, run)
    select(page, run, first)
    press(page, "False alarm")
    draw(page, scene, 5, 4, 15, 14)
    assert f"The shape lies on ground marked as a false alarm: {first} (100 % of the shape, 50 % of {first})." in (
        texts(page)
    )
    assert "The drawn shape overlaps" not in texts(page), "a landslide may lie where something else was taken for one"


def test_the_map_moves_to_all_rows_that_are_selected(page: AppTest, store: Store, run: str) -> None:
    opened(page, run)
    tell(page, run, [0])
    one = on_map(page)["focus"]
    tell(page, run, [0, 1])
    (south, west), (north, east) = on_map(page)["focus"]
    shapes = [feature.outline for feature in review(store, run).review.features.values()]
    bounds = shapely.total_bounds(shapes)
    assert one != on_map(page)["focus"]
    assert east - west == pytest.approx((bounds[2] - bounds[0]) * 1.2 / (111_320 * np.cos(np.radians(south))), rel=0.1)


def test_the_findings_say_what_reviewers_decided(page: AppTest, store: Store, run: str) -> None:
    first, second = found_ids(store, run)

    def on_findings() -> tuple[list[str], dict[str, dict[str, str]]]:
        page.session_state["mapping-tab"] = "Findings"
        page.run()
        assert not page.exception
        found = next(one for one in on_map(page)["vectors"] if one["id"] == "found")
        told = {one["properties"]["id"]: dict(one["properties"]["facts"]) for one in found["features"]["features"]}
        return list(page.dataframe[0].value), told

    opened(page, run)
    assert "review" not in on_findings()[0]
    opened(page, run)
    select(page, run, second)
    press(page, "False alarm")
    columns, told = on_findings()
    select(page, run, second)
    assert re.search(rf"\*\*Selected landslide {second}\*\* · .* · review: \*\*false alarm\*\*", texts(page))
    select(page, run, first)
    assert "review: **" not in texts(page)
    assert "review" in columns
    assert page.dataframe[0].value.set_index("id")["review"].to_dict() == {first: "not reviewed", second: "false alarm"}
    assert {name: facts["Review"] for name, facts in told.items()} == {first: "not reviewed", second: "false alarm"}
    assert "**Reviewed: 1** of the model's landslides (false alarm 1)." in texts(page)
    next(one for one in page.selectbox if one.label == "Language").set_value("es").run()
    spanish = messages.catalog("es")
    assert list(page.dataframe[0].value["review"]) == [spanish["not reviewed"], spanish["false alarm"]]


def test_what_is_drawn_is_added_cut_and_split_off(page: AppTest, store: Store, run: str, scene: SceneRecord) -> None:
    first, _ = found_ids(store, run)
    opened(page, run)

    def pixels(name: str) -> float:
        return float(review(store, run).review.features[name].outline.area) / 100

    draw(page, scene, 50, 45, 60, 50)
    press(page, "Add as missed landslide")
    (added,) = [one.id for one in review(store, run).review.features.values() if one.status == "added"]
    assert pixels(added) == pytest.approx(50, rel=1e-3)
    assert "Selecting another row replaces this selection. Select rows to mark or delete them" in texts(page)
    assert not [button for button in page.button if button.label == "Add as missed landslide"]

    select(page, run, first)
    draw(page, scene, 5, 4, 10, 14)
    press(page, f"Cut away from {first}")
    assert pixels(first) == pytest.approx(200 - 50, rel=1e-3)

    draw(page, scene, 10, 4, 14, 14)
    press(page, f"Split off from {first}")
    assert [pixels(f"{first}a"), pixels(f"{first}b")] == pytest.approx([110, 40], rel=1e-3)
    assert page.session_state[f"selected-{run}"] == f"{first}b", "the part in the drawn shape"

    draw(page, scene, 60, 55, 65, 58)
    select(page, run, f"{first}b")
    assert "Add as missed landslide" in [button.label for button in page.button]
    assert not [button for button in page.button if button.label.endswith(f" {first}b")], "it is too far away"
    draw(page, scene, 0, 0, 30, 20)
    (cut,) = (one for one in page.button if one.label == f"Cut away from {first}b")
    assert (cut.disabled, cut.help) == (True, f"The drawn shape covers all of {first}b.")
    assert (
        f"Not available: *Cut away from {first}b* and *Split off from {first}b*. The drawn shape covers all of "
        f"{first}b."
    ) in texts(page)


def test_a_shape_over_what_is_mapped_is_told_and_can_be_added_to_it(
    page: AppTest, store: Store, run: str, scene: SceneRecord
) -> None:
    first, second = found_ids(store, run)
    opened(page, run)
    select(page, run, second)
    draw(page, scene, 20, 4, 30, 14)  # half of it lies in the first
    told = f"The drawn shape overlaps {first} (50 % of the shape, 25 % of {first}). The inventory already holds this"
    assert f"{told} part of the shape, and would count it twice if" in texts(page)
    # What it is not of cannot be changed with it, whatever is selected.
    labels = [button.label for button in page.button if button.label.endswith((first, second))]
    assert labels == [f"{use} {first}" for use in ("Add to", "Cut away from", "Split off from")]
    before = list(review(store, run).review.features)
    press(page, f"Add to {first}")
    now = review(store, run).review.features
    assert list(now) == before
    assert now[first].outline.area / 100 == pytest.approx(250, rel=1e-3)
    assert page.session_state[f"selected-{run}"] == first
    # The outline of the other one, dragged over the first.
    select(page, run, second)
    press(page, "Edit outline")
    draw(page, scene, 20, 4, 30, 14)
    assert "already holds this part of the shape, and would then count it twice" in texts(page)
    press(page, f"Use as outline of {second}")
    assert re.search(r"Outlines overlap, so [0-9,]+\sm² of the total area is counted more than once", texts(page))
    draw(page, scene, 50, 45, 60, 50)
    assert "Of the drawn shape" not in texts(page)


def test_what_an_edit_takes_away_is_not_selected_any_more(
    page: AppTest, store: Store, run: str, scene: SceneRecord
) -> None:
    first, second = found_ids(store, run)
    opened(page, run)
    draw(page, scene, 50, 45, 60, 50)
    press(page, "Add as missed landslide")
    added = page.session_state[f"selected-{run}"]
    assert added not in (first, second)
    # Another tab shows the model's outlines alone, and says where this one is from.
    page.session_state["mapping-tab"] = "Findings"
    page.run()
    assert f"**Selected landslide {added}** · from the review, not found by the model" in texts(page)
    page.session_state["mapping-tab"] = "Why"
    page.run()
    assert f"{added} was made in the review." in texts(page)
    page.session_state["mapping-tab"] = "Review"
    page.run()
    press(page, ":material/undo:")
    assert page.session_state[f"selected-{run}"] is None
    assert "Selected landslide" not in texts(page)
    # Nor is the last one that is deleted, as there is no next one.
    select(page, run, first)
    press(page, "Correct")
    select(page, run, second)
    press(page, "Delete")
    assert page.session_state[f"selected-{run}"] is None
    # Somebody else deletes what is selected.
    select(page, run, first)
    now = review(store, run)
    log.append(store, run, now.features, Edit("delete", (first,)), reviewer="Ben", seen=now.review.number)
    page.run()
    assert f"**Selected landslide {first}** · not in the reviewed inventory: deleted in the review" in texts(page)


def test_what_was_merged_or_split_is_told_with_what_became_of_it(
    page: AppTest, store: Store, run: str, scene: SceneRecord, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = found_ids(store, run)
    monkeypatch.setattr("core.review.actions.are_near", lambda outlines: True)
    now = review(store, run)
    log.append(store, run, now.features, actions.merge(now.review, [first, second]), reviewer=ANNA, seen=0,
               view=now.view_values)  # fmt: skip
    opened(page, run)
    told = "In the inventory, the status *outline corrected* stands for: merged 1."
    assert told in texts(page)
    select(page, run, second)
    assert f"**Selected landslide {second}** · not in the reviewed inventory: merged into {first}" in texts(page)
    page.session_state["mapping-tab"] = "Findings"
    page.run()
    assert f"review: **merged into {first}** · the values here are the model's" in texts(page)
    assert "**Reviewed: 2** of the model's landslides (merged 2)." in texts(page)
    select(page, run, first)
    assert f"review: **merged with {second}** · the values here are the model's" in texts(page)

    page.session_state["mapping-tab"] = "Review"
    page.run()
    press(page, "False alarm")
    page.session_state["mapping-tab"] = "Findings"
    select(page, run, first)
    assert "review: **false alarm**" in texts(page)
    page.session_state["mapping-tab"] = "Review"
    page.run()
    draw(page, scene, 5, 4, 15, 14)
    press(page, f"Split off from {first}")
    parts = [one for one in review(store, run).review.features if one.startswith(first)]
    assert page.session_state[f"selected-{run}"] in parts
    select(page, run, first)
    assert f"not in the reviewed inventory: split into {', '.join(parts)}" in texts(page)


def test_an_outline_that_nobody_moved_cannot_be_used(
    page: AppTest, store: Store, run: str, scene: SceneRecord
) -> None:
    first, _ = found_ids(store, run)
    opened(page, run)
    select(page, run, first)
    press(page, "Edit outline")
    key, label = f"mapping-map-{scene.id}-drawn-{scene.id}", f"Use as outline of {first}"

    def is_off() -> bool:
        (found,) = [one.disabled for one in page.button if one.label == label]
        return bool(found)

    assert is_off()
    drawn = page.session_state[key]
    # The map writes coordinates with six decimals when an outline is saved on it, also where no corner was moved.
    rings = [[[round(value, 6) for value in point] for point in ring] for ring in drawn["coordinates"]]
    page.session_state[key] = {"type": "Polygon", "coordinates": rings}
    page.run()
    assert is_off()
    page.session_state[key] = {"type": "Polygon", "coordinates": [[*rings[0][:2], *rings[0][3:]]]}
    page.run()
    assert f"**Outline of {first}**" in [one.value for one in page.markdown]
    press(page, label)
    assert review(store, run).review.features[first].status == "edited"
    assert "no probability, as the outline was changed" in texts(page)


def test_what_is_deleted_keeps_its_reason(page: AppTest, store: Store, run: str) -> None:
    first, _ = found_ids(store, run)
    opened(page, run)
    select(page, run, first)
    note(page).set_value("twice in the list").run()
    press(page, "Delete")
    gone = review(store, run).review.deleted[first]
    assert gone.note == "twice in the list"
    assert review(store, run).review.log[-1].edit.note == "twice in the list"


def test_what_was_deleted_is_restored_from_its_list(page: AppTest, store: Store, run: str) -> None:
    first, second = found_ids(store, run)
    opened(page, run)
    assert not [one.label for one in page.expander if one.label.startswith("Deleted")]
    select(page, run, first)
    press(page, "Delete")
    select(page, run, second)
    press(page, "Correct")
    assert [one.label for one in page.expander if one.label.startswith("Deleted")] == ["Deleted (1)"]
    (box,) = [one for one in page.multiselect if one.label == "Deleted from the inventory"]
    (told,) = [option.split(" · ") for option in box.options]
    assert told[0] == first
    assert re.fullmatch(rf"deleted by {ANNA}, \d+ \w+ \d{{4}}, \d\d:\d\d UTC", told[1])
    box.set_value([first]).run()
    press(page, "Restore")
    assert not review(store, run).review.deleted
    assert {one.id: one.status for one in review(store, run).review.features.values()} == {
        first: "unreviewed", second: "confirmed",
    }  # fmt: skip
    assert f"{first} restored" in [toast.value for toast in page.toast]


def test_a_false_alarm_that_is_merged_is_told_to_count_as_a_landslide(
    page: AppTest, store: Store, run: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = found_ids(store, run)
    monkeypatch.setattr("core.review.actions._check_near", lambda outlines, noun: None)  # they lie far apart
    opened(page, run)
    select(page, run, second)
    press(page, "Mark false alarm")
    assert "separate parts" not in texts(page)
    page.session_state[f"review-ticked-{run}"] = [first, second]
    page.session_state[f"selected-{run}"] = second
    page.run()
    assert "Merged, they make one landslide of 2 separate parts." in texts(page)
    press(page, "Merge")
    (merged,) = review(store, run).review.features.values()
    assert merged.status == "edited"
    told = f"{second} had been marked as false alarm. The merged outline counts as a landslide."
    assert told in [toast.value.replace("\\", "") for toast in page.toast]


def test_one_row_is_marked_beside_the_table(page: AppTest, store: Store, run: str) -> None:
    first, second = found_ids(store, run)
    opened(page, run)
    labels = {"Mark correct", "Mark false alarm", "Mark not reviewed"}
    assert not labels & {one.label for one in page.button}
    select(page, run, first)
    assert f"**1 selected**: {first}" in texts(page)
    assert "Merge" not in {one.label for one in page.button}
    press(page, "Mark false alarm")
    assert statuses(store, run) == ["rejected", "unreviewed"]
    assert f"{second} was selected as the next one" in texts(page), "as by the buttons above the map"
    select(page, run, first)
    press(page, "Mark not reviewed")
    assert statuses(store, run) == ["unreviewed", "unreviewed"]
    # What was typed above the map counts for these buttons as well.
    note(page).set_value("a road").run()
    page.button(f"several-{run}-wrong").click().run()
    assert review(store, run).review.features[first].note == "a road"
    select(page, run, first)
    note(page).set_value("twice").run()
    page.button(f"several-{run}-delete").click().run()
    assert review(store, run).review.deleted[first].note == "twice"


def test_another_tab_is_not_overwritten(page: AppTest, store: Store, run: str) -> None:
    first, _ = found_ids(store, run)
    opened(page, run)
    select(page, run, first)
    now = review(store, run)
    log.append(
        store, run, now.features, Edit("judge", (first,), judgement="rejected"), reviewer="Ben", seen=0,
        view=now.view_values,
    )  # fmt: skip
    press(page, "Correct")
    assert "Ben changed this in the meantime" in page.error[0].value
    assert statuses(store, run)[0] == "rejected"
    press(page, "Correct")
    assert not page.error
    assert statuses(store, run)[0] == "confirmed"


def test_a_finished_review_becomes_the_reference_of_its_scene(page: AppTest, store: Store, run: str) -> None:
    first, second = found_ids(store, run)
    opened(page, run)
    label = "Use as reference of this image and score this run"
    assert next(button for button in page.button if button.label == label).disabled
    assert "2 landslides are not reviewed and nobody has confirmed" in texts(page)
    for name, word in ((first, "Correct"), (second, "False alarm")):
        select(page, run, name)
        press(page, word)
    next(one for one in page.checkbox if "searched" in one.label).check().run()
    press(page, label)
    assert not page.exception
    (scored,) = store.children(run, "scored")
    assert scored.metrics["precision"] == pytest.approx(200 / 260)
    assert scored.metrics["recall"] == 1
    # It is said that the model is scored against outlines of its own.
    told = f"The reference is a review of this model's own result (review of run {run[:8]} by "
    result = store.result(scored.id)
    assert result.notes[0].startswith(told)
    assert result.provenance["truth"]["review"]["run"] == run
    assert told in texts(page).replace("\\", "")  # a click away while the tab Review is open, whose bar needs the room
    assert not any(told in one.value.replace("\\", "") for one in page.warning)
    page.session_state["mapping-tab"] = "Scores"
    page.run()
    assert any(told in one.value.replace("\\", "") for one in page.warning)
    written = render(report_input(store, scored.id), report_kind(store.run(scored.id)))
    assert told in unescape(written)
    opened(page, scored.id)
    assert next(button for button in page.button if button.label == label).disabled
    next(one for one in page.checkbox if "Replace the reference" in one.label).check().run()
    assert not next(button for button in page.button if button.label == label).disabled
    # The review is that of the run that was scored.
    opened(page, scored.id)
    assert "2 of 2 reviewed" in page.get("progress")[0].proto.text


def test_boxes_are_reviewed_as_well(page: AppTest, store: Store, tmp_path: Path, scene: SceneRecord) -> None:
    run = kept(store, scene, tmp_path / "boxes", Boxes.of([(5, 4, 25, 14), (40, 30, 50, 36)], [0.9, 0.8])).id
    opened(page, run, "detection")
    select(page, run, found_ids(store, run)[1])
    press(page, "Delete")
    assert statuses(store, run) == ["unreviewed"]
    assert "deleted 1" in texts(page)


def test_an_area_that_is_drawn_for_a_run_is_offered_as_no_outline(
    page: AppTest, run: str, scene: SceneRecord
) -> None:
    key = f"mapping-map-{scene.id}-drawn-{scene.id}"
    opened(page, run)
    page.session_state["mapping-tab"] = "Findings"
    page.run()
    page.session_state[key] = mapping(box(15.0, 46.0, 16.0, 47.0))
    page.run()
    assert page.session_state[key] is not None
    page.session_state["mapping-tab"] = "Review"
    page.run()
    assert not page.exception
    assert page.session_state[key] is None
    assert not [button.label for button in page.button if button.label.startswith("Add as missed")]


def note(page: AppTest) -> Any:
    return next(one for one in page.text_area if one.label == "Note")


def test_a_note_that_is_typed_stays_until_it_is_saved(page: AppTest, store: Store, run: str) -> None:
    first, second = found_ids(store, run)
    opened(page, run)
    select(page, run, first)
    note(page).set_value("bare soil").run()
    select(page, run, second)
    assert note(page).value == ""
    select(page, run, first)
    assert note(page).value == "bare soil"
    press(page, "Correct")
    assert review(store, run).review.features[first].note == "bare soil"
    # What is saved is that of the review again, also where another reviewer writes it anew.
    log.append(store, run, review(store, run).features, Edit("judge", (first,), note="rock"), reviewer="Ben", seen=2)
    select(page, run, first)
    assert note(page).value == "rock"


def test_the_log_is_read_in_the_visitors_zone(page: AppTest, store: Store, run: str) -> None:
    first, _ = found_ids(store, run)
    opened(page, run)
    select(page, run, first)
    press(page, "Correct")
    frame = next(one.value for one in page.dataframe if "words" in one.value)
    created = [one.created for one in review(store, run).review.log][::-1]
    assert [time.timestamp() for time in frame["time"]] == pytest.approx(created)
    assert str(frame["time"].dt.tz) == "UTC"
    columns = json.loads(next(one.proto.columns for one in page.dataframe if "words" in one.value))
    assert columns["time"]["label"] == "Time (UTC)"
    assert columns["time"]["type_config"]["type"] == "datetime"


def test_what_the_page_selects_is_not_added_to_what_a_reviewer_selects(page: AppTest, store: Store, run: str) -> None:
    first, second = found_ids(store, run)
    opened(page, run)
    select(page, run, first)
    assert "was selected as the next one" not in texts(page)
    press(page, "Correct")
    assert f"{second} was selected as the next one. Selecting another row replaces this selection." in texts(page)
    # The page had selected the second: ticking the first means the first alone, ticking the second as well means both.
    assert meant([second, first], [second], left=[second]) == [first]
    assert meant([first, second], [first], left=[]) == [first, second]
    assert meant([first, second, "L0A"], [first, second], left=[first, second]) == ["L0A"]
    assert meant([second], [first, second], left=[first, second]) == [second]  # one of them was unticked
    assert meant([first, second, "L0A"], [second], left=[second]) == [first, second, "L0A"]  # all were ticked

    page.session_state[f"review-ticked-{run}"] = [first, second]
    page.run()
    assert f"**2 selected**: {first}, {second}" in texts(page)
    assert on_map(page)["selected"] == [first, second]
    # What is pressed for one would be ambiguous: the buttons of one are off until one alone is selected.
    assert "2 rows are selected: use the buttons below the table, or select one alone." in texts(page)
    single = {"Correct", "False alarm", "Delete", "Edit outline"}
    off = {button.label: button.disabled for button in page.button if button.key and button.key.startswith("review-")}
    assert {label for label in single if off[label]} == single
    press(page, "Mark correct")
    assert statuses(store, run) == ["confirmed", "confirmed"]


def test_a_neighbour_is_selected_without_searching_the_table(
    page: AppTest, store: Store, run: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = found_ids(store, run)
    opened(page, run)
    select(page, run, first)
    assert not [one.label for one in page.button if "nearest" in one.label], "the other is too far away"
    monkeypatch.setattr("core.review.actions.nearest", lambda review, name: second)
    page.run()
    press(page, f"Select the nearest as well: {second}")
    assert f"**2 selected**: {first}, {second}" in texts(page)
    assert on_map(page)["selected"] == [first, second]


def test_what_goes_wrong_with_several_is_said_below_the_table(
    page: AppTest, store: Store, run: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = found_ids(store, run)
    opened(page, run)
    select(page, run, first)
    page.session_state[f"review-ticked-{run}"] = [second, first]
    page.run()

    def refuse(review: object, identities: object) -> None:
        raise InputError("These outlines are too far apart.", remedy="Keep both.")

    monkeypatch.setattr("core.review.actions.merge", refuse)
    press(page, "Merge")
    (error,) = page.error
    assert "These outlines are too far apart." in error.value
    assert beside(page).index("error") > beside(page).index("Mark not reviewed")

    page.button_group(key=f"review-show-{run}").set_value(["unreviewed"]).run()
    assert len(page.error) == 1, "shown with a filter, too"
    page.session_state[f"selected-{run}"] = None
    page.run()
    assert not page.error, "it was about what was selected then"


def test_a_conflict_is_said_though_what_was_selected_is_gone(page: AppTest, store: Store, run: str) -> None:
    first, second = found_ids(store, run)
    opened(page, run)
    select(page, run, second)
    page.session_state[f"review-ticked-{run}"] = [first, second]
    page.run()
    state = review(store, run)
    log.append(store, run, state.features, Edit("delete", (second,)), reviewer="Ben", seen=0, view=state.view_values)
    press(page, "Mark correct")
    assert len(page.error) == 1
    assert statuses(store, run) == ["unreviewed"], "nothing was marked"


def test_what_goes_wrong_above_the_map_is_said_there_also_with_several_rows_selected(
    page: AppTest, store: Store, run: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = found_ids(store, run)
    opened(page, run)
    select(page, run, first)
    press(page, "Correct")
    page.session_state[f"review-ticked-{run}"] = [second, first]
    page.run()

    def refuse(*_: object) -> None:
        raise InputError("The log cannot be written.", remedy="Free disk space.")

    monkeypatch.setattr("core.review.log.undo", refuse)
    page.button(key=f"review-undo-{run}").click().run()
    (error,) = page.error
    assert "The log cannot be written." in error.value
    assert beside(page).index("error") < beside(page).index("Correct")


def tell(page: AppTest, run: str, rows: list[int], name: str = "review-table") -> None:
    """Run the page as a browser asks for it, which tells of the rows ticked in its table beside all else."""
    table = next(one for one in page.dataframe if f"{name}-{run}" in one.proto.id)
    states = page._tree.get_widget_states()
    kept = [one for one in states.widgets if one.id != table.proto.id]
    content = json.dumps({"selection": {"rows": rows, "columns": [], "cells": []}})
    page._run(WidgetStates(widgets=[*kept, WidgetState(id=table.proto.id, string_value=content)]))


def test_a_key_counts_though_the_table_was_not_drawn_anew_yet(page: AppTest, store: Store, run: str) -> None:
    first, second = found_ids(store, run)
    opened(page, run)
    press(page, "Next")
    assert page.session_state[f"selected-{run}"] == first
    # The browser has the bar of the first one already, and still the table with nothing ticked.
    page.button(key=f"review-Y-{run}").click()
    tell(page, run, [])
    assert statuses(store, run) == ["confirmed", "unreviewed"]
    assert page.session_state[f"selected-{run}"] == second
    tell(page, run, [0])
    assert page.session_state[f"selected-{run}"] == second, "a word on the first one that comes late, without a button"


def test_a_click_on_the_map_counts_before_the_button_that_was_pressed_after_it(
    page: AppTest, store: Store, run: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The page has not come to the click when the button is pressed: what it shows is not what the reviewer means."""
    first, second = found_ids(store, run)
    opened(page, run)
    select(page, run, first)
    clicks = [MapEvent((5.0, 5.0), second), MapEvent((9.0, 9.0), None)]
    monkeypatch.setattr("ui.task.drawn.told_by", lambda spec, *, key: clicks[0])
    press(page, "Correct")
    assert statuses(store, run) == ["unreviewed", "unreviewed"]
    assert page.session_state[f"selected-{run}"] == second
    press(page, "Correct")
    assert statuses(store, run) == ["unreviewed", "confirmed"], "the same click is acted upon once"

    del clicks[0]
    press(page, "Next")
    assert page.session_state[f"selected-{run}"] == first, "the button came after the click beside everything"


def test_what_was_undone_is_said_and_selected(page: AppTest, store: Store, run: str) -> None:
    first, second = found_ids(store, run)
    opened(page, run)
    select(page, run, first)
    press(page, "Correct")
    assert page.session_state[f"selected-{run}"] == second
    page.button(key=f"review-undo-{run}").click().run()
    assert [one.value.replace("\\", "") for one in page.toast] == [f"Undone: {first} marked as correct"]
    assert page.session_state[f"selected-{run}"] == first
    page.button(key=f"review-redo-{run}").click().run()
    assert [one.value.replace("\\", "") for one in page.toast] == [f"Redone: {first} marked as correct"]
    page.run()
    assert not page.toast


def test_all_selected_rows_outlive_a_reload(
    page: AppTest, store: Store, run: str, repository: Path
) -> None:
    first, second = found_ids(store, run)
    opened(page, run)
    tell(page, run, [0, 1])
    assert page.query_params["also"] in (first, [first])
    again = AppTest.from_file(str(repository / "ui" / "main.py"), default_timeout=120)
    for name in ("selected", "also"):
        again.query_params[name] = page.query_params[name]
    opened(again, run)
    assert again.session_state[f"review-ticked-{run}"] == [first, second]
    assert f"**2 selected**: {first}, {second}" in texts(again)
    press(again, "Mark correct")
    assert statuses(store, run) == ["confirmed", "confirmed"]
    # One row is named by the selection alone, and in other tabs no row is.
    tell(page, run, [1])
    assert "also" not in page.query_params
    again.session_state["mapping-tab"] = "Findings"
    again.run()
    assert "also" not in again.query_params
    # Names that are none of the inventory are passed over.
    strange = AppTest.from_file(str(repository / "ui" / "main.py"), default_timeout=120)
    strange.query_params["selected"], strange.query_params["also"] = second, f"x,{second},<b>,"
    opened(strange, run)
    assert strange.session_state[f"review-ticked-{run}"] == [second]


def test_rows_that_a_reviewer_ticks_are_selected(
    page: AppTest, store: Store, run: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = found_ids(store, run)
    opened(page, run)
    press(page, "Next")
    tell(page, run, [1])
    assert page.session_state[f"selected-{run}"] == second, "another row than before is never a late word"
    select(page, run, first)
    monkeypatch.setattr("ui.task.rows.LATE", 0)
    tell(page, run, [])
    assert page.session_state[f"selected-{run}"] is None, "unticked after a while"


def test_what_was_selected_elsewhere_stays_when_a_slow_browser_tells_of_its_table_late(
    page: AppTest, store: Store, run: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A request that was made because of another widget holds the table as it was, however much later it comes."""
    first, _ = found_ids(store, run)
    opened(page, run)
    page.session_state["mapping-tab"] = "Findings"
    page.run()
    clicks = [MapEvent((5.0, 5.0), first)]
    monkeypatch.setattr("ui.mapping.results.told_by", lambda spec, *, key: clicks[0])
    page.run()
    monkeypatch.setattr("ui.task.rows.LATE", 0)  # as if a second had passed
    slider(page, "Threshold").set_value(0.55)
    tell(page, run, [], "table")
    assert page.session_state[f"selected-{run}"] == first
    assert page.query_params["at"] in ("5,5", ["5,5"])
    tell(page, run, [], "table")
    assert page.session_state[f"selected-{run}"] is None, "unticked by the visitor"
    assert "at" not in page.query_params


def test_states_that_were_replaced_are_told_from_those_that_are_meant() -> None:
    replaced = Replaced().then([], 100.0).then([2, 0], 101.0)
    assert not replaced.is_meant([0, 2], 101.5, alone=True)
    assert not replaced.is_meant([], 101.5, alone=True)
    assert replaced.is_meant([1], 102.0, alone=False)
    assert replaced.is_meant([], 101.0 + LATE, alone=True)
    assert not replaced.is_meant([], 101.0 + LATE, alone=False)
    assert replaced.is_meant([], 101.0 + LATE_WITH_OTHERS, alone=False)
    assert Replaced().is_meant([], 0.0, alone=False)
    answer = Replaced().then([2, 7], 100.0, answers=True)
    assert answer.is_meant([2, 7], 100.5, alone=True), "ticked once more, since the page had unticked one"
    assert not answer.is_meant([2, 7], 100.5, alone=False)


def beside(page: AppTest) -> list[str]:
    """Errors and buttons of a page in their order, by type or label."""
    return [getattr(one, "label", one.type) for one in page.main if one.type in ("error", "button")]
