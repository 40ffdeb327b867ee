"""Rasters, vector layers and tables are kept once, found by their ids, and go when nobody uses them."""

from __future__ import annotations

import hashlib
import io
import json
import threading
import zipfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import select, update

from core.errors import InputError, LandslideError, UnsafeFileError
from core.retention.prune import delete_dataset, missing, plan, prune
from core.runs.records import Input, Order
from core.runs.store import Store
from core.runs.tables import DatasetRow
from core.tasks.imagery.inputs import inputs_of, scene_of, scene_today
from tests.factories import ramp, write_raster

TABLE = b"date,rain\n2017-01-15,4.0\n2017-01-16,3.5\n"
POLYGON = {"type": "Polygon", "coordinates": [[[15, 46], [15.1, 46], [15.1, 46.1], [15, 46.1], [15, 46]]]}
LAYER = {"type": "FeatureCollection", "features": [{"type": "Feature", "properties": {"id": 7}, "geometry": POLYGON}]}
GEOJSON = json.dumps(LAYER).encode()

LINES = json.dumps({"type": "LineString", "coordinates": [[15, 46], [15.1, 46.1]]}).encode()

Upload = Callable[[bytes, str], str]


def raster(folder: Path, name: str = "scene.tif", shift: int = 0) -> Path:
    return write_raster(folder / name, ramp(6, 8) + np.uint8(shift))


def geopackage(folder: Path) -> bytes:
    import geopandas as gpd

    path = folder / "made.gpkg"
    gpd.GeoDataFrame.from_features(LAYER, crs=4326).to_file(path)
    return path.read_bytes()


def zipped(**members: bytes) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name, member in members.items():
            archive.writestr(f"made.{name}", member)
    return content.getvalue()


LONE_SHAPES = zipped(shp=b"\x00\x00\x27\x0a", prj=b"")
"""A zip of a Shapefile without its index."""


def shapefile(folder: Path) -> bytes:
    import geopandas as gpd

    gpd.GeoDataFrame.from_features(LAYER, crs=4326).to_file(folder / "made.shp")
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for path in folder.glob("made.*"):
            archive.write(path, path.name)
    return content.getvalue()


def workbook() -> bytes:
    import openpyxl

    book, content = openpyxl.Workbook(), io.BytesIO()
    for row in (["day", "mm"], [1, 2.5], [2, 3.5]):
        book.active.append(row)
    book.save(content)
    return content.getvalue()


@pytest.fixture
def upload(any_store: Store) -> Upload:
    return lambda content, name: any_store.upload_dataset(io.BytesIO(content), name).id


def files(store: Store) -> list[str]:
    return sorted(path.name for path in (store.home / "files").glob("*/*"))


def aged(store: Store, days: float, *identities: str) -> None:
    then = (datetime.now(UTC) - timedelta(days=days)).timestamp()
    with store.database.write() as session:
        session.execute(update(DatasetRow).where(DatasetRow.id.in_(identities)).values(created=then))


def a_month_ago() -> datetime:
    return datetime.now(UTC) - timedelta(days=30)


# Kept, listed, found


def test_every_form_is_told_by_its_content(any_store: Store, upload: Upload, tmp_path: Path) -> None:
    given = {
        "scene.png.tif": (raster(tmp_path).read_bytes(), "raster", ".tif"),
        "inventory": (GEOJSON, "vector", ".geojson"),
        "inventory.csv": (geopackage(tmp_path), "vector", ".gpkg"),
        "inventory.xlsx": (shapefile(tmp_path), "vector", ".zip"),
        "gauge.csv": (TABLE, "table", ".csv"),
        "gauge.zip": (workbook(), "table", ".xlsx"),
    }

    for name, (content, form, suffix) in given.items():
        record = any_store.dataset(upload(content, name))
        digest = hashlib.sha256(content).hexdigest()
        assert (record.form, record.name, record.origin) == (form, name, "uploaded")
        assert record.path == any_store.home / "files" / digest[:2] / f"{digest}{suffix}"
        assert record.path.read_bytes() == content
        assert form == "raster" or record.digest == digest
    assert [one.name for one in any_store.datasets()] == list(given)[::-1]
    assert [one.name for one in any_store.datasets("table")] == ["gauge.zip", "gauge.csv"]
    assert [one.name for one in any_store.scenes()] == ["scene.png.tif"]


