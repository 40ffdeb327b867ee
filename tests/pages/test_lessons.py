"""What the guide asks a class of each task, checked on runs whose answers are known."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from affine import Affine
from rasterio.crs import CRS
from streamlit.testing.v1 import AppTest

from core.catalog.samples import sample
from core.raster.grid import Grid
from core.runs.records import Input, Order, Run
from core.runs.result import RunResult
from core.runs.store import Store
from core.tasks.detection.boxes import Boxes
from core.tasks.displacement.result import ForecastResult
from core.tasks.susceptibility.map_result import SusceptibilityMap
from tests.factories import keep, keep_detection, made_detection, made_run
from ui.detection import lessons as detection
from ui.displacement import lessons as displacement
from ui.guide.show import taught
from ui.mapping import lessons as mapping
from ui.susceptibility import lessons as susceptibility
from ui.task.lessons import Verdict, runs_on_sample

LINKS = {"Open the detections", "Open this run"}
"""Words with which the tour of detection and its exercises lead to the run."""


def kept(store: Store, task: str, result: RunResult, parameters: dict[str, Any] | None = None) -> Run:
    """A finished run with a result made by hand."""
    identity = store.order(Order(task, result.kind, parameters or {}, result.inputs, result.model, result.parents))
    assert store.claim(identity, server="tests", worker="tests")
    store.finish(identity, result)
    return store.run(identity)


@pytest.fixture
def detected(store: Store, tmp_path: Path) -> Run:
    """Four landslides at 0.9, 0.8, 0.7 and 0.6; false alarms: two at 0.85, two at 0.65; the model's own is 0.5."""
    truth = [(10, 10 + 20 * n, 20, 20 + 20 * n) for n in range(4)]
    false = [(60, 10 + 20 * n, 70, 20 + 20 * n) for n in range(4)]
    boxes = Boxes.of([*truth, *false], [0.9, 0.8, 0.7, 0.6, 0.85, 0.85, 0.65, 0.65])
    made = made_detection(tmp_path / "made", boxes, reference=Boxes.of(truth), scene=sample("valley-after").title)
    return store.run(keep_detection(store, made).id)


@pytest.fixture
def mapped(store: Store, tmp_path: Path) -> Run:
    """AUROC 0.9 with random and 0.8 with spatial folds."""
    none = np.zeros((1, 255), np.int64)
    return kept(store, "susceptibility", SusceptibilityMap(
        id="", kind="susceptibility_map", folder=tmp_path, model="forest",
        inputs=(Input("dem", "", susceptibility.sample_title(), "0"), Input("inventory", "", "landslides", "1")),
        scores={"forest": {"random": {"auroc": 0.9}, "spatial": {"auroc": 0.8}}}, count=10, landslides=5,
        factors=("slope", "road_distance", "aspect"),
        grid=Grid(4, 4, Affine(10, 0, 0, 0, -10, 0), CRS.from_epsg(32633)),
        bands=("slope", "road_distance", "aspect"), mapped=("forest",), area=none, square_metres=none.astype(float),
        hits=none, ranks=np.zeros(0), layers=(), unknown={}, limit=None, outside=None, prevalence=None,
        sampled_share=0.5,
    ))  # fmt: skip


@pytest.fixture
def forecast(store: Store, tmp_path: Path) -> Run:
    """At the first station the model has a quarter of the error of no change; two of three are better than drift."""
    errors = {"no_change": 8.0, "drift": 4.0, "arima": 2.0, "xgboost": 3.0, "lstm": 5.0}
    station = {
        "models": {name: {"rmse": error, "skill": {}} for name, error in errors.items()},
        "chosen": "arima", "best_simple": "drift", "best_on_test": "arima", "step": "1 month",
    }  # fmt: skip
    return kept(store, "displacement", ForecastResult(
        id="", kind="forecast", folder=tmp_path, model="arima",
        inputs=(Input("series", "", displacement.sample_title(), "0"),),
        stations={"ZG1": station, "ZG2": station}, horizon=1, test_share=0.3, drivers={},
    ))  # fmt: skip


def told(verdict: Verdict, *, right: bool, words: str) -> None:
    assert (verdict.right, words in verdict.words) == (right, True), verdict.words


def test_the_confidence_that_halves_the_false_alarms(detected: Run) -> None:
    # Four from 0.5 on, two above 0.65.
    told(detection.halve_false_alarms(detected, 0.66), right=True, words="recall changes from 1.00 to 0.75")
    told(detection.halve_false_alarms(detected, 0.6), right=False, words="Still more than half")
    told(detection.halve_false_alarms(detected, 0.9), right=False, words="A lower threshold is enough")


def test_the_confidence_that_finds_every_second_landslide(detected: Run) -> None:
    told(detection.find_half(detected, 0.8), right=True, words="2 of 4 landslides are found (recall 0.50), with 2")
    told(detection.find_half(detected, 0.9), right=False, words="Fewer than half")
    told(detection.find_half(detected, 0.6), right=False, words="A higher threshold still finds half")


def test_a_recall_that_no_threshold_reaches_is_not_found(store: Store, tmp_path: Path) -> None:
    """Half of the landslide pixels have a probability of zero."""
    probability, reference = np.zeros((4, 5)), np.zeros((4, 5), np.uint8)
    reference[0] = reference[1] = 1
    probability[0] = 0.9
    run = store.run(keep(store, made_run(tmp_path / "made", probability, reference=reference)).id)
    for answer in (0.01, 0.5):
        verdict = mapping.find_most(run, answer)
        assert not verdict.right
        assert "No threshold above 0 reaches recall 0.95 in this run. At" in verdict.words
        assert "recall is 0.500" in verdict.words


