"""Units of a layer corrected in a review: deleted, drawn, reshaped, split and merged, and what is made of them."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import geopandas
import numpy as np
import pandas as pd
import pyogrio
import pytest
from matplotlib.figure import Figure
from pyproj import Transformer
from shapely.geometry import Point, box, mapping
from shapely.geometry.base import BaseGeometry

from core.cli.main import main
from core.errors import InputError
from core.figures.units import Units, draw_units
from core.raster.grid import Grid
from core.report import label_map
from core.report.labels import labels_part
from core.report.make import make_report
from core.report.parts import Items
from core.review import actions, log, units
from core.review.corrected import CAUTION, Corrected, corrected_in, origin_of, origin_words
from core.review.edits import Edit
from core.review.fit import Fit
from core.review.label_files import export_labels, label_fields, label_table
from core.review.label_words import labels_words
from core.review.labels import OpenedLabels, open_labels
from core.runs.store import Store
from core.tasks.susceptibility.cells import Columns
from core.tasks.susceptibility.rows import LATITUDE, LONGITUDE, read_rows
from core.wording import moment
from tests.tasks.susceptibility.test_labelled import ANNA, PLACED, ROWS, validated, write_table

COLUMNS = Columns("label", ("slope", "relief"))
SIDE = 80


def square(n: int, *, width: float = SIDE) -> BaseGeometry:
    """Outline of unit n, which touches the next one."""
    return box(700_000 + SIDE * n, 9_550_000, 700_000 + SIDE * n + width, 9_550_000 + SIDE)


@pytest.fixture
def layer(tmp_path: Path) -> Path:
    """Units in a row that touch one another, in UTM 17 S."""
    table = pd.read_csv(write_table(tmp_path / "units.csv")).drop(columns=["x", "y"])
    table.loc[10, "slope"] = 30.5
    geopandas.GeoDataFrame(table, geometry=[square(n) for n in range(ROWS)], crs=32717).to_file(tmp_path / "units.gpkg")
    return tmp_path / "units.gpkg"


@pytest.fixture
def run(store: Store, layer: Path) -> str:
    return validated(store, layer, COLUMNS)


def now(store: Store, run: str) -> OpenedLabels:
    return open_labels(store, store.run(run))


def taken(store: Store, run: str, edit: Edit) -> OpenedLabels:
    opened = now(store, run)
    log.append(store, run, opened.features, edit, reviewer=ANNA, seen=opened.review.number, view=opened.view_values)
    return now(store, run)


def judged(store: Store, run: str, ids: Sequence[str], judgement: Any) -> OpenedLabels:
    return taken(store, run, now(store, run).judge(tuple(ids), judgement))


def corrected(opened: OpenedLabels, folder: Path) -> geopandas.GeoDataFrame:
    export_labels(opened, folder)
    return pyogrio.read_dataframe(folder / "corrected_table.gpkg")


def row_of(opened: OpenedLabels, name: str) -> pd.Series[Any]:
    return opened.rows.set_index("id").loc[name]


def test_a_deleted_row_is_left_out_of_the_corrected_data_and_can_be_restored(
    store: Store, run: str, tmp_path: Path
) -> None:
    opened = taken(store, run, Edit("delete", ("R5", "R9"), reason="duplicate"))

    assert labels_words(opened) == "2 of 59 rows reviewed. 2 rows were deleted."
    assert opened.changes.removed == {5, 9}
    made = corrected(opened, tmp_path / "out")
    assert len(made) == ROWS - 2
    assert not made["unit_id"].isin(["U5", "U9"]).any()
    assert "U3" in set(made["unit_id"])  # was not validated, and stays
    assert not label_table(opened)["id"].isin(["R5", "R9"]).any()
    back = taken(store, run, Edit("restore", ("R5",)))
    assert back.changes.removed == {9}
    assert list(back.rows["id"][:6]) == ["R0", "R1", "R2", "R4", "R5", "R6"]  # in the order of the table again


def test_rows_of_a_table_can_be_deleted_but_have_no_outlines(store: Store, tmp_path: Path) -> None:
    run = validated(store, write_table(tmp_path / "units.csv"), PLACED)
    opened = taken(store, run, Edit("delete", ("R5",)))

    assert not opened.labelled.has_outlines
    assert set(opened.counts) == {"unreviewed", "confirmed", "rejected"}
    with pytest.raises(InputError, match="no outlines in a known coordinate system"):
        opened.drawn(mapping(box(0, 0, 1, 1)))
    told = export_labels(opened, tmp_path / "out")
    assert len(pd.read_csv(tmp_path / "out" / "corrected_table.csv")) == ROWS - 1
    assert told["changes"]["deleted"] == 1
    assert told["caution"] == CAUTION


def test_a_reshaped_unit_keeps_its_values_and_loses_its_score(store: Store, run: str, tmp_path: Path) -> None:
    before = now(store, run)
    opened = taken(store, run, actions.reshape(before.review, "R8", square(8, width=60)))

    assert before.rows["score"].notna().all()
    assert np.isnan(row_of(opened, "R8")["score"])
    assert (row_of(opened, "R8")["status"], row_of(opened, "R8")["made"]) == ("edited", False)
    assert labels_words(opened) == "1 of 59 rows reviewed. 1 row was given another outline."
    made = corrected(opened, tmp_path / "out").set_index("unit_id")
    assert len(made) == ROWS
    assert made.loc["U8", "geometry"].area == pytest.approx(60 * SIDE)
    assert made.loc["U8", "slope"] == 14
    assert made.loc["U7", "geometry"].area == pytest.approx(SIDE * SIDE)


def test_what_changed_outlines_share_and_leave_is_said(store: Store, run: str, tmp_path: Path) -> None:
    assert now(store, run).fit == Fit()
    taken(store, run, actions.reshape(now(store, run).review, "R8", square(8, width=60)))
    opened = taken(store, run, actions.reshape(now(store, run).review, "R5", square(5, width=SIDE + 30)))

    # 20 m of R8 are left, 30 m of R6 are taken, up to the 0.1 % by which UTM differs from the ground.
    assert (opened.fit.gap, opened.fit.overlap) == (pytest.approx(20 * SIDE, rel=3e-3), pytest.approx(2400, rel=3e-3))
    told = export_labels(opened, tmp_path / "out")
    assert told["gap_of_changed_outlines_m2"] == round(opened.fit.gap)
    assert told["overlap_of_changed_outlines_m2"] == round(opened.fit.overlap)
    overlap, gap = opened.fit.words
    assert re.fullmatch(r"Outlines overlap since .+: 2,[34]\d\d m² are part of more than one unit\.", overlap)
    assert gap.startswith("1,6") or gap.startswith("1,5")
    assert told["caution"].endswith(f"{overlap} {gap}")

    # What is cut off and drawn as a unit of its own, split, merged or deleted leaves no gap.
    rest = box(700_000 + SIDE * 8 + 60, 9_550_000, 700_000 + SIDE * 9, 9_550_000 + SIDE)
    taken(store, run, units.draw(now(store, run).review, rest, landslide=False))
    taken(store, run, actions.split_off(now(store, run).review, "R12", square(12, width=20)))
    taken(store, run, actions.merge(now(store, run).review, ("R15", "R16"), "unit"))
    opened = taken(store, run, Edit("delete", ("R20",), reason="duplicate"))
    assert opened.fit.gap == 0
    assert opened.fit.overlap == pytest.approx(2400, rel=3e-3)
    assert len(opened.fit.words) == 1


def test_a_label_that_was_wrong_stays_corrected_when_the_outline_changes(store: Store, run: str) -> None:
    judged(store, run, ["R9"], "rejected")  # labelled as landslide; there is none
    opened = taken(store, run, actions.reshape(now(store, run).review, "R9", square(9, width=60)))

    one = opened.review.features["R9"]
    assert (one.label, one.status, one.origin) == (True, "rejected", "edited"), "that of the layer, marked as wrong"
    assert opened.corrections == {9: False}
    assert labels_words(opened) == (
        "1 of 59 rows reviewed. 1 row was given another outline. "
        "Changed and drawn units: 0 labels correct, 1 wrong (1 from landslide to no landslide)."
    )
    confirmed = judged(store, run, ["R9"], "confirmed")  # but there is one
    assert confirmed.review.features["R9"].status == "confirmed", "its label was checked, whatever its outline"
    assert confirmed.corrections == {}
    judged(store, run, ["R10"], "confirmed")
    assert labels_words(judged(store, run, ["R12"], "rejected")) == (
        "3 of 59 rows reviewed: 1 label correct, 1 wrong (1 from no landslide to landslide). "
        "1 row was given another outline. Changed and drawn units: 1 label correct, 0 wrong."
    ), "each row is counted once"
    assert confirmed.reasons(["R9"])[0] == "no landslide there"
    kept = taken(store, run, actions.cut_from(confirmed.review, "R9", square(9, width=20)))
    assert kept.review.features["R9"].status == "confirmed", "nor is this lost when the outline changes"


def test_what_was_said_of_the_labels_of_parts_holds_of_what_they_are_merged_to(store: Store, run: str) -> None:
    """Of rows 10 and 12 none is labelled as landslide, of 9 and 11 each is."""

    def merged(*rows: str) -> tuple[bool | None, str, bool | None, str, str]:
        opened = taken(store, run, actions.merge(now(store, run).review, rows, "unit"))
        one = next(one for one in opened.review.features.values() if set(rows) == set(one.parents))
        log.undo(store, run, opened.features, ANNA)
        return one.label, one.status, one.reviewed_label, one.reason, one.note

    def said(row: str, judgement: Any, reason: str = "", note: str = "") -> None:
        taken(store, run, now(store, run).judge((row,), judgement, reason, note))

    assert merged("R10", "R12") == (False, "edited", False, "", "")
    said("R10", "rejected", "landslide there", "seen")
    assert merged("R10", "R12") == (False, "rejected", True, "landslide there", "R10: seen")
    assert merged("R10", "R11") == (True, "edited", True, "", "R10: seen"), "labelled as landslide as it was"
    said("R11", "confirmed")
    assert merged("R11", "R12")[:3] == (True, "confirmed", True), "whatever the other is"
    said("R11", "rejected", "other process")
    assert merged("R11", "R12")[:4] == (True, "rejected", False, "other process")
    assert merged("R10", "R11")[:3] == (True, "confirmed", True), "both were judged, and one holds a landslide"


def test_a_changed_unit_cannot_become_unreviewed_by_its_label(store: Store, run: str) -> None:
    taken(store, run, actions.reshape(now(store, run).review, "R8", square(8, width=60)))
    assert not now(store, run).review.features["R8"].is_judged
    assert judged(store, run, ["R8"], "rejected").review.features["R8"].is_judged
    opened = judged(store, run, ["R8"], "unreviewed")
    assert opened.review.features["R8"].status == "edited"
    assert labels_words(opened) == "1 of 59 rows reviewed. 1 row was given another outline."


def test_parts_of_a_split_unit_keep_its_values_and_get_labels_of_their_own(
    store: Store, run: str, tmp_path: Path
) -> None:
    taken(store, run, actions.split_off(now(store, run).review, "R9", square(9, width=20)))
    opened = judged(store, run, ["R9b"], "rejected")

    assert labels_words(opened) == (
        "1 of 59 rows reviewed. 1 row was split. "
        "Changed and drawn units: 0 labels correct, 1 wrong (1 from landslide to no landslide)."
    )
    assert opened.changes.corrected == 1
    assert opened.changes.removed == {9}
    assert opened.corrections == {}
    first, second = sorted(opened.changes.made, key=lambda unit: -unit.outline.area)
    assert (first.label, second.label) == (True, False)
    assert first.shares == second.shares == {9: pytest.approx(1.0)}
    made = corrected(opened, tmp_path / "out")
    parts = made[made["unit_id"] == "U9"].sort_values("label")
    assert parts["label"].tolist() == ["no", "yes"]
    assert parts.geometry.area.tolist() == pytest.approx([20 * SIDE, 60 * SIDE])
    assert parts["slope"].tolist() == [0, 0]
    table = label_table(opened).set_index("id")
    assert table.loc[["R9a", "R9b"], "parents"].tolist() == ["R9", "R9"]
    assert table.loc["R9a", "row"] is pd.NA
    assert table.loc["R9a", "table_unit_id"] == "U9"


def test_a_merged_unit_has_means_by_area_and_a_landslide_where_a_part_has_one(
    store: Store, run: str, tmp_path: Path
) -> None:
    taken(store, run, actions.reshape(now(store, run).review, "R11", square(11, width=20)))
    opened = taken(store, run, actions.merge(now(store, run).review, ["R10", "R11"], "unit"))

    (unit,) = opened.changes.made
    assert unit.shares == {10: pytest.approx(0.8), 11: pytest.approx(0.2)}
    assert unit.label is True  # that of R11
    assert opened.changes.removed == {10, 11}
    assert labels_words(opened) == "2 of 59 rows reviewed. 2 rows were merged."
    made = corrected(opened, tmp_path / "out")
    merged = made[made["unit_id"] == "U10"].iloc[0]  # that of the largest part
    assert merged["slope"] == pytest.approx(0.8 * 30.5 + 0.2 * 14)
    assert merged["relief"] == pytest.approx(0.8 * 0 + 0.2 * 1)
    assert merged["label"] == "yes"
    assert len(made) == ROWS - 1
    assert opened.review.features["R10"].made_of == "merged with R11"
    assert merged["review_id"] == "R10"
    values = opened.values_of("R10")
    assert (values["slope"], values["unit_id"]) == (pytest.approx(merged["slope"]), "U10")
    assert "geometry" not in values
    assert opened.values_of("R12")["slope"] == opened.labelled.source["slope"].iloc[12]


def test_a_merged_value_is_unknown_where_that_of_a_part_is(store: Store, run: str, tmp_path: Path) -> None:
    taken(store, run, units.draw(now(store, run).review, square(60), landslide=False))
    opened = taken(store, run, actions.merge(now(store, run).review, ["R59", "N1"], "unit"))

    (unit,) = opened.changes.made
    assert unit.shares == {59: pytest.approx(0.5)}  # the other half is of nothing that was measured
    made = corrected(opened, tmp_path / "out")
    assert made[made["unit_id"] == "U59"]["slope"].isna().all()


def test_a_drawn_unit_has_a_label_and_no_values(store: Store, run: str, tmp_path: Path) -> None:
    taken(store, run, units.draw(now(store, run).review, square(61), landslide=True))
    opened = taken(store, run, units.draw(now(store, run).review, square(63), landslide=False, note="from the field"))

    assert [one.edit.words for one in opened.review.log[1:]] == [
        "N1 drawn, labelled as landslide", "N2 drawn, labelled as no landslide",
    ]  # fmt: skip
    assert labels_words(opened) == "0 of 59 rows reviewed. 2 units were drawn."
    assert opened.rows["id"].tolist()[-2:] == ["N1", "N2"]
    assert row_of(opened, "N1")["row"] == -1
    assert opened.values_of("N1")["label"] == "yes"
    assert opened.values_of("N1").drop(["label", "review_id"]).isna().all()
    made = corrected(opened, tmp_path / "out")
    added = made[made["unit_id"].isna()]
    assert added["label"].tolist() == ["yes", "no"]
    assert added["slope"].isna().all()
    again = validated(store, tmp_path / "out" / "corrected_table.gpkg", COLUMNS)
    assert "N1" not in now(store, again).features
    assert len(now(store, again).features) == ROWS - 1  # models leave out what has no values
    judged(store, run, ["N1"], "rejected")
    assert [unit.label for unit in now(store, run).changes.made] == [False, False]


def test_coordinates_of_a_changed_unit_are_those_of_its_new_outline(store: Store, layer: Path) -> None:
    columns = replace(COLUMNS, x=LONGITUDE, y=LATITUDE, crs="EPSG:4326")
    run = validated(store, layer, columns)
    taken(store, run, actions.reshape(now(store, run).review, "R8", square(8, width=20)))
    opened = taken(store, run, units.draw(now(store, run).review, square(61), landslide=True))

    table = label_table(opened).set_index("id")[[f"table_{LONGITUDE}", f"table_{LATITUDE}"]]
    back = Transformer.from_crs(4326, 32717, always_xy=True)
    for name, outline in (("R7", square(7)), ("R8", square(8, width=20)), ("N1", square(61))):
        assert outline.contains(Point(back.transform(*table.loc[name])))
        assert opened.values_of(name)[[LONGITUDE, LATITUDE]].tolist() == table.loc[name].tolist()
    fields = label_fields(opened)
    assert fields[f"table_{LONGITUDE}"].meaning.startswith("Coordinate of a point inside the outline")
    assert "largest part" in fields["table_unit_id"].meaning


def test_edits_of_units_are_undone_and_names_not_used_twice(store: Store, run: str) -> None:
    opened = taken(store, run, actions.merge(now(store, run).review, ["R10", "R11"], "unit"))
    log.undo(store, run, opened.features, ANNA)
    assert not now(store, run).changes
    assert now(store, run).reviewed == 0
    log.redo(store, run, opened.features, ANNA)
    assert now(store, run).changes.removed == {10, 11}
    taken(store, run, units.draw(now(store, run).review, square(61), landslide=True))
    taken(store, run, Edit("delete", ("N1",)))
    assert list(units.draw(now(store, run).review, square(61), landslide=True).made) == ["N2"]


def test_a_label_of_a_drawn_unit_is_kept_in_the_log_whatever_it_is() -> None:
    for label in (True, False, None):
        edit = Edit("draw", made={"N1": mapping(square(1))}, label=label)
        assert Edit.from_json(json.loads(json.dumps(edit.to_json()))).label is label


def test_units_far_apart_are_not_merged(store: Store, run: str) -> None:
    with pytest.raises(InputError, match="too far apart to be one unit"):
        actions.merge(now(store, run).review, ["R10", "R40"], "unit")


def test_the_corrected_layer_says_what_was_done_to_it(store: Store, run: str, tmp_path: Path) -> None:
    taken(store, run, Edit("delete", ("R5",)))
    judged(store, run, ["R8"], "rejected")
    opened = taken(store, run, actions.split_off(now(store, run).review, "R9", square(9, width=20)))

    origin = origin_of(opened, "uploaded")
    done = units.Done(deleted=1, split=1)
    corrected = Corrected(run[:8], 1, 59, done)
    assert corrected_in(origin) == corrected
    before = "labels corrected in the review of run 0123abcd (3 of 480); rows removed: 3; before: uploaded"
    assert corrected_in(before) == Corrected("0123abcd", 3, 480), "as written by an earlier version"
    chained = corrected_in(origin_of(opened, before))
    assert chained is not None
    assert chained.before == Corrected("0123abcd", 3, 480)
    assert Corrected.from_json(asdict(chained)) == chained
    words = f"In the review of run {run[:8]} (59 rows), 1 label was corrected. 1 row was deleted and 1 row was split."
    assert corrected.words == words
    told = export_labels(opened, tmp_path / "out")
    assert told["caution"] == corrected.cautions == " ".join((CAUTION, *done.attributes))
    assert "merged" not in told["caution"], "nothing was"
    assert told["changes"] == {"deleted": 1, "split": 1, "merged": 0, "drawn": 0, "redrawn": 0}
    assert (told["rows"], told["rows_reviewed"]) == (59, 3)
    assert told["units_by_status"] == {"unreviewed": 56, "confirmed": 0, "rejected": 1, "edited": 2, "added": 0}
    assert set(label_fields(opened)) == set(label_table(opened).columns)


def test_the_report_lists_what_became_of_units(store: Store, run: str) -> None:
    taken(store, run, Edit("delete", ("R5",)))
    taken(store, run, units.draw(now(store, run).review, square(61), landslide=True))
    make_report(store, run)
    report = store.run(run).artifact("report")
    assert report is not None
    text = report.path.read_text(encoding="utf-8")

    assert "1 row was deleted and 1 unit was drawn." in text
    assert "unit added" in text
    assert "N1" in text


def outline_file(path: Path, outline: BaseGeometry) -> str:
    lonlat = Transformer.from_crs(32717, 4326, always_xy=True)
    ring = [lonlat.transform(*corner) for corner in outline.exterior.coords]  # type: ignore[attr-defined]
    path.write_text(json.dumps({"type": "Polygon", "coordinates": [ring]}))
    return str(path)


def told_by(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    assert main(["review", *arguments]) == 0
    said: dict[str, Any] = json.loads(capsys.readouterr().out)
    return said


def test_units_are_corrected_by_commands(
    store: Store, run: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLIDELENS_HOME", str(store.home))
    capsys.readouterr()
    half = outline_file(tmp_path / "half.geojson", square(9, width=40))
    by = ("--reviewer", ANNA)

    assert told_by(capsys, "delete", run, "5", *by)["words"] == "R5 deleted"
    assert told_by(capsys, "restore", run, "5", *by)["words"] == "R5 restored"
    assert told_by(capsys, "split", run, "9", "--outline", half, *by)["words"] == "R9 split into R9a, R9b"
    assert told_by(capsys, "merge", run, "10", "R11", *by)["words"] == "R11 merged into R10"
    assert told_by(capsys, "reshape", run, "9a", "--outline", half, *by)["overlaps"][0]["overlaps"] == "R9b"
    new = outline_file(tmp_path / "new.geojson", square(62))
    assert main(["review", "draw", run, "--outline", new, *by]) == 2
    assert "Give --landslide or --no-landslide." in capsys.readouterr().err
    told = told_by(capsys, "draw", run, "--outline", new, "--no-landslide", *by)
    assert told["words"] == "N1 drawn, labelled as no landslide"
    assert told["counts"]["added"] == 1
    shown = told_by(capsys, "show", run)
    assert shown["changes"] == {"deleted": 0, "split": 1, "merged": 2, "drawn": 1, "redrawn": 0}
    assert {one["id"] for one in shown["labels"] if one["status"] != "unreviewed"} == {"R9a", "R9b", "R10", "N1"}
    assert main(["review", "searched", run, *by]) == 2
    assert "do not allow 'searched'" in capsys.readouterr().err


def test_a_unit_without_an_outline_is_not_merged_or_reshaped(store: Store, layer: Path) -> None:
    frame = geopandas.read_file(layer)
    frame.loc[5, "geometry"] = None
    frame.to_file(layer)
    opened = now(store, validated(store, layer, COLUMNS))

    assert not opened.review.features["R5"].is_polygon
    for change in (
        lambda: actions.merge(opened.review, ["R5", "R6"], "unit"),
        lambda: actions.reshape(opened.review, "R5", square(5)),
        lambda: actions.nearest(opened.review, "R5"),
    ):
        with pytest.raises(InputError, match="R5 has no outline"):
            change()
    assert actions.nearest(opened.review, "R6") == "R7"
    assert actions.nearest(opened.review, "R4") in ("R2", "R6")  # R3 was not validated


def test_a_unit_drawn_far_away_is_refused(store: Store, run: str) -> None:
    with pytest.raises(InputError, match="outside the area of the units"):
        now(store, run).drawn(mapping(box(10, 50, 11, 51)))


def test_values_of_rows_that_were_not_validated_stay(store: Store, run: str, layer: Path, tmp_path: Path) -> None:
    opened = taken(store, run, actions.merge(now(store, run).review, ["R10", "R11"], "unit"))
    export_labels(opened, tmp_path / "out")
    old = read_rows(layer, "vector").table.set_index("unit_id")
    new = read_rows(tmp_path / "out" / "corrected_table.gpkg", "vector").table.set_index("unit_id")

    same = old.index.difference(["U10", "U11"])
    assert new.loc[same, "label"].equals(old.loc[same, "label"])
    assert new.loc[same, "slope"].equals(old.loc[same, "slope"])
    assert np.isnan(new.loc["U3", "slope"])


def test_the_report_shows_the_reviewed_units_on_a_map(
    store: Store, run: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: dict[str, Any] = {}

    def draw(grid: Grid, groups: Sequence[Units], named: geopandas.GeoDataFrame) -> Figure:
        drawn.update(grid=grid, groups={one.words: one for one in groups}, named=list(named["id"]))
        return draw_units(grid, groups, named)

    monkeypatch.setattr(label_map, "draw_units", draw)
    judged(store, run, ["R8", "R9"], "rejected")
    judged(store, run, ["R10"], "confirmed")
    taken(store, run, Edit("delete", ("R20", "R21")))
    opened = taken(store, run, units.draw(now(store, run).review, square(ROWS + 5), landslide=True))
    shown = label_map.label_map(opened, ["R9", "R8", "R10", "unknown"])

    assert shown is not None
    numbers = {name: len(one.places) for name, one in drawn["groups"].items()}
    assert numbers.pop("Labelled: landslide") + numbers.pop("Labelled: no landslide") == ROWS - 1 - 3 - 2 + 1
    assert numbers == {
        "Label not known": 0, "Label correct": 1, "Label wrong": 2, "Outline changed or drawn": 1, "Deleted": 2,
    }  # fmt: skip
    assert drawn["named"] == ["R9", "R8", "R10"]
    (new,) = drawn["groups"]["Outline changed or drawn"].places
    assert new.equals_exact(square(ROWS + 5), 1e-6)
    left, _, right, _ = drawn["grid"].bounds
    assert left < new.bounds[0] < new.bounds[2] < right  # the map also holds what lies beside the layer
    (picture,) = shown.pictures
    assert picture.caption == (
        "The units after the review. Coordinates: WGS 84 / UTM zone 17S (EPSG:32717). Named: the units that "
        "are listed below."
    )
    make_report(store, run)
    report = store.run(run).artifact("report")
    assert report is not None
    assert picture.caption in report.path.read_text(encoding="utf-8")


def test_the_report_says_of_what_was_deleted_what_it_was(store: Store, run: str) -> None:
    opened = taken(store, run, Edit("delete", ("R9",), reason="duplicate", note="same as R8"))
    part = labels_part(opened)
    assert part is not None
    (told,) = next(one for one in part.content if isinstance(one, Items) and one.title == "Deleted").items
    when = moment(datetime.fromtimestamp(opened.review.log[-1].created, UTC))
    assert told == f"R9 (unit_id U9, labelled: landslide): deleted by Anna, {when}; duplicate; same as R8"


def test_the_label_of_a_drawn_unit_is_none_of_those_that_were_corrected(
    store: Store, run: str, tmp_path: Path
) -> None:
    taken(store, run, units.draw(now(store, run).review, square(ROWS + 5), landslide=True))
    judged(store, run, ["N1"], "rejected")
    opened = judged(store, run, ["R10"], "rejected")
    assert opened.changes.corrected == 1
    assert export_labels(opened, tmp_path / "out")["labels_corrected"] == {"to_landslide": 1, "to_no_landslide": 0}


def test_the_origin_of_corrected_data_is_told_in_words(store: Store, run: str) -> None:
    assert origin_words("upload") == "upload"
    opened = taken(store, run, Edit("delete", ("R9",)))
    once = origin_of(opened, "uploaded")
    words = f"In the review of run {run[:8]} (59 rows), 0 labels were corrected. 1 row was deleted"
    assert origin_words(once) == f"uploaded; labels corrected. {words}"
    twice = origin_words(origin_of(opened, once))
    assert twice == f"uploaded; labels corrected. {words}. Before that: {words}"


def test_rows_without_a_place_are_counted_below_the_map(store: Store, tmp_path: Path) -> None:
    path = write_table(tmp_path / "rows.csv")
    opened = taken(store, validated(store, path, PLACED), Edit("delete", ("R5",)))
    places = opened.labelled.places
    assert places is not None
    places = places.copy()
    places.iloc[[6, 7]] = None
    shown = label_map.label_map(replace(opened, labelled=replace(opened.labelled, places=places)), [])
    assert shown is not None
    assert "2 rows without a place are not on the map." in shown.pictures[0].caption
    placeless = validated(store, path, replace(PLACED, crs=""))
    assert label_map.label_map(now(store, placeless), []) is None
