"""The reviewed inventory: for other programs, as a reference, and as training data."""

from __future__ import annotations

import csv
import json
import re
import sqlite3
from contextlib import closing
from dataclasses import replace
from io import TextIOWrapper
from pathlib import Path
from xml.etree import ElementTree
from zipfile import ZipFile

import geopandas
import numpy as np
import pandas
import pyogrio
import pyproj
import pytest
import rasterio
from rasterio.warp import transform_geom
from rasterio.windows import Window
from shapely.geometry import MultiPolygon, Polygon, box, mapping
from shapely.geometry import shape as outline_of

from core.errors import InputError
from core.raster.align import reference_reader
from core.raster.fields import KNOWN, NEVER
from core.raster.inventory import UNKNOWN
from core.raster.review_marks import review_in, reviewed_by
from core.review import actions
from core.review.edit_log import time_text
from core.review.edits import Edit
from core.review.fields import review_fields
from core.review.found import Opened, open_review
from core.review.geometry import drawn_outline
from core.review.inventory import export_review, inventory, reference_mask, summary, write_reference
from core.review.log import append
from core.review.overlap import overlaps
from core.review.state import STATUSES
from core.review.totals import totals, totals_words
from core.review.training import write_training
from core.runs.store import Store
from core.tasks.detection.boxes import Boxes
from core.tasks.detection.candidates import read_boxes
from core.tasks.detection.run import write_reference as write_boxes_of_reference
from core.tasks.mapping.view import Choice
from core.tasks.susceptibility.landslides import InventoryPlan, landslides_of
from tests.factories import keep, keep_detection, made_detection, made_run, write_raster


@pytest.fixture
def run(store: Store, tmp_path: Path) -> str:
    return kept_run(store, tmp_path)


def kept_run(store: Store, folder: Path, dem: Path | None = None) -> str:
    """Two landslides of 6 × 10 and 4 × 5 pixels of 10 m; the last column has no data."""
    probability = np.zeros((40, 50))
    probability[4:10, 5:15] = 0.9
    probability[20:24, 30:35] = 0.8
    probability[:, 49] = np.nan
    values = np.full((3, 40, 50), 90, np.uint8)
    values[:, 4:10, 5:15] = 200
    record = store.add_scene(write_raster(folder / "scene.tif", values), "scene.tif", dem=dem)
    made = made_run(folder / "made", probability, scene_digest=record.scene.digest)
    return str(keep(store, made, record.id).id)


def opened(store: Store, run: str) -> Opened:
    return open_review(store, store.run(run), None if store.run(run).task == "detection" else Choice(0.5))


def edited(store: Store, run: str, edit: Edit) -> Opened:
    now = opened(store, run)
    append(store, run, now.features, edit, reviewer="Anna", seen=now.review.number, view=now.view_values)
    return opened(store, run)


def finished(store: Store, run: str) -> Opened:
    """The first is right, the second is not, one of 5 × 4 pixels was missed, and nothing else."""
    first, second = opened(store, run).features
    edited(store, run, Edit("judge", (first,)))
    edited(store, run, Edit("judge", (second,), judgement="rejected", reason="road or building"))
    drawn = box(500_400, 5_199_640, 500_450, 5_199_680)  # rows 32 to 35, columns 40 to 44
    edited(store, run, actions.draw(opened(store, run).review, drawn, opened(store, run).found.grid))
    return edited(store, run, Edit("examined"))