@pytest.mark.parametrize("form", ["raster", "vector", "table"])
def test_a_file_of_any_form_is_used_in_place_with_where_it_comes_from(
    any_store: Store, tmp_path: Path, form: Any
) -> None:
    words = {"origin": "open data", "synthetic": True, "licence": "CC0-1.0", "citation": "Nobody (2024)"}
    path = raster(tmp_path) if form == "raster" else tmp_path / {"vector": "roads.geojson", "table": "cells.csv"}[form]
    if form != "raster":
        path.write_bytes({"vector": LINES, "table": TABLE}[form])

    added = any_store.add_dataset(path, "Given", form, **words)

    record = any_store.dataset(added.id)
    assert (record.form, record.name, record.path) == (form, "Given", path)
    assert {key: getattr(record, key) for key in words} == words
    assert record.digest
    assert any_store.add_dataset(path, "Given", form, **words).id == added.id
    assert any_store.add_dataset(path, "Given", form).id != added.id
    assert files(any_store) == []
    other: Any = "table" if form == "vector" else "vector"
    with pytest.raises(InputError):
        any_store.add_dataset(path, "Given", other)


def test_the_digest_of_a_raster_is_that_of_its_values(any_store: Store, tmp_path: Path) -> None:
    plain = write_raster(tmp_path / "plain.tif", ramp(64, 64))
    packed = write_raster(tmp_path / "packed.tif", ramp(64, 64), compress="deflate")

    digests = {any_store.add_dataset(path, path.name).digest for path in (plain, packed)}

    assert plain.read_bytes() != packed.read_bytes()
    assert len(digests) == 1


def test_the_same_upload_under_the_same_name_is_one_dataset_and_its_file_is_kept_once(
    any_store: Store, upload: Upload
) -> None:
    first = upload(TABLE, "gauge.csv")

    assert upload(TABLE, "gauge.csv") == first
    assert upload(TABLE, "other.csv") != first
    assert len(files(any_store)) == 1


def test_datasets_that_many_add_at_once_are_one(any_store: Store, tmp_path: Path) -> None:
    path = tmp_path / "inventory.geojson"
    path.write_bytes(GEOJSON)
    barrier = threading.Barrier(8)

    def act(number: int) -> str:
        barrier.wait()
        if number % 2:
            return any_store.upload_dataset(io.BytesIO(TABLE), "gauge.csv").id
        return any_store.add_dataset(path, "inventory", origin="sample").id

    with ThreadPoolExecutor(8) as pool:
        ids = list(pool.map(act, range(8)))

    assert (len(set(ids[::2])), len(set(ids[1::2]))) == (1, 1)
    assert len(files(any_store)) == 1


def test_a_file_in_place_keeps_its_words_and_its_id(any_store: Store, tmp_path: Path) -> None:
    path = tmp_path / "gauge.csv"
    path.write_bytes(TABLE)
    words: dict[str, Any] = {"origin": "sample", "synthetic": True, "licence": "CC0-1.0", "citation": "Us."}

    record = any_store.add_dataset(path, "Gauge", **words)

    assert (record.form, record.path, record.synthetic, record.licence) == ("table", path, True, "CC0-1.0")
    assert any_store.add_dataset(path, "Gauge", **words).id == record.id
    assert any_store.add_dataset(path, "Gauge").id != record.id
    path.unlink()
    assert list(any_store.datasets()) == []
    with pytest.raises(InputError, match="Gauge cannot be read: No such file"):
        _ = any_store.dataset(record.id).digest


