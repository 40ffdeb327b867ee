"""Masks packed as bits give the polygons that their pixels have; files of earlier versions hold the polygons."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow
import pyarrow.parquet
import shapely

from core.tasks.detection.candidates import has_outlines, read_outlines, schema
from core.tasks.detection.outlines import outline_of, pack_masks

CORNERS = np.array([3, 4, 9, 8], dtype=np.float32)


def test_a_packed_mask_is_the_polygon_of_its_pixels_at_its_place() -> None:
    mask = np.zeros((3, 20, 30), dtype=bool)
    mask[1, 5:9, 10:17] = True
    mask[1, 6, 12] = False

    (packed,) = pack_masks(mask, [1], (100.0, 200.0), (2.0, 0.5))
    outline = outline_of(packed, CORNERS)

    assert outline.bounds == (120.0, 202.5, 134.0, 204.5)
    assert outline.area == (4 * 7 - 1) * 2.0 * 0.5
    assert not outline.covers(shapely.Point(125.0, 203.25))


def test_parts_that_touch_at_a_corner_alone_are_kept() -> None:
    mask = np.eye(4, dtype=bool)[None]

    (packed,) = pack_masks(mask, [0], (0.0, 0.0), (1.0, 1.0))

    assert outline_of(packed, CORNERS).area == 4


def test_of_an_empty_mask_the_box_is_the_outline() -> None:
    (packed,) = pack_masks(np.zeros((1, 8, 8), dtype=bool), [0], (0.0, 0.0), (1.0, 1.0))

    assert outline_of(packed, CORNERS).equals(shapely.box(3, 4, 9, 8))


def test_a_file_of_an_earlier_version_still_gives_its_polygons(tmp_path: Path) -> None:
    shape = shapely.Polygon([(0, 0), (4, 0), (0, 4)])
    plain = schema()
    columns = {field.name: pyarrow.array([0], field.type) for field in plain if field.type != pyarrow.bool_()}
    columns |= {field.name: pyarrow.array([False]) for field in plain if field.type == pyarrow.bool_()}
    table = pyarrow.table({**columns, "outline": pyarrow.array([shapely.to_wkb(shape)], pyarrow.binary())})
    pyarrow.parquet.write_table(table, tmp_path / "old.parquet")

    assert has_outlines(tmp_path / "old.parquet")
    (outline,) = read_outlines(tmp_path / "old.parquet", np.array([0]))
    assert outline.equals(shape)
