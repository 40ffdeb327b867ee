"""A batch leaves as one zip and one report."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from zipfile import ZipFile

import pytest

from core.batch.batches import Batch
from core.batch.bundle import bundle, prepared_report
from core.batch.table import read_table
from core.errors import InputError
from core.runs.records import Order
from core.runs.store import Store
from tests.batch.made import made_batch


@pytest.fixture
def batch(quick_store: Store, tmp_path: Path) -> Batch:
    return made_batch(quick_store, tmp_path)


def test_the_zip_holds_each_run_in_its_folder_the_table_and_the_report(quick_store: Store, batch: Batch) -> None:
    with ZipFile(io.BytesIO(b"".join(bundle(quick_store, batch)))) as archive:
        assert archive.testzip() is None
        names = archive.namelist()
        told = json.loads(archive.read("manifest.json"))
        (table,) = [name for name in names if name.endswith(".csv") and "/" not in name]
        rows = list(csv.DictReader(io.StringIO(archive.read(table).decode("utf-8-sig"))))
        reports = sorted(Path(name).suffix for name in names if "_report_" in name)
    assert len(rows) == 5
    assert reports == [".html", ".pdf"]
    assert [one["status"] for one in told["runs"]] == ["done", "done", "failed", "not started", "refused"]
    assert told["left_out"] == []
    for one, name in zip(told["runs"][:2], ("placed", "photo"), strict=True):
        inside = {file.rpartition("/")[2] for file in names if file.startswith(f"{one['folder']}/")}
        short = one["run"][:8]
        wanted = {f"{name}_mapping_{file}" for file in (f"landslides_{short}.gpkg", f"mask_{short}.tif")}
        assert {"manifest.json", *wanted} <= inside


def test_the_report_tells_of_every_image(quick_store: Store, batch: Batch) -> None:
    table = read_table(quick_store, batch)
    page, pdf = prepared_report(quick_store, table, "http://here/runs?batch=1")
    text = page.read_text(encoding="utf-8")

    assert pdf.read_bytes().startswith(b"%PDF")
    assert "2 of 5 images have a result." in text
    assert f"from batch {batch.id}" in text
    assert "=cut.png: It is damaged." in text
    assert "The model maps 2 landslides" in text
    assert "A note." in text
    assert text.count("<img") == 2
    assert "Scores of 1 image with a reference" in text
    stamp = page.stat().st_mtime_ns
    assert prepared_report(quick_store, table, "http://here/runs?batch=1")[0].stat().st_mtime_ns == stamp


def test_a_batch_that_is_not_over_has_no_zip(quick_store: Store, batch: Batch) -> None:
    scene = read_table(quick_store, batch, seconds=-1).rows[0].run
    assert scene is not None
    quick_store.order(Order("mapping", "mapping", {}, scene.inputs, batch=batch.id))
    with pytest.raises(InputError, match="being processed"):
        bundle(quick_store, batch)
