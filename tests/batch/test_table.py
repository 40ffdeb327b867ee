"""The table of a batch: figures of each image, unknown where they are, and totals that say what they are over."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from pathlib import Path

import pytest

from core.batch.batches import Batch
from core.batch.figures import POOLED
from core.batch.table import Table, read_table, write_csv
from core.runs.store import Store
from core.tasks.mapping.view import Choice
from tests.batch.made import made_batch


@pytest.fixture
def batch(quick_store: Store, tmp_path: Path) -> Batch:
    return made_batch(quick_store, tmp_path)


@pytest.fixture
def table(quick_store: Store, batch: Batch) -> Table:
    return read_table(quick_store, batch)


def test_each_image_has_a_row_with_its_state(table: Table) -> None:
    assert [(row.name, row.status) for row in table.rows] == [
        ("placed.tif", "done"), ("photo.tif", "done"), ("bad.tif", "failed"), ("late.tif", "not started"),
        ("=cut.png", "refused"),
    ]  # fmt: skip
    assert [row.why for row in table.unfinished] == ["The disk is full. Free some space.", "", "It is damaged."]
    assert not table.active
    assert (table.counted("done"), table.counted("failed", "refused")) == (2, 2)


def test_figures_are_those_of_the_runs_and_areas_need_a_place(table: Table) -> None:
    placed, photo = table.rows[0].figures, table.rows[1].figures
    # 20 and 60 pixels of 100 m², of 2,000; of 80 mapped pixels 60 are in the reference, which has no others.
    assert placed == pytest.approx({
        "landslides": 2, "landslide_area_m2": 8_000, "landslide_share": 0.04, "analysed_area_m2": 200_000,
        "f1": 6 / 7, "iou": 0.75, "precision": 0.75, "recall": 1.0,
        "true_positive": 60, "false_positive": 20, "false_negative": 0,
    }, rel=1e-3)  # fmt: skip
    assert photo == pytest.approx({"landslides": 1, "landslide_share": 0.025})
    assert [one.text(photo.get(one.name)) for one in table.columns[:5]] == ["1", "unknown", "2.5 %", "unknown", "–"]
    assert table.rows[0].warnings == ("The file does not name its bands: guessed.",)


def test_totals_say_over_how_many_images_they_go(table: Table) -> None:
    told = {one.figure.name: (round(one.value), one.over) for one in table.totals}
    assert told["landslides"] == (3, "in 2 images")
    assert told["landslide_area_m2"][1] == told["analysed_area_m2"][1] == "in 1 of 2 images"
    assert told["landslide_area_m2"][0] == pytest.approx(8_000, rel=1e-3)
    assert "landslide_share" not in told


def test_scores_of_all_images_are_computed_from_their_counts_together(table: Table) -> None:
    """A mean of scores would weigh an image with one landslide like one with a thousand."""
    assert not [one for one in table.totals if one.figure in POOLED]  # one image with a reference has them in its row
    other = {"true_positive": 20.0, "false_positive": 60.0, "false_negative": 20.0, "f1": 1 / 3}
    rows = (table.rows[0], replace(table.rows[1], figures=other), replace(table.rows[1], figures={}), *table.rows[2:])
    told = {one.figure.title: (one.value, one.over) for one in replace(table, rows=rows).totals if one.figure in POOLED}
    assert told == {
        "Precision, all images": (80 / 160, "in 2 of 3 images"), "Recall, all images": (80 / 100, "in 2 of 3 images"),
        "F1, all images": (pytest.approx(160 / 260), "in 2 of 3 images"),
    }  # fmt: skip
    assert "true_positive" not in write_csv(table)


def test_a_view_counts_all_images_anew(quick_store: Store, batch: Batch) -> None:
    table = read_table(quick_store, batch, lambda _: Choice(0.95))
    assert [row.figures["landslides"] for row in table.rows if row.done] == [0, 0]
    assert table.rows[0].figures["recall"] == 0


def test_without_time_rows_are_there_without_figures(quick_store: Store, batch: Batch) -> None:
    table = read_table(quick_store, batch, seconds=-1.0)
    assert [row.counted for row in table.rows] == [False, False, True, True, True]
    assert table.totals == ()


def test_files_that_were_lost_are_told_of(quick_store: Store, batch: Batch) -> None:
    run = read_table(quick_store, batch, seconds=-1.0).rows[0].run
    assert run is not None
    run.artifacts[0].path.unlink()
    table = read_table(quick_store, batch, lambda _: Choice(0.9))
    assert table.rows[0].status == "files lost"
    assert "no longer on disk" in table.rows[0].why


def test_the_csv_holds_plain_numbers_and_no_formula(table: Table) -> None:
    rows = list(csv.DictReader(io.StringIO(write_csv(table))))
    assert [row["image"] for row in rows] == ["placed.tif", "photo.tif", "bad.tif", "late.tif", "'=cut.png"]
    assert (rows[0]["landslides"], float(rows[0]["landslide_share"])) == ("2", 0.04)
    assert (rows[1]["landslide_area_m2"], rows[1]["f1"], rows[1]["warnings"]) == ("", "", "0")
    assert (rows[2]["reason"], rows[2]["landslides"]) == ("The disk is full. Free some space.", "")
