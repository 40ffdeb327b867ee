import json
import os
import shutil
import sqlite3
import stat
import zipfile
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import geopandas as gpd
import pytest
from rasterio.crs import CRS
from shapely.geometry import LineString, Point, box

from core.errors import InputError, UnsafeFileError
from core.raster import vectors
from core.raster.untrusted import read_vectors_untrusted
from core.raster.vector_limits import LIMITS


@pytest.fixture
def inventory() -> gpd.GeoDataFrame:
    shapes = [box(650_000, 9_559_000, 650_200, 9_559_300), box(650_500, 9_559_000, 650_600, 9_559_100)]
    return gpd.GeoDataFrame({"name": ["scar", "Rutsch Ä"]}, geometry=shapes, crs=32717)


@pytest.fixture
def shapefile(inventory: gpd.GeoDataFrame, tmp_path: Path) -> Path:
    folder = tmp_path / "parts"
    folder.mkdir()
    inventory.to_file(folder / "Inventory.shp", encoding="utf-8")
    return folder


def zipped(folder: Path, path: Path, prefix: str = "") -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for part in sorted(folder.iterdir()):
            archive.write(part, prefix + part.name)
    return path


@pytest.mark.parametrize("suffix", ["gpkg", "geojson"])
def test_features_come_back_with_their_coordinate_system(
    inventory: gpd.GeoDataFrame, tmp_path: Path, suffix: str
) -> None:
    path = tmp_path / f"inventory.{suffix}"
    inventory.to_file(path)
    renamed = path.rename(tmp_path / "inventory.bin")

    found = read_vectors_untrusted(renamed)

    assert found.crs == inventory.crs
    assert found.geometry.geom_equals(inventory.geometry).all()
    assert list(found.columns) == ["geometry"]
    assert vectors.first_attributes(renamed, 2, 5) == vectors.Attributes(("name",), (("scar",), ("Rutsch Ä",)))


@pytest.mark.parametrize("prefix", ["", "some/folder/"])
def test_zipped_shapefile_is_read(
    inventory: gpd.GeoDataFrame, shapefile: Path, tmp_path: Path, prefix: str
) -> None:
    found = read_vectors_untrusted(zipped(shapefile, tmp_path / "inventory.zip", prefix))

    assert found.crs == inventory.crs
    assert found.geometry.geom_equals(inventory.geometry).all()
    said = vectors.first_attributes(tmp_path / "inventory.zip", 2, 5)
    assert said == vectors.Attributes(("name",), (("scar",), ("Rutsch Ä",)))


@pytest.mark.parametrize("kind", ["gpkg", "geojson", "zip"])
@pytest.mark.parametrize(
    "shapes",
    [
        [Point(650_010, 9_559_020), Point(650_030, 9_559_040)],
        [LineString([(650_000, 9_559_000), (650_200, 9_559_300)]), LineString([(0, 0), (5, 0), (5, 5)])],
    ],
    ids=["points", "lines"],
)
def test_points_and_lines_are_read_as_they_are(tmp_path: Path, shapes: list, kind: str) -> None:
    layer = gpd.GeoDataFrame({"id": [1, 2]}, geometry=shapes, crs=32717)
    path = tmp_path / f"layer.{kind}"
    if kind == "zip":
        (tmp_path / "parts").mkdir()
        layer.to_file(tmp_path / "parts" / "layer.shp")
        zipped(tmp_path / "parts", path)
    else:
        layer.to_file(path)

    found = read_vectors_untrusted(path)

    assert found.crs.to_epsg() == 32717
    assert found.geometry.tolist() == shapes


def test_plain_geojson_is_in_longitude_and_latitude(tmp_path: Path) -> None:
    path = tmp_path / "point.geojson"
    path.write_text('\ufeff {"type": "Point", "coordinates": [-79.5, -4.0]}', encoding="utf-8")

    found = read_vectors_untrusted(path)

    assert found.crs.to_epsg() == 4326
    assert found.geometry[0] == Point(-79.5, -4.0)


