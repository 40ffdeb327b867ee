"""GeoPackages of our own: read in part, and the same when their rows are."""

from __future__ import annotations

import time
from pathlib import Path

import geopandas
import numpy as np
import pytest
import shapely

from core.errors import StorageError
from core.raster import geopackage as module
from core.raster.geopackage import column_of, first_rows, rows_digest


def frame(areas: tuple[float, ...] = (5.0, 3.0, 1.5), crs: int | None = 32633) -> geopandas.GeoDataFrame:
    shapes = [shapely.box(10 * number, 0, 10 * number + area, 1) for number, area in enumerate(areas)]
    if len(shapes) > 1:
        shapes[1] = shapely.MultiPolygon([shapes[1], shapely.box(50, 50, 51, 51)])
    columns = {"id": np.arange(1, len(areas) + 1), "area_m2": areas}
    return geopandas.GeoDataFrame(columns, geometry=shapes, crs=crs)


def written(path: Path, content: geopandas.GeoDataFrame) -> Path:
    content.to_file(path, driver="GPKG", layer="landslides", engine="pyogrio", index=False)
    return path


@pytest.mark.parametrize("crs", [32633, None])
def test_rows_come_back_as_they_were_and_no_more_than_asked_for(tmp_path: Path, crs: int | None) -> None:
    content = frame(crs=crs)
    path = written(tmp_path / "a.gpkg", content)

    found = first_rows(path, 2)

    assert found.geometry.to_wkb().tolist() == content.geometry[:2].to_wkb().tolist()
    assert found["id"].tolist() == [1, 2]
    assert found.crs == content.crs
    assert column_of(path, "area_m2").tolist() == [5.0, 3.0, 1.5]
    assert [name.name for name in tmp_path.iterdir()] == ["a.gpkg"]


def test_the_digest_is_that_of_the_rows_and_not_of_the_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one = written(tmp_path / "one.gpkg", frame())
    time.sleep(1.1)  # a GeoPackage tells the second in which it was written
    two = written(tmp_path / "two.gpkg", frame())

    assert one.read_bytes() != two.read_bytes()
    assert rows_digest(one) == rows_digest(two)
    assert len(rows_digest(one)) == 64


@pytest.mark.parametrize("at_once", [1, 3, 4, 50_000])
def test_whatever_is_in_the_rows_is_in_the_digest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    monkeypatch.setattr(module, "AT_ONCE", at_once)
    moved = frame()
    moved.geometry = [*moved.geometry[:2], shapely.box(20, 0, 21.5, 2)]
    contents = [
        frame(), frame((5.0, 3.0, 1.25)), frame((5.0, 3.0)), frame(crs=32634), frame(crs=None), frame()[::-1],
        frame().rename(columns={"area_m2": "area"}), moved,
    ]  # fmt: skip

    digests = {rows_digest(written(tmp_path / f"{number}.gpkg", one)) for number, one in enumerate(contents)}

    assert len(digests) == len(contents)


def test_an_empty_layer_has_a_digest_and_no_rows(tmp_path: Path) -> None:
    path = written(tmp_path / "empty.gpkg", frame(()))

    assert len(first_rows(path, 5)) == 0
    assert column_of(path, "area_m2").tolist() == []
    assert rows_digest(path)


def test_a_file_that_is_none_says_so(tmp_path: Path) -> None:
    path = tmp_path / "a.gpkg"
    path.write_bytes(b"SQLite format 3\x00 and then nothing")
    for read in (rows_digest, lambda path: first_rows(path, 1), lambda path: column_of(path, "id")):
        with pytest.raises(StorageError, match=r"a\.gpkg cannot be read"):
            read(path)
    with pytest.raises(StorageError, match="cannot be read"):
        column_of(written(tmp_path / "b.gpkg", frame()), "height")
