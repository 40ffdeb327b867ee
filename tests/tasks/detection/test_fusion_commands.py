"""Relief, fusing and learning a tree by command."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from affine import Affine
from rasterio.crs import CRS

from core.cli.main import main
from core.raster.grid import Grid
from core.raster.relief import RELIEF_BANDS
from core.raster.write import write_array
from core.runs.store import Store
from core.tasks.detection.boxes import Boxes
from core.tasks.detection.fusion import FusionTree, Node
from tests.factories import keep_detection, made_detection

TREE = FusionTree(
    "by-hand", "", 0.3, 0.4,
    (Node("terrain_score", 0.3, 1, 2), Node(probability=0.2, boxes=9), Node(probability=0.9, boxes=5)),
)  # fmt: skip


def run(*arguments: object) -> int:
    return main(["detection", *map(str, arguments)])


def kept(store: Store, folder: Path, boxes: Boxes, **changes: Any) -> str:
    folder.mkdir()
    return keep_detection(store, made_detection(folder, boxes, **changes)).id


def place(store: Store, folder: Path, number: int) -> tuple[str, str]:
    """Runs of one place: of twenty boxes of the image the terrain confirms the ten that are right."""
    rng = np.random.default_rng(number)
    left, top = np.arange(20) % 5 * 20.0, np.arange(20) // 5 * 20.0
    corners = np.stack([left, top, left + 9, top + 9], axis=1)
    right = rng.permutation(20) < 10
    image = kept(
        store, folder / f"image{number}", Boxes.of(corners, rng.uniform(0.4, 0.6, 20)),
        reference=Boxes.of(corners[right]), scene=f"valley {number}", scene_digest=str(number) * 64,
    )  # fmt: skip
    return image, kept(store, folder / f"ground{number}", Boxes.of(corners[right], np.full(10, 0.5)))


def test_relief_of_an_elevation_model_is_an_image_of_three_bands(tmp_path: Path) -> None:
    grid = Grid(40, 30, Affine(10, 0, 500_000, 0, -10, 5_000_000), CRS.from_epsg(32633))
    write_array(tmp_path / "dem.tif", grid, np.zeros(grid.shape, np.float32))

    assert run("relief", tmp_path / "dem.tif", "--out", tmp_path / "out" / "relief.tif") == 0

    with rasterio.open(tmp_path / "out" / "relief.tif") as made:
        assert made.descriptions == RELIEF_BANDS


def test_a_tree_is_learnt_and_then_fuses_two_runs_found_by_their_first_digits(
    tmp_path: Path, store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    pairs = [place(store, tmp_path, number) for number in range(3)]
    images, grounds = zip(*pairs, strict=True)
    tree = tmp_path / "trees" / "learnt.json"

    assert run("fuse-train", "--optical", *images, "--terrain", *grounds, "--out", tree) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["fused"]["ap50"] > 0.95 > told["optical"]["ap50"]
    assert FusionTree.read(tree).trained["places"] == ["valley 0", "valley 1", "valley 2"]

    assert run("fuse", images[0][:12], grounds[0][:12], "--tree", tree, "--out", tmp_path / "out") == 0
    told = json.loads(capsys.readouterr().out)
    assert told["boxes"] == 10
    assert (tmp_path / "out" / "detections.gpkg").is_file()
    assert store.run(told["run"]).kind == "fused"
    assert store.run(told["run"]).parents == pairs[0]


def test_the_tree_that_ships_is_taken_where_none_is_given(
    tmp_path: Path, store: Store, models: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    image, ground = place(store, tmp_path, 1)
    assert run("fuse", image, ground) == 2
    assert "--tree" in capsys.readouterr().err

    (models / "fusion").mkdir(parents=True)
    (models / "fusion" / "oak.json").write_text(json.dumps(TREE.to_json()), encoding="utf-8")
    assert run("fuse", image, ground) == 0
    assert json.loads(capsys.readouterr().out)["boxes"] == 10


def test_what_cannot_be_fused_or_learnt_from_is_said(
    tmp_path: Path, store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    image, ground = place(store, tmp_path, 1)
    (tmp_path / "no.json").write_text("no tree", encoding="utf-8")
    for arguments, words in (
        (("fuse", image, ground, "--tree", tmp_path / "no.json"), "cannot be read"),
        (("fuse", image, image, "--tree", tmp_path / "no.json"), "cannot be read"),
        (("fuse-train", "--optical", image, "--terrain", ground, ground, "--out", tmp_path / "x.json"), "form pairs"),
        (("fuse-train", "--optical", image, "--terrain", ground, "--out", tmp_path / "x.json"), "too few"),
    ):
        assert run(*arguments) == 2
        assert words in capsys.readouterr().err
    assert not (tmp_path / "x.json").exists()