@pytest.mark.parametrize(
    "content",
    [
        b"<?xml version='1.0'?><ogr:FeatureCollection xmlns:gml='http://www.opengis.net/gml'/>",
        b"<OGRVRTDataSource/>",
        b"<kml/>",
        b"II*\x00",
        b"name,lon,lat\n",
        b"",
    ],
)
def test_other_formats_are_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "inventory.gpkg"
    path.write_bytes(content)

    with pytest.raises(UnsafeFileError, match="not a GeoPackage"):
        read_vectors_untrusted(path)


@pytest.mark.parametrize("address", ["/vsicurl/http://127.0.0.1/a.gpkg", "http://127.0.0.1/a.geojson"])
def test_addresses_are_refused(address: str) -> None:
    with pytest.raises(UnsafeFileError, match="address"):
        read_vectors_untrusted(address)


class TestGeoJson:
    @pytest.mark.parametrize(
        "document",
        [
            {"type": "gdal_streamed_alg", "command_line": "gdal vector read /etc/passwd"},
            {"type": "Topology", "objects": {}, "arcs": []},
            {"links": ["http://127.0.0.1"]},
        ],
    )
    def test_documents_that_only_look_like_it_are_refused(self, tmp_path: Path, document: dict) -> None:
        path = tmp_path / "a.geojson"
        path.write_text(json.dumps(document))

        with pytest.raises(UnsafeFileError, match="not GeoJSON"):
            read_vectors_untrusted(path)

    @pytest.mark.parametrize(
        "text",
        [
            '{"type": "FeatureCollection", "features": [',
            '{"type": "FeatureCollection", "features": [1, 2]}',
            '{"type": "Feature", "geometry": {"type": "Polygon", "coordinates": "x"}}',
            '{"type": "Point", "coordinates": ["a", "b"]}',
            '{"a":' * 100_000,
            '{"type": "Feature", "geometry": {"type": [], "coordinates": [1, 2]}}',
            '{"type": "Point", "coordinates": [1' + "0" * 400 + ', 2]}',
            '{"type": "Point", "coordinates": [1' + "0" * 5000 + ', 2]}',
            '{"type": "FeatureCollection", "features": [{"type": "Feature", "geometry": []}]}',
        ],
    )
    def test_damaged_documents_are_called_so(self, tmp_path: Path, text: str) -> None:
        path = tmp_path / "a.geojson"
        path.write_text(text, encoding="utf-8", errors="surrogatepass")

        with pytest.raises(InputError, match="damaged"):
            read_vectors_untrusted(path)

    @pytest.mark.parametrize("features", [[], [{"type": "Feature", "properties": {}, "geometry": None}]])
    def test_no_features_are_said(self, tmp_path: Path, features: list) -> None:
        path = tmp_path / "a.geojson"
        path.write_text(json.dumps({"type": "FeatureCollection", "features": features}))

        with pytest.raises(InputError, match="holds no features"):
            read_vectors_untrusted(path)

    def test_letters_of_another_alphabet_are_said(self, tmp_path: Path) -> None:
        path = tmp_path / "a.geojson"
        path.write_bytes('{"type": "Point", "coordinates": [1, 2], "name": "Ä"}'.encode("latin-1"))

        with pytest.raises(InputError, match="UTF-8"):
            read_vectors_untrusted(path)

    def test_metres_are_not_taken_for_degrees(self, tmp_path: Path) -> None:
        path = tmp_path / "a.geojson"
        path.write_text(json.dumps({"type": "Point", "coordinates": [650_000, 9_559_000]}))

        with pytest.raises(InputError, match="not longitude and latitude"):
            read_vectors_untrusted(path)

    @pytest.mark.parametrize(
        ("limits", "words"),
        [
            ({"features": 2}, "more than 2 features"),
            ({"vertices": 3}, "more than 3 vertices"),
            ({"json_memory": 2_000}, "more values than fit"),
            ({"geojson_bytes": 100}, "MB"),
        ],
    )
    def test_more_than_the_limits_is_refused(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limits: dict, words: str
    ) -> None:
        path = tmp_path / "a.geojson"
        point = {"type": "Feature", "properties": {}, "geometry": {"type": "MultiPoint", "coordinates": [[1, 2]] * 2}}
        path.write_text(json.dumps({"type": "FeatureCollection", "features": [point] * 3}))
        monkeypatch.setattr(vectors, "LIMITS", replace(LIMITS, **limits))

        with pytest.raises(UnsafeFileError, match=words):
            read_vectors_untrusted(path)

    @pytest.mark.parametrize(
        "name", ["EPSG:1", "+proj=pipeline +step +nadgrids=/etc/passwd", "LOCAL", "EPSG:32717 x"]
    )
    def test_unknown_coordinate_systems_are_refused(self, tmp_path: Path, name: str) -> None:
        path = tmp_path / "a.geojson"
        crs = {"type": "name", "properties": {"name": name}}
        path.write_text(json.dumps({"type": "Point", "coordinates": [1, 2], "crs": crs}))

        with pytest.raises(InputError, match="coordinate system"):
            read_vectors_untrusted(path)


