"""A run asked for again gives the same content, digit by digit: in this process, in another, with another cache."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest
import rasterio
import torch
from rasterio.warp import transform_geom
from rasterio.windows import Window

from core.jobs.perform import perform
from core.learning.segmentation import network_of
from core.learning.store import find_model
from core.raster.scene import Scene
from core.runs.records import Order, Run
from core.runs.store import Store
from core.tasks.mapping.options import Options
from core.tasks.mapping.result import MappingResult
from core.tasks.mapping.run import Request, order_of
from core.tasks.mapping.run_change import difference_here
from tests.factories import tiny_spec, write_model, write_raster

Digests = Mapping[str, str]

ELSEWHERE = """
import json, sys
from pathlib import Path
import tests.factories
from core.runs.records import Order
from core.runs.store import Store
from core.tasks.imagery.inputs import inputs_of
from tests.tasks.mapping.test_rerun import digests, performed
home, scene, orders = Path(sys.argv[1]), Path(sys.argv[2]), json.loads(sys.stdin.read())
store = Store(home)
record = store.add_scene(scene, "scene")
print(json.dumps([digests(performed(store, Order(**order, inputs=inputs_of(record)))) for order in orders]))
"""


def performed(store: Store, order: Order) -> Run:
    identity = store.order(order)
    perform(store, identity, raising=True)
    return store.run(identity)


def digests(run: Run) -> Digests:
    assert run.status == "done"
    return {artifact.role: artifact.digest for artifact in run.artifacts}


def again(store: Store, run: Run) -> Run:
    """Ask for the same once more, of what the store knows of a run."""
    order = Order(run.task, run.kind, run.parameters, run.inputs, run.model, run.parents, seed=run.seed)
    return performed(store, order)


def elsewhere(home: Path, scene: Path, runs: list[Run]) -> list[Digests]:
    """The same in a fresh process, with a store and a cache of its own."""
    orders = [{name: getattr(run, name) for name in ("task", "kind", "parameters", "model")} for run in runs]
    answer = subprocess.run(
        [sys.executable, "-c", ELSEWHERE, str(home), str(scene)], input=json.dumps(orders), text=True, check=True,
        capture_output=True, cwd=Path(__file__).resolve().parents[3],
    )  # fmt: skip
    found: list[Digests] = json.loads(answer.stdout)
    return found


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    """Return 100 by 90 pixels of noise, larger than the tiles, with a corner that holds no data."""
    values = np.random.default_rng(7).integers(1, 255, (3, 90, 100), dtype=np.uint8)
    values[:, :9, :12] = 0
    return Scene.open(write_raster(tmp_path / "scene.tif", values, nodata=0))


@pytest.fixture
def _network(models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Write a small U-Net with weights drawn at random, in which every pixel depends on many."""
    monkeypatch.setenv("SLIDELENS_THREADS", "1")
    torch.manual_seed(3)
    spec = tiny_spec(
        "net", architecture="unet", encoder="mobilenet_v2", tile=64,
        options={"encoder_depth": 3, "decoder_channels": [8, 8, 8]},
    )  # fmt: skip
    weights = network_of(spec).state_dict()
    write_model(models, spec, {key: value.contiguous() for key, value in weights.items()})


def corner(scene: Scene) -> dict[str, Any]:
    """A drawn part, as the map gives it."""
    ring = [scene.grid.transform @ point for point in ((10, 5), (80, 20), (60, 85), (15, 70), (10, 5))]
    drawn: dict[str, Any] = transform_geom(scene.grid.crs, "EPSG:4326", {"type": "Polygon", "coordinates": [ring]})
    return drawn


@pytest.mark.usefixtures("_network")
def test_a_run_again_has_the_same_content(tmp_path: Path, quick_store: Store, scene: Scene) -> None:
    record = quick_store.add_scene(scene.path, "scene")
    engines: tuple[Literal["onnx", "torch"], ...] = ("onnx", "torch")
    orders = [
        order_of(record, Request("net", options=options, engine=engine), area)
        for engine in engines
        for options, area in (
            (Options(), None),
            (Options(test_time_augmentation=True), None),
            (Options(overlap=0.5, test_time_augmentation=True), corner(scene)),
        )
    ]

    runs = [performed(quick_store, order) for order in orders]
    first = [digests(run) for run in runs]

    assert [digests(again(quick_store, run)) for run in runs] == first
    assert elsewhere(tmp_path / "other", scene.path, runs) == first
    # That would be easy if everything were the same: what was asked for differs, and so does what came of it.
    for engine in (first[:3], first[3:]):
        assert len({answer["probability"] for answer in engine}) == 3
    assert {"uncertainty" in answer for answer in first} == {False, True}
    # A run again takes no room: its files are those that are there.
    assert len(list((quick_store.home / "artifacts").glob("*/*"))) == len({d for one in first for d in one.values()})


@pytest.mark.usefixtures("_network")
def test_what_decides_the_content_changes_it(quick_store: Store, scene: Scene, tmp_path: Path, models: Path) -> None:
    record = quick_store.add_scene(scene.path, "scene")
    request = Request("net", engine="torch")
    first = digests(performed(quick_store, order_of(record, request)))
    torch.manual_seed(4)
    spec = find_model("mapping", "net").spec
    weights = {key: value.contiguous() for key, value in network_of(spec).state_dict().items()}

    stretched = performed(quick_store, order_of(record, replace(request, stretch="10,90")))
    write_model(models, spec, weights)
    trained = performed(quick_store, order_of(record, request))
    values = np.random.default_rng(8).integers(1, 255, (3, 90, 100), dtype=np.uint8)
    another = quick_store.add_scene(write_raster(tmp_path / "another.tif", values, nodata=0), "scene")
    seen = performed(quick_store, order_of(another, request))

    found = {first["probability"], *(digests(run)["probability"] for run in (stretched, trained, seen))}
    assert len(found) == 4
    assert trained.weights_sha256 != stretched.weights_sha256


@pytest.mark.usefixtures("_network")
def test_a_difference_again_has_the_same_content(quick_store: Store, scene: Scene) -> None:
    record = quick_store.add_scene(scene.path, "scene")
    requests = [Request("net", stretch=stretch, engine="torch") for stretch in ("none", "10,90")]
    runs = [performed(quick_store, order_of(record, request)) for request in requests]
    before, after = (quick_store.result(run.id, MappingResult) for run in runs)

    changes = [difference_here(quick_store, before, after) for _ in range(2)]

    one, other = (digests(quick_store.run(change)) for change in changes)
    assert one == other
    assert set(one) == {"change"}


@pytest.mark.slow
def test_a_shipped_model_gives_the_same_again(
    tmp_path: Path, quick_store: Store, repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SLIDELENS_MODELS", raising=False)
    monkeypatch.setenv("SLIDELENS_THREADS", "2")
    path = tmp_path / "crop.tif"
    with rasterio.open(repository / "data" / "samples" / "valley_after.tif") as dataset:
        window = Window(200, 100, 200, 180)
        profile = dataset.profile | {"width": 200, "height": 180, "transform": dataset.window_transform(window)}
        with rasterio.open(path, "w", **profile) as crop:
            crop.write(dataset.read(window=window))
            for index, name in enumerate(dataset.descriptions, start=1):
                crop.set_band_description(index, name or "")
    record = quick_store.add_scene(path, "crop", synthetic=True)

    run = performed(quick_store, order_of(record, Request("unet-regnety")))
    first = digests(run)

    assert digests(again(quick_store, run)) == first
    assert elsewhere(tmp_path / "other", path, [run]) == [first]
    assert quick_store.provenance(run.id)["runtime"]["threads"] == 2
