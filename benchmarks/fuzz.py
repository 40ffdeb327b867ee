"""Damaged files given to every reader: each must end in a result or in an error meant for users, in bounded time.

``python -m benchmarks.fuzz --minutes 10 --seed 1``. A quick part runs with the tests (`tests/fuzz`).
"""

from __future__ import annotations

import argparse
import hashlib
import json
import shutil
import tempfile
import time
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import geopandas
import numpy as np
import rasterio
from affine import Affine
from PIL import Image
from shapely.geometry import box

from core.errors import LandslideError

if TYPE_CHECKING:
    from core.learning.spec import ModelSpec

LONGEST = 30.0
"""Seconds that a reader may take for one small file."""

SIDE = 40


def read_scene(path: Path) -> object:
    """A raster as a scene, its grid, and one window of it."""
    from core.raster.scene import Scene

    scene = Scene.open(path)
    scene.grid.pixel_areas()
    scene.grid.to_wgs84_bounds()
    with scene.reader() as reader:
        return reader.read((1,), out_shape=(8, 8)).values


def read_reference(path: Path) -> object:
    """A raster or vector as a reference of a scene that lies beside it."""
    from rasterio.windows import Window

    from core.raster.align import reference_reader
    from core.raster.grid import Grid

    grid = Grid(SIDE, SIDE, Affine(10, 0, 650_000, 0, -10, 9_560_000), rasterio.CRS.from_epsg(32717))
    return reference_reader(path, grid).read(Window(0, 0, SIDE, SIDE))


def read_boxes(path: Path) -> object:
    """A reference as the boxes of a detection."""
    from core.raster.grid import Grid
    from core.tasks.detection.labels import reference_boxes

    grid = Grid(SIDE, SIDE, Affine(10, 0, 650_000, 0, -10, 9_560_000), rasterio.CRS.from_epsg(32717))
    return reference_boxes(path, grid)


def read_elevation(path: Path) -> object:
    """A raster as elevations of a scene."""
    from rasterio.windows import Window

    from core.raster.grid import Grid
    from core.raster.quantity import elevation_on_grid

    grid = Grid(SIDE, SIDE, Affine(10, 0, 650_000, 0, -10, 9_560_000), rasterio.CRS.from_epsg(32717))
    with elevation_on_grid(path, grid) as reader:
        return reader.read(Window(0, 0, SIDE, SIDE)).values


def read_preview(path: Path) -> object:
    """A file of unknown kind, as a dataset that is uploaded and previewed."""
    from core.runs.content import check, preview, recognise

    found = recognise(path, path.name, None)
    check(path, found.form)
    return preview(path, found.form)


def read_coco_labels(path: Path) -> object:
    """A COCO file of two images."""
    from core.tasks.detection.coco import read_coco

    return read_coco(path, LABELLED)


def read_yolo_labels(path: Path) -> object:
    """A YOLO file as the labels of an image."""
    from core.tasks.detection.yolo import read_yolo_folder

    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "1.txt").write_bytes(path.read_bytes())
        return read_yolo_folder({"1.png": (100, 200)}, folder)


def read_model(path: Path) -> object:
    """A model's description, beside the whole weights that it names."""
    from core.learning.store import WEIGHTS, list_models

    with tempfile.TemporaryDirectory() as root:
        folder = Path(root) / "mapping" / "made"
        folder.mkdir(parents=True)
        (folder / "model.toml").write_bytes(path.read_bytes())
        (folder / WEIGHTS).write_bytes(_weights())
        (model,) = (list_models("mapping", Path(root)) or (None,))
        return None if model is None else model.load_weights()


def read_weights(path: Path) -> object:
    """A model's weights, of which the description gives the right digest."""
    from core.learning.store import WEIGHTS, StoredModel

    with tempfile.TemporaryDirectory() as root:
        content = path.read_bytes()
        (Path(root) / WEIGHTS).write_bytes(content)
        spec = replace(_spec(), weights_sha256=hashlib.sha256(content).hexdigest())
        return StoredModel(spec, Path(root)).load_weights()


