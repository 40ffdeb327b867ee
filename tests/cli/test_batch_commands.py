"""A folder of images is one batch by command: all are run, whatever becomes of each."""

from __future__ import annotations

from pathlib import Path
from zipfile import ZipFile

import numpy as np
import pytest

from core.batch.batches import latest
from core.cli.main import main
from core.runs.store import Store
from tests.factories import make_detector_model, ramp, tiny_spec, write_model, write_raster


@pytest.fixture
def images(tmp_path: Path) -> Path:
    """Two images, one that is too narrow in bands, and one that was cut short."""
    folder = tmp_path / "valleys"
    folder.mkdir()
    bright = ramp(40, 50)
    bright[0] = 0
    bright[0, 5:15, 5:15] = 255
    write_raster(folder / "valley2.tif", bright)
    write_raster(folder / "valley10.tif", np.roll(bright, 3, axis=1), "without CRS")
    write_raster(folder / "grey.tif", ramp(40, 50, 1))
    (folder / "cut.tif").write_bytes((folder / "valley2.tif").read_bytes()[:500])
    return folder


def run(*arguments: object) -> int:
    return main([str(one) for one in arguments])


def test_a_folder_is_mapped_as_a_batch(
    store: Store, models: Path, images: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_model(models, tiny_spec("red", tile=64))
    out = tmp_path / "out"
    assert run("mapping", "batch", images, "--model", "red", "--tag", "urgent", "--out", out) == 2
    printed, told = capsys.readouterr()
    assert "2 of 4 images have no result." in told
    lines = printed.splitlines()
    assert [line.split()[:2] for line in lines[1:5]] == [
        ["valley2.tif", "done"], ["valley10.tif", "done"], ["cut.tif", "refused"], ["grey.tif", "refused"],
    ]  # fmt: skip
    assert "Landslides, total in 2 images: 2" in printed
    assert "Landslide area, total in 1 of 2 images: 10,0" in printed  # 100 pixels of 100 m², by their true size
    (batch,) = latest(store)
    assert (batch.title, f"batch {batch.id}" in lines) == ("valleys", True)
    assert all(one.tags == ("urgent",) for one in store.runs())
    assert sorted(one.suffix for one in out.iterdir()) == [".csv", ".html", ".pdf", ".zip"]

    assert run("batches", "list") == 0
    assert "2 of 4" in capsys.readouterr().out
    assert run("batches", "show", batch.id[:8], "--threshold", "1") == 0
    assert "valley10.tif" in capsys.readouterr().out
    assert run("batches", "export", batch.id[:8], "--out", tmp_path / "few.zip") == 0
    with ZipFile(tmp_path / "few.zip") as archive:
        assert archive.testzip() is None
    assert run("batches", "delete", batch.id[:8]) == 0
    assert "2 runs deleted" in capsys.readouterr().out
    assert run("batches", "show", batch.id[:8]) == 2


def test_a_pixel_size_is_of_images_without_a_coordinate_system(
    store: Store, models: Path, images: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_model(models, tiny_spec("red", tile=64))
    files, table = (images / "valley2.tif", images / "valley10.tif"), tmp_path / "few.csv"
    assert run("mapping", "batch", *files, "--model", "red", "--pixel-size", "0.5", "--out", table) == 0
    printed = capsys.readouterr().out
    assert "Landslide area, total in 2 images" in printed
    assert "Areas assume a pixel size of 0.50 m, entered by hand (1 image)." in printed
    rows = [line.split(",") for line in table.read_text(encoding="utf-8-sig").splitlines()]
    column = rows[0].index("analysed_area_m2")
    # 40 by 50 pixels, of 100 m² by the coordinate system and of 0.25 m² as stated.
    assert [float(row[column]) for row in rows[1:]] == pytest.approx([200_000, 500], rel=2e-3)


def test_files_are_searched_as_a_batch_and_nothing_is_kept(
    store: Store, models: Path, images: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make_detector_model(models)
    table = tmp_path / "few.csv"
    files = (images / "valley2.tif", images / "valley10.tif")
    assert run("detection", "batch", *files, "--model", "bright", "--no-store", "--out", table) == 0
    assert "Detections, total in 2 images: 2" in capsys.readouterr().out
    assert table.read_text(encoding="utf-8-sig").startswith("image,status,run,model,detections,")
    assert store.runs() == []
    assert run("detection", "batch", *files, "--model", "bright", "--no-store") == 2
