"""The susceptibility page without a browser: from the sample to scores, and what it says when something is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from core.jobs.perform import request_of, run_inline
from core.runs.records import RunFilter
from core.runs.store import Store
from core.tasks.susceptibility.area import AreaPlan, GivenFactor
from core.tasks.susceptibility.cells import Columns
from core.tasks.susceptibility.landslides import InventoryPlan
from core.tasks.susceptibility.run import Request, order_of
from core.tasks.susceptibility.run_map import MapRequest
from core.tasks.susceptibility.sampling import SamplingPlan
from core.tasks.susceptibility.validate import Plan
from tests.pages.test_mapping import labels, on_map, press, texts
from tests.tasks.susceptibility.areas import GRID, order_of_right_third

MODELS = ("logistic_regression", "naive_bayes")
QUICK = Request(Columns("label", ("slope", "rock_code"), (), "x", "y"), MODELS, ("random",), repeats=1)


@pytest.fixture
def page(repository: Path, store: Store) -> AppTest:
    """The page with an empty store."""
    del store  # what the page finds
    test = AppTest.from_file(str(repository / "ui" / "main.py"), default_timeout=120)
    return test.switch_page("../pages/susceptibility.py")


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """Sixty cells whose label follows the slope."""
    lines = [f"{n % 2},{n % 2 * 10 + n % 7},{n % 5},{700000 + n * 10},{9550000 + n % 11 * 90}" for n in range(60)]
    path = tmp_path / "cells.csv"
    path.write_text("label,slope,rock_code,x,y\n" + "\n".join(lines) + "\n")
    return path


def test_the_empty_page_says_what_a_table_holds_and_offers_the_sample(page: AppTest) -> None:
    page.query_params["from"] = "table"
    page.run()

    assert not page.exception
    assert "Use this sample" in labels(page)
    assert "Start with the sample valley" in labels(page)
    assert "one column marks landslides" in texts(page)
    assert "Validate models" not in labels(page)


def test_the_sample_is_validated_by_one_press_with_columns_that_were_guessed(page: AppTest, store: Store) -> None:
    page.query_params["from"] = "table"
    press(page.run(), "Start with the sample valley")
    assert "Synthetic: generated, not measured." in texts(page)
    next(one for one in page.multiselect if one.label == "Models").set_value(list(MODELS))
    next(one for one in page.number_input if one.label == "Repeats").set_value(1)
    press(page, "Validate models")

    assert not page.exception
    (run,) = store.runs(RunFilter())
    columns = request_of(run).columns
    assert (columns.target, columns.x, columns.crs) == ("landslide", "x_epsg32632", "EPSG:32632")
    assert "slide_id" not in columns.factors
    assert "has the highest AUROC on spatial folds" in texts(page)
    assert "This table is synthetic" in texts(page)
    figures = {one.label: one.value for one in page.metric}
    assert figures["Cells"] == "480"
    assert 0.6 < float(figures["Best AUROC · spatial folds"]) < 0.85


def test_tuning_weights_and_directions_are_asked_for_as_they_are_chosen(page: AppTest, store: Store) -> None:
    page.query_params["from"] = "table"
    press(page.run(), "Start with the sample valley")
    next(one for one in page.multiselect if one.label == "Models").set_value(["xgboost"])
    next(one for one in page.multiselect if one.label == "Validation").set_value(["random"])
    for label, value in (("Repeats", 1), ("Folds", 2), ("Settings to try", 1)):
        next(one for one in page.number_input if one.label == label).set_value(value)
    next(one for one in page.selectbox if one.label == "Tuning").set_value("random")
    next(one for one in page.checkbox if one.label == "Balanced class weights").check()
    directions = "Monotonic factors (+ or -)"
    next(one for one in page.text_input if one.label == directions).set_value("slope_deg:up")
    press(page, "Validate models")
    assert "No direction is given" in texts(page)
    assert store.runs(RunFilter()) == []

    next(one for one in page.text_input if one.label == directions).set_value("slope_deg:+")
    press(page, "Validate models")

    assert not page.exception
    (run,) = store.runs(RunFilter())
    plan = request_of(run).plan
    assert (plan.tuning, plan.trials, plan.weights, plan.monotone) == ("random", 1, "balanced", {"slope_deg": 1})
    assert "Both classes were given the same total weight" in texts(page)


def test_a_run_opens_by_its_address_with_what_was_asked(page: AppTest, store: Store, table: Path) -> None:
    run = run_inline(store, order_of(store.add_dataset(table, "cells.csv", "table"), QUICK))
    page.query_params["run"] = run
    page.query_params["shown"] = "naive_bayes"
    page.run()

    assert not page.exception
    chosen = {one.label: one.value for one in page.selectbox}
    assert (chosen["Model"], chosen["Label"]) == ("naive_bayes", "label")
    assert "Random folds test the model on neighbours" in texts(page)
    assert {one.label for one in page.metric} == {"Best AUROC · random folds", "Cells"}


def test_the_tab_factors_says_how_well_one_factor_alone_does(page: AppTest, store: Store, table: Path) -> None:
    run = run_inline(store, order_of(store.add_dataset(table, "cells.csv", "table"), QUICK))
    page.query_params["run"] = run
    page.session_state["susceptibility-tab"] = "Factors"
    page.run()

    assert not page.exception
    assert not page.error
    # The slope of every landslide is above that of every other cell.
    assert "AUROC of 1.00 (0.5 is chance, 1 is perfect): landslides occur at higher values" in texts(page)
    next(one for one in page.selectbox if one.label == "Factor").set_value("rock_code").run()
    assert not page.exception
    # Each rock has as many landslides as other cells.
    assert "AUROC of 0.50 (0.5 is chance, 1 is perfect): no better than chance" in texts(page)


def test_what_the_run_lacks_is_said_and_the_page_stays(page: AppTest, store: Store, table: Path) -> None:
    run = run_inline(store, order_of(store.add_dataset(table, "cells.csv", "table"), QUICK))
    page.query_params["run"] = run
    page.query_params["shown"] = "magic"
    page.run()

    assert not page.exception
    assert "has no model 'magic'" in page.error[0].value.replace("\\", "")
    assert "Validate models" in labels(page)


def test_a_table_without_its_label_says_so_beside_the_button(page: AppTest, store: Store, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("a,b,c\n" + "\n".join(f"{n},{n * 2},{n % 3}" for n in range(40)) + "\n")
    page.query_params["table"] = store.add_dataset(path, "a.csv", "table").id
    press(page.run(), "Validate models")

    assert not page.exception
    assert "No label was chosen" in page.error[0].value
    assert list(store.runs(RunFilter())) == []


def test_a_cell_is_handed_on_in_the_link_and_told_where_it_opens(
    page: AppTest, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = MapRequest(
        AreaPlan(terrain=("slope",), given=(GivenFactor("step", 0), GivenFactor("rock", 1, "category"))),
        InventoryPlan(), SamplingPlan(ratio=2, seed=1), Plan(("logistic_regression", "naive_bayes"), ("random",), 3, 1),
        mapped=("logistic_regression",),
    )  # fmt: skip
    run = run_inline(store, order_of_right_third(store, tmp_path, request))
    monkeypatch.setattr("ui.task.export._server", lambda: "http://localhost")  # which a browser tells
    x, y = GRID.xy(20, 50)
    asked = {"run": run, "at": f"{x},{y}", "tab": "Export", "classes": "quantile", "factor": "step"}
    for name, value in asked.items():
        page.query_params[name] = value
    page.run()

    assert not page.exception
    assert not page.error
    shown = on_map(page)
    assert shown["arrival"]
    assert shown["marker"]
    told = texts(page)
    assert "rock class 3" in told
    assert "step 50" in told
    assert "standard deviation over the folds" in told
    (link,) = [one.value for one in page.code if "/susceptibility?run=" in one.value]
    assert f"&at={x:.3f}".rstrip("0").rstrip(".") in link
    assert "classes=quantile" in link
    assert "factor=step" in link
    assert "cutoff" not in link
    assert "was not mapped" not in told
    press(page, "Clear selection")
    (link,) = [one.value for one in page.code if "/susceptibility?run=" in one.value]
    assert "at=" not in link
    assert "at" not in page.query_params
    next(one for one in page.selectbox if one.label == "Model").set_value("naive_bayes").run()
    assert "Naive Bayes was not mapped: map, classes and cells show Logistic regression." in texts(page)
