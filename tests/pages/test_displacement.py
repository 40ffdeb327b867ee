"""The displacement page without a browser: from the sample to forecasts, and what it says when something is unclear."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from core.catalog.samples import sample_table
from core.jobs.perform import request_of, run_inline
from core.runs.records import RunFilter
from core.runs.store import Store
from core.series.columns import Columns
from core.tasks.displacement.plan import Plan
from core.tasks.displacement.run import ForecastRequest, order_of
from core.tasks.displacement.run_points import PointsRequest
from core.tasks.displacement.run_points import order_of as points_order
from tests.pages.test_mapping import labels, press, texts

QUICK = ForecastRequest(Columns("date", ("P1_mm", "P2_mm"), rain=("rain_mm",)), Plan(models=("ridge",)))


@pytest.fixture
def page(repository: Path, store: Store) -> AppTest:
    """The page with an empty store."""
    del store  # what the page finds
    test = AppTest.from_file(str(repository / "ui" / "main.py"), default_timeout=120)
    return test.switch_page("../pages/displacement.py")


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """Two points that move a tenth of the rain of the day before."""
    lines, moved = [], 0.0
    for day in range(90):
        rain = 20.0 if day % 9 == 0 else 0.0
        moved += 0.2 + (2.0 if day % 9 == 1 else 0.0)
        lines.append(f"2024-{day // 30 + 1:02d}-{day % 29 + 1:02d},{moved:.2f},{moved / 2:.2f},{rain}")
    path = tmp_path / "slope.csv"
    dates = [f"2024-{month:02d}-{day:02d}" for month in (1, 2, 3) for day in range(1, 32)]
    known = [one for one in dates if one not in ("2024-02-30", "2024-02-31")][:90]
    rows = [f"{date},{line.split(',', 1)[1]}" for date, line in zip(known, lines, strict=True)]
    path.write_text("date,P1_mm,P2_mm,rain_mm\n" + "\n".join(rows) + "\n")
    return path


def test_the_empty_page_says_what_a_table_holds_and_offers_the_sample(page: AppTest) -> None:
    page.run()

    assert not page.exception
    assert "Start with the sample" in labels(page)
    assert "displacement or positions of one or several stations" in texts(page)
    assert "Forecast" not in labels(page)


def test_the_sample_is_shown_with_guessed_columns_and_forecast_by_one_press(page: AppTest, store: Store) -> None:
    press(page.run(), "Start with the sample")
    assert "Synthetic: generated, not measured." in texts(page)
    assert "ZK1_mm: 144 monthly steps" in texts(page)
    next(one for one in page.multiselect if one.label == "Models").set_value(["ridge"])
    next(one for one in page.multiselect if one.label == "Stations to forecast").set_value(["ZK3_mm"])
    press(page, "Forecast")

    assert not page.exception
    (run,) = store.runs(RunFilter())
    asked = request_of(run)
    assert asked.columns.rain == ("rain_mm",)
    assert asked.columns.level == ("reservoir_level_m",)
    assert asked.stations == ("ZK3_mm",)
    assert "ZK3_mm: " in texts(page)
    figures = {one.label: one.value for one in page.metric}
    assert figures["RMSE"].endswith(" mm")
    assert "These series are synthetic" in texts(page)


def test_open_data_are_fetched_with_their_terms_and_stay_in_the_store(
    page: AppTest, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = tmp_path / "fetched.csv"
    table.write_text("date,P1_mm\n" + "".join(f"2024-01-{day:02d},{day}\n" for day in range(1, 21)))
    monkeypatch.setattr("core.catalog.open_data.fetch_files", lambda wanted, folder, progress: {wanted[0].name: table})
    page.run()
    next(one for one in page.selectbox if one.label == "Source").set_value("Open data").run()
    next(one for one in page.selectbox if one.label == "Data").set_value("amsterdam-points").run()
    assert "Licence: Apache-2.0." in texts(page)
    assert "Cite: Delft University of Technology" in texts(page)
    press(page, "Download and use")

    assert not page.exception
    (summary,) = store.datasets("table")
    record = store.dataset(summary.id)
    assert (record.name, record.licence, record.synthetic) == ("InSAR points of Amsterdam", "Apache-2.0", False)
    assert record.origin == "open data: InSAR points of Amsterdam"


def test_a_finished_run_is_read_station_by_station(page: AppTest, store: Store, table: Path) -> None:
    record = store.add_dataset(table, "slope", "table")
    run = run_inline(store, order_of(record, QUICK))
    page.query_params["run"] = run
    page.run()

    assert not page.exception
    assert "mm with ridge regression and" in texts(page) or "P1_mm: on the training set" in texts(page)
    next(one for one in page.selectbox if one.label == "Station").set_value("P2_mm").run()
    assert not page.exception
    assert "P2_mm: " in texts(page)
    assert "Basis and limitations" in " ".join(one.label for one in page.expander)


def test_dates_that_can_be_read_in_two_ways_and_units_that_are_not_known_are_asked(
    page: AppTest, store: Store, tmp_path: Path
) -> None:
    path = tmp_path / "unclear.csv"
    path.write_text("date,disp\n" + "\n".join(f"{day:02d}/03/2024,{day}" for day in range(1, 13)) + "\n")
    record = store.add_dataset(path, "unclear", "table")
    page.query_params["series"] = record.id
    page.run()

    assert not page.exception
    assert "with the day or the month first" in texts(page)
    next(one for one in page.selectbox if one.label == "Date order").set_value("dmy").run()
    assert "The unit of disp is unknown" in texts(page)
    next(one for one in page.selectbox if one.label == "Unit").set_value("cm").run()
    assert "disp: " in texts(page)
    assert "or the month first" not in texts(page)


def test_a_table_of_points_is_measured_and_the_points_of_the_address_are_shown(page: AppTest, store: Store) -> None:
    sample = sample_table("valley-points")
    record = store.add_dataset(sample.path, sample.title, "table", synthetic=True)
    store.add_dataset(sample.path.with_name("reservoir_slide.csv"), "slope", "table")
    dem = store.add_dataset(sample.path.with_name("valley_dem.tif"), "valley", "raster")
    page.query_params["series"] = record.id
    page.run()
    assert not page.exception
    other = next(one for one in page.selectbox if one.label == "Points of the other orbit")
    assert other.options == ["none"]  # no table of readings
    next(one for one in page.selectbox if one.label == "Elevation model").set_value(dem.id).run()
    assert "InSAR points: one row per point, one column per date." in texts(page)
    assert "Forecast" not in labels(page)

    press(page, "Measure velocities")
    assert not page.exception
    (run,) = store.runs(RunFilter())
    assert run.kind == "point_velocity"
    assert run.input("dem").dataset_id == dem.id
    assert "900 points, 73 dates from 2022-01-05" in texts(page)
    assert "Click a point on the map to see its series." in texts(page)

    page.query_params["points"] = "V0007,V0500"
    page.run()
    assert not page.exception
    assert "V0500" in texts(page)
    table = f"fastest-{run.id}"
    ticked = page.session_state[table]["selection"]["rows"]
    assert list(page.dataframe[0].value["pid"].iloc[list(ticked)]) == ["V0007", "V0500"]
    press(page, "Clear")
    assert "points" not in page.query_params
    assert page.session_state[table]["selection"]["rows"] == []


def test_a_table_of_points_without_a_known_system_is_asked_for_it(page: AppTest, store: Store, tmp_path: Path) -> None:
    path = tmp_path / "points.csv"
    dates = [f"2022{month:02d}01" for month in range(1, 13)]
    rows = [f"p{at},{500_000 + 100 * at},5000000,{','.join('1' for _ in dates)}" for at in range(3)]
    path.write_text(f"pid,x,y,{','.join(dates)}\n" + "\n".join(rows) + "\n")
    page.query_params["series"] = store.add_dataset(path, "points", "table").id
    page.run()
    assert "The coordinate system of x and y is unknown." in " ".join(one.value for one in page.warning)
    press(page, "Measure velocities")
    assert not store.runs(RunFilter())
    next(one for one in page.text_input if one.label.startswith("Coordinate system")).set_value("EPSG:32633")
    press(page, "Measure velocities")
    (run,) = store.runs(RunFilter())
    assert run.status == "done"


def test_a_point_of_the_map_becomes_the_reference_of_the_next_run(page: AppTest, store: Store) -> None:
    sample = sample_table("valley-points")
    record = store.add_dataset(sample.path, sample.title, "table", synthetic=True)
    run = run_inline(store, points_order(record, PointsRequest()))
    page.query_params["run"], page.query_params["points"] = run, "V0007"
    page.run()
    press(page, "Use as reference")
    press(page, "Measure velocities")
    newest = max(store.runs(RunFilter()), key=lambda one: one.created)
    assert newest.status == "done"
    assert request_of(newest).reference[2] == 200.0
    assert "relative to the mean of" in texts(page)


def test_a_change_of_level_is_acknowledged_on_the_page(page: AppTest, store: Store, table: Path) -> None:
    record = store.add_dataset(table, "slope", "table")
    page.query_params["run"] = run_inline(store, order_of(record, QUICK))
    page.query_params["levels"] = "0.15,0.3"
    page.session_state["displacement-tab"] = "Warning"
    page.run()
    next(one for one in page.text_input if one.label == "Acknowledged by").set_value("A. Nobody")
    press(page, "Acknowledge")
    assert not page.exception
    (kept,) = (one for one in store.runs(RunFilter()) if one.kind == "acknowledgement")
    assert request_of(kept).by == "A. Nobody"
    table_of_log = next(one.value for one in page.dataframe if "acknowledged" in one.value)
    assert table_of_log["acknowledged"].str.contains("A. Nobody").sum() == 1


def test_a_scenario_is_asked_with_sliders_where_the_future_of_a_driver_counts(
    page: AppTest, store: Store, table: Path
) -> None:
    record = store.add_dataset(table, "slope", "table")
    page.query_params["run"] = run_inline(store, order_of(record, QUICK))
    page.session_state["displacement-tab"] = "Scenario"
    page.run()
    assert "it can also be chosen under *Testing* > *Known in advance*." in texts(page)
    assert not page.error
    next(one for one in page.selectbox if one.label == "Driver").set_value("rain_mm")
    press(page, "Forecast again with this driver known in advance")
    newest = store.runs(RunFilter())[0]
    assert request_of(newest) == replace(QUICK, plan=replace(QUICK.plan, known_future=("rain_mm",)))
    assert page.query_params["run"] in (newest.id, [newest.id])
    assert page.session_state["displacement-tab"] == "Scenario"
    assert not page.error

    known = ForecastRequest(QUICK.columns, Plan(models=("ridge",), known_future=("rain_mm",)))
    page.query_params["run"] = run_inline(store, order_of(record, known))
    page.run()
    for rain in (0.0, 20.0):
        next(one for one in page.slider if one.label.startswith("rain_mm")).set_value(rain)
        press(page, "Run scenario")
    assert not page.exception
    assert "not scored" in texts(page)
    answer = next(one.value for one in page.dataframe if "Forecast (mm)" in one.value)
    assert answer["rain_mm"].tolist() == [20.0, 0.0]  # the latest first
    asked = {request_of(run).ahead: store.result(run.id).numbers["forecast_mm"] for run in store.runs(RunFilter())
             if run.kind == "scenario"}  # fmt: skip
    assert answer["Forecast (mm)"].tolist() == [asked[("rain_mm", 20.0),], asked[("rain_mm", 0.0),]]


def test_a_table_without_drivers_says_that_it_has_no_scenarios(page: AppTest, store: Store, table: Path) -> None:
    record = store.add_dataset(table, "slope", "table")
    dry = ForecastRequest(Columns("date", ("P1_mm",)), Plan(models=("ridge",)))
    page.query_params["run"] = run_inline(store, order_of(record, dry))
    page.session_state["displacement-tab"] = "Scenario"
    page.run()

    assert "This table has no drivers, so no scenario can be calculated." in [one.value for one in page.info]
    assert not page.error


def test_the_files_of_a_run_are_prepared_on_the_page(page: AppTest, store: Store, table: Path) -> None:
    record = store.add_dataset(table, "slope", "table")
    page.query_params["run"] = run_inline(store, order_of(record, QUICK))
    page.session_state["displacement-tab"] = "Export"
    page.run()
    press(page, "Prepare tables and charts")
    assert not page.exception
    assert "Interactive charts, work offline (HTML)" in texts(page)
    assert list(store.home.rglob("charts.html"))


def test_the_velocities_become_a_raster_that_other_pages_offer(page: AppTest, store: Store) -> None:
    sample = sample_table("valley-points")
    record = store.add_dataset(sample.path, sample.title, "table", synthetic=True)
    page.query_params["run"] = run_inline(store, points_order(record, PointsRequest()))
    page.session_state["displacement-tab"] = "Export"
    page.run()
    press(page, "Save velocities as raster")
    assert not page.exception
    (kept,) = store.datasets("raster")
    assert kept.name.startswith("Velocity of InSAR points")
    scene = store.scene_record(kept.id).scene
    assert len(scene.bands) == 1
    assert scene.grid.crs is not None
    for other in ("susceptibility", "detection"):
        page.query_params.clear()
        beside = page.switch_page(f"../pages/{other}.py").run()
        source = next(one for one in beside.selectbox if one.key in ("area-source", "scene-source"))
        source.set_value(next(one for one in source.options if one.startswith("Earlier"))).run()
        offered = [option for one in beside.selectbox for option in one.options]
        assert any("Velocity of InSAR points" in one for one in offered), other