def test_other_programs_read_status_reviewer_and_origin(store: Store, run: str, tmp_path: Path) -> None:
    now = finished(store, run)
    summary = export_review(now, tmp_path / "out")
    table = geopandas.read_file(tmp_path / "out" / "reviewed.gpkg", layer="reviewed_inventory")
    assert table["status"].tolist() == ["confirmed", "rejected", "added"]
    assert table["landslide"].tolist() == [1, 0, 1]
    style = geopandas.read_file(tmp_path / "out" / "reviewed.gpkg", layer="layer_styles")["styleQML"][0]
    assert all(f'value="{status}"' in style for status in STATUSES)
    assert set(table["reviewer"]) == {"Anna"}
    assert set(table["run"]) == {run}
    assert set(table["view_threshold"]) == {0.5}
    assert table["reason"].tolist()[1] == "road or building"
    assert pandas.to_datetime(table["reviewed"]).notna().all()
    assert table.crs.to_epsg() == 32633
    # Pixels of 10 m, within the 0.1 % by which UTM differs from the ground.
    assert table["area_m2"].tolist() == pytest.approx([6000, 2000, 2000], rel=2e-3)
    # The model says nothing of what it did not find.
    assert table["mean_probability"].isna().tolist() == [False, False, True]
    places = json.loads((tmp_path / "out" / "reviewed.geojson").read_text("utf-8"))["features"]
    assert len(places) == 3
    csv = pandas.read_csv(tmp_path / "out" / "reviewed.csv")
    assert csv["status"].tolist() == ["confirmed", "rejected", "added"]
    shapes = geopandas.read_file(tmp_path / "out" / "reviewed.shp.zip")
    assert (shapes["status"].tolist(), shapes.crs.to_epsg()) == (["confirmed", "rejected", "added"], 32633)
    kml = (tmp_path / "out" / "reviewed.kml").read_text("utf-8")
    assert re.findall("<styleUrl>#([a-z]+)</styleUrl>", kml) == ["confirmed", "rejected", "added"]
    assert set(re.findall('<Style id="([a-z]+)">', kml)) == set(STATUSES)
    assert (summary["finished"], summary["counts"]["added"]) == (True, 1)
    log = pandas.read_csv(tmp_path / "out" / "review_log.csv")
    assert log["operation"].tolist() == ["begin", "judge", "judge", "draw", "examined"]


def test_the_ground_is_measured_within_all_outlines_where_the_elevation_is_known(
    store: Store, run: str, tmp_path: Path
) -> None:
    """A plane that rises by 0.3 m per metre to the east, so that it faces west."""
    export_review(finished(store, run), tmp_path / "flat")
    assert not {"slope_mean_deg", "elevation_m"} & set(pandas.read_csv(tmp_path / "flat" / "reviewed.csv"))

    heights = np.tile(1000 + 3 * np.arange(50, dtype=np.float32), (40, 1))
    (tmp_path / "with").mkdir()
    with_dem = kept_run(store, tmp_path / "with", write_raster(tmp_path / "dem.tif", heights[None]))
    export_review(finished(store, with_dem), tmp_path / "out")
    table = geopandas.read_file(tmp_path / "out" / "reviewed.gpkg", layer="reviewed_inventory")
    assert table["status"].tolist() == ["confirmed", "rejected", "added"]
    assert table["slope_mean_deg"].tolist() == pytest.approx([np.degrees(np.arctan(0.3))] * 3, rel=1e-3)
    assert table["aspect_deg"].tolist() == pytest.approx([270] * 3, abs=2)  # grid north is not north
    assert table["relief_m"].tolist() == [27, 12, 12]
    columns = (table.geometry.representative_point().x - 500_000) // 10
    assert table["elevation_m"].tolist() == (1000 + 3 * columns).tolist()
    fields = pandas.read_csv(tmp_path / "out" / "reviewed_fields.csv").set_index("field")["empty_value"]
    assert fields[["slope_mean_deg", "elevation_m"]].tolist() == ["no elevation is known there"] * 2


def test_a_geopackage_tells_where_the_inventory_is_from_and_what_its_columns_hold(
    store: Store, run: str, tmp_path: Path
) -> None:
    now = finished(store, run)
    export_review(now, tmp_path / "out")
    path, layer = tmp_path / "out" / "reviewed.gpkg", "reviewed_inventory"
    told = pyogrio.read_info(path, layer=layer)["layer_metadata"]
    assert (told["run"], told["view_threshold"], told["licence"]) == (run, "0.5", "not stated")
    assert told["review"] == (
        "2 of 2 landslides reviewed, 1 added; the whole area was searched for landslides missed by the model"
    )
    assert (told["reviewers"], told["date"]) == ("Anna", time_text(now.review.log[-1].created))
    frame = geopandas.read_file(path, layer=layer)
    assert frame["note"].isna().all(), "what is empty is null, as a GIS filters it"
    with closing(sqlite3.connect(path)) as database:
        meanings = dict(database.execute("SELECT column_name, description FROM gpkg_data_columns").fetchall())
        columns = {row[1] for row in database.execute(f"PRAGMA table_info({layer})")}
    assert set(meanings) == columns - {"fid", "geom"}
    assert "1 = yes (correct, outline corrected or added); 0 = no (false alarm)" in meanings["landslide"]
    assert "Unit: m²" in meanings["area_m2"]
    assert "Format: ISO 8601" in meanings["reviewed"]