class TestGeoPackage:
    @pytest.fixture
    def package(self, inventory: gpd.GeoDataFrame, tmp_path: Path) -> Path:
        path = tmp_path / "a.gpkg"
        inventory.to_file(path, layer="slides")
        return path

    def test_nothing_inside_is_said(self, inventory: gpd.GeoDataFrame, package: Path, tmp_path: Path) -> None:
        inventory.iloc[:0].to_file(tmp_path / "none.gpkg")
        with sqlite3.connect(package) as connection:
            connection.execute("DELETE FROM gpkg_contents")
        connection.close()

        with pytest.raises(InputError, match="no vector layer"):
            read_vectors_untrusted(package)
        with pytest.raises(InputError, match="no features"):
            read_vectors_untrusted(tmp_path / "none.gpkg")

    def test_several_layers_are_listed(self, inventory: gpd.GeoDataFrame, package: Path) -> None:
        inventory.to_file(package, layer="others")

        with pytest.raises(InputError, match="others, slides"):
            read_vectors_untrusted(package)

    def test_truncated_is_called_damaged(self, package: Path) -> None:
        content = package.read_bytes()
        for length in (100, 5000, len(content) // 2):
            package.write_bytes(content[:length])
            with pytest.raises(InputError, match="damaged"):
                read_vectors_untrusted(package)

    def test_plain_database_is_refused(self, tmp_path: Path) -> None:
        with sqlite3.connect(tmp_path / "a.gpkg") as connection:
            connection.execute("CREATE TABLE secrets (a)")
        connection.close()

        with pytest.raises(UnsafeFileError, match="not a GeoPackage"):
            read_vectors_untrusted(tmp_path / "a.gpkg")

    @pytest.mark.parametrize(
        "statement",
        [
            "ALTER TABLE slides RENAME TO hidden; CREATE VIEW slides AS SELECT * FROM hidden",
            "DROP TABLE slides; CREATE VIRTUAL TABLE slides USING fts4(geom)",
            *(
                f"ALTER TABLE {table} RENAME TO hidden; CREATE VIEW {table} AS WITH RECURSIVE n(i) AS "  # noqa: S608
                "(SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT * FROM hidden, n"
                for table in ("gpkg_contents", "gpkg_geometry_columns", "gpkg_spatial_ref_sys")
            ),
        ],
    )
    def test_what_acts_when_read_is_refused(self, package: Path, statement: str) -> None:
        connection = sqlite3.connect(package)
        for trigger in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            connection.execute(f'DROP TRIGGER "{trigger[0]}"')
        connection.executescript(f"PRAGMA legacy_alter_table=ON; {statement}")
        connection.close()

        with pytest.raises(UnsafeFileError, match="is a virtual table|is a view"):
            read_vectors_untrusted(package)

    def test_generated_geometries_are_not_computed(self, package: Path) -> None:
        connection = sqlite3.connect(package)
        for trigger in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            connection.execute(f'DROP TRIGGER "{trigger[0]}"')
        connection.executescript(
            "ALTER TABLE slides RENAME COLUMN geom TO old;"
            "ALTER TABLE slides ADD COLUMN geom BLOB GENERATED ALWAYS AS (zeroblob(900000000)) VIRTUAL;"
        )
        connection.close()

        with pytest.raises(InputError, match="no geometries"):
            read_vectors_untrusted(package)

    def test_what_is_beside_the_layer_is_not_touched(self, inventory: gpd.GeoDataFrame, package: Path) -> None:
        connection = sqlite3.connect(package)
        connection.executescript(
            "CREATE VIRTUAL TABLE evil USING fts4(a);"
            "ALTER TABLE slides ADD COLUMN big BLOB GENERATED ALWAYS AS (zeroblob(900000000)) VIRTUAL;"
        )
        connection.close()

        assert read_vectors_untrusted(package).geometry.geom_equals(inventory.geometry).all()
        assert vectors.first_attributes(package, 5, 5).names == ("name",)

    @pytest.mark.parametrize("beside", ["-wal", "-journal"])
    def test_one_that_is_open_elsewhere_is_said(self, package: Path, beside: str) -> None:
        package.with_name(f"a.gpkg{beside}").write_bytes(b"changes")

        with pytest.raises(InputError, match="open in another program"):
            read_vectors_untrusted(package)

    @pytest.mark.parametrize("identity", ["GPKG", "GP10", "GP11"])
    def test_every_edition_is_read(self, inventory: gpd.GeoDataFrame, package: Path, identity: str) -> None:
        content = bytearray(package.read_bytes())
        content[68:72] = identity.encode()
        package.write_bytes(content)

        assert len(read_vectors_untrusted(package)) == len(inventory)

    @pytest.mark.parametrize(
        ("srs", "crs"),
        [("-1", None), ("0", None), ("x", "without describing it"), ("7", "no position"), ("8", "to another file")],
    )
    def test_coordinate_systems_without_a_place_are_said(self, package: Path, srs: str, crs: str | None) -> None:
        engineering = 'LOCAL_CS["site",UNIT["metre",1]]'
        pointing = 'GEOGCS["a",DATUM["b",SPHEROID["c",6378137,298]],EXTENSION["PROJ4_GRIDS","/etc/passwd"]]'
        connection = sqlite3.connect(package)
        for number, text in ((7, engineering), (8, pointing)):
            connection.execute(
                "INSERT INTO gpkg_spatial_ref_sys VALUES ('site', ?, 'NONE', ?, ?, '')", (number, number, text)
            )
        connection.execute("DROP TRIGGER IF EXISTS x")
        connection.execute("UPDATE gpkg_geometry_columns SET srs_id = ?", (srs,))
        connection.commit()
        connection.close()

        if crs is None:
            assert read_vectors_untrusted(package).crs is None
        else:
            with pytest.raises(InputError, match=crs):
                read_vectors_untrusted(package)

    @pytest.mark.parametrize("table", ["gpkg_contents", "gpkg_geometry_columns", "gpkg_spatial_ref_sys", "slides"])
    def test_a_table_that_is_not_there_is_said(self, package: Path, table: str) -> None:
        connection = sqlite3.connect(package)
        connection.execute(f"DROP TABLE {table}")
        connection.commit()
        connection.close()

        with pytest.raises(InputError, match=f"lacks the table .*{table}"):
            read_vectors_untrusted(package)

    def test_attributes_in_another_alphabet_harm_no_outline(
        self, inventory: gpd.GeoDataFrame, package: Path
    ) -> None:
        package.write_bytes(package.read_bytes().replace("Rutsch Ä".encode(), b"Rutsch \xc4 "))

        assert read_vectors_untrusted(package).geometry.geom_equals(inventory.geometry).all()
        assert str(vectors.first_attributes(package, 2, 1).rows[1][0]).startswith("Rutsch")

    def test_file_is_left_as_it_was(self, package: Path) -> None:
        before = package.read_bytes()
        read_vectors_untrusted(package)

        assert package.read_bytes() == before
        assert [path.name for path in package.parent.iterdir()] == ["a.gpkg"]


class TestZip:
    @pytest.mark.parametrize("name", ["../evil.shp", "/etc/evil", "a/../../evil", "..\\evil", "C:\\evil"])
    def test_members_that_lead_out_are_refused(self, shapefile: Path, tmp_path: Path, name: str) -> None:
        path = zipped(shapefile, tmp_path / "a.zip")
        with zipfile.ZipFile(path, "a") as archive:
            archive.writestr(name, b"x")

        with pytest.raises(UnsafeFileError, match="points outside"):
            read_vectors_untrusted(path)

    def test_links_are_refused(self, shapefile: Path, tmp_path: Path) -> None:
        path = zipped(shapefile, tmp_path / "a.zip")
        link = zipfile.ZipInfo("Inventory.sbn")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        with zipfile.ZipFile(path, "a") as archive:
            archive.writestr(link, "/etc/passwd")

        with pytest.raises(UnsafeFileError, match="points outside"):
            read_vectors_untrusted(path)

    def test_bombs_are_refused_before_they_are_unpacked(
        self, shapefile: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (shapefile / "Inventory.shp").write_bytes(bytes(20_000_000))
        path = zipped(shapefile, tmp_path / "b.zip")
        monkeypatch.setattr(vectors, "LIMITS", replace(LIMITS, file_bytes=10_000_000))
        monkeypatch.setattr(shutil, "copyfileobj", lambda *_: pytest.fail("was unpacked"))

        with pytest.raises(UnsafeFileError, match="20 MB"):
            read_vectors_untrusted(path)

    def test_member_larger_than_it_claims_is_not_unpacked_beyond(
        self, shapefile: Path, tmp_path: Path
    ) -> None:
        path = zipped(shapefile, tmp_path / "a.zip")
        size = (shapefile / "Inventory.shp").stat().st_size.to_bytes(4, "little")
        content = path.read_bytes()
        assert content.count(size) >= 2
        path.write_bytes(content.replace(size, (50).to_bytes(4, "little")))

        with pytest.raises(InputError, match="damaged"):
            read_vectors_untrusted(path)

    def test_too_many_members_are_refused(self, shapefile: Path, tmp_path: Path) -> None:
        for number in range(300):
            (shapefile / f"{number}.txt").touch()

        with pytest.raises(UnsafeFileError, match="more than 256 files"):
            read_vectors_untrusted(zipped(shapefile, tmp_path / "a.zip"))

    def test_missing_doubled_and_false_shapefiles_are_said(self, shapefile: Path, tmp_path: Path) -> None:
        shutil.copy(shapefile / "Inventory.shp", shapefile / "Other.shp")
        with pytest.raises(InputError, match="2 Shapefiles"):
            read_vectors_untrusted(zipped(shapefile, tmp_path / "a.zip"))
        (shapefile / "Other.shp").unlink()
        (shapefile / "Inventory.shp").write_text("<VRT/>")
        with pytest.raises(InputError, match="damaged"):
            read_vectors_untrusted(zipped(shapefile, tmp_path / "b.zip"))
        (shapefile / "Inventory.shp").unlink()
        with pytest.raises(InputError, match="no Shapefiles"):
            read_vectors_untrusted(zipped(shapefile, tmp_path / "c.zip"))

    def test_what_macos_adds_is_no_shapefile(self, shapefile: Path, tmp_path: Path) -> None:
        path = zipped(shapefile, tmp_path / "a.zip")
        with zipfile.ZipFile(path, "a") as archive:
            archive.writestr("__MACOSX/._Inventory.shp", b"x")
            archive.writestr("._Inventory.shp", b"x")

        assert len(read_vectors_untrusted(path)) == 2

    def test_a_missing_index_and_a_password_are_said(self, shapefile: Path, tmp_path: Path) -> None:
        path = zipped(shapefile, tmp_path / "a.zip")
        content = bytearray(path.read_bytes())
        for at in range(len(content) - 4):
            if content[at : at + 4] == b"PK\x01\x02":
                content[at + 8] |= 1
        path.write_bytes(content)
        with pytest.raises(InputError, match="encrypted"):
            read_vectors_untrusted(path)
        (shapefile / "Inventory.shx").unlink()
        with pytest.raises(InputError, match=r"lacks the \.shx"):
            read_vectors_untrusted(zipped(shapefile, tmp_path / "b.zip"))

    def test_a_table_in_another_alphabet_harms_no_outline(self, shapefile: Path, tmp_path: Path) -> None:
        (shapefile / "Inventory.cpg").write_text("UTF-8")
        table = (shapefile / "Inventory.dbf").read_bytes()
        (shapefile / "Inventory.dbf").write_bytes(table.replace("Ä".encode(), b"\xc4 "))
        path = zipped(shapefile, tmp_path / "a.zip")

        assert len(read_vectors_untrusted(path)) == 2
        assert vectors.first_attributes(path, 2, 1).rows[1] == ("Rutsch Ä",)

    @pytest.mark.parametrize("compression", [zipfile.ZIP_DEFLATED, zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2])
    def test_damaged_members_are_called_so(self, shapefile: Path, tmp_path: Path, compression: int) -> None:
        path = tmp_path / "a.zip"
        with zipfile.ZipFile(path, "w", compression) as archive:
            for part in sorted(shapefile.iterdir()):
                archive.writestr(part.name, part.read_bytes() * (part.suffix != ".cpg"))
        whole = path.read_bytes()
        for at in range(60, len(whole) - 400, 7):
            path.write_bytes(whole[:at] + bytes([whole[at] ^ 0x55]) + whole[at + 1 :])
            with suppress(InputError):
                read_vectors_untrusted(path)

    @pytest.mark.parametrize(
        ("text", "words"),
        [
            ("+proj=longlat +nadgrids=CANARY +type=crs", "to another file"),
            ("CANARY", "is unknown"),
            ("EPSG:32717", "is unknown"),
            ("urn:ogc:def:crs:EPSG::32717", "is unknown"),
            ('LOCAL_CS["site",UNIT["metre",1]]', "no position"),
            ('GEOGCS["a",DATUM["b",SPHEROID["c",6378137,298]],EXTENSION["PROJ4_GRIDS","CANARY"]]', "to another file"),
            (
                'GEOGCS["a",DATUM["b",SPHEROID["c",6378137,298]],PRIMEM["g",0],UNIT["degree",0.0174532925199433],'
                'EXTENSION["PROJ4","+proj=longlat +ellps=bessel +nadgrids=CANARY"]]',
                "refers to another file",
            ),
            (
                'GEOGCS["a",DATUM["b",SPHEROID["c",6378137,298]],PRIMEM["g",0],UNIT["degree",0.0174532925199433],'
                'EXTENSION["PROJ4","+proj=longlat +a=1"]]',
                "is unknown",
            ),
            (
                'GEOGCS["Moon",DATUM["m",SPHEROID["m",1737400,0]],PRIMEM["m",0],UNIT["degree",0.0174532925199433]]',
                "not of the Earth",
            ),
            ("GEOGCS[" * 3000, "is unknown"),
        ],
    )
    def test_no_coordinate_system_opens_a_file(
        self, shapefile: Path, tmp_path: Path, text: str, words: str
    ) -> None:
        """A pipe is the canary: whoever opened it to read would wait for ever."""
        canary = tmp_path / "canary"
        os.mkfifo(canary)
        (shapefile / "Inventory.prj").write_text(text.replace("CANARY", str(canary)))

        with pytest.raises(InputError, match=words):
            read_vectors_untrusted(zipped(shapefile, tmp_path / "a.zip"))

    def test_web_mercator_is_known_by_its_code_whatever_its_extension(self, shapefile: Path, tmp_path: Path) -> None:
        (shapefile / "Inventory.prj").write_text(CRS.from_epsg(3857).to_wkt())
        assert "EXTENSION" in (shapefile / "Inventory.prj").read_text()

        assert read_vectors_untrusted(zipped(shapefile, tmp_path / "a.zip")).crs.to_epsg() == 3857

    def test_truncated_is_called_damaged(self, shapefile: Path, tmp_path: Path) -> None:
        path = zipped(shapefile, tmp_path / "a.zip")
        path.write_bytes(path.read_bytes()[:-200])

        with pytest.raises(InputError, match="damaged"):
            read_vectors_untrusted(path)