def read_training(path: Path) -> object:
    """A training description."""
    from core.learning.config import TrainConfig

    return TrainConfig.read(path)


def read_tree(path: Path) -> object:
    """A decision tree that joins the boxes of two detectors."""
    from core.tasks.detection.fusion import FusionTree

    return FusionTree.read(path)


def _spec() -> ModelSpec:
    from core.learning.spec import ModelSpec

    return ModelSpec(
        name="made", task="mapping", title="Made", summary="For damage.", architecture="unet", encoder="tu-regnety_002",
        bands=("red", "green", "blue"), value_range=(0, 255), mean=(0.5,) * 3, deviation=(0.2,) * 3, sensor="none",
        tile=128, threshold=0.5, licence="AGPL-3.0-or-later", weights_sha256=hashlib.sha256(_weights()).hexdigest(),
    )  # fmt: skip


@lru_cache(maxsize=1)
def _weights() -> bytes:
    import torch
    from safetensors.torch import save

    return save({"a": torch.zeros(4, 4), "b": torch.ones(3)})


LABELLED = {"1.png": (100, 200), "2.png": (50, 50)}
"""Height and width of the images that labels are of."""

COCO = {
    "images": [{"id": 1, "file_name": "1.png", "width": 200, "height": 100}, {"id": 2, "file_name": "2.png"}],
    "annotations": [
        {"id": 1, "image_id": 1, "category_id": 1, "bbox": [10, 20, 30, 20], "iscrowd": 0},
        {"id": 2, "image_id": 2, "category_id": 1, "segmentation": [[1, 2, 20, 2, 20, 30]]},
    ],
    "categories": [{"id": 1, "name": "landslide"}],
}

READERS: dict[str, tuple[Callable[[Path], object], ...]] = {
    ".tif": (read_scene, read_reference, read_elevation, read_preview),
    ".png": (read_scene, read_preview),
    ".jpg": (read_scene, read_preview),
    ".gpkg": (read_reference, read_boxes, read_preview),
    ".geojson": (read_reference, read_boxes, read_preview),
    ".zip": (read_reference, read_preview),
    ".csv": (read_preview,),
    ".xlsx": (read_preview,),
    ".coco.json": (read_coco_labels,),
    ".txt": (read_yolo_labels,),
    ".model.toml": (read_model,),
    ".safetensors": (read_weights,),
    ".training.toml": (read_training,),
    ".tree.json": (read_tree,),
}