def test_the_totals_are_of_what_is_in_the_inventory(store: Store, run: str, tmp_path: Path) -> None:
    now = finished(store, run)
    these = totals(now)
    assert [one.number for one in (these.whole, these.landslides, these.false_alarms, these.unreviewed)] == [3, 2, 1, 0]
    # Pixels of 10 m, within the 0.1 % by which UTM differs from the ground.
    assert [one.size for one in (these.whole, these.landslides, these.false_alarms)] == pytest.approx(
        [10_000, 8_000, 2_000], rel=2e-3
    )
    words = (
        r"holds 3 outlines \(10,0\d\d m²\): 2 accepted as landslides \(8,0\d\d m²\), "
        r"1 false alarm \(2,00\d m²\)\. The model found 2 landslides \([\d,]+ m²\)\."
    )
    assert re.search(words, totals_words(now))
    told = export_review(now, tmp_path / "out")
    assert told["totals"]["landslides"] == 2
    own = sum(one.values["area_m2"] for one in now.features.values())
    assert (told["totals"]["model"], told["totals"]["model_area_m2"]) == (2, pytest.approx(own))
    first = next(iter(now.features))
    gone = totals(edited(store, run, Edit("delete", (first,))))
    assert (gone.whole.number, gone.landslides.number) == (2, 1)
    assert (these.whole.overlap, these.landslides.overlap) == (0, 0)
    assert "overlap" not in totals_words(now)
    drawn = next(name for name, one in now.review.features.items() if one.status == "added")
    told = summary(edited(store, run, Edit("delete", (drawn,))))
    assert (told["deleted"], told["deleted_drawn_by_reviewers"]) == (2, 1)


def test_slivers_of_an_outline_that_crosses_itself_are_left_out(store: Store, run: str) -> None:
    grid = opened(store, run).found.grid
    corners = [(5, 5), (15, 5), (15, 15), (4.9, 15), (5.1, 15.2), (5.1, 5)]  # crosses itself at a corner
    crossed = Polygon([grid.xy(row - 0.5, column - 0.5) for column, row in corners])
    drawn = transform_geom(grid.crs, "EPSG:4326", mapping(crossed))
    assert not crossed.is_valid
    assert drawn_outline(drawn, grid).geom_type == "Polygon"
    apart = MultiPolygon([box(*grid.xy(5, 5), *grid.xy(4, 6)), box(*grid.xy(50, 5), *grid.xy(10, 50))])
    kept = drawn_outline(transform_geom(grid.crs, "EPSG:4326", mapping(apart)), grid)
    assert len(kept.geoms) == 2, "what is small and was drawn like that is no sliver"


def test_parts_that_are_drawn_apart_are_features_of_their_own(store: Store, run: str) -> None:
    now = opened(store, run)
    two = MultiPolygon([box(40, 2, 44, 6), box(50, 2, 54, 6)])
    grid = now.found.grid
    assert len(actions.draw(now.review, two, grid).made) == 1
    made = actions.draw(now.review, two, grid, apart=True).made
    assert [outline_of(one).bounds for one in made.values()] == [(40, 2, 44, 6), (50, 2, 54, 6)]
    same = MultiPolygon([two.geoms[0], two.geoms[0]])
    assert len(actions.draw(now.review, same, grid, apart=True).made) == 2, "an id of its own for each"


def test_ground_that_two_outlines_cover_is_told(store: Store, run: str) -> None:
    now = finished(store, run)
    first, second, added = now.review.features
    left, bottom, right, top = now.features[first].outline.bounds
    half = box(left, bottom, (left + right) / 2, top)
    now = edited(store, run, actions.draw(now.review, half, now.found.grid))
    over = now.review.features[list(now.review.features)[-1]]
    shared = half.intersection(now.features[first].outline).area
    assert shared > 0
    assert [(one.name, one.share) for one in overlaps([now.review.features[first]], over.outline)] == [
        (first, pytest.approx(shared / half.area))
    ]
    these = totals(now)
    assert these.whole.overlap == these.landslides.overlap == pytest.approx(shared, rel=2e-3)
    assert these.landslides.size == pytest.approx(8_000 + half.area, rel=2e-3)
    words = r"so [\d,]+ m² of the total area is counted more than once, all of it between accepted landslides\."
    assert re.search(words, totals_words(now))
    # A third outline over the same ground counts it once more.
    more = totals(edited(store, run, actions.draw(now.review, half, now.found.grid)))
    assert more.whole.overlap == pytest.approx(shared + half.area, rel=2e-3)


