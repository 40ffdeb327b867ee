"""The tab Review of a validated table: labels are checked in order of doubt, corrected, and validated again."""

from __future__ import annotations

from pathlib import Path

import geopandas
import pandas
import pytest
from rasterio.warp import transform_geom
from shapely.geometry import box, mapping, shape
from streamlit.testing.v1 import AppTest

from core.jobs.perform import request_of
from core.plots.colours import REFERENCE
from core.report.make import make_report
from core.review import log
from core.review.corrected import CAUTION
from core.review.edits import Edit
from core.review.label_places import for_map
from core.review.labels import OpenedLabels, open_labels
from core.review.units import Done, draw
from core.runs.records import RunFilter
from core.runs.store import Store
from core.tasks.susceptibility.cells import Columns
from tests.pages.test_mapping import on_map, press, texts
from tests.tasks.susceptibility.test_labelled import PLACED, ROWS, marked, validated, write_table

ANNA = "Anna"


@pytest.fixture
def run(store: Store, tmp_path: Path) -> str:
    return validated(store, write_table(tmp_path / "units.csv"), PLACED)


@pytest.fixture
def page(repository: Path, store: Store) -> AppTest:
    del store  # what the page finds
    return AppTest.from_file(str(repository / "ui" / "main.py"), default_timeout=120)


def opened(page: AppTest, run: str, name: str = ANNA, **address: str) -> AppTest:
    page.switch_page("../pages/susceptibility.py")
    page.query_params["run"] = run
    for key, value in address.items():
        page.query_params[key] = value
    page.session_state["susceptibility-tab"] = "Review"
    if name:
        page.session_state["reviewer"] = name
    page.run()
    assert not page.exception
    assert not [error.value for error in page.error]
    return page


def select(page: AppTest, run: str, *names: str) -> None:
    page.session_state[f"selected-{run}"] = names[-1]
    page.session_state[f"review-ticked-{run}"] = list(names)
    page.run()


def now(store: Store, run: str) -> OpenedLabels:
    return open_labels(store, store.run(run))


def chosen(page: AppTest, run: str) -> str | None:
    value: str | None = page.session_state[f"selected-{run}"]
    return value


def off(page: AppTest) -> set[str]:
    return {button.label for button in page.button if button.disabled}


def test_a_name_is_asked_for_before_a_label_is_marked(page: AppTest, store: Store, run: str) -> None:
    opened(page, run, name="")
    select(page, run, "R8")
    assert {"Label correct", "Label wrong", "Mark not reviewed"} <= off(page)
    assert "Enter your name first" in texts(page)
    next(one for one in page.text_input if one.label == "Reviewer").set_value("Anna").run()
    press(page, "Label wrong")
    assert now(store, run).review.log[-1].reviewer == "Anna"


def test_rows_are_listed_by_how_far_the_score_is_from_the_label(page: AppTest, store: Store, run: str) -> None:
    opened(page, run)
    (table,) = (one.value for one in page.dataframe if "score" in one.value)

    assert set(table["id"][:2]) == {"R8", "R9"}
    assert table["table_unit_id"].tolist() == [f"U{name[1:]}" for name in table["id"]]
    assert list(table.columns[:4]) == ["id", "table_unit_id", "table_x", "table_y"]
    assert len(table) == 59
    assert "Logistic regression, random folds" in texts(page)


def test_marking_a_label_goes_on_to_the_next_row(page: AppTest, store: Store, run: str) -> None:
    opened(page, run)
    before = now(store, run)
    first, second, third = (str(one) for one in before.labelled.table["id"].to_numpy()[before.order][:3])
    select(page, run, first)
    press(page, "Label wrong")
    assert chosen(page, run) == second
    press(page, "Label correct")

    assert chosen(page, run) == third
    found = now(store, run)
    assert [found.review.features[name].status for name in (first, second)] == ["rejected", "confirmed"]
    assert "2 of 59 rows reviewed: 1 label correct, 1 wrong" in texts(page)


