"""Map scripts: the lock names no registry, and the manifest covers what the map loads."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from folium import Map
from folium.plugins import Draw, Fullscreen
from starlette.applications import Starlette
from starlette.testclient import TestClient

from core.serve import assets
from core.serve.routes import routes


def test_the_lock_holds_digests_and_no_registry(repository: Path) -> None:
    lock = json.loads((repository / "assets" / "package-lock.json").read_text())
    packages = {name: entry for name, entry in lock["packages"].items() if name}
    assert packages
    for entry in packages.values():
        assert entry["integrity"].startswith("sha512-")
        assert "resolved" not in entry


def test_each_link_is_one_that_folium_names() -> None:
    named = {
        name for element in (Map, Draw, Fullscreen) for name, _ in [*element.default_js, *element.default_css]
    }
    assert set(assets.LINKS) <= named
    assert set(assets.LINKS.values()) <= set(assets.MANIFEST)


def test_style_sheets_find_their_images_in_the_manifest() -> None:
    if not assets.installed():
        pytest.skip("the map's scripts are not installed: npm ci --prefix assets")
    client = TestClient(Starlette(routes=routes()))
    for name in assets.MANIFEST:
        answer = client.get(f"/assets/{name}")
        assert answer.status_code == 200
        assert answer.headers["x-content-type-options"] == "nosniff"
        if name.endswith(".css"):
            images = re.findall(r"""url\(["']?(?!data:|#)([^)"']+)""", answer.text)
            for image in images:
                assert f"{name.rsplit('/', 1)[0]}/{image}" in assets.MANIFEST


def test_half_an_installation_counts_as_none(tmp_path: Path) -> None:
    assert not assets.installed(tmp_path)
    file = tmp_path / assets.MANIFEST["leaflet/leaflet.js"]
    file.parent.mkdir(parents=True)
    file.write_text("")
    assert not assets.installed(tmp_path)