def test_a_landslide_over_a_false_alarm_counts_among_landslides_once(store: Store, run: str) -> None:
    now = finished(store, run)
    second = list(now.features)[1]
    outline = now.features[second].outline
    now = edited(store, run, actions.draw(now.review, outline, now.found.grid))
    assert overlaps([now.review.features[second]], outline) == []
    these = totals(now)
    assert (these.whole.overlap, these.landslides.overlap) == (pytest.approx(outline.area, rel=2e-3), 0)
    assert "those accepted as landslides do not overlap one another." in totals_words(now)


def test_outlines_that_touch_do_not_overlap(store: Store, run: str) -> None:
    now = opened(store, run)
    first = next(iter(now.features))
    left, bottom, right, top = now.features[first].outline.bounds
    beside = box(right, bottom, right + 50, top)
    assert overlaps(list(now.review.features.values()), beside) == []
    now = edited(store, run, actions.draw(now.review, beside, now.found.grid))
    assert totals(now).whole.overlap == 0


@pytest.mark.parametrize("file", ["reviewed.gpkg", "reviewed.geojson", "reviewed.shp.zip"])
def test_a_reviewed_inventory_is_a_reference_without_its_false_alarms(
    store: Store, run: str, tmp_path: Path, file: str
) -> None:
    now = finished(store, run)
    export_review(now, tmp_path)
    grid = now.found.grid
    reader = reference_reader(tmp_path / file, grid)
    codes = reader.read(Window(0, 0, grid.width, grid.height))
    # The last column has no data in the run; a reference of outlines says nothing of that.
    assert np.array_equal(codes[:, :49], reference_mask(now)[:, :49])
    assert [codes[5, 10], codes[21, 31], codes[33, 42]] == [1, 0, 1]
    assert reader.notes == (
        "1 outline of the reference is a false alarm by its review and does not count as a landslide.",
    )
    known = {"run": run, "model": now.run.model, "reviewers": ["Anna"], "complete": True}
    assert review_in(tmp_path / file) == known
    assert reviewed_by(known) == f"Review of run {run[:8]} by Anna"
    slides = landslides_of(tmp_path / file, "vector", InventoryPlan(), grid, file)
    assert slides.notes[-1] == f"1 outline of {file} was left out: false alarms by its review, or not reviewed."
    assert slides.polygons is not None
    assert slides.count == 2


def test_what_nobody_reviewed_is_unknown_in_a_reference(store: Store, run: str, tmp_path: Path) -> None:
    first, _ = opened(store, run).features
    now = edited(store, run, Edit("judge", (first,)))
    export_review(now, tmp_path)
    grid = now.found.grid
    reader = reference_reader(tmp_path / "reviewed.gpkg", grid)
    codes = reader.read(Window(0, 0, grid.width, grid.height))
    # Nobody has searched the area: ground outside the one outline that was reviewed is unknown as well.
    assert np.array_equal(codes[:, :49], reference_mask(now)[:, :49])
    assert [codes[5, 10], codes[21, 31], codes[33, 42]] == [1, UNKNOWN, UNKNOWN]
    assert (codes == 1).sum() == 60
    assert reader.notes[0] == "1 outline of the reference is not reviewed and is left out of the scores."
    assert reader.notes[1].startswith("The reference does not state that the whole area was searched")
    assert not review_in(tmp_path / "reviewed.gpkg")["complete"]

    export_review(edited(store, run, Edit("examined")), tmp_path)
    codes = reference_reader(tmp_path / "reviewed.gpkg", grid).read(Window(0, 0, grid.width, grid.height))
    assert [codes[5, 10], codes[21, 31], codes[33, 42]] == [1, UNKNOWN, 0]
    assert (codes == UNKNOWN).sum() == 20
    path = tmp_path / "folder"
    path.mkdir()
    record = store.scene_record(now.run.subject.dataset_id)
    names, notes = write_boxes_of_reference(tmp_path / "reviewed.gpkg", record.scene, (1, 2, 3), path, None)
    assert len(read_boxes(path / names["truth"])) == 1
    assert "The reference does not cover 1.0 % of the image" in notes[1]