def test_several_rows_are_marked_at_once_with_their_reason(page: AppTest, store: Store, run: str) -> None:
    opened(page, run)
    select(page, run, "R10", "R12")
    reason = next(one for one in page.selectbox if one.label == "Reason for a wrong label or a deletion")
    reason.set_value("other date or event")
    next(one for one in page.text_area if one.label == "Note").set_value("storm of 2020")
    press(page, "Label wrong")

    features = now(store, run).review.features
    assert {(features[name].status, features[name].reason, features[name].note) for name in ("R10", "R12")} == {
        ("rejected", "other date or event", "storm of 2020")
    }
    told = "2 rows are selected, and the buttons apply to all of them: R10, R12. Labels reviewed already: 2."
    assert told in texts(page)
    press(page, "Mark not reviewed")
    assert now(store, run).reviewed == 0
    assert "Mark not reviewed" in off(page)
    assert "Labels reviewed already: 0." in texts(page)


def test_a_reason_never_repeats_what_the_label_says(page: AppTest, run: str) -> None:
    opened(page, run)
    for names, missing in ((("R9",), {"landslide there"}), (("R8",), {"no landslide there"}),
                           (("R8", "R9"), {"landslide there", "no landslide there"})):  # fmt: skip
        select(page, run, *names)
        (field,) = (one for one in page.selectbox if one.label == "Reason for a wrong label or a deletion")
        assert {"landslide there", "no landslide there"} - set(field.options) == missing


def test_what_the_filters_hide_of_the_selection_is_said(page: AppTest, store: Store, run: str) -> None:
    marked(store, run, ("R8",), "confirmed")
    opened(page, run)
    select(page, run, "R10")
    page.button_group(key=f"label-status-{run}").set_value(["confirmed"]).run()
    assert "Selected, but not among the rows that are listed: R10." in texts(page)


def test_an_edit_is_undone_and_redone(page: AppTest, store: Store, run: str) -> None:
    opened(page, run)
    select(page, run, "R8")
    press(page, "Label wrong")
    press(page, ":material/undo:")
    assert now(store, run).reviewed == 0
    assert "Undone: Label of R8 marked as wrong" in [one.value.replace("\\", "") for one in page.toast]
    assert chosen(page, run) == "R8"
    press(page, ":material/redo:")
    assert now(store, run).corrections == {8: True}


def test_what_another_reviewer_changed_meanwhile_is_not_overwritten(page: AppTest, store: Store, run: str) -> None:
    opened(page, run)
    select(page, run, "R8")
    marked(store, run, ("R8",), "confirmed", "Ben")
    press(page, "Label wrong")

    assert now(store, run).review.features["R8"].status == "confirmed"
    assert "Ben changed this in the meantime" in page.error[0].value


def test_the_map_shows_each_row_by_its_label_and_status(page: AppTest, store: Store, run: str) -> None:
    marked(store, run, ("R8",), "rejected")
    opened(page, run)
    select(page, run, "R8")
    told = on_map(page)
    (layer,) = (one for one in told["vectors"] if one["id"] == "labels")

    assert len(layer["features"]["features"]) == 59
    facts = {one["properties"]["id"]: dict(one["properties"]["facts"]) for one in layer["features"]["features"]}
    assert facts["R8"]["Label"] == "no landslide"
    assert facts["R8"]["Status"] == "label wrong"
    assert told["selected"] == ["R8"]
    assert told["focus"] is not None
    assert "EPSG:32717" in texts(page)


def test_a_table_without_coordinate_system_has_no_map_and_says_so(page: AppTest, store: Store, tmp_path: Path) -> None:
    path = write_table(tmp_path / "units.csv")
    run = validated(store, path, Columns("label", ("slope", "relief"), (), "x", "y"))
    opened(page, run, selected="R9")

    assert "no coordinate system" in texts(page)
    assert chosen(page, run) == "R9"
    assert "Selected row R9" in texts(page)


def test_an_address_keeps_the_selected_rows(page: AppTest, run: str) -> None:
    opened(page, run, selected="R9", also="R8,R3,nonsense")
    assert page.session_state[f"review-ticked-{run}"] == ["R8", "R9"]
    assert page.query_params["also"] == "R8"


