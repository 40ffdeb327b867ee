"""Areas: the one that ships is whole and synthetic, the others come as they were published."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import rasterio

from core.catalog.areas import fetch_area, open_areas, read_lsl, sample_area, sample_areas
from core.errors import InputError
from core.raster.scene import Scene
from core.tasks.susceptibility.guess import guess_factors


def test_the_sample_area_has_all_its_files_and_says_what_it_is() -> None:
    area = sample_area("valley")

    assert area.synthetic
    assert "synthetic" in area.title
    assert [layer.role for layer in area.layers] == ["dem", "inventory", *["factor"] * 5]
    for layer in area.layers:
        if layer.role == "factor":
            (guess,) = guess_factors(Scene.open(layer.path, layer.name), 0)
            assert (guess.name, guess.kind) == (layer.name, layer.kind)
    with pytest.raises(InputError, match="no sample area named 'moon'.*valley"):
        sample_area("moon")
    assert sample_areas()[0] == area


def test_the_sample_factors_are_what_their_names_say() -> None:
    found = {layer.name: layer.path for layer in sample_area("valley").layers if layer.role == "factor"}

    with rasterio.open(found["lithology"]) as file:
        rock = file.read(1)
        assert file.tags()["CLASSES"].startswith("1 granite")
        assert "Synthetic" in file.tags()["NOTE"]
    assert set(np.unique(rock)) == {1, 2, 3, 4, 5}
    with rasterio.open(found["ndvi"]) as file:
        assert -1 <= file.read(1, masked=True).min() < file.read(1, masked=True).max() <= 1
    with rasterio.open(found["rainfall"]) as file:
        assert file.res == (100.0, 100.0)
        assert file.units == ("mm/year",)
    with rasterio.open(found["road_distance"]) as file:
        assert file.read(1).min() == 0


def test_open_areas_are_listed_without_fetching_with_licence_and_caution() -> None:
    assert [one.id for one in open_areas()] == ["ecuador-lsl", "andes-debris-flows"]
    for one in open_areas():
        assert one.layers == ()
        assert one.licence
        assert one.citation
        assert one.caution
    with pytest.raises(InputError, match="no area named 'moon'"):
        fetch_area("moon")


@pytest.mark.realdata
def test_open_areas_come_as_published(
    shared_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLIDELENS_DATA_MIRROR", str(shared_data / "open"))
    ecuador = fetch_area("ecuador-lsl", tmp_path)
    andes = fetch_area("andes-debris-flows", tmp_path)

    points = pd.read_csv(ecuador.layers[1].path)
    known = pd.read_csv(shared_data / "ecuador_lsl" / "lsl.csv")
    assert len(points) == 350
    assert points["lslpts"].sum() == 175
    assert points[["x", "y", "slope"]].to_numpy() == pytest.approx(known[["x", "y", "slope"]].to_numpy())
    from core.raster.untrusted import read_vectors_untrusted

    outlines = read_vectors_untrusted(andes.layers[1].path)
    assert len(outlines) == 6
    assert set(outlines.geom_type) <= {"Polygon", "MultiPolygon"}


def test_a_file_that_is_no_r_data_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "lsl.rda"
    path.write_bytes(b"RDX3\n" + bytes(range(200)))

    with pytest.raises(InputError, match="cannot be read as R data"):
        read_lsl(path)