def test_a_review_without_landslides_is_no_reference(store: Store, run: str, tmp_path: Path) -> None:
    both = tuple(opened(store, run).features)
    now = edited(store, run, Edit("judge", both, judgement="rejected"))
    export_review(now, tmp_path)
    with pytest.raises(InputError, match="no outline is a landslide"):
        reference_reader(tmp_path / "reviewed.gpkg", now.found.grid)


def test_any_other_inventory_is_no_review(tmp_path: Path) -> None:
    shapes = geopandas.GeoDataFrame(
        {"status": ["rejected"], "landslide": [0], "reviewer": ["A"]}, geometry=[box(0, 0, 4, 4)], crs="EPSG:32633"
    )
    shapes.to_file(tmp_path / "own.gpkg")
    assert review_in(tmp_path / "own.gpkg") is None
    assert review_in(write_raster(tmp_path / "own.tif", np.ones((1, 4, 4), np.uint8))) is None


def test_every_field_is_explained(store: Store, run: str, tmp_path: Path) -> None:
    now = finished(store, run)
    export_review(now, tmp_path)
    with (tmp_path / "reviewed_fields.csv").open(encoding="utf-8") as file:
        rows = {row["field"]: row for row in csv.DictReader(file)}
    assert list(rows) == list(pandas.read_csv(tmp_path / "reviewed.csv"))
    table = inventory(now)
    own, alone = review_fields(now), table.drop(columns="geometry")
    for name in alone:
        assert name in own or name in KNOWN
        # It says more than the name does, and when a value is empty.
        assert len(rows[name]["meaning"].split()) > 2, name
        empty = bool((alone[name].isna() | (alone[name].astype("object") == "")).any())
        assert not empty or rows[name]["empty_value"] != NEVER, name
    assert rows["status"]["codes"] == "; ".join(f"{code} = {words}" for code, words in STATUSES.items())
    assert rows["landslide"]["codes"].startswith("1 = yes")
    assert rows["view_minimum_area"]["unit"] == rows["area_m2"]["unit"] == "m²"
    assert rows["mean_probability"]["shapefile_field"] == "mean_proba"
    assert rows["latitude"]["shapefile_field"] == ""
    assert [name for name, row in rows.items() if "Shapefile" in row["meaning"]] == ["reason", "note"]
    shapes = geopandas.read_file(tmp_path / "reviewed.shp.zip")
    with ZipFile(tmp_path / "reviewed.shp.zip") as archive, archive.open("reviewed_fields.csv") as packed:
        inside = [row["shapefile_field"] for row in csv.DictReader(TextIOWrapper(packed, "utf-8"))]
    assert inside == list(shapes.columns.drop("geometry"))


def test_outlines_of_reviewers_have_a_perimeter(store: Store, run: str) -> None:
    first, second = opened(store, run).features
    reshaped = box(500_050, 5_199_900, 500_150, 5_199_960)  # 100 m by 60 m, as the model's first outline
    edited(store, run, actions.reshape(opened(store, run).review, first, reshaped))
    table = inventory(finished_by_drawing(store, run)).set_index("id")
    ground = pyproj.Geod(ellps="WGS84")
    for name, shape in (("drawn", box(500_400, 5_199_640, 500_450, 5_199_680)), ("edited", reshaped)):
        identity = first if name == "edited" else next(one for one in table.index if one.startswith("R"))
        on_globe = geopandas.GeoSeries([shape], crs=32633).to_crs(4326).iloc[0]
        _, around = ground.geometry_area_perimeter(on_globe)
        assert table.loc[identity, "perimeter_m"] == pytest.approx(around, rel=1e-6)
    # 2 × (100 + 60) m and 2 × (50 + 40) m, within the 0.1 % by which UTM differs from the ground.
    assert table.loc[first, "perimeter_m"] == pytest.approx(320, rel=2e-3)
    assert table.loc[second, "perimeter_m"] == opened(store, run).found.table.set_index("id").loc[second, "perimeter_m"]