def test_a_detection_that_finds_too_little_or_has_no_reference(store: Store, tmp_path: Path) -> None:
    truth = Boxes.of([(10, 10, 20, 20), (40, 40, 50, 50), (70, 70, 80, 80)])
    poor = keep_detection(store, made_detection(tmp_path / "poor", truth.take(np.array([0])), reference=truth))
    told(detection.find_half(store.run(poor.id), 0.5), right=False, words="fewer than half at every threshold")
    bare = keep_detection(store, made_detection(tmp_path / "bare", truth))
    told(detection.halve_false_alarms(store.run(bare.id), 0.5), right=False, words="has no scores")


def test_the_factor_that_matters_most(store: Store, mapped: Run, tmp_path: Path) -> None:
    assert susceptibility.factors_of(mapped) == ["slope", "road distance", "aspect"]
    told(susceptibility.strongest_factor(mapped, 0), right=False, words="not explained yet")

    record = {"importance": {"slope": 0.3, "road_distance": 0.6, "aspect": 0.1}}
    (tmp_path / "explanation.json").write_text(json.dumps(record))
    explained = RunResult(
        id="", kind="explanation", folder=tmp_path, artifacts={"explanation": "explanation.json"}, parents=(mapped.id,)
    )
    kept(store, "susceptibility", explained, {"model": "forest", "target": "model"})

    told(susceptibility.strongest_factor(mapped, 1), right=True, words="road distance has 60 % of the contributions")
    told(susceptibility.strongest_factor(mapped, 0), right=False, words="slope has 30 % of the contributions, place 2")
    assert [step.done for step in susceptibility.tour(mapped)] == [True, False, True, False, False]


def test_the_optimism_of_random_folds(store: Store, mapped: Run) -> None:
    told(susceptibility.optimism(mapped, 0.1), right=True, words="0.900 with random folds and 0.800 with spatial")
    told(susceptibility.optimism(mapped, -0.1), right=False, words="Subtract")
    result = store.result(mapped.id, SusceptibilityMap)
    alone = kept(store, "susceptibility", replace(result, scores={"forest": {"random": {"auroc": 0.9}}}))
    told(susceptibility.optimism(alone, 0.1), right=False, words="not validated in both ways")


def test_how_much_better_than_no_change_a_forecast_is(forecast: Run) -> None:
    told(displacement.better_than_no_change(forecast, 75), right=True, words="(4.00 mm) it is 50 %")
    told(displacement.better_than_no_change(forecast, 25), right=False, words="Divide the RMSE")


def test_how_many_models_are_worth_their_effort(forecast: Run) -> None:
    told(displacement.worth_it(forecast, 2), right=True, words="2 of 3 models")
    told(displacement.worth_it(forecast, 3), right=False, words="The best simple forecast of the station ZG1 is Drift")


def test_the_newest_run_on_each_sample_is_found(detected: Run, mapped: Run, forecast: Run) -> None:
    found = {name: runs_on_sample(name, lessons) for name, lessons in taught().items()}
    assert {name: [run.id for run in runs] for name, runs in found.items()} == {
        "detection": [detected.id], "mapping": [], "susceptibility": [mapped.id], "displacement": [forecast.id],
    }  # fmt: skip


def test_a_visitor_chooses_whose_run_a_tour_looks_at_and_begins_with_an_own_one(
    repository: Path, store: Store, tmp_path: Path, detected: Run
) -> None:
    boxes = Boxes.of([(10, 10, 20, 20)], [0.9])
    made = made_detection(tmp_path / "own", boxes, scene=sample("valley-after").title)
    order = Order("detection", made.kind, {}, made.inputs, made.model, made.parents, owner="me")
    own = store.order(order)
    assert store.claim(own, server="tests", worker="tests")
    store.finish(own, made)
    later = kept(store, "detection", made)

    guide = AppTest.from_file(str(repository / "ui" / "main.py"), default_timeout=120)
    guide.session_state["visitor"] = "me"
    guide.switch_page("../pages/guide.py").run()
    asked = next(one for one in guide.selectbox if one.key == "guide-run-detection")
    assert asked.value == own
    assert ["started here" in words for words in asked.options] == [True, False, False]
    links = [link.proto.query_string for link in guide.get("page_link")]
    assert f"run={own}" in links
    asked.set_value(later.id).run()

    def led_to() -> set[str]:
        """Runs to which the tour and the exercises lead."""
        links = [link.proto for link in guide.get("page_link") if link.proto.label in LINKS]
        assert {link.label for link in links} == LINKS
        return {link.query_string for link in links}

    assert led_to() == {f"run={later.id}"}
    guide.switch_page("../pages/home.py").run()
    guide.switch_page("../pages/guide.py").run()
    assert led_to() == {f"run={later.id}"}, "the choice stays while other pages are open"
    assert not guide.exception


def test_every_tour_has_five_steps_with_and_without_a_run(detected: Run, mapped: Run, forecast: Run) -> None:
    for lessons, run in ((detection, detected), (susceptibility, mapped), (displacement, forecast)):
        assert [step.done for step in lessons.tour(None)] == [False, None, None, None, None]
        steps = lessons.tour(run)
        assert len(steps) == 5
        assert steps[0].done
        assert steps[-1].done is False
        assert all(step.link for step in steps)


def test_a_factor_is_chosen_from_a_list_and_checked(repository: Path, store: Store, mapped: Run) -> None:
    guide = AppTest.from_file(str(repository / "ui" / "main.py"), default_timeout=120)
    guide.switch_page("../pages/guide.py").run()
    next(one for one in guide.selectbox if one.label == "Factor").set_value("aspect").run()
    next(one for one in guide.button if one.key == f"check-strongest-factor-{mapped.id}").click().run()
    assert not guide.exception
    assert "not explained yet" in guide.warning[0].value
