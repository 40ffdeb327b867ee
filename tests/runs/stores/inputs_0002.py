"""Small rasters, inventories and training images for `tests.runs.stores.make_store_0002`."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import rasterio
from PIL import Image
from rasterio.windows import Window
from shapely.geometry import box
from tests.detection.test_train import TEXT as DETECTOR_TEXT

from tests.factories import write_squares
from tests.learning.test_config import TEXT as MAPPING_TEXT

SAMPLES = Path(__file__).resolve().parents[3] / "data" / "samples"
WINDOW = Window(0, 144, 160, 160)
"""Part of the sample valley with several landslides."""


def write_inputs(data: Path) -> None:
    """Write small rasters, inventories, a table and training images into a folder."""
    for name in ("valley_after", "valley_before", "valley_dem", "valley_velocity"):
        crop(SAMPLES / f"{name}.tif", data / f"{name}.tif", hole=name == "valley_after")
    with rasterio.open(data / "valley_after.tif") as dataset:
        around, image = box(*dataset.bounds), dataset.read((1, 2, 3))
    for name in ("valley_inventory", "valley_moving"):
        frame = gpd.read_file(SAMPLES / f"{name}.gpkg")
        frame[frame.intersects(around)].to_file(data / f"{name}.gpkg", driver="GPKG")
    shown = np.clip(image.astype(float) / 12.0, 1, 255).astype(np.uint8)[:, :128, :144]
    Image.fromarray(np.moveaxis(shown, 0, -1)).save(data / "photo.png")
    mask = np.zeros((128, 144), np.uint8)
    mask[20:50, 30:60] = mask[90:120, 80:130] = 255
    Image.fromarray(mask).save(data / "photo_mask.png")
    (data / "gauge.csv").write_text("time,displacement\n2024-01-01,0.0\n2024-01-02,1.5\n2024-01-03,\n", "utf-8")
    (data / "squares").mkdir()
    write_squares(data / "squares")
    phases = "tune_share = 0.3\n[loss.dice]\n[loss.cross_entropy]\n"
    text = MAPPING_TEXT.split("[training]")[0].replace("[loss.dice]", phases)
    phase = "[[phase]]\nepochs = 2\nrate = 0.3\nbatch = 4\naverage = 0.5\n"
    (data / "tiny-mapper.toml").write_text(text.replace('"tiny"', '"tiny-mapper"', 1) + phase, "utf-8")
    text = DETECTOR_TEXT.replace('"tiny"', '"tiny-detector"', 1)
    (data / "tiny-detector.toml").write_text(text, "utf-8")


def crop(source: Path, target: Path, *, hole: bool) -> None:
    with rasterio.open(source) as dataset:
        values, profile = dataset.read(window=WINDOW), dataset.profile
        profile |= {"width": WINDOW.width, "height": WINDOW.height, "transform": dataset.window_transform(WINDOW)}
        names = dataset.descriptions
    if hole:
        values[:, :24, 130:] = profile["nodata"]
    with rasterio.open(target, "w", **{**profile, "blockxsize": 128, "blockysize": 128}) as dataset:
        dataset.write(values)
        dataset.descriptions = names