@pytest.mark.parametrize(
    ("content", "name", "match"),
    [
        (b"", "gauge.csv", "^gauge.csv is empty"),
        (b"Dear sir", "letter.doc", "^letter.doc cannot be opened"),
        (b"<?xml version='1.0'?><gml/>", "layer.gml", "^layer.gml cannot be opened"),
        (b"{", "layer.geojson", "^layer.geojson is damaged"),
        (b"PK\x03\x04 and no more", "gauge.xlsx", "^gauge.xlsx is damaged"),
        (b"SQLite format 3\x00" + bytes(200), "layer.gpkg", "^layer.gpkg is damaged"),
        (LONE_SHAPES, "layer.zip", r"^layer.zip lacks the \.shx file"),
        (b"a,b\n1,\x002\n", "gauge.csv", "^gauge.csv is not a CSV"),
        (b"date,rain\n", "gauge.csv", "^gauge.csv has 2 columns but no rows of data"),
        (b"II*\x00broken", "scene.tif", "^scene.tif is damaged"),
    ],
)
def test_what_cannot_be_opened_leaves_nothing_behind(any_store: Store, content: bytes, name: str, match: str) -> None:
    with pytest.raises(LandslideError, match=match):
        any_store.upload_dataset(io.BytesIO(content), name)

    assert list((any_store.home / "files").iterdir()) == []
    assert list(any_store.datasets()) == []


def test_a_dataset_of_another_form_is_refused(any_store: Store, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"^rain\.csv is a table, not a vector layer\. Choose a GeoPackage"):
        any_store.upload_dataset(io.BytesIO(TABLE), "rain.csv", "vector")
    with pytest.raises(UnsafeFileError, match=r"^rain\.csv is not a GeoTIFF"):
        any_store.upload_dataset(io.BytesIO(TABLE), "rain.csv", "raster")
    table = any_store.upload_dataset(io.BytesIO(TABLE), "rain.csv", "table").id
    with pytest.raises(InputError, match="This image is not in the store"):
        any_store.scene_record(table)
    with pytest.raises(InputError, match="This dataset is not in the store"):
        any_store.dataset("a" * 32)


def test_a_preview_shows_the_first_rows_and_the_place(any_store: Store, upload: Upload, tmp_path: Path) -> None:
    table, layer = any_store.preview(upload(TABLE, "rain.csv")), any_store.preview(upload(GEOJSON, "slides.geojson"))
    image = any_store.preview(any_store.add_scene(raster(tmp_path), "scene").id)

    assert (table.rows, table.columns, table.bounds) == (2, ("date", "rain"), None)
    assert table.head is not None
    assert table.head["rain"].tolist() == [4.0, 3.5]
    assert (layer.rows, layer.columns, layer.geometries, layer.crs) == (1, ("id",), ("Polygon",), "EPSG:4326")
    assert layer.bounds == (15, 46, 15.1, 46.1)
    assert layer.head is not None
    assert layer.head["id"].tolist() == [7]
    assert (image.rows, image.crs, image.bounds) == (6, "EPSG:32633", (500_000, 5_199_940, 500_080, 5_200_000))


def test_a_long_table_is_previewed_by_its_beginning(any_store: Store, upload: Upload) -> None:
    content = "\n".join([",".join(f"c{number}" for number in range(80)), *[",".join("1" * 80)] * 3_000]).encode()

    found = any_store.preview(upload(content, "wide.csv"))

    assert (found.rows, len(found.columns)) == (3_000, 80)
    assert found.head is not None
    assert found.head.shape == (20, 50)


# Companions


def test_files_of_a_scene_are_datasets_that_no_list_offers(any_store: Store, tmp_path: Path) -> None:
    dem, inventory = raster(tmp_path, "dem.tif", 3), tmp_path / "slides.geojson"
    inventory.write_bytes(GEOJSON)

    record = any_store.add_scene(
        raster(tmp_path), "scene", reference=inventory, dem=dem, origin="sample", licence="CC0-1.0"
    )

    reference, elevation = record.companions["reference"], record.companions["dem"]
    assert (reference.form, reference.name, reference.path) == ("vector", inventory.name, inventory)
    assert (reference.origin, reference.licence) == ("sample", "CC0-1.0")
    assert (elevation.form, elevation.path) == ("raster", dem)
    assert any_store.dataset(record.id).companions == {"reference": reference.id, "dem": elevation.id}
    assert [one.id for one in any_store.datasets()] == [record.id]
    again = any_store.add_scene(raster(tmp_path, "other.tif"), "other", reference=inventory)
    assert again.companions["reference"].id == reference.id


