"""From rasters and an inventory to a stored map: what is on it is known, as landslides follow one factor."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import pytest
import rasterio
from rasterio.windows import Window

from core.cli.main import main
from core.errors import InputError
from core.jobs.perform import request_of, run_inline
from core.learning.metrics import decode
from core.raster.scene import Scene
from core.runs.store import Store
from core.tasks.susceptibility.area import AreaPlan, GivenFactor
from core.tasks.susceptibility.held_out import held_out_cells
from core.tasks.susceptibility.index_map import APPLICABILITY, DIFFERENCE, INDEX, UNCERTAINTY
from core.tasks.susceptibility.landslides import InventoryPlan
from core.tasks.susceptibility.map_config import config_text, read_config
from core.tasks.susceptibility.map_export import export_map
from core.tasks.susceptibility.map_findings import landslides_on, outcome_dots, outlines_of, read_cell, value_words
from core.tasks.susceptibility.map_result import BACKGROUND, SusceptibilityMap
from core.tasks.susceptibility.run_applied import order_of as apply_order
from core.tasks.susceptibility.run_explanation import (
    ExplainRequest,
    known_explanation,
    order_explanation,
    read_table,
)
from core.tasks.susceptibility.run_map import MapRequest, order_of
from core.tasks.susceptibility.run_sensitivity import SensitivityRequest, moved
from core.tasks.susceptibility.run_sensitivity import order_of as order_sensitivity
from core.tasks.susceptibility.sampling import SamplingPlan
from core.tasks.susceptibility.validate import Plan
from core.tasks.susceptibility.view import Choice
from tests.tasks.susceptibility.areas import GRID, at, inventory, order_of_right_third, raster, steps

MODELS = ("logistic_regression", "random_forest", "average")
REQUEST = MapRequest(
    AreaPlan(terrain=("slope",), given=(GivenFactor("step", 0), GivenFactor("rock", 1, "category"))),
    InventoryPlan(),
    SamplingPlan(ratio=2, seed=1),
    Plan(MODELS, ("random", "spatial"), 3, 2),
    mapped=("logistic_regression", "average"),
)


class Made(NamedTuple):
    """A finished run and the store that it is in."""

    store: Store
    result: SusceptibilityMap


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, prepared_sqlite: Path) -> Iterator[Made]:
    """A map of 40 landslides that lie in the right third of the grid alone."""
    tmp_path = tmp_path_factory.mktemp("map")
    home = tmp_path / "home"
    home.mkdir()
    shutil.copy(prepared_sqlite, home)
    quick_store = Store(home)
    run = run_inline(quick_store, order_of_right_third(quick_store, tmp_path, REQUEST))
    yield Made(quick_store, quick_store.result(run, SusceptibilityMap))
    quick_store.database.close()


def codes(result: SusceptibilityMap, role: str) -> np.ndarray:
    scene = Scene.ours(result.artifact(role))
    with scene.reader() as reader:
        return reader.read((1,), Window(0, 0, *scene.grid.shape[::-1])).values[0]


def test_the_map_is_high_where_landslides_are_and_unknown_where_a_factor_is(made: Made) -> None:
    result = made.result
    index = decode(codes(result, INDEX).astype(np.uint8))

    assert result.grid == GRID
    assert np.isnan(index[0]).all()  # no slope at the edge
    assert np.isfinite(index[1:-1, 1:-1]).all()
    assert np.nanmean(index[:, 45:]) > 0.6 > 0.2 > np.nanmean(index[:, :30])
    assert result.of("logistic_regression", "random", "auroc") > 0.8
    assert result.metrics()["auroc_spatial"] == result.of("logistic_regression", "spatial", "auroc")
    assert result.area.sum(axis=1).tolist() == [38 * 58] * 2
    assert result.hits.sum(axis=1).tolist() == [landslides_on(made.store, result).mask(1, 39)[:, 1:-1].sum()] * 2
    assert result.square_metres[0].sum() == pytest.approx(38 * 58 * 100, rel=2e-3)
    assert 0 < np.nanmax(decode(codes(result, UNCERTAINTY).astype(np.uint8))) < 0.5
    first, second = (decode(codes(result, role).astype(np.uint8)) for role in (INDEX, "index_2"))
    difference = codes(result, DIFFERENCE) / 254
    inner = np.isfinite(index)
    assert difference[inner] == pytest.approx((first - second)[inner], abs=1e-6)
    # A third of the area holds all landslides: a model that has not seen them puts at most that much above one.
    assert len(result.ranks) == result.landslides
    assert result.ranks.mean() < 0.25


def test_notes_say_what_the_map_is_not(made: Made) -> None:
    told = " ".join(made.result.notes)

    assert made.result.notes[0].startswith("Some of the data are synthetic")  # the inventory, not the rasters
    assert "The index is not a probability: 33 % of the training cells" in told
    assert "of the grid has no value for at least one factor" in told
    assert made.result.layers[0].startswith("dem (dem): unchanged")
    assert len(pd.read_parquet(made.result.artifact(BACKGROUND))) == 38 * 58


def test_a_cell_that_is_clicked_tells_its_factors_and_what_models_say(made: Made) -> None:
    reading = read_cell(made.result, 20, 50)
    edge = read_cell(made.result, 0, 50)

    assert reading.values["step"] == 50.0
    assert reading.values["rock"] == 3.0
    assert reading.complete
    assert reading.index["average"] is not None
    assert reading.index["average"] > 0.5
    assert reading.frame(made.result)["rock"].tolist() == ["3"]
    slope = reading.values["slope"]
    assert slope is not None
    told = {name: value_words(made.result, name, value) for name, value in reading.values.items()}
    assert told == {"slope": f"{slope:.4g}°", "step": "50", "rock": "class 3"}
    assert value_words(made.result, "slope", None) == "unknown"
    assert edge.index == {"logistic_regression": None, "average": None}
    assert not edge.complete


def test_tested_cells_lie_on_the_map_by_their_outcome(made: Made) -> None:
    held = held_out_cells(made.result, "random", "logistic_regression")
    found = outcome_dots(held, held.best_cut, GRID)
    counted = held.confusion(held.best_cut)

    assert sum(map(len, found.values())) == made.result.count
    assert len(found["missed"]) == counted.false_negative
    assert len(outlines_of(landslides_on(made.store, made.result))) == 40
    left, _, right, _ = found["true positive"].total_bounds
    assert at(38, 0)[0] < left < right < at(61, 0)[0]


def test_the_configuration_repeats_what_was_asked(made: Made, tmp_path: Path) -> None:
    run = made.store.run(made.result.id)
    path = tmp_path / "again.toml"
    path.write_text(config_text(run), encoding="utf-8")

    files, request = read_config(path)

    assert request == REQUEST == request_of(run)
    assert files.inventory == tmp_path / "slides"
    assert [one.name for one in files.factors] == ["step", "rock"]
    path.write_text(config_text(run).replace("ratio =", "ration ="), encoding="utf-8")
    with pytest.raises(InputError, match=r"\[sampling\] of again.toml has an unknown entry 'ration'.*ratio"):
        read_config(path)


def test_a_map_needs_a_validated_model_and_what_it_is_made_from(quick_store: Store, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="mapped but not validated"):
        MapRequest(mapped=("svm",)).check()
    with pytest.raises(InputError, match="not a valid prevalence"):
        MapRequest(prevalence=2.0).check()
    step = raster(tmp_path, "step", steps())
    record = quick_store.add_dataset(step.path, "step", "raster")
    with pytest.raises(InputError, match="need an elevation model"):
        order_of(MapRequest(), None, [record], record)


def test_one_area_and_one_event_are_left_out_at_a_time(made: Made, tmp_path: Path) -> None:
    import shapely

    rng = np.random.default_rng(8)
    points = [shapely.Point(at(40.5 + int(rng.integers(19)), 4.5 + int(rng.integers(34)))) for _ in range(40)]
    slides = inventory(tmp_path, points, "dated", year=[str(2010 + one % 4) for one in range(40)])
    halves = inventory(tmp_path, [shapely.box(*at(0, 20), *at(60, 0)), shapely.box(*at(0, 40), *at(60, 20))], "halves")
    step = made.store.dataset(next(one for one in made.result.inputs if one.name == "step").dataset_id)
    dated = made.store.add_dataset(slides, "dated", "vector")
    layer = made.store.add_dataset(halves, "halves", "vector")
    request = MapRequest(
        AreaPlan((), given=(GivenFactor("step", 0),)), InventoryPlan(event="year"),
        plan=Plan(("logistic_regression",), ("group", "date"), seed=1), uncertainty=False, applicability=False,
    )  # fmt: skip

    with pytest.raises(InputError, match="'group' needs to know which groups to leave out"):
        order_of(request, None, [step], dated)
    run = run_inline(made.store, order_of(request, None, [step], dated, layer))
    result = made.store.result(run, SusceptibilityMap)

    scores = result.scores["logistic_regression"]
    assert (scores["group"]["folds"], scores["group"]["repeats"]) == (2, 1)
    assert (scores["date"]["folds"], scores["date"]["repeats"]) == (4, 1)
    assert scores["group"]["auroc"] > 0.75  # landslides follow the factor in both halves
    assert any("belong to no event" in note for note in result.notes)
    assert 'areas = "halves"' in config_text(made.store.run(run))
    tried = run_inline(made.store, order_sensitivity(
        result, SensitivityRequest("logistic_regression", buffers=(), jitters=(0.0, 300.0), repeats=2)
    ))  # fmt: skip
    content = json.loads(made.store.result(tried).artifact("sensitivity").read_text(encoding="utf-8"))
    still, far = (np.mean(row["auroc"]) for row in content["jitter"])
    assert still > far + 0.05  # landslides that are moved lose what they follow


def test_fewer_landslides_than_needed_are_told(quick_store: Store, tmp_path: Path) -> None:
    import shapely

    step = raster(tmp_path, "step", steps())
    record = quick_store.add_dataset(step.path, "step", "raster")
    points = [shapely.Point(at(column + 0.5, 5.5)) for column in range(4)]
    slides = quick_store.add_dataset(inventory(tmp_path, points), "slides", "vector")
    request = MapRequest(AreaPlan((), given=(GivenFactor("step", 0),)))

    with pytest.raises(InputError, match="slides has 4 complete cells with a landslide"):
        run_inline(quick_store, order_of(request, None, [record], slides))


def test_kept_models_say_the_same_of_the_same_area_and_know_nothing_of_new_classes(made: Made, tmp_path: Path) -> None:
    store, result = made
    dem, _, step = (store.dataset(one.dataset_id) for one in result.inputs[:3])
    rock = raster(tmp_path, "rock", np.where(steps() < 50, 1, 9).astype(np.uint8))
    other = store.add_dataset(rock.path, "rock", "raster")

    run = run_inline(store, apply_order(result, dem, [step, other], None))
    there = store.result(run, SusceptibilityMap)

    before, after = (decode(codes(one, INDEX).astype(np.uint8)) for one in (result, there))
    assert after[3:-1, 1:49] == pytest.approx(before[3:-1, 1:49])
    told = " ".join(there.notes)
    assert "fitted and validated on another area" in told
    assert f"{38 * 9:,} cells have a class of rock" in told
    assert there.hits.sum() == 0
    assert there.limit == result.limit
    assert there.outside == pytest.approx((38 * 9) / (38 * 58))  # ground of a class that no model has seen
    assert (codes(there, APPLICABILITY)[3:-1, 50:59] > there.limit).all()
    assert there.scores == result.scores
    with pytest.raises(InputError, match="2 factor rasters; 1 was given"):
        apply_order(result, dem, [step], None)


def test_an_export_opens_elsewhere_at_the_right_place(made: Made, tmp_path: Path) -> None:
    import geopandas

    content = export_map(made.store, made.result, Choice.default(made.result), tmp_path / "out")

    with rasterio.open(tmp_path / "out" / "index_logistic_regression.tif") as file:
        assert (file.crs, file.transform) == (GRID.crs, GRID.transform)
        values = file.read(1)
    assert np.isnan(values[0]).all()
    assert np.nanmax(values) <= 1
    slides = geopandas.read_file(tmp_path / "out" / "landslides.gpkg")
    assert len(slides) == 40
    assert slides.crs.to_epsg() == 32633
    row, column = GRID.rowcol(slides.geometry[0].x, slides.geometry[0].y)
    assert slides["index_average"][0] == pytest.approx(read_cell(made.result, row, column).index["average"])
    assert content["cells"] == 120
    with rasterio.open(tmp_path / "out" / "classes.tif") as file:
        classes, colours = file.read(1), file.colormap(1)
    low, high = content["classes"]["breaks"][0], content["classes"]["breaks"][-1]
    known = np.isfinite(values)
    assert (classes[~known] == 0).all()
    assert (values[classes == 1] < low).all()
    assert (values[classes == 5] >= high - 1e-6).all()
    assert colours[5] == (215, 25, 28, 255)
    assert sum(row["landslide_cells"] for row in content["classes"]["rows"]) == made.result.hits[0].sum()
    assert {"cells.csv", "scores.csv", "metrics.json", "config.toml", "factors.tif", "uncertainty.tif", "map.png"} <= {
        one.name for one in (tmp_path / "out").iterdir()
    }


def test_a_cell_is_explained_as_the_rasters_of_the_whole_map_say(made: Made) -> None:
    store, result = made
    model = "logistic_regression"

    of_cell = run_inline(store, order_explanation(result, ExplainRequest(model, "cell", 20, 50)))
    of_area = run_inline(store, order_explanation(result, ExplainRequest(model, "area")))
    over_all = run_inline(store, order_explanation(result, ExplainRequest(model, cells=300)))

    record = json.loads(store.result(of_cell).artifact("explanation").read_text())
    found, rows = read_table(pd.read_parquet(store.result(of_cell).artifact("contributions")), record)
    assert found.error < 1e-9
    assert rows["step"].tolist() == [50.0]
    assert "Raised by step 50" in store.run(of_cell).notes[0] or "step 50" in store.run(of_cell).notes[0]
    index = read_cell(result, 20, 50).index[model]
    assert 1 / (1 + np.exp(-found.output[0])) == pytest.approx(index, abs=0.003)
    scene = Scene.ours(store.result(of_area).artifact("effects"))
    with scene.reader() as reader:
        effects = reader.read((1, 2, 3), Window(50, 20, 1, 1)).values[:, 0, 0]
    assert effects == pytest.approx(found.values[0], rel=1e-5)
    dominant = codes(store.result(of_area), "dominant")  # type: ignore[arg-type]
    assert dominant[20, 50] == np.abs(effects).argmax()
    assert dominant[0, 0] == 255
    assert known_explanation(store, result, ExplainRequest(model, "cell", 20, 50)).id == of_cell  # type: ignore[union-attr]
    record = json.loads(store.result(over_all).artifact("explanation").read_text())
    assert record["faithfulness"]["guided_area"] > record["faithfulness"]["random_area"]
    assert max(record["importance"], key=record["importance"].get) == "step"
    assert record["cells"] == 300
    assert record["twin"]["fidelity"] > 0.8
    assert any("step >" in one["rule"] for one in record["twin"]["rules"])


def test_a_model_without_a_quick_way_is_explained_on_a_coarser_grid(
    made: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.tasks.susceptibility.run_explanation.SLOW_CELLS", 30)
    run = run_inline(made.store, order_explanation(made.result, ExplainRequest("average", "area")))

    scene = Scene.ours(made.store.result(run).artifact("effects"))
    assert scene.grid.shape == (4, 6)  # one cell in ten each way
    assert scene.grid.bounds[0] == GRID.bounds[0]
    assert "only one in 10 cells in each direction" in " ".join(made.store.run(run).notes)
    with scene.reader() as reader:
        effects = reader.read((1, 2, 3), Window(4, 2, 1, 1)).values[:, 0, 0]
    cell = run_inline(made.store, order_explanation(made.result, ExplainRequest("average", "cell", 25, 45)))
    table = pd.read_parquet(made.store.result(cell).artifact("contributions"))
    assert effects == pytest.approx(table[[f"effect:{one}" for one in made.result.factors]].to_numpy()[0], abs=1e-6)


def test_buffers_that_leave_no_ground_have_no_score(made: Made) -> None:
    request = SensitivityRequest("logistic_regression", (0.0, 20.0, 9000.0), (0.0, 300.0), repeats=2)
    run = run_inline(made.store, order_sensitivity(made.result, request))

    found = json.loads(made.store.result(run).artifact("sensitivity").read_text())
    assert [row["metres"] for row in found["buffer"]] == [0.0, 20.0, 9000.0]
    assert found["buffer"][2]["auroc"] == [None, None]  # no ground is left
    rng = np.random.default_rng(0)
    cells = moved(np.full(500, 20 * GRID.width + 30), 50.0, GRID, rng)
    row, column = np.divmod(cells, GRID.width)
    assert np.hypot(row - 20, column - 30) * 10 == pytest.approx(50, abs=8)
    with pytest.raises(InputError, match="not a single model"):
        order_sensitivity(made.result, SensitivityRequest("average"))


def test_what_cannot_be_explained_is_refused(made: Made) -> None:
    with pytest.raises(InputError, match="random_forest cannot be explained in this run"):
        order_explanation(made.result, ExplainRequest("random_forest"))
    with pytest.raises(InputError, match="has no value for at least one factor"):
        run_inline(made.store, order_explanation(made.result, ExplainRequest("average", "cell", 0, 0)))


def test_commands_map_the_example_explain_it_and_apply_it_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], repository: Path
) -> None:
    monkeypatch.setenv("SLIDELENS_HOME", str(tmp_path / "home"))
    example = repository / "docs" / "susceptibility_map.toml"
    config = tmp_path / "map.toml"
    text = example.read_text(encoding="utf-8").replace("../data/", f"{repository}/data/")
    config.write_text(text.replace("repeats = 5", "repeats = 1"), encoding="utf-8")

    roads = str(repository / "data" / "samples" / "valley_roads.gpkg")
    assert main(["susceptibility", "train", str(config), "--out", str(tmp_path / "out"), "--elements", roads]) == 0
    said = capsys.readouterr()
    assert "share_of_length" in said.out
    assert len(pd.read_csv(tmp_path / "out" / "elements.csv")) == 6
    run = re.search(r"run ([0-9a-f]{32})", said.err)
    assert run is not None
    assert (tmp_path / "out" / "classes.tif").is_file()
    again = tmp_path / "out" / "config.toml"
    assert read_config(again)[1] == read_config(config)[1]
    explain = ["susceptibility", "explain", run[1], "--target", "cell", "--x", "440000", "--y", "5107000"]
    assert main(explain) == 0
    told = capsys.readouterr().out
    assert "Logistic regression: from a base value of" in told
    assert main(["susceptibility", "explain", run[1], "--target", "cell"]) == 2
    assert "Give --x and --y" in capsys.readouterr().err
    assert main(["susceptibility", "predict", str(config), "--run", run[1], "--out", str(tmp_path / "other")]) == 0
    with (
        rasterio.open(tmp_path / "out" / "index_logistic_regression.tif") as one,
        rasterio.open(tmp_path / "other" / "index_logistic_regression.tif") as other,
    ):
        assert np.array_equal(one.read(1), other.read(1), equal_nan=True)