def finished_by_drawing(store: Store, run: str) -> Opened:
    drawn = box(500_400, 5_199_640, 500_450, 5_199_680)
    now = opened(store, run)
    return edited(store, run, actions.draw(now.review, drawn, now.found.grid))


def test_a_balloon_in_a_map_viewer_is_short_and_readable(store: Store, run: str, tmp_path: Path) -> None:
    first, second = opened(store, run).features
    edited(store, run, Edit("judge", (second,), judgement="rejected", reason="road or building", note="<b>see</b> & 2"))
    export_review(opened(store, run), tmp_path)
    kml = "{http://www.opengis.net/kml/2.2}"
    untouched, judged = ElementTree.parse(tmp_path / "reviewed.kml").getroot().iter(f"{kml}Placemark")  # noqa: S314
    assert (untouched.findtext(f"{kml}name"), judged.findtext(f"{kml}name")) == (first, second)
    # 60 and 20 pixels of 10 m on the central meridian of the zone, where UTM shortens lengths by 0.9996.
    assert untouched.findtext(f"{kml}description", "").split("<br/>") == [
        "Status: not reviewed", "Area: 6,005 m²", "Mean probability: 0.90"
    ]  # fmt: skip
    *lines, when = judged.findtext(f"{kml}description", "").split("<br/>")
    assert lines == [
        "Status: false alarm", "Area: 2,002 m²", "Mean probability: 0.80", "Reviewer: Anna", "Reason: road or building",
        "Note: &lt;b&gt;see&lt;/b&gt; &amp; 2",
    ]  # fmt: skip
    assert re.fullmatch(r"Reviewed: \d{1,2} [A-Z][a-z]+ \d{4}, \d\d:\d\d UTC", when)
    for data in judged.iter(f"{kml}Data"):
        assert data.findtext(f"{kml}displayName")
    told = {data.get("name"): data.findtext(f"{kml}value") for data in judged.iter(f"{kml}Data")}
    assert (told["status"], told["landslide"]) == ("rejected", "0")
    assert told["reviewed"].endswith("+00:00")


def test_the_models_own_result_stays(store: Store, run: str) -> None:
    before = opened(store, run).found.table
    finished(store, run)
    after = opened(store, run).found.table
    assert after.geometry.to_wkb().tolist() == before.geometry.to_wkb().tolist()
    assert not opened(store, run).run.notes


def test_what_was_not_reviewed_is_not_known(store: Store, run: str) -> None:
    first, _ = opened(store, run).features
    mask = reference_mask(edited(store, run, Edit("judge", (first,))))
    assert {int(value): int(count) for value, count in zip(*np.unique(mask, return_counts=True), strict=True)} == {
        1: 60, 255: 40 * 50 - 60,
    }  # fmt: skip


def test_a_finished_review_says_where_there_is_no_landslide(store: Store, run: str) -> None:
    mask = reference_mask(finished(store, run))
    # 60 + 20 pixels of landslides; the column without data is not known; the false alarm is none.
    assert (np.count_nonzero(mask == 1), np.count_nonzero(mask == 255)) == (80, 40)
    assert (mask[20:24, 30:35] == 0).all()
    assert (mask[32:36, 40:45] == 1).all()


def test_an_unfinished_review_is_no_reference(store: Store, run: str, tmp_path: Path) -> None:
    first, second = opened(store, run).features
    with pytest.raises(InputError, match="2 landslides of this run are not reviewed"):
        write_reference(opened(store, run), tmp_path / "reference.gpkg")
    edited(store, run, Edit("judge", (first, second), judgement="rejected"))
    with pytest.raises(InputError, match="was searched"):
        write_reference(opened(store, run), tmp_path / "reference.gpkg")
    with pytest.raises(InputError, match="contains no landslides"):
        write_reference(edited(store, run, Edit("examined")), tmp_path / "reference.gpkg")


def test_a_finished_review_is_a_reference(store: Store, run: str, tmp_path: Path) -> None:
    assert write_reference(finished(store, run), tmp_path / "reference.gpkg") == 2
    assert set(geopandas.read_file(tmp_path / "reference.gpkg")["status"]) == {"confirmed", "added"}