def test_a_scene_of_its_own_beside_a_companion_of_the_same_file_stays_listed(any_store: Store, tmp_path: Path) -> None:
    dem = raster(tmp_path, "dem.tif")

    scene = any_store.add_scene(dem, "relief", dem=dem)

    assert scene.companions["dem"].id != scene.id
    assert [one.id for one in any_store.scenes()] == [scene.id]


def test_the_name_that_an_attached_file_came_with_is_kept(any_store: Store, tmp_path: Path) -> None:
    scene = any_store.upload_scene(io.BytesIO(raster(tmp_path).read_bytes()), "scene.tif")

    record = any_store.attach(scene.id, "reference", io.BytesIO(GEOJSON), ".geojson", name="slides 2024.geojson")

    assert record.id == scene.id
    assert record.companions["reference"].name == "slides 2024.geojson"
    any_store.detach(scene.id, "reference")
    assert any_store.scene_record(scene.id).reference is None


def test_a_scene_made_with_an_upload_of_another_one_shares_it(any_store: Store, tmp_path: Path) -> None:
    scene = any_store.upload_scene(io.BytesIO(raster(tmp_path).read_bytes()), "scene.tif")
    record = any_store.attach(scene.id, "dem", io.BytesIO(raster(tmp_path, "dem.tif", 9).read_bytes()), ".tif")

    relief = any_store.add_scene(raster(tmp_path, "relief.tif", 5), "relief", dem=record.dem)

    assert relief.companions["dem"].id == record.companions["dem"].id


# Orders by role


def whole_scene(store: Store, folder: Path) -> Any:
    reference = folder / "slides.geojson"
    reference.write_bytes(GEOJSON)
    return store.add_scene(raster(folder), "scene", reference=reference, dem=raster(folder, "dem.tif", 3))


def test_an_order_names_the_scene_and_all_that_belongs_to_it(any_store: Store, tmp_path: Path) -> None:
    record = whole_scene(any_store, tmp_path)

    run = any_store.run(any_store.order(Order("mapping", "mapping", {}, inputs_of(record))))

    assert [(one.role, one.dataset_id, one.name) for one in run.inputs] == [
        ("scene", record.id, "scene"),
        ("reference", record.companions["reference"].id, "slides.geojson"),
        ("dem", record.companions["dem"].id, "dem.tif"),
    ]
    assert run.input("reference").digest == hashlib.sha256(GEOJSON).hexdigest()
    assert run.input("dem").digest == any_store.dataset(run.input("dem").dataset_id).digest != ""


def test_a_run_works_with_what_it_names_whatever_its_scene_has_since(any_store: Store, tmp_path: Path) -> None:
    scene = any_store.upload_scene(io.BytesIO(raster(tmp_path).read_bytes()), "scene.tif")
    first = any_store.attach(scene.id, "reference", io.BytesIO(GEOJSON), ".geojson")
    bare = any_store.run(any_store.order(Order("mapping", "mapping", {}, inputs_of(scene))))
    named = any_store.run(any_store.order(Order("mapping", "mapping", {}, inputs_of(first))))

    second = any_store.attach(scene.id, "reference", io.BytesIO(geopackage(tmp_path)), ".gpkg")

    assert second.reference != first.reference
    assert scene_of(any_store, named).reference == scene_today(any_store, named).reference == first.reference
    assert scene_of(any_store, bare).reference is None  # the file came after the order
    assert scene_today(any_store, bare).reference == second.reference
    any_store.detach(scene.id, "reference")
    assert scene_of(any_store, named).reference == first.reference


def test_a_run_of_before_roles_is_given_what_its_scene_had(any_store: Store, tmp_path: Path) -> None:
    record = whole_scene(any_store, tmp_path)

    run = any_store.run(any_store.order(Order("mapping", "mapping", {}, (Input("scene", record.id),))))

    assert scene_of(any_store, run).reference == record.reference
    assert scene_of(any_store, run).dem == record.dem


