"""Routes: what is refused and how, and what goes out with a file."""

from __future__ import annotations

import io
import json
from pathlib import Path
from zipfile import ZipFile

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.testclient import TestClient

from core.serve import routes as module
from core.serve.access import Resource
from core.serve.routes import routes
from tests.serve.made import Made

UNKNOWN = "0" * 32


@pytest.fixture
def client() -> TestClient:
    return TestClient(Starlette(routes=routes()))


def test_health_says_ok(client: TestClient) -> None:
    answer = client.get("/health").json()
    assert answer["status"] == "ok"
    assert answer["version"]


def test_routes_live_below_the_base_path() -> None:
    client = TestClient(Starlette(routes=routes("/slidelens/")))
    assert client.get("/slidelens/health").status_code == 200
    assert client.get("/health").status_code == 404


@pytest.mark.parametrize(
    ("address", "status", "word"),
    [
        ("/tiles/scene/{scene}/0/0/0.png?bands=1,2", 400, "three"),
        ("/tiles/scene/{scene}/0/0/0.png?bands=1,2,9", 400, "9"),
        ("/tiles/scene/{scene}/0/0/0.png?bands=1;drop", 400, "Bands"),
        ("/tiles/scene/{scene}/99/0/0.png", 400, "99"),
        ("/tiles/scene/{scene}/a/0/0.png", 400, "whole numbers"),
        ("/tiles/scene/..%2f..%2fetc/0/0/0.png", 404, ""),
        ("/tiles/scene/nothing/0/0/0.png", 400, "id"),
        (f"/tiles/scene/{UNKNOWN}/0/0/0.png", 404, "not in the store"),
        (f"/tiles/run/{UNKNOWN}/mask/0/0/0.png", 404, "not in the store"),
        ("/tiles/run/{run}/mask/0/0/0.png?threshold=nan", 400, "threshold"),
        ("/tiles/run/{run}/mask/0/0/0.png?threshold=2", 400, "threshold"),
        ("/tiles/run/{run}/mask/0/0/0.png?threshold=x", 400, "threshold"),
        ("/tiles/run/{run}/uncertainty/0/0/0.png", 400, "uncertainty"),
        ("/tiles/run/{run}/<script>/0/0/0.png", 400, "no map layer"),
        ("/tiles/hillshade/{scene}/0/0/0.png", 400, "bands"),
        (f"/tiles/hillshade/{UNKNOWN}/0/0/0.png", 404, "not in the store"),
        (f"/maps/{UNKNOWN}.png", 404, "Reload"),
        ("/maps/nothing.png", 400, "id"),
        (f"/artifacts/{UNKNOWN}/probability", 404, "not in the store"),
        ("/artifacts/{run}/run.json", 404, "no file"),
        ("/artifacts/{run}/..%2frun.json", 404, ""),
        (f"/runs/{UNKNOWN}.zip", 404, "not in the store"),
        ("/runs/nothing.zip", 400, "id"),
        (f"/batches/{UNKNOWN}.zip", 404, "No such batch"),
        ("/batches/nothing.zip", 400, "id"),
        ("/runs/..%2f..%2fx.zip", 404, ""),
        ("/assets/leaflet/../../package.json", 404, ""),
        ("/assets/leaflet/leaflet-src.js", 404, "No such asset"),
    ],
)
def test_what_cannot_be_served_is_refused_in_plain_words(
    client: TestClient, pixels: Made, address: str, status: int, word: str
) -> None:
    answer = client.get(address.replace("{scene}", pixels.record.id).replace("{run}", pixels.run.id))
    assert answer.status_code == status, answer.text
    if word:
        assert word in answer.json()["error"]
        assert answer.headers["cache-control"] == "no-store"


def test_an_artifact_is_saved_and_never_shown(client: TestClient, pixels: Made) -> None:
    answer = client.get(f"/artifacts/{pixels.run.id}/probability")
    assert answer.status_code == 200
    assert answer.content == pixels.run.artifact("probability").read_bytes()
    assert answer.headers["content-disposition"].startswith("attachment;")
    assert answer.headers["content-type"].startswith("image/tiff")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-security-policy"].startswith("sandbox")