def test_a_row_that_no_model_learnt_from_is_said_to_be_none(page: AppTest, run: str) -> None:
    opened(page, run, selected="R3")
    assert "not among the validated rows" in texts(page)
    assert "Label wrong" in off(page)


def test_the_corrected_table_is_validated_with_the_settings_of_the_run(page: AppTest, store: Store, run: str) -> None:
    opened(page, run)
    assert "Open the corrected data for validation" in off(page)
    select(page, run, "R8", "R9")
    press(page, "Label wrong")
    assert CAUTION in texts(page)
    press(page, "Open the corrected data for validation")

    assert not page.error
    assert f"units, labels corrected (review of {run[:8]})" in texts(page).replace("\\", "")
    assert f"In the review of run {run[:8]} (59 rows), 2 labels were corrected." in texts(page)
    assert f"The settings are those of run {run[:8]}." in texts(page)
    press(page, "Validate models")
    assert not page.exception
    newest, before = store.runs(RunFilter())[:2]
    assert before.id == run
    assert request_of(newest) == request_of(before)
    assert newest.inputs[0].digest != before.inputs[0].digest
    assert newest.metrics["auroc_random"] > before.metrics["auroc_random"]
    assert CAUTION in page.warning[0].value.replace("\\", "")
    page.session_state["susceptibility-tab"] = "Review"
    page.run()
    assert f"Before this run: In the review of run {run[:8]} (59 rows), 2 labels were corrected." in texts(page)
    assert not [note for note in before.notes if CAUTION in note]
    page.switch_page("../pages/compare.py")
    page.query_params["runs"] = f"{before.id},{newest.id}"
    page.run()
    assert "**Labels of B were corrected in a review**" in texts(page)
    assert f"B: In the review of run {run[:8]} (59 rows), 2 labels were corrected." in texts(page)


def test_files_of_the_review_are_prepared(page: AppTest, store: Store, run: str) -> None:
    marked(store, run, ("R8",), "rejected")
    opened(page, run)
    press(page, "Prepare reviewed files")

    offered = {one.label for one in page.get("download_button")}
    assert {"reviewed_labels.csv", "reviewed_labels.gpkg", "corrected_table.csv"} <= offered


def test_units_are_shown_with_their_outlines_and_scores(page: AppTest, store: Store, tmp_path: Path) -> None:
    squares = [box(700_000 + 100 * n, 9_550_000, 700_080 + 100 * n, 9_550_080) for n in range(ROWS)]
    squares[5] = None  # a unit without an outline, which is validated where no positions are asked for
    table = pandas.read_csv(write_table(tmp_path / "units.csv")).drop(columns=["x", "y"])
    geopandas.GeoDataFrame(table, geometry=squares, crs=32717).to_file(tmp_path / "units.gpkg")
    run = validated(store, tmp_path / "units.gpkg", Columns("label", ("slope", "relief")))
    opened(page, run, selected="R5")
    vectors = {one["id"]: one for one in on_map(page)["vectors"]}

    assert len(vectors["labels"]["features"]["features"]) == ROWS - 2
    assert vectors["scores"]["visible"] is False
    assert vectors["scores"]["hides"] == ["labels"]
    assert [vectors[name]["marked"] for name in ("scores", "labels")] == [False, True]
    west, _, east, _ = shape(vectors["labels"]["features"]["features"][0]["geometry"]).bounds
    assert east - west == pytest.approx(80 / 111_320, rel=0.05)
    assert "Selected row R5" in texts(page)
    select(page, run, "R8")
    assert on_map(page)["focus"] is not None


@pytest.fixture
def units(store: Store, tmp_path: Path) -> str:
    """A validation of units of 80 m that touch one another."""
    squares = [box(700_000 + 80 * n, 9_550_000, 700_080 + 80 * n, 9_550_080) for n in range(ROWS)]
    table = pandas.read_csv(write_table(tmp_path / "units.csv")).drop(columns=["x", "y"])
    geopandas.GeoDataFrame(table, geometry=squares, crs=32717).to_file(tmp_path / "units.gpkg")
    return validated(store, tmp_path / "units.gpkg", Columns("label", ("slope", "relief")))