def samples(folder: Path) -> dict[str, bytes]:
    """A small whole file of each kind, by its ending."""
    rng, whole = np.random.default_rng(0), {}
    place = Affine(10, 0, 650_000, 0, -10, 9_560_000)
    values = rng.integers(0, 3, (1, SIDE, SIDE)).astype(np.uint8)
    with rasterio.open(
        folder / "a.tif", "w", driver="GTiff", width=SIDE, height=SIDE, count=1, dtype="uint8", crs="EPSG:32717",
        transform=place, compress="deflate", nodata=255,
    ) as file:  # fmt: skip
        file.write(values)
    colours = rng.integers(0, 255, (SIDE, SIDE, 3)).astype(np.uint8)
    Image.fromarray(colours).save(folder / "a.png")
    Image.fromarray(colours).save(folder / "a.jpg")
    shapes = [box(650_050, 9_559_700, 650_150, 9_559_800), box(650_200, 9_559_850, 650_260, 9_559_900)]
    frame = geopandas.GeoDataFrame({"name": ["one", "two"]}, geometry=shapes, crs=32717)
    frame.to_file(folder / "a.gpkg", layer="slides")
    frame.to_crs(4326).to_file(folder / "a.geojson")
    (folder / "parts").mkdir()
    frame.to_file(folder / "parts" / "a.shp")
    with zipfile.ZipFile(folder / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for part in sorted((folder / "parts").iterdir()):
            archive.write(part, part.name)
    (folder / "a.csv").write_text("x,y,slide\n" + "\n".join(f"{i},{i * 0.5},{i % 2}" for i in range(40)))
    frame.drop(columns="geometry").to_excel(folder / "a.xlsx", index=False)
    (folder / "a.coco.json").write_text(json.dumps(COCO))
    (folder / "a.txt").write_text("0 0.5 0.5 0.1 0.2\n0 0.1 0.1 0.3 0.1 0.3 0.4\n")
    (folder / "a.model.toml").write_text(_spec().to_toml())
    (folder / "a.safetensors").write_bytes(_weights())
    models = Path(__file__).resolve().parents[1] / "models"
    shutil.copy(models / "configs" / "unet-scse.toml", folder / "a.training.toml")
    shutil.copy(models / "fusion" / "valley.json", folder / "a.tree.json")
    for path in folder.glob("a.*"):
        whole[path.name.removeprefix("a")] = path.read_bytes()
    return whole


def damaged(content: bytes, rng: np.random.Generator) -> bytes:
    """A copy of a file with a few bytes changed, taken out, put in, repeated, or cut off; or numbers in it made odd."""
    made = bytearray(content)
    for _ in range(int(rng.integers(1, 5))):
        at = int(rng.integers(0, max(1, len(made))))
        length = int(rng.integers(1, 9))
        match int(rng.integers(0, 7)):
            case 0:
                made[at : at + length] = rng.bytes(len(made[at : at + length]))
            case 1:
                made[at : at + 1] = bytes([made[at] ^ (1 << int(rng.integers(0, 8)))]) if at < len(made) else b""
            case 2:
                del made[at : at + length]
            case 3:
                made[at:at] = rng.bytes(length)
            case 4:
                made = made[: max(1, at)]
            case 5:
                made[at : at + length] = rng.choice([b"\x00", b"\xff", b"\x7f"]) * length
            case _:
                made[at:at] = made[at : at + 64]
    return bytes(made)


def tries(seed: int, folder: Path) -> Iterator[tuple[str, Callable[[Path], object], bytes]]:
    """Damaged files without end: ending, reader, content."""
    whole, rng = samples(folder), np.random.default_rng(seed)
    while True:
        for suffix, readers in READERS.items():
            content = damaged(whole[suffix], rng)
            for reader in readers:
                yield suffix, reader, content


def attempt(reader: Callable[[Path], object], path: Path) -> str:
    """What a reader made of a file: ``"read"``, ``"refused"``, or the words of a foreign error or of a long time."""
    began = time.perf_counter()
    try:
        reader(path)
        ended = "read"
    except LandslideError as error:
        ended = "refused" if error.what else "refused without words"
    except Exception as error:
        ended = f"{type(error).__module__}.{type(error).__name__}: {error}"
    seconds = time.perf_counter() - began
    return ended if seconds < LONGEST else f"took {seconds:.0f} s"


def main() -> None:
    """Try damaged files for some minutes; tell how each kind ended, and keep what ended badly."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", type=Path, help="folder for files that ended badly")
    asked = parser.parse_args()
    until, counts, bad = time.monotonic() + 60 * asked.minutes, Counter[tuple[str, str]](), []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "whole").mkdir()
        for number, (suffix, reader, content) in enumerate(tries(asked.seed, folder / "whole")):
            if time.monotonic() > until:
                break
            path = folder / f"{number}{suffix}"
            path.write_bytes(content)
            ended = attempt(reader, path)
            counts[suffix, ended if ended in ("read", "refused") else "bad"] += 1
            if ended not in ("read", "refused"):
                bad.append({"file": path.name, "reader": reader.__name__, "ended": ended[:300]})
                if asked.keep:
                    asked.keep.mkdir(parents=True, exist_ok=True)
                    (asked.keep / path.name).write_bytes(content)
            path.unlink()
    for suffix in READERS:
        print(suffix, {how: counts[suffix, how] for how in ("read", "refused", "bad")})
    print(f"seed {asked.seed}: {sum(counts.values())} tries, {len(bad)} bad")
    print(json.dumps(bad, indent=1))


if __name__ == "__main__":
    main()