def test_a_run_is_saved_as_one_zip(client: TestClient, pixels: Made) -> None:
    answer = client.get(f"/runs/{pixels.run.id}.zip")
    assert answer.status_code == 200
    with ZipFile(io.BytesIO(answer.content)) as archive:
        assert archive.testzip() is None
        run = pixels.run.id[:8]
        names = archive.namelist()
        assert names[:2] == ["manifest.json", f"pixels_mapping_probability_{run}.tif"]
        assert {f"pixels_mapping_report_{run}.html", f"pixels_mapping_report_{run}.pdf"} <= set(names)
        assert archive.read(f"pixels_mapping_reference_{run}.tif") == pixels.run.artifact("truth").read_bytes()
        assert json.loads(archive.read("manifest.json"))["run"]["id"] == pixels.run.id
    assert answer.headers["content-disposition"].startswith(f'attachment; filename="pixels_mapping_run_{run}.zip"')
    assert answer.headers["content-type"] == "application/zip"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-security-policy"].startswith("sandbox")
    assert answer.headers["cache-control"] == "no-store"


def test_a_run_is_saved_as_it_is_seen(client: TestClient, pixels: Made) -> None:
    landslides = []
    for threshold in ("0.5", "1"):
        answer = client.get(f"/runs/{pixels.run.id}.zip?threshold={threshold}")
        with ZipFile(io.BytesIO(answer.content)) as archive:
            metrics = json.loads(archive.read(f"pixels_mapping_metrics_{pixels.run.id[:8]}.json"))
        assert metrics["threshold"] == float(threshold)
        landslides.append(metrics["landslide_share"])
    assert landslides[0] > landslides[1]
    refused = client.get(f"/runs/{pixels.run.id}.zip?threshold=high")
    assert refused.status_code in (400, 404)
    assert "not a number" in refused.json()["error"]


def test_a_batch_is_saved_as_one_zip_at_a_threshold(client: TestClient, pixels: Made, tmp_path: Path) -> None:
    from core.runs.store import default_store
    from tests.batch.made import made_batch

    batch = made_batch(default_store(), tmp_path)
    for address, found in (("", "2"), ("?threshold=0.95", "0")):
        answer = client.get(f"/batches/{batch.id}.zip{address}")
        assert f'filename="North_mapping_runs_{batch.id[:8]}.zip"' in answer.headers["content-disposition"]
        with ZipFile(io.BytesIO(answer.content)) as archive:
            assert archive.testzip() is None
            table = archive.read(f"North_mapping_table_{batch.id[:8]}.csv").decode("utf-8-sig")
        assert table.splitlines()[1].split(",")[4] == found


def test_a_run_with_a_file_gone_is_no_broken_zip(client: TestClient, pixels: Made) -> None:
    pixels.run.artifact("truth").unlink()
    answer = client.get(f"/runs/{pixels.run.id}.zip")
    assert answer.status_code == 500
    assert "no longer on disk" in answer.json()["error"]


def test_a_download_name_cannot_split_the_header(tmp_path) -> None:
    from core.serve.artifacts import download

    file = tmp_path / "x"
    file.write_bytes(b"")
    header = download(file, 'a"; filename=evil.html\r\nSet-Cookie: x=1é', "text/csv").headers[
        "content-disposition"
    ]
    assert "\r" not in header
    assert "\n" not in header
    assert header.count('"') == 2
    assert header.count("filename=") == 2  # ours, and the letters of the name inside the quotes


def test_every_route_asks_whether_the_visitor_may(
    client: TestClient, pixels: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Resource] = []

    def refuse(request: Request, resource: Resource) -> None:
        asked.append(resource)
        raise PermissionError

    monkeypatch.setattr(module, "authorize", refuse)
    for address in (
        f"/tiles/scene/{pixels.record.id}/0/0/0.png",
        *(f"/tiles/{kind}/{pixels.record.id}/0/0/0.png" for kind in ("hillshade", "slope", "aspect")),
        f"/tiles/run/{pixels.run.id}/mask/0/0/0.png",
            f"/maps/{pixels.run.id}.png",
        f"/artifacts/{pixels.run.id}/probability",
        f"/runs/{pixels.run.id}.zip",
        f"/batches/{pixels.run.id}.zip",
        "/assets/leaflet/leaflet.js",
    ):
        assert client.get(address).status_code == 403
    assert [resource.kind for resource in asked] == ["scene"] * 4 + ["run", "map", "run", "run", "batch", "asset"]
    assert len(routes()) == len(asked) + 1  # all but /health