def test_training_patches_hold_what_is_known(store: Store, run: str, tmp_path: Path) -> None:
    told = write_training(finished(store, run), tmp_path / "out", tile=32)
    # One patch of 32 pixels fits into 40 × 50; it holds the first landslide and the false alarm's first columns.
    assert (told["patches"], told["known_share"]) == (1, 1.0)
    with rasterio.open(tmp_path / "out" / "masks" / "patch_1.tif") as mask:
        values, nodata = mask.read(1), mask.nodata
    assert (values.sum(), nodata) == (60, 255)
    with rasterio.open(tmp_path / "out" / "images" / "patch_1.tif") as image:
        assert (image.count, image.dtypes[0], image.read(1)[values == 1].min()) == (3, "uint8", 200)


def test_training_data_are_read_as_training_reads_them(store: Store, run: str, tmp_path: Path) -> None:
    from core.learning.pairs import find_pairs, read_pairs

    write_training(finished(store, run), tmp_path / "out", tile=32)
    pairs = read_pairs(find_pairs(tmp_path / "out" / "images", tmp_path / "out" / "masks"))
    assert pairs.truth.shape == (1, 1, 32, 32)
    assert pairs.truth.sum() == 60


def test_a_review_that_says_too_little_trains_nothing(store: Store, run: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="too little for a single patch"):
        write_training(opened(store, run), tmp_path / "out", tile=32)


def test_boxes_are_reviewed_as_well(store: Store, tmp_path: Path) -> None:
    boxes = Boxes.of([(10, 10, 30, 20), (60, 50, 80, 70)], [0.9, 0.8])
    run = keep_detection(store, made_detection(tmp_path / "made", boxes)).id
    first, second = opened(store, run).features
    assert first[0] == "B"
    edited(store, run, Edit("judge", (first,)))
    larger = box(500_600, 5_199_300, 500_700, 5_199_400)
    now = edited(store, run, actions.reshape(opened(store, run).review, second, larger))
    table = inventory(now)
    assert table["status"].tolist() == ["confirmed", "edited"]
    assert not set(inventory(now).columns) - {*KNOWN, *review_fields(now), "geometry"}
    # The confidence is that of another box.
    assert table["score"].isna().tolist() == [False, True]
    # The area of a box is not that of the landslide in it.
    assert totals_words(now) == "The reviewed inventory holds 2 boxes: 2 accepted as landslides."


def test_boxes_get_the_elevation_of_a_point_and_no_slope(store: Store, tmp_path: Path) -> None:
    heights = np.tile(1000 + 3 * np.arange(120, dtype=np.float32), (100, 1))
    dem = write_raster(tmp_path / "dem.tif", heights[None])
    record = store.add_scene(write_raster(tmp_path / "scene.tif", np.ones((3, 100, 120), np.uint8)), "scene", dem=dem)
    boxes = Boxes.of([(10, 10, 30, 20)], [0.9])
    run = keep_detection(store, made_detection(tmp_path / "made", boxes, scene_digest=record.scene.digest), record.id)
    export_review(edited(store, run.id, Edit("judge", tuple(opened(store, run.id).features))), tmp_path / "out")
    table = pandas.read_csv(tmp_path / "out" / "reviewed.csv")
    assert table["elevation_m"].tolist() == [1000 + 3 * 20]
    assert "slope_mean_deg" not in table, "a box is not the outline of a landslide"


def test_a_pixel_size_entered_by_hand_measures_what_reviewers_draw(store: Store, tmp_path: Path) -> None:
    probability = np.zeros((40, 50))
    probability[4:10, 5:15] = 0.9
    photo = write_raster(tmp_path / "photo.tif", np.ones((3, 40, 50), np.uint8), "without CRS")
    record = store.add_scene(photo, "photo")
    made = made_run(tmp_path / "made", probability, "without CRS", scene_digest=record.scene.digest)
    run = str(keep(store, replace(made, grid=made.grid.with_pixel_size(0.5)), record.id).id)
    now = opened(store, run)
    edited(store, run, actions.draw(now.review, box(30, 20, 40, 24), now.found.grid))

    table = inventory(opened(store, run))

    assert table["area_m2"].tolist() == [6 * 10 / 4, 10 * 4 / 4]
    assert table["pixel_size_m"].tolist() == [0.5, 0.5]
    assert table.crs is None