@pytest.mark.parametrize(
    ("inputs", "match"),
    [
        ((("scene", "raster"), ("rain", "table")), "Mapping takes no 'rain'. It takes: scene, reference, dem"),
        ((("scene", "raster"), ("scene", "raster")), "takes one image, not several"),
        ((("scene", "table"),), "A table cannot be used as image. Choose a raster"),
        ((("scene", "raster"), ("reference", "table")), "A table cannot be used as reference inventory"),
        ((("reference", "vector"),), "Mapping: the input “image” is missing"),
        ((), "Mapping: the input “image” is missing"),
    ],
)
def test_an_order_with_other_datasets_than_its_task_takes_is_refused(
    any_store: Store, tmp_path: Path, inputs: tuple[tuple[str, str], ...], match: str
) -> None:
    ids = {
        "raster": any_store.add_scene(raster(tmp_path), "scene").id,
        "table": any_store.upload_dataset(io.BytesIO(TABLE), "rain.csv").id,
        "vector": any_store.upload_dataset(io.BytesIO(GEOJSON), "slides").id,
    }
    order = Order("mapping", "mapping", {}, tuple(Input(role, ids[form]) for role, form in inputs))

    with pytest.raises(InputError, match=match):
        any_store.order(order)
    assert any_store.runs() == []
    with pytest.raises(InputError, match="This dataset is not in the store"):
        any_store.order(replace(order, inputs=(Input("scene", "a" * 32),)))


def test_runs_of_models_take_no_dataset(any_store: Store) -> None:
    assert any_store.run(any_store.order(Order("mapping", "training", {}))).inputs == ()


# Going


def test_unused_uploads_of_every_form_go_and_used_ones_stay(any_store: Store, upload: Upload, tmp_path: Path) -> None:
    scene, table = upload(raster(tmp_path).read_bytes(), "scene.tif"), upload(TABLE, "rain.csv")
    layer, used = upload(GEOJSON, "slides.geojson"), upload(geopackage(tmp_path), "used.gpkg")
    aged(any_store, 40, scene, table, layer, used)
    sample = any_store.add_scene(raster(tmp_path, "sample.tif", 2), "sample")
    named = (Input("scene", sample.id), Input("reference", used))
    any_store.order(Order("mapping", "mapping", {}, named))

    found = plan(any_store, older_than=a_month_ago())

    assert {one.id for one in found.uploads} == {scene, table, layer}
    assert prune(any_store, found).uploads == 3
    assert files(any_store) == [any_store.dataset(used).path.name]


def test_a_scene_goes_with_the_companions_that_are_its_alone(any_store: Store, tmp_path: Path) -> None:
    contents = {name: raster(tmp_path, f"{name}.tif", at).read_bytes() for at, name in enumerate(("one", "two", "dem"))}
    one, two = (any_store.upload_scene(io.BytesIO(contents[name]), name) for name in ("one", "two"))
    one = any_store.attach(one.id, "reference", io.BytesIO(GEOJSON), ".geojson")
    one, two = (any_store.attach(scene.id, "dem", io.BytesIO(contents["dem"]), ".tif") for scene in (one, two))
    assert one.companions["dem"].id == two.companions["dem"].id
    aged(any_store, 40, one.id, *(other.id for other in one.companions.values()))

    found = plan(any_store, older_than=a_month_ago())

    assert [(leaving.id, leaving.freed) for leaving in found.uploads] == [(one.id, len(contents["one"]) + len(GEOJSON))]
    assert prune(any_store, found).uploads == 1
    assert any_store.scene_record(two.id).dem == two.dem
    assert len(files(any_store)) == 2
    with any_store.database.read() as session:
        assert set(session.scalars(select(DatasetRow.id))) == {two.id, two.companions["dem"].id}


