"""The display of a scene: chosen once, kept for the scene, and the same on every map."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest
import rasterio
from affine import Affine
from rasterio.crs import CRS
from streamlit.testing.v1 import AppTest

from core.runs.store import SceneRecord, Store


def page() -> None:
    import os

    import streamlit as st

    from ui import resources
    from ui.map_layers import scene_tiles
    from ui.task import look

    record = resources.store().scene_record(os.environ["LOOK_SCENE"])
    if st.toggle("away", key="away"):
        st.stop()
    look.choose(record)
    tiles = scene_tiles(record.id, bands=(1, 2, 3), version=record.scene.digest)
    st.code(tiles.url)
    st.markdown("" if tiles.legend is None else f"{tiles.legend.title}: {tiles.legend.entries[0].label}")


def record_of(store: Store, path: Path, bands: int, unit: str = "") -> SceneRecord:
    values = np.linspace(0, 20, 64 * 64).reshape(64, 64).astype(np.float32)
    with rasterio.open(
        path, "w", driver="GTiff", width=64, height=64, count=bands, dtype="float32", crs=CRS.from_epsg(32633),
        transform=Affine(10, 0, 500_000, 0, -10, 5_200_000),
    ) as file:  # fmt: skip
        for band in range(1, bands + 1):
            file.write(values, band)
        if unit:
            file.units = (unit,)
    return store.add_scene(path, path.name)


def asked(test: AppTest) -> dict[str, str]:
    assert not test.exception
    return {name: values[0] for name, values in parse_qs(urlsplit(test.code[0].value).query).items() if name != "v"}


def test_bands_and_contrast_are_kept_for_the_scene_while_the_page_is_away(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = record_of(store, tmp_path / "four.tif", 4)
    monkeypatch.setenv("LOOK_SCENE", record.id)
    test = AppTest.from_function(page).run()
    assert asked(test) == {"bands": "1,2,3"}
    test.selectbox(key=f"display-composite-{record.scene.digest[:12]}").set_value("each").run()
    test.selectbox(key=f"display-red-{record.scene.digest[:12]}").set_value(4).run()
    test.selectbox(key=f"display-contrast-{record.scene.digest[:12]}").set_value("0.5,99.5").run()
    test.slider(key=f"display-gamma-{record.scene.digest[:12]}").set_value(1.8).run()
    wanted = {"bands": "4,2,3", "stretch": "0.5,99.5", "gamma": "1.8"}
    assert asked(test) == wanted
    test.toggle(key="away").set_value(True).run()
    test.toggle(key="away").set_value(False).run()
    assert asked(test) == wanted


def test_a_velocity_begins_with_a_scale_around_zero_in_millimetres_a_year(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = record_of(store, tmp_path / "velocity.tif", 1, "cm/yr")
    monkeypatch.setenv("LOOK_SCENE", record.id)
    test = AppTest.from_function(page).run()
    said = asked(test)
    low, high = (float(part) for part in said["range"].split(","))
    assert said["colours"] == "diverging"
    assert low == -high
    # The 98th percentile of an even spread from 0 to 20 cm a year is 19.6, or 196 mm a year.
    assert high == pytest.approx(19.6, abs=0.02)
    assert test.markdown[0].value == "Velocity (mm/year): -196"
