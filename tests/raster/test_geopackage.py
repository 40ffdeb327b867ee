"""GeoPackages of our own: read in part, and the same when their rows are."""

from __future__ import annotations

import time
from pathlib import Path
from xml.etree import ElementTree

import geopandas
import numpy as np
import pyogrio
import pytest
import shapely

from core.errors import StorageError
from core.plots.gis_style import category_style, plain_style, range_style, reference_style
from core.raster import geopackage as module
from core.raster.features import write_features
from core.raster.geopackage import LayerStyle, column_of, first_rows, rows_digest
from core.raster.untrusted import read_vectors_untrusted


def frame(areas: tuple[float, ...] = (5.0, 3.0, 1.5), crs: int | None = 32633) -> geopandas.GeoDataFrame:
    shapes = [shapely.box(10 * number, 0, 10 * number + area, 1) for number, area in enumerate(areas)]
    if len(shapes) > 1:
        shapes[1] = shapely.MultiPolygon([shapes[1], shapely.box(50, 50, 51, 51)])
    columns = {"id": np.arange(1, len(areas) + 1), "area_m2": areas}
    return geopandas.GeoDataFrame(columns, geometry=shapes, crs=crs)


def tree(text: str) -> ElementTree.Element:
    return ElementTree.fromstring(text)  # noqa: S314  written by ourselves


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


def test_a_layer_tells_what_it_is_of_and_how_it_is_shown(tmp_path: Path) -> None:
    frame = geopandas.GeoDataFrame({"id": ["A"]}, geometry=[shapely.box(0, 0, 1, 1)], crs=32632)
    about = {"run": "0123abcd", "model": "U-Net <2>", "view_threshold": "0.5", "licence": "CC BY 4.0 & more"}
    write_features(frame, tmp_path / "a.gpkg", "slides", style=plain_style("Found & kept", "#D55E00"), about=about)

    assert pyogrio.read_info(tmp_path / "a.gpkg", layer="slides")["layer_metadata"].items() >= about.items()
    assert [list(row) for row in pyogrio.list_layers(tmp_path / "a.gpkg")] == [
        ["slides", "Polygon"], ["layer_styles", None]
    ]  # fmt: skip
    styles = pyogrio.read_dataframe(tmp_path / "a.gpkg", layer="layer_styles")
    (row,) = styles.to_dict("records")
    assert (row["f_table_name"], row["f_geometry_column"], row["useAsDefault"]) == ("slides", "geom", True)
    colour = next(
        one.get("value") for one in tree(row["styleQML"]).iter("Option")
        if one.get("name") == "outline_color"
    )  # fmt: skip
    assert colour == "213,94,0,255"  # #D55E00
    assert "#D55E00" in {one.text for one in tree(row["styleSLD"]).iter() if one.text}
    # It is read again as what it is, whatever stands beside it.
    assert len(read_vectors_untrusted(tmp_path / "a.gpkg")) == 1


@pytest.mark.parametrize(
    "style",
    [
        category_style("By status", "status", {"a & b": "#000000", "<c>": "#FFFFFF"}),
        range_style("Velocity", "velocity", [(-1e9, 0.0, "#0000FF"), (0.0, 1e9, "#FF0000")]),
        reference_style("Points", points=True),
    ],
)
def test_every_style_is_well_formed(style: LayerStyle) -> None:
    symbols = tree(style.qml).findall("renderer-v2/symbols/symbol")
    rules = tree(style.sld).findall(".//{http://www.opengis.net/se}Rule")
    assert len(symbols) == len(rules) >= 1
    labels = [one.get("label") for one in tree(style.qml).iter("range")]
    assert labels in ([], ["below 0", "above 0"])
    assert [one.get("name") for one in symbols] == [str(number) for number in range(len(symbols))]
