"""Damaged files given to every reader: each must end in a result or in an error meant for users, in bounded time.

``python -m benchmarks.fuzz --minutes 10 --seed 1``. A quick part runs with the tests (`tests/fuzz`).
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import geopandas
import numpy as np
import rasterio
from affine import Affine
from PIL import Image
from shapely.geometry import box

from core.errors import LandslideError

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


READERS: dict[str, tuple[Callable[[Path], object], ...]] = {
    ".tif": (read_scene, read_reference, read_elevation, read_preview),
    ".png": (read_scene, read_preview),
    ".jpg": (read_scene, read_preview),
    ".gpkg": (read_reference, read_boxes, read_preview),
    ".geojson": (read_reference, read_boxes, read_preview),
    ".zip": (read_reference, read_preview),
    ".csv": (read_preview,),
    ".xlsx": (read_preview,),
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
    for path in folder.glob("a.*"):
        whole[path.suffix] = path.read_bytes()
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
