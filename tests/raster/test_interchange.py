"""Shapes in the formats that others ask for are read again as what they are."""

from __future__ import annotations

import io
from pathlib import Path
from xml.etree import ElementTree
from zipfile import ZipFile

import geopandas
import numpy as np
import pandas as pd
import pyogrio
import pytest
import shapely

from core.errors import GridError
from core.raster.fields import COLUMNS, fields_table, short_names
from core.raster.interchange import table_with_places, write_interchange, write_shapefile
from core.raster.kml import write_kml
from core.raster.untrusted import read_vectors_untrusted

KML = "{http://www.opengis.net/kml/2.2}"


def frame(crs: int | None = 32632) -> geopandas.GeoDataFrame:
    """A square of 100 m on the central meridian of its zone at the equator with a hole, and two more as one."""
    hole = shapely.box(499_990, 10, 499_999, 19)
    first = shapely.box(499_950, 0, 500_050, 100) - hole
    second = shapely.MultiPolygon([shapely.box(500_200, 0, 500_210, 10), shapely.box(500_220, 0, 500_221, 1)])
    columns = {
        "id": ["L0A", "L0B"], "area_m2": [9919.0, 101.0], "mean_probability": [0.91234, np.nan],
        "note": ["<b>bold</b> & größer", None],
    }  # fmt: skip
    return geopandas.GeoDataFrame(columns, geometry=[first, second], crs=crs)


def test_a_table_says_where_each_shape_lies() -> None:
    shapes = frame()
    shapes.geometry = [shapely.box(499_950, 0, 500_050, 100), shapely.box(500_200, 0, 500_210, 10)]
    table = table_with_places(shapes)
    assert list(table)[-5:] == ["x", "y", "crs", "longitude", "latitude"]
    first = table.iloc[0]
    # 500,000 m is the central meridian of zone 32, 9° east; 50 m to the north are 0.000452° on the ellipsoid.
    assert (first["x"], first["y"], first["crs"]) == (500_000, 50, "EPSG:32632")
    assert first["longitude"] == pytest.approx(9.0, abs=1e-7)
    assert first["latitude"] == pytest.approx(50 / 110_574.28, abs=1e-6)

    pixels = table_with_places(frame(None))
    assert list(pixels)[-2:] == ["x", "y"]


def test_a_shapefile_is_whole_and_its_short_names_are_explained(tmp_path: Path) -> None:
    path = tmp_path / "slides.shp.zip"
    write_shapefile(frame(), path, "slides")
    with ZipFile(path) as archive:
        assert set(archive.namelist()) == {
            "slides.shp", "slides.shx", "slides.dbf", "slides.prj", "slides.cpg", "slides_fields.csv"
        }  # fmt: skip
        assert archive.read("slides.cpg").strip() == b"UTF-8"
        fields = pd.read_csv(io.BytesIO(archive.read("slides_fields.csv")), keep_default_na=False)
    assert tuple(fields) == COLUMNS
    assert fields[["field", "shapefile_field", "unit"]].to_numpy().tolist() == [
        ["id", "id", ""], ["area_m2", "area_m2", "m²"], ["mean_probability", "mean_proba", "0 to 1"],
        ["note", "note", ""],
    ]  # fmt: skip
    assert fields["meaning"][2] == "Mean of the model's landslide probability over the pixels of the outline."
    read = pyogrio.read_dataframe(path)
    assert read.crs.to_epsg() == 32632
    assert read["id"].tolist() == ["L0A", "L0B"]
    assert read["note"].tolist()[0] == "<b>bold</b> & größer"
    assert read.area.tolist() == [100 * 100 - 81, 101]
    assert len(read_vectors_untrusted(path)) == 2  # it can be brought back as a reference


@pytest.mark.parametrize("crs", [32632, None])
def test_nothing_found_is_a_file_with_nothing_in_it(tmp_path: Path, crs: int | None) -> None:
    write_interchange(frame(crs).iloc[:0], tmp_path, "slides", "Title", "#D55E00", {"run": "a"})
    assert len(pyogrio.read_dataframe(tmp_path / "slides.shp.zip")) == 0
    assert len(pd.read_csv(tmp_path / "slides.csv")) == 0
    assert (tmp_path / "slides.kml").exists() == (crs is not None)


def test_names_of_fields_are_short_and_no_two_alike() -> None:
    names = [f"a_long_name_{number}" for number in range(12)]
    made = list(short_names(names).values())
    assert len({name.lower() for name in made}) == 12
    assert max(map(len, made)) == 10


def test_codes_and_empty_values_are_explained() -> None:
    rows = pd.read_csv(io.StringIO(fields_table(["outcome", "aspect_deg", "depth_m"])), keep_default_na=False)
    outcome, aspect, depth = rows.to_dict("records")
    assert "false = a false alarm by the reference" in outcome["codes"]
    assert aspect["unit"] == "°"
    assert aspect["empty_value"] == "no elevation is known there, or directions cancel each other"
    # Of a column that nobody described its name says what can be said.
    assert (depth["meaning"], depth["unit"]) == ("Depth", "m")


def test_kml_lies_where_the_shapes_lie_and_tells_their_figures(tmp_path: Path) -> None:
    write_kml(frame(), tmp_path / "a.kml", 'Valley <1> "x"', "#D55E00", "run: a & b")
    root = ElementTree.parse(tmp_path / "a.kml").getroot()  # noqa: S314  written by ourselves
    document = root.find(f"{KML}Document")
    assert document is not None
    assert document.findtext(f"{KML}name") == 'Valley <1> "x"'
    assert document.findtext(f"{KML}Style/{KML}LineStyle/{KML}color") == "ff005ed5"
    first, second = document.findall(f"{KML}Placemark")
    assert first.findtext(f"{KML}name") == "L0A"
    assert first.findtext(f"{KML}description") == (
        "Area: 9,919 m²<br/>Mean probability: 0.91<br/>Note: &lt;b&gt;bold&lt;/b&gt; &amp; größer"
    )
    assert second.findtext(f"{KML}description") == "Area: 101 m²"
    data = {one.get("name"): one for one in first.iter(f"{KML}Data")}
    assert data["area_m2"].findtext(f"{KML}displayName") == "Area (m²)"
    assert data["area_m2"].findtext(f"{KML}value") == "9919"
    assert len(first.findall(f".//{KML}innerBoundaryIs")) == 1
    assert len(second.findall(f".//{KML}Polygon")) == 2
    corners = [place.split(",") for place in first.findtext(f".//{KML}coordinates", "").split()]
    west = min(float(x) for x, _ in corners)
    assert west == pytest.approx(9 - 50 / 0.9996 / 111_319.49, abs=1e-6)

    with pytest.raises(GridError, match="no geographic coordinates"):
        write_kml(frame(None), tmp_path / "b.kml", "", "#D55E00")
    assert not (tmp_path / "b.kml").exists()


def test_the_table_of_fields_covers_the_csv_and_the_kml_says_its_settings(tmp_path: Path) -> None:
    shapes = frame(32632)
    told = {"run": "0123abcd", "view_minimum_area": "1,000 m²"}
    write_interchange(shapes, tmp_path, "slides", "Slides", "#D55E00", told)
    rows = pd.read_csv(tmp_path / "slides_fields.csv", keep_default_na=False)
    assert list(rows["field"]) == list(pd.read_csv(tmp_path / "slides.csv"))
    assert "run: 0123abcd; minimum area: 1,000 m²" in (tmp_path / "slides.kml").read_text("utf-8")