def test_rows_are_deleted_and_restored(page: AppTest, store: Store, run: str) -> None:
    opened(page, run)
    before = now(store, run)
    names = [str(one) for one in before.rows["id"].iloc[before.order]]
    select(page, run, "R8")
    press(page, "Delete")
    assert now(store, run).changes.removed == {8}
    assert chosen(page, run) == names[names.index("R8") + 1], "the next one that is doubted most"
    assert "Open the corrected data for validation" not in off(page)
    (list_of_deleted,) = (one for one in page.multiselect if one.label == "Deleted rows")
    list_of_deleted.select("R8").run()
    press(page, "Restore")
    assert not now(store, run).changes
    assert {one.label for one in page.button}.isdisjoint({"Edit outline", "Merge"}), "rows have no outlines"


def test_what_was_deleted_is_said_to_be_where_it_is_looked_for(page: AppTest, store: Store, units: str) -> None:
    at = now(store, units)
    log.append(store, units, at.features, Edit("delete", ("R8",)), reviewer="Anna", seen=0, view={})
    opened(page, units, selected="R8")
    assert "**Selected row R8** · deleted in the review" in texts(page)


def test_the_nearest_unit_is_selected_and_merged(page: AppTest, store: Store, units: str) -> None:
    opened(page, units)
    select(page, units, "R8")
    (nearest,) = (one for one in page.button if one.label.startswith("Select the nearest as well"))
    beside = nearest.label.split(": ")[1]
    assert beside in ("R7", "R9")
    nearest.click().run()
    press(page, "Merge")
    assert not page.exception
    assert now(store, units).changes.removed == {8, int(beside[1:])}
    merged = chosen(page, units)
    assert merged in ("R8", beside)
    told = texts(page)
    assert "labelled: landslide · no held-out score, as the outline was changed · outline changed · merged with" in told
    assert "2 of 59 rows reviewed. 2 rows were merged." in told
    known = Done(split=1, merged=2, drawn=1).attributes
    assert known[2] in told
    assert known[3] not in told, "nothing was drawn"
    (layer,) = (one for one in on_map(page)["vectors"] if one["id"] == "labels")
    (over,) = (one for one in on_map(page)["vectors"] if one["id"] == "changed")
    assert [one["properties"]["id"] for one in over["features"]["features"]] == [merged]
    assert not over["selectable"], "a click selects the unit below"
    assert [one["label"] for one in over["legend"]["entries"]] == ["outline changed or drawn"]
    colours = {one["properties"]["id"]: one["properties"]["colour"] for one in layer["features"]["features"]}
    assert len(colours) == 58
    assert colours[merged] == REFERENCE, "the colour of its label"
    press(page, "Label correct")
    assert now(store, units).counts["confirmed"] == 1
    select(page, units, merged)
    assert "label correct · outline changed · merged with" in texts(page)
    press(page, ":material/undo:")
    press(page, ":material/undo:")
    assert not now(store, units).changes


def test_a_drawn_unit_has_no_values_and_is_shown(page: AppTest, store: Store, units: str) -> None:
    drawn = draw(now(store, units).review, box(705_000, 9_550_000, 705_080, 9_550_080), landslide=True)
    opened_now = now(store, units)
    log.append(store, units, opened_now.features, drawn, reviewer=ANNA, seen=0, view={})
    opened(page, units, selected="N1")
    values = next(one.value for one in page.dataframe if "column" in one.value).set_index("column")["value"]
    assert (values["unit_id"], values["slope"], values["label"]) == ("–", "–", "yes")
    (layer,) = (one for one in on_map(page)["vectors"] if one["id"] == "scores")
    assert layer["legend"]["title"] == "Held-out score (grey: none)"
    assert layer["features"]["features"][-1]["properties"]["id"] == "N1", "on top of what it was drawn over"
    make_report(store, units)


def test_rows_that_were_not_validated_are_named(page: AppTest, run: str) -> None:
    opened(page, run)
    told = "1 row of the table without a label, a place or the value of a factor: not validated, and not listed here: "
    assert f"{told}R3." in texts(page)


def test_the_reading_view_says_what_the_scores_do_not_mean(page: AppTest, run: str) -> None:
    page.switch_page("../pages/read.py")
    page.query_params["run"] = run
    page.run()
    assert not page.exception
    assert "Unless this is their share in the area, the result is an index that ranks places" in texts(page)


