"""Asking why a pixel or a landslide was mapped, by command line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from affine import Affine
from PIL import Image

from core.cli.main import main
from core.raster.scene import Scene
from core.runs.store import Store
from core.tasks.mapping.run import Request, run_mapping
from tests.factories import deep_weights, tiny_spec, write_model, write_raster


@pytest.fixture(autouse=True)
def _model(models: Path) -> None:
    write_model(models, tiny_spec("deep", encoder="deep"), deep_weights())


def two_reds(folder: Path, placement: str = "north-up", **profile: Any) -> Path:
    """Dark but for two red rectangles: rows 8 to 13 at columns 10 to 19, and rows 70 to 77 at columns 80 to 93."""
    values = np.full((3, 90, 100), 20, np.uint8)
    values[0, 8:14, 10:20] = 250
    values[0, 70:78, 80:94] = 250
    return write_raster(folder / "scene.tif", values, placement, **profile)


def mapping(store: Store, image: Path) -> str:
    return run_mapping(store, Scene.open(image), Request("deep", engine="torch")).id


def run(*arguments: object) -> int:
    return main(["mapping", "explain", *map(str, arguments)])


def printed(capsys: pytest.CaptureFixture[str]) -> Any:
    return json.loads(capsys.readouterr().out)


def test_an_image_is_mapped_first_and_a_place_in_its_coordinates_explained(
    tmp_path: Path, store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    image, out = two_reds(tmp_path), tmp_path / "why"
    x, y = Scene.open(image).grid.xy(73, 85)

    assert run(image, "--model", "deep", "--at", f"{x},{y}", "--out", out) == 0

    told = printed(capsys)
    assert told["target"] == {"row": 73, "column": 85}
    assert (told["method"], told["layer"], told["signed"]) == ("grad-cam", "first", False)
    assert 0 <= told["deletion_auc"] < told["random_auc"] < told["insertion_auc"] <= 1
    assert told["verdict"].endswith(".")
    assert told["seconds"] >= 0
    assert {made.id for made in store.runs()} == {told["run"], told["mapping"]}
    assert json.loads((out / "explanation.json").read_text("utf-8")) == told
    raster = Scene.open(out / "explanation.tif")
    with raster.reader() as reader:
        values = reader.read((1,)).values[0]
    assert values.dtype == np.float32
    assert values[raster.grid.rowcol(x, y)] == 1
    assert values.min() >= 0
    with Image.open(out / "explanation.png") as picture:
        assert picture.format == "PNG"
        assert min(picture.size) > 200


def test_without_coordinates_a_place_is_a_column_and_a_row(
    tmp_path: Path, store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    identity = mapping(store, two_reds(tmp_path, "without CRS"))

    assert run(identity[:10], "--at", "85,73", "--out", tmp_path / "why") == 0

    assert printed(capsys)["target"] == {"row": 73, "column": 85}
    raster = Scene.open(tmp_path / "why" / "explanation.tif")
    assert raster.grid.shape == (90, 100)
    with raster.reader() as reader:
        patch = reader.read((1,))
    assert patch.values[0, 73, 85] == 1
    assert patch.valid.sum() == 32 * 32


def test_the_pixel_size_of_a_photo_is_stated_for_its_mapping_and_not_for_a_run(
    tmp_path: Path, store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    image = two_reds(tmp_path, "without CRS")
    assert run(image, "--model", "deep", "--at", "85,73", "--pixel-size", "0.5") == 0
    told = printed(capsys)
    assert store.run(told["mapping"]).parameters["pixel_size"] == 0.5
    assert run(told["mapping"], "--at", "85,73", "--pixel-size", "0.5") != 0
    assert "--pixel-size belongs to an image" in capsys.readouterr().err


def test_coordinates_west_of_greenwich_are_no_options(
    tmp_path: Path, store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    west = Affine(1e-4, 0, -72.5, 0, -1e-4, 47)
    identity = mapping(store, two_reds(tmp_path, "geographic", transform=west))

    assert run(identity, "--at", "-72.49149,46.99265") == 0

    assert printed(capsys)["target"] == {"row": 73, "column": 85}


def test_a_landslide_is_explained_by_its_number_or_id_at_the_view_options(
    tmp_path: Path, store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    identity = mapping(store, two_reds(tmp_path))

    assert run(identity, "--polygon", 2, "--threshold", 0.6, "--method", "hirescam") == 0

    told = printed(capsys)
    name = told["target"]["landslide"]
    assert name.startswith("L")
    assert told["method"] == "hires-cam"
    left, bottom, right, top = told["target"]["bounds"]
    assert (right - left, top - bottom) == (100, 60)
    assert store.run(told["run"]).parameters["target"]["outline"]["type"] == "Polygon"

    # Its id does not depend on the threshold, and any case will do.
    assert run(identity, "--polygon", name.lower(), "--threshold", 0.5) == 0
    assert printed(capsys)["target"] == told["target"]

    # The smaller rectangle of 60 pixels of 100 m² is left out.
    assert run(identity, "--polygon", 2, "--minimum-area", 7000) == 2
    assert "no landslide 2" in capsys.readouterr().err


def test_nothing_is_kept_when_that_is_asked(
    tmp_path: Path, store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    image = two_reds(tmp_path)

    assert run(image, "--model", "deep", "--polygon", 1, "--no-store", "--out", tmp_path / "why") == 0

    assert store.runs() == []
    assert (tmp_path / "why" / "explanation.png").is_file()
    assert printed(capsys)["target"]["landslide"].startswith("L")
    identity = mapping(store, image)
    assert run(identity, "--polygon", 1, "--no-store") == 0
    assert [made.id for made in store.runs()] == [identity]


def test_what_can_be_asked_is_listed(tmp_path: Path, store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--list") == 0
    told = capsys.readouterr().out
    assert "grad-cam    Grad-CAM\n" in told
    assert "d-rise" not in told
    assert "mapping runs have no detections" in told
    assert "give a model with --model" in told

    assert run("--list", mapping(store, two_reds(tmp_path))) == 0
    told = capsys.readouterr().out
    assert "grad-cam    Grad-CAM (default)" in told
    assert "  first  Stage 1 of" in told


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        (("--box", 1), "mapping runs have no detections"),
        (("--at", "10,10"), "outside the mapped area"),
        (("--at", "here"), "Give two numbers"),
        (("--polygon", 9), "no landslide 9"),
        (("--polygon", 1, "--method", "d-rise"), "D-RISE explains boxes only"),
        (("--polygon", 1, "--method", "guess"), "no method 'guess'"),
        (("--polygon", 1, "--layer", "other"), "no layer 'other'"),
        (("--polygon", 1, "--threshold", 2), "not between 0 and 1"),
        (("--polygon", 1, "--at", "500100,5199900"), "Only one place can be explained at a time"),
        (("--polygon", 1, "--model", "other"), "was made with deep, not with other"),
        ((), "--at X,Y or --polygon ID"),
    ],
)
def test_what_cannot_be_done_ends_with_status_2_and_names_the_option(
    tmp_path: Path, store: Store, asked: tuple[object, ...], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    identity = mapping(store, two_reds(tmp_path))

    assert run(identity, *asked) == 2
    assert words in capsys.readouterr().err
    assert [made.kind for made in store.runs() if made.status == "done"] == ["mapping"]


def test_an_image_without_a_model_or_a_name_without_a_file_is_refused(
    tmp_path: Path, store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(two_reds(tmp_path), "--polygon", 1) == 2
    assert "--model" in capsys.readouterr().err
    assert run(tmp_path / "none.tif", "--polygon", 1) == 2
    assert "is not a file" in capsys.readouterr().err
    assert run("--polygon", 1) == 2
    assert "Give an image, or the id of a run" in capsys.readouterr().err
    assert store.runs() == []