def test_a_reference_outlives_its_scene_in_the_runs_that_name_it(any_store: Store, tmp_path: Path) -> None:
    scene = any_store.upload_scene(io.BytesIO(raster(tmp_path).read_bytes()), "scene.tif")
    record = any_store.attach(scene.id, "reference", io.BytesIO(GEOJSON), ".geojson")
    reference = record.companions["reference"]
    other = any_store.add_scene(raster(tmp_path, "other.tif", 1), "other")
    run = any_store.order(Order("mapping", "mapping", {}, (Input("scene", other.id), Input("reference", reference.id))))
    aged(any_store, 40, scene.id, reference.id)

    prune(any_store, plan(any_store, older_than=a_month_ago()))

    assert any_store.dataset(reference.id).path.is_file()
    any_store.cancel(run)
    any_store.delete(run)
    assert [one.id for one in plan(any_store, older_than=a_month_ago()).uploads] == [reference.id]
    prune(any_store, plan(any_store, older_than=a_month_ago()))
    assert files(any_store) == []


def test_a_dataset_is_deleted_unless_somebody_uses_it(any_store: Store, upload: Upload, tmp_path: Path) -> None:
    scene = any_store.upload_scene(io.BytesIO(raster(tmp_path).read_bytes()), "scene.tif")
    record = any_store.attach(scene.id, "reference", io.BytesIO(GEOJSON), ".geojson", name="slides.geojson")
    run = any_store.order(Order("mapping", "mapping", {}, (Input("scene", scene.id),)))

    with pytest.raises(InputError, match=r"scene\.tif is used by 1 run\. .* Delete them first"):
        delete_dataset(any_store, scene.id)
    with pytest.raises(InputError, match=r"slides\.geojson is used by another dataset"):
        delete_dataset(any_store, record.companions["reference"].id)
    any_store.cancel(run)
    any_store.delete(run)
    delete_dataset(any_store, scene.id)

    assert files(any_store) == []
    with pytest.raises(InputError, match="not in the store"):
        delete_dataset(any_store, scene.id)
    table = tmp_path / "rain.csv"
    table.write_bytes(TABLE)
    delete_dataset(any_store, any_store.add_dataset(table, "rain").id)
    assert table.exists()
    assert list(any_store.datasets()) == []


def test_what_an_order_names_meanwhile_is_not_removed(any_store: Store, upload: Upload, tmp_path: Path) -> None:
    layer = upload(GEOJSON, "slides.geojson")
    aged(any_store, 40, layer)
    scene = any_store.add_scene(raster(tmp_path), "scene").id
    planned = plan(any_store, older_than=a_month_ago())

    any_store.order(Order("mapping", "mapping", {}, (Input("scene", scene), Input("reference", layer))))

    assert prune(any_store, planned).uploads == 0
    assert any_store.dataset(layer).path.is_file()


def test_orders_and_removals_at_once_never_leave_a_run_without_its_dataset(any_store: Store, upload: Upload) -> None:
    for number in range(12):
        content = TABLE + b"2017-01-17,%d\n" % number
        table = upload(content, "rain.csv")
        aged(any_store, 40, table)
        planned, barrier = plan(any_store, older_than=a_month_ago()), threading.Barrier(2)

        def order(table: str = table, barrier: threading.Barrier = barrier) -> bool:
            barrier.wait()
            try:
                any_store.order(Order("elsewhere", "table", {}, (Input("series", table),)))
            except InputError:
                return False
            return True

        def remove(barrier: threading.Barrier = barrier, planned: Any = planned) -> int:
            barrier.wait()
            return prune(any_store, planned).uploads

        with ThreadPoolExecutor(2) as pool:
            ordered, removed = pool.submit(order), pool.submit(remove)
        assert ordered.result() is (removed.result() == 0)
        if ordered.result():
            assert any_store.dataset(table).path.is_file()


def test_lost_files_of_every_form_are_listed(any_store: Store, upload: Upload, tmp_path: Path) -> None:
    table = upload(TABLE, "rain.csv")
    inventory = tmp_path / "slides.geojson"
    inventory.write_bytes(GEOJSON)
    scene = any_store.add_scene(raster(tmp_path), "scene", reference=inventory)
    assert missing(any_store) == ()

    lost = [any_store.dataset(table).path, inventory]
    for path in lost:
        path.unlink()

    reference = scene.companions["reference"].id
    assert {(one.owner, one.id, one.title, one.role, one.path) for one in missing(any_store)} == {
        ("dataset", table, "rain.csv", "table", lost[0]),
        ("dataset", reference, "slides.geojson", "vector", inventory),
    }