def test_a_filter_keeps_the_next_row_among_those_that_it_shows(page: AppTest, store: Store, run: str) -> None:
    marked(store, run, ("R9", "R10"), "confirmed")
    opened(page, run)
    page.button_group(key=f"label-status-{run}").set_value(["confirmed"]).run()
    select(page, run, "R9")
    press(page, "Label wrong")
    assert chosen(page, run) == "R9", "no other row of the filter waits to be reviewed"
    assert "Reviewed label" in str(next(one.proto.columns for one in page.dataframe if "score" in one.value))
    page.button_group(key=f"label-status-{run}").set_value([]).run()
    page.button_group(key=f"label-label-{run}").set_value([True]).run()
    shown = next(one.value for one in page.dataframe if "score" in one.value)
    assert set(shown["label"]) == {"landslide"}
    assert dict(zip(shown["id"], shown["reviewed"], strict=True))["R9"] == "no landslide"
    waiting = [name for name, status in zip(shown["id"], shown["status"], strict=True) if status == "not reviewed"]
    select(page, run, waiting[0])
    press(page, "Label correct")
    assert chosen(page, run) == waiting[1]


def test_the_unit_that_buttons_name_is_explained(page: AppTest, store: Store, units: str) -> None:
    opened(page, units)
    found = for_map(now(store, units).labelled.places)
    assert found is not None
    west = found[0].iloc[20].bounds[0]
    drawn = box(west + 10, 9_550_010, west + 60, 9_550_060)
    page.session_state[f"label-map-{units}-drawn-labels-{units}"] = transform_geom(
        found[1].crs, "EPSG:4326", mapping(drawn)
    )
    page.run()
    assert "Nothing is selected: the buttons name R21, which the shape overlaps most." in texts(page)
    select(page, units, "R50")
    told = "The shape does not overlap R50, which is selected: the buttons name R21, which it overlaps most."
    assert told in texts(page)
    select(page, units, "R21")
    assert "which the shape overlaps most" not in texts(page)
    assert "which it overlaps most" not in texts(page).replace("the one that it overlaps most", "")


def test_rows_of_a_continent_are_shown_in_degrees(page: AppTest, store: Store, tmp_path: Path) -> None:
    table = pandas.read_csv(write_table(tmp_path / "units.csv"))
    table["x"], table["y"] = [-20 + n for n in range(ROWS)], [n % 7 for n in range(ROWS)]
    table.to_csv(tmp_path / "wide.csv", index=False)
    run = validated(store, tmp_path / "wide.csv", Columns("label", ("slope", "relief"), (), "x", "y", "EPSG:4326"))
    opened(page, run)

    (layer,) = (one for one in on_map(page)["vectors"] if one["id"] == "labels")
    assert len(layer["features"]["features"]) == ROWS - 1


def test_a_link_to_a_row_leads_to_it_in_every_tab(page: AppTest, run: str) -> None:
    page.switch_page("../pages/susceptibility.py")
    page.query_params["run"], page.query_params["tab"], page.query_params["selected"] = run, "Why", "R8"
    page.run()
    assert not page.exception
    (field,) = (one for one in page.number_input if one.label == "Row of the table")
    assert field.value == 8


def test_a_row_is_explained_by_the_number_that_the_review_gives_it(page: AppTest, store: Store, run: str) -> None:
    opened(page, run)
    select(page, run, "R8")
    page.session_state["susceptibility-tab"] = "Why"
    page.run()
    (field,) = (one for one in page.number_input if one.label == "Row of the table")
    assert field.value == 8
    next(button for button in page.button if button.key.startswith("explain-cell")).click().run()
    assert not page.exception
    (made,) = store.children(run, "explanation")
    assert request_of(made).row == 7  # of the design matrix, which lacks R3
    assert "row R8" in texts(page) or "row R8" in str([one.options for one in page.selectbox])
    (field,) = (one for one in page.number_input if one.label == "Row of the table")
    field.set_value(3).run()
    assert "Row R3 was not validated" in texts(page)
