"""Labels of a validated table: reviewed, undone, exported, and corrected in a table of their own."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from zipfile import ZipFile

import geopandas
import numpy as np
import pandas as pd
import pyogrio
import pytest
from shapely.geometry import box

from core.cli.main import main
from core.errors import InputError
from core.jobs.perform import request_of, run_inline
from core.raster.features import write_features
from core.report.make import make_report
from core.report.parts import Facts, Heading, Pictures
from core.report.state import is_out_of_date
from core.review import log
from core.review.corrected import CAUTION, Corrected, corrected_in, origin_of
from core.review.label_files import export_labels, label_fields, label_table
from core.review.label_words import labels_words
from core.review.labels import OpenedLabels, has_labels, open_labels
from core.runs.store import Store
from core.series.table import read_table_untrusted
from core.tasks.susceptibility.cells import Columns
from core.tasks.susceptibility.corrected_rows import corrected_table
from core.tasks.susceptibility.findings import verdict
from core.tasks.susceptibility.guess import guess_columns
from core.tasks.susceptibility.report import gather, parts
from core.tasks.susceptibility.result import SusceptibilityResult
from core.tasks.susceptibility.rows import LATITUDE, LONGITUDE, UNITS, read_rows, to_layer
from core.tasks.susceptibility.run import CORRECTED, Request, order_of
from core.tasks.susceptibility.run_explanation import ExplainRequest, order_explanation
from core.tasks.susceptibility.view import Choice
from tests.factories import keep, made_run

ANNA, BEN = "Anna", "Ben"
ROWS = 60


def write_table(path: Path) -> Path:
    """Units whose label follows the slope, but for two: R8 is steep without a landslide, R9 flat with one."""
    landslide = [n % 2 for n in range(ROWS)]
    slope = [10 * label + n % 7 for n, label in enumerate(landslide)]
    slope[8], slope[9] = 14, 0
    table = pd.DataFrame({"unit_id": [f"U{n}" for n in range(ROWS)]})
    table["label"] = ["yes" if one else "no" for one in landslide]
    table["slope"], table["relief"] = slope, [n % 5 for n in range(ROWS)]
    table["x"], table["y"] = [700_000 + 10 * n for n in range(ROWS)], [9_550_000 + 90 * (n % 11) for n in range(ROWS)]
    table.loc[3, "slope"] = np.nan  # an incomplete row, which no model learns from
    table.to_csv(path, index=False)
    return path


def validated(store: Store, path: Path, columns: Columns) -> str:
    request = Request(columns, ("logistic_regression", "naive_bayes"), ("random",), repeats=1)
    return run_inline(store, order_of(store.add_dataset(path, path.name), request))


PLACED = Columns("label", ("slope", "relief"), (), "x", "y", "EPSG:32717")


@pytest.fixture
def run(store: Store, tmp_path: Path) -> str:
    return validated(store, write_table(tmp_path / "units.csv"), PLACED)


def opened(store: Store, run: str, view: Choice | None = None) -> OpenedLabels:
    return open_labels(store, store.run(run), view)


def marked(
    store: Store, run: str, ids: tuple[str, ...], judgement: str, reviewer: str = ANNA, **said: str
) -> OpenedLabels:
    now = opened(store, run)
    edit = now.judge(ids, judgement, **said)  # type: ignore[arg-type]
    log.append(store, run, now.features, edit, reviewer=reviewer, seen=now.review.number, view=now.view_values)
    return opened(store, run)


def test_rows_come_in_the_order_in_which_the_model_contradicts_their_labels(store: Store, run: str) -> None:
    now = opened(store, run)

    first = now.labelled.table["id"].to_numpy()[now.order][:2]
    assert set(first) == {"R8", "R9"}
    assert np.all(np.diff(now.disagreement[now.order]) <= 0)
    assert len(now.features) == ROWS - 1
    assert "R3" not in now.features
    assert list(now.labelled.named.columns) == ["unit_id", "x", "y"]
    assert now.labelled.named["unit_id"][7] == "U8"  # the incomplete row above it is no row of the design matrix
    assert now.labelled.scored_by == "Logistic regression, random folds"


def test_scores_are_those_of_the_model_that_is_looked_at(store: Store, run: str) -> None:
    one, other = (opened(store, run, Choice("random", name)) for name in ("logistic_regression", "naive_bayes"))

    assert not np.allclose(one.labelled.table["score"], other.labelled.table["score"])
    with pytest.raises(InputError, match="has no model"):
        opened(store, run, Choice("random", "xgboost"))


def test_a_label_is_confirmed_or_wrong_and_the_table_stays(store: Store, run: str) -> None:
    before = store.dataset(store.run(run).input("table").dataset_id).path.read_bytes()
    marked(store, run, ("R9",), "rejected", reason="position inaccurate", note="other bank of the river")
    now = marked(store, run, ("R8", "R10"), "confirmed", BEN)

    assert now.counts == {"unreviewed": ROWS - 4, "confirmed": 2, "rejected": 1}
    assert now.corrections == {9: False}
    assert labels_words(now) == (
        "3 of 59 rows reviewed: 2 labels correct, 1 wrong (1 from landslide to no landslide)."
    )
    assert [one.edit.words for one in now.review.log[1:]] == [
        "Label of R9 marked as wrong", "Labels of R8, R10 marked as correct",
    ]  # fmt: skip
    assert store.dataset(store.run(run).input("table").dataset_id).path.read_bytes() == before


def test_edits_are_undone_by_their_reviewer_and_conflicts_refused(store: Store, run: str) -> None:
    now = marked(store, run, ("R9",), "rejected")
    marked(store, run, ("R9",), "confirmed", BEN)
    late, seen = now.judge(("R9",), "rejected"), now.review.number
    with pytest.raises(log.ReviewConflictError, match="Ben changed this in the meantime"):
        log.append(store, run, now.features, late, reviewer=ANNA, seen=seen, view={})

    log.undo(store, run, now.features, BEN)
    assert opened(store, run).corrections == {9: False}
    log.undo(store, run, now.features, ANNA)
    assert opened(store, run).reviewed == 0
    log.redo(store, run, now.features, ANNA)
    assert opened(store, run).corrections == {9: False}


def test_a_label_marked_as_not_reviewed_is_none_of_the_reviewed(store: Store, run: str) -> None:
    marked(store, run, ("R9",), "rejected", reason="other")
    now = marked(store, run, ("R9",), "unreviewed")

    assert now.reviewed == 0
    one = now.review.features["R9"]
    assert (one.reason, one.reviewer, one.reviewed) == ("", "", None)
    assert label_table(now)["reviewer"].isna().all()


def test_what_is_exported_says_what_is_known_and_no_more(store: Store, run: str, tmp_path: Path) -> None:
    marked(store, run, ("R8",), "rejected", reason="landslide there", note="seen in 2019")
    now = marked(store, run, ("R9",), "confirmed")
    told = export_labels(now, tmp_path / "out")

    made = {path.name for path in (tmp_path / "out").iterdir()}
    assert made == {
        "reviewed_labels.csv", "reviewed_labels_fields.csv", "reviewed_labels.gpkg", "corrected_table.csv",
        "review_log.csv", "review.json",
    }  # fmt: skip
    table = pd.read_csv(tmp_path / "out" / "reviewed_labels.csv").set_index("row")
    assert len(table) == ROWS - 1
    assert (table.loc[8, "label"], table.loc[8, "label_reviewed"], table.loc[8, "status"]) == (0, 1, "rejected")
    assert (table.loc[9, "label"], table.loc[9, "label_reviewed"]) == (1, 1)
    assert table["label_reviewed"].isna().sum() == ROWS - 3
    assert table.loc[8, ["reason", "note", "reviewer"]].tolist() == ["landslide there", "seen in 2019", ANNA]
    assert table.loc[8, "table_unit_id"] == "U8"
    assert set(label_fields(now)) == set(label_table(now).columns)
    file, layer = tmp_path / "out" / "reviewed_labels.gpkg", "reviewed_labels"
    info, points = pyogrio.read_info(file, layer), pyogrio.read_dataframe(file, layer=layer)
    assert (info["crs"], info["geometry_type"], len(points)) == ("EPSG:32717", "Point", ROWS - 1)
    eight = points[points["row"] == 8].iloc[0]
    assert (eight.geometry.x, eight.geometry.y) == (700_080, 9_550_000 + 90 * 8)
    assert told["labels_corrected"] == {"to_landslide": 1, "to_no_landslide": 0}
    assert "changes" not in told, "nothing but labels"
    assert told["caution"] == CAUTION
    assert json.loads((tmp_path / "out" / "review.json").read_text()) == told


def test_the_corrected_table_is_that_of_the_run_with_other_labels_alone(store: Store, run: str, tmp_path: Path) -> None:
    marked(store, run, ("R8", "R9"), "rejected")
    export_labels(opened(store, run), tmp_path)
    new = read_table_untrusted(tmp_path / "corrected_table.csv")
    old = read_table_untrusted(store.dataset(store.run(run).input("table").dataset_id).path)

    assert new.drop(columns="label").equals(old.drop(columns="label"))
    differing = np.flatnonzero(new["label"] != old["label"])
    assert differing.tolist() == [8, 9]
    assert new["label"][[8, 9]].tolist() == ["yes", "no"]
    again = validated(store, tmp_path / "corrected_table.csv", PLACED)
    first, second = (store.run(one).metrics["auroc_random"] for one in (run, again))
    assert second > first


@pytest.mark.parametrize(
    ("values", "positive", "flipped"),
    [
        ([1, 0, 1, 0, 0], "", [0, 1, 1, 0, 0]),
        (["slide", "none", "slide", "fall", "none"], "slide", ["none", "slide", "slide", "fall", "none"]),
        ([True, False, True, False, False], "", [False, True, True, False, False]),
    ],
)
def test_a_corrected_label_is_written_as_the_table_writes_labels(
    values: list[object], positive: str, flipped: list[object]
) -> None:
    source = pd.DataFrame({"label": values, "slope": range(5)})
    new = corrected_table(source, Columns("label", ("slope",), positive=positive), {0: False, 1: True})

    assert new["label"].tolist() == flipped
    assert new["label"].dtype == source["label"].dtype
    assert source["label"].tolist() == values


def test_rows_without_a_known_coordinate_system_have_no_place(store: Store, tmp_path: Path) -> None:
    path = write_table(tmp_path / "units.csv")
    without = opened(store, validated(store, path, Columns("label", ("slope", "relief"), (), "x", "y")))
    export_labels(without, tmp_path / "out")

    assert without.labelled.places is None
    assert not (tmp_path / "out" / "reviewed_labels.gpkg").exists()
    table = pd.read_csv(tmp_path / "out" / "reviewed_labels.csv")
    assert table.loc[0, ["table_x", "table_y"]].tolist() == [700_000, 9_550_000]


@pytest.fixture(params=["gpkg", "geojson", "zip"])
def layer(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """The same units as squares of 80 m, in UTM 17 S."""
    table = pd.read_csv(write_table(tmp_path / "units.csv")).drop(columns=["x", "y"])
    squares = [box(700_000 + 100 * n, 9_550_000, 700_080 + 100 * n, 9_550_080) for n in range(ROWS)]
    units = geopandas.GeoDataFrame(table, geometry=squares, crs=32717)
    if request.param != "zip":
        units.to_file(tmp_path / f"units.{request.param}")
        return tmp_path / f"units.{request.param}"
    folder = tmp_path / "parts"
    folder.mkdir()
    units.to_file(folder / "units.shp")
    with ZipFile(tmp_path / "units.zip", "w") as archive:
        for part in folder.iterdir():
            archive.write(part, part.name)
    return tmp_path / "units.zip"


def units_of(store: Store, path: Path) -> str:
    """A validation of the units of a layer, with the columns that are guessed."""
    record = store.add_dataset(path, path.name)
    columns = guess_columns(read_rows(record.path, record.form).table)
    request = Request(columns, ("logistic_regression",), ("random", "spatial"), repeats=1)
    return run_inline(store, order_of(record, request))


def test_units_of_a_layer_are_validated_with_a_point_inside_each_as_its_place(store: Store, layer: Path) -> None:
    run = store.run(units_of(store, layer))
    columns = request_of(run).columns

    assert (columns.target, columns.x, columns.y) == ("label", LONGITUDE, LATITUDE)
    assert columns.crs == "EPSG:4326"
    assert set(columns.factors) == {"slope", "relief"}
    assert UNITS in run.notes
    now = opened(store, run.id)
    places = now.labelled.places
    assert places is not None
    assert places.to_crs(32717).area.to_numpy() == pytest.approx(np.full(ROWS - 1, 6400.0), rel=1e-4)
    assert set(now.labelled.table["id"].to_numpy()[now.order][:2]) == {"R8", "R9"}


def test_corrected_units_are_a_layer_that_is_validated_again(store: Store, layer: Path, tmp_path: Path) -> None:
    run = units_of(store, layer)
    marked(store, run, ("R8", "R9"), "rejected")
    export_labels(opened(store, run), tmp_path / "out")

    corrected, labels = (tmp_path / "out" / f"{name}.gpkg" for name in ("corrected_table", "reviewed_labels"))
    assert not (tmp_path / "out" / "corrected_table.csv").exists()
    old, new = read_rows(layer, "vector"), read_rows(corrected, "vector")
    assert new.table["label"].tolist()[7:11] == ["yes", "yes", "no", "no"]
    assert new.table["slope"].equals(old.table["slope"])
    assert new.outlines is not None
    assert old.outlines is not None
    assert new.outlines.geom_equals_exact(old.outlines, 1e-9).all()
    assert pyogrio.read_info(labels, "reviewed_labels")["geometry_type"] in ("Polygon", "MultiPolygon")
    again = units_of(store, corrected)
    assert store.run(again).metrics["auroc_random"] > store.run(run).metrics["auroc_random"]


def test_names_that_a_geopackage_cannot_hold_are_changed_in_it_alone(tmp_path: Path) -> None:
    squares = geopandas.GeoSeries([box(n, 0, n + 1, 1) for n in range(3)], crs=32717)
    table = pd.DataFrame([[1, 2.0, 3.0, "a", 5]] * 3, columns=["fid", "Slope", "slope", "geom", LONGITUDE])
    write_features(to_layer(table, squares), tmp_path / "units.gpkg", "units")

    names = list(read_rows(tmp_path / "units.gpkg", "vector").table.columns)
    assert names == [LONGITUDE, LATITUDE, "Slope", "slope_", "geom_"]


def test_values_that_are_no_numbers_or_texts_do_no_harm(store: Store, tmp_path: Path) -> None:
    squares = [[[n, 0], [n + 0.9, 0], [n + 0.9, 0.9], [n, 0.9], [n, 0]] for n in range(4)]
    features = [
        {"type": "Feature", "geometry": None if n == 2 else {"type": "Polygon", "coordinates": [ring]},
         "properties": {"label": n % 2, "list": [n], "nested": {"a": n}, "when": None}}
        for n, ring in enumerate(squares)
    ]  # fmt: skip
    path = tmp_path / "units.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    read = read_rows(path, "vector")

    assert read.table["list"].tolist() == ["[0]", "[1]", "[2]", "[3]"]
    assert read.table[LONGITUDE].isna().tolist() == [False, False, True, False]
    assert guess_columns(read.table).target == "label"
    record = store.add_dataset(path, path.name)
    with pytest.raises(InputError, match="No cell of units.geojson is complete"):
        run_inline(store, order_of(record, Request(Columns("label", ("when",)), repeats=1)))


def test_only_a_validation_has_labels(store: Store, run: str, tmp_path: Path) -> None:
    mapped = keep(store, made_run(tmp_path / "made", np.full((8, 8), 0.9), "without CRS"))

    assert has_labels(store.run(run))
    assert not has_labels(store.run(mapped.id))
    with pytest.raises(InputError, match="no labels"):
        open_labels(store, store.run(mapped.id))


def test_terms_of_the_table_and_its_corrections_are_told(store: Store, tmp_path: Path) -> None:
    path = write_table(tmp_path / "units.csv")
    table = store.add_dataset(path, "Units", "table", licence="CC-BY-4.0", citation="Anna 2020", synthetic=True)
    request = Request(PLACED, ("logistic_regression",), ("random",), repeats=1)
    run = run_inline(store, order_of(table, request))
    now = marked(store, run, ("R8", "R9"), "rejected")
    told = export_labels(now, tmp_path / "out")["about"]
    assert (told["licence"], told["citation"], told["synthetic"]) == ("CC-BY-4.0", "Anna 2020", "yes")
    assert not [name for name in told if name.startswith("view_")]

    with (tmp_path / "out" / "corrected_table.csv").open("rb") as file:
        made = store.upload_dataset(file, "again", "table", made_from=table, origin=origin_of(now, table.origin))
    assert (made.licence, made.citation, made.synthetic) == ("CC-BY-4.0", "Anna 2020", True)
    assert corrected_in(made.origin) == Corrected(run[:8], 2, 59)
    assert corrected_in("upload") is None
    again = store.run(run_inline(store, order_of(made, request)))
    assert [note for note in again.notes if note.startswith(CORRECTED)] == [
        f"Corrected labels: {CAUTION} In the review of run {run[:8]} (59 rows), 2 labels were corrected."
    ]
    make_report(store, again.id)
    report = again.artifact("report") or store.run(again.id).artifact("report")
    assert report is not None
    assert report.path.read_text(encoding="utf-8").count("not independent evidence") == 1


def test_the_report_has_the_settings_the_curves_and_the_explanations(store: Store, run: str) -> None:
    asked = ExplainRequest("logistic_regression", target="cell", row=7, column=0)
    run_inline(store, order_explanation(store.result(run, SusceptibilityResult), asked))
    content = gather(store, store.run(run), None)
    parts_of = {one.anchor: one for one in parts(content) if one is not None}

    facts = next(one for one in parts_of["provenance"].content if isinstance(one, Facts))
    told = dict(facts.rows)
    assert (told["Label"], told["Coordinates"]) == ("label", "x, y (EPSG:32717)")
    assert (told["Folds"], told["Repeats"], told["Seed"]) == ("5", "1", "0")
    assert told["Models"] == "Logistic regression, Naive Bayes"
    assert any(isinstance(one, Pictures) for one in parts_of["models"].content)
    headings = [one.text for one in parts_of["why"].content if isinstance(one, Heading)]
    assert headings == ["Logistic regression for row R8"]  # row 7 of the design matrix, which lacks R3
    assert any(isinstance(one, Pictures) for one in parts_of["why"].content)


def test_a_model_that_is_significantly_worse_is_named(store: Store, run: str) -> None:
    result = store.result(run, SusceptibilityResult)
    scores = {model: {one: dict(values) for one, values in ours.items()} for model, ours in result.scores.items()}
    scores["naive_bayes"]["random"] |= {"difference": -0.1, "p_value": 0.01}
    told = verdict(replace(result, scores=scores)).others
    assert "Significantly worse than logistic regression on random folds: Naive Bayes." in told
    scores["naive_bayes"]["random"] |= {"difference": -0.1, "p_value": 0.06}
    assert not [one for one in verdict(replace(result, scores=scores)).others if "worse" in one]


def test_a_note_is_kept_without_the_line_breaks_about_it(store: Store, run: str) -> None:
    now = marked(store, run, ("R8",), "rejected", reason=" other ", note="seen on site\n")
    one = now.review.features["R8"]
    assert (one.reason, one.note) == ("other", "seen on site")


def test_the_report_tells_of_the_review_once_there_is_one(store: Store, run: str) -> None:
    make_report(store, run)
    before = store.run(run).artifact("report")
    assert before is not None
    assert "Review of the labels" not in before.path.read_text(encoding="utf-8")
    assert not is_out_of_date(store, store.run(run), before.path)

    marked(store, run, ("R9",), "rejected", reason="<b>other bank</b>")
    marked(store, run, ("R8",), "rejected")
    marked(store, run, ("R10",), "confirmed", note="seen")
    assert is_out_of_date(store, store.run(run), before.path)
    make_report(store, run)
    after = store.run(run).artifact("report")
    assert after is not None
    text = after.path.read_text(encoding="utf-8")
    assert "Review of the labels" in text
    assert "2 wrong (1 from landslide to no landslide, 1 from no landslide to landslide)." in text
    assert "&lt;b&gt;other bank" in text
    assert "not independent evidence" in text


def test_what_is_kept_of_a_report_changes_with_the_review(store: Store, run: str) -> None:
    keys = [gather(store, store.run(run), None).key()]
    marked(store, run, ("R9",), "rejected")
    keys.append(gather(store, store.run(run), None).key())
    marked(store, run, ("R9",), "confirmed")
    keys.append(gather(store, store.run(run), None).key())
    assert len(set(keys)) == 3


def command(capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, object]:
    assert main(["review", *words]) == 0
    told: dict[str, object] = json.loads(capsys.readouterr().out)
    return told


def test_labels_are_reviewed_by_commands(
    store: Store, run: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told = command(capsys, "mark", run, "R8", "R9", "--wrong", "--reviewer", ANNA, "--reason", "other")
    assert told["words"] == "Labels of R8, R9 marked as wrong"
    one = command(capsys, "mark", run, "10", "--correct", "--reviewer", ANNA)
    undone = command(capsys, "undo", run, "--reviewer", ANNA)
    assert one["words"] == undone["words"] == "Label of R10 marked as correct"
    assert told["counts"] == {"unreviewed": ROWS - 3, "confirmed": 0, "rejected": 2}
    command(capsys, "undo", run, "--reviewer", ANNA)
    assert opened(store, run).reviewed == 0
    command(capsys, "redo", run, "--reviewer", ANNA)
    shown = command(capsys, "show", run)
    assert {"R8", "R9"} <= {one["id"] for one in shown["labels"]}  # type: ignore[attr-defined]
    assert command(capsys, "export", run, "--out", str(tmp_path / "out"))["labels_corrected"]["to_landslide"] == 1
    assert (tmp_path / "out" / "corrected_table.csv").exists()


def test_a_command_for_outlines_is_refused_for_labels(
    store: Store, run: str, capsys: pytest.CaptureFixture[str]
) -> None:
    del store
    assert main(["review", "merge", run, "R8", "R9", "--reviewer", ANNA]) != 0
    assert "labels" in capsys.readouterr().err
    assert main(["review", "mark", run, "R3", "--wrong", "--reviewer", ANNA]) != 0
    assert "There is no R3" in capsys.readouterr().err
    assert main(["review", "show", run, "--threshold", "0.5"]) != 0
    assert "--threshold applies to runs of the task" in capsys.readouterr().err
