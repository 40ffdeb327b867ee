"""From a table of readings to a stored run, its report, its export and the command that gives the same numbers."""

from __future__ import annotations

import html
import io
import json
import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import pytest

from core.catalog.samples import sample_table
from core.cli.main import main
from core.errors import InputError
from core.jobs.perform import request_of, run_inline
from core.report.make import make_report
from core.runs.result import RunResult
from core.runs.store import Store
from core.series.columns import Columns
from core.tasks.displacement.acknowledge import Acknowledgement, acknowledged, moment, order_acknowledgement
from core.tasks.displacement.evaluate import evaluate
from core.tasks.displacement.export import FILES, export_run, export_stored
from core.tasks.displacement.findings import forecasts_of, in_words, measured_of, p_words, series_of, verdict
from core.tasks.displacement.plan import Plan
from core.tasks.displacement.result import ForecastResult
from core.tasks.displacement.run import ForecastRequest, _Telling, order_of
from core.tasks.displacement.run_explanation import (
    CONTRIBUTIONS,
    RECORD,
    ExplainRequest,
    adds_up,
    known_explanation,
    order_explanation,
    series_from,
)
from core.tasks.displacement.scenario import ScenarioRequest, known_ahead, order_scenario, supposed
from core.tasks.displacement.simple import SIMPLE
from core.tasks.displacement.view import Look
from core.tasks.displacement.warning import warning_of

SAMPLE = sample_table("reservoir-slide")
COLUMNS = Columns("date", ("ZK1_mm", "ZK2_mm"), rain=("rain_mm",), level=("reservoir_level_m",))
KNOWN = ("rain_mm", "reservoir_level_m")
REQUEST = ForecastRequest(COLUMNS, Plan(models=("ridge", "xgboost"), known_future=KNOWN, refit=20))


class Made(NamedTuple):
    """A finished run and the store that it is in."""

    store: Store
    result: ForecastResult


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, prepared_sqlite: Path) -> Iterator[Made]:
    """Forecasts of two stations of the sample, with rain and level known up to the target."""
    home = tmp_path_factory.mktemp("forecasts")
    shutil.copy(prepared_sqlite, home)
    store = Store(home)
    record = store.add_dataset(
        SAMPLE.path, "sample", "table", synthetic=True, origin="a script", licence="CC0-1.0", citation="Cite it."
    )
    run = run_inline(store, order_of(record, REQUEST))
    yield Made(store, store.result(run, ForecastResult))
    store.database.close()


def test_a_run_holds_series_forecasts_and_scores_of_each_station(made: Made) -> None:
    result = made.result
    series, forecasts = series_of(result), forecasts_of(result)

    assert result.names == ("ZK1_mm", "ZK2_mm")
    assert result.stations["ZK1_mm"]["steps"] == 144
    assert result.stations["ZK1_mm"]["filled"] == 2
    assert int(series["filled"].sum()) == 3
    assert set(result.drivers.items()) == {("rain_mm", "rain"), ("reservoir_level_m", "level")}
    assert request_of(made.store.run(result.id)) == REQUEST
    ours = forecasts[(forecasts["station"] == "ZK1_mm") & (forecasts["model"] == "xgboost")]
    scored = ours[ours["scored"]]
    assert np.sqrt(np.mean((scored["forecast"] - scored["measured"]) ** 2)) == pytest.approx(
        result.of("ZK1_mm", "xgboost", "rmse")
    )
    beyond = ours[ours["target"] > series["time"].max()]
    assert len(beyond) == 1
    assert beyond["forecast"].iloc[0] == pytest.approx(result.of("ZK1_mm", "xgboost", "ahead"))
    assert (ours["origin"] < ours["target"]).all()


def test_a_model_that_knows_what_drives_the_slope_is_far_better_than_no_change(made: Made) -> None:
    result = made.result

    assert result.skill("ZK1_mm", "xgboost", "no_change") > 0.5
    assert result.skill("ZK1_mm", "no_change", "no_change") == 0.0
    assert result.metrics()["stations"] == 2
    name, simple = result.baseline_metrics()
    assert name in ("no_change", "last_increment", "drift", "seasonal_naive", "trend_line")
    assert simple["rmse"] > result.metrics()["rmse"]


def test_notes_and_findings_say_what_the_scores_rest_on(made: Made) -> None:
    notes = " ".join(made.result.notes)
    said = verdict(made.result, "ZK2_mm")

    assert "synthetic" in notes
    assert "ZK1_mm: 144 monthly steps. 2 of them (1 %) have no value" in notes
    assert "assumed to be known up to the target" in notes
    assert "1 month ahead" in said.lead
    # Whoever reads the first sentence alone is told whether the difference means something.
    (tested,) = [one for one in said.others if "Diebold–Mariano" in one]
    sure = "; the difference is not statistically significant"
    assert said.lead.endswith(f"{sure}." if sure in tested else "; the difference is statistically significant.")
    assert any(one.startswith("Forecast for January 2020: a movement of ") for one in said.others)
    assert any("Diebold–Mariano" in one for one in said.others)
    assert any("90 % intervals contained" in one for one in said.others)
    assert in_words(3, "7D") == "21 days"
    assert in_words(1, "h") == "1 hour"


def test_an_explanation_agrees_with_the_law_of_the_synthetic_slope(made: Made) -> None:
    """Months whose movement the law gives to rain are those whose forecast the explanation gives to rain."""
    law = pd.read_csv(SAMPLE.path.with_name("reservoir_slide_law.csv"))
    dates = pd.to_datetime(law["date"]).dt.to_period("M")
    found = {}
    for model in ("ridge", "xgboost"):
        run = run_inline(made.store, order_explanation(made.result, ExplainRequest("ZK1_mm", model)))
        result = made.store.result(run)
        table = pd.read_parquet(result.artifact(CONTRIBUTIONS))
        record = json.loads(result.artifact(RECORD).read_text(encoding="utf-8"))
        effects = table[[one for one in table if one.startswith("effect:")]].to_numpy()
        assert table["base"].to_numpy() + effects.sum(axis=1) == pytest.approx(table["forecast"].to_numpy(), abs=1e-6)
        assert record["faithfulness"]["strongest"] > record["faithfulness"]["others"]
        month = pd.to_datetime(table["target"]).dt.to_period("M")
        kept = month.isin(dates).to_numpy()
        truth = law.set_index(dates).loc[month[kept]]
        for group, part in (("rain", "rain"), ("level", "drawdown")):
            shown = table.loc[kept, f"effect:{group}"].to_numpy()
            found[model, group] = float(np.corrcoef(shown, truth[f"ZK1_{part}_mm"])[0, 1])
    assert min(found["xgboost", "rain"], found["ridge", "rain"]) > 0.75
    assert min(found["xgboost", "level"], found["ridge", "level"]) > 0.6


def test_an_explanation_repeats_the_forecasts_of_the_run_and_takes_an_event_away(made: Made) -> None:
    request = ExplainRequest("ZK1_mm", "xgboost", "2018-06-01", "2018-06-30")
    run = run_inline(made.store, order_explanation(made.result, request))
    result = made.store.result(run)
    table = pd.read_parquet(result.artifact(CONTRIBUTIONS)).set_index("target")["forecast"]
    forecasts = forecasts_of(made.result)
    ours = forecasts[(forecasts["station"] == "ZK1_mm") & (forecasts["model"] == "xgboost")].set_index("target")

    assert table.to_numpy() == pytest.approx(ours.loc[table.index, "forecast"].to_numpy(), abs=1e-4)
    told = next(one for one in result.notes if one.startswith("Without the rain of June 2018 ("))
    assert "mm), the forecast for " in told
    assert not re.search(r"\d{4}-\d\d", told)  # the step is a month, not a day of it
    assert any(one.startswith("The forecast for January 2020 is ") for one in result.notes)
    assert "falls by" in told  # rain above the threshold moves this slope down, never up
    assert known_explanation(made.store, made.result, request).id == run
    with pytest.raises(InputError, match="uses no features"):
        order_explanation(made.result, ExplainRequest("ZK1_mm", "drift"))
    with pytest.raises(InputError, match="no station"):
        order_explanation(made.result, ExplainRequest("ZK9", "ridge"))
    with pytest.raises(InputError, match="No step of the series"):
        run_inline(made.store, order_explanation(made.result, ExplainRequest("ZK1_mm", "ridge", "1999-01-01")))


def test_the_series_of_a_run_comes_back_as_it_was(made: Made) -> None:
    series = series_from(made.result, "ZK2_mm")

    assert (len(series), series.step, int(series.filled.sum())) == (144, "month", 1)
    assert series.quantities == {"rain_mm": "rain", "reservoir_level_m": "level"}


def test_an_export_and_a_report_hold_the_numbers_of_the_run(made: Made, tmp_path: Path) -> None:
    content = export_run(made.result, Look.default(made.result), tmp_path)

    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(FILES)
    scores = pd.read_csv(tmp_path / "scores.csv").set_index(["station", "model"])
    assert scores.loc[("ZK1_mm", "ridge"), "rmse"] == pytest.approx(made.result.of("ZK1_mm", "ridge", "rmse"))
    assert "forecast_mm" in pd.read_csv(tmp_path / "forecasts.csv")
    assert content["stations"]["ZK1_mm"]["chosen"] == made.result.stations["ZK1_mm"]["chosen"]
    text = report_of(made)
    assert "do not decide on evacuation or access from this view" in text
    assert "R² of movement" in text
    assert f"{made.result.of('ZK1_mm', 'ridge', 'rmse'):.2f}" in text


def test_a_report_warns_of_synthetic_data_and_names_their_source(made: Made) -> None:
    text = report_of(made)

    assert "Displacement forecast for sample" in text
    assert text.index("Synthetic data") < text.index("Best simple forecast")  # in the summary
    assert "Do not use anything here as evidence about a place" in text
    assert "synthetic (generated by a script); a script; CC0-1.0; Cite it." in text
    assert " (selected)" in text
    assert " (chosen)" not in text


def test_a_probability_is_never_told_to_be_zero() -> None:
    assert [p_words(one) for one in (0.03124, 0.0004, None)] == ["0.031", "<0.001", "–"]
    assert [p_words(one, "= ") for one in (0.03124, 0.0004)] == ["= 0.031", "< 0.001"]


def test_a_residual_of_rounding_is_told_as_such() -> None:
    assert (adds_up(9e-16), adds_up(0.02)) == ("up to rounding", "to within 0.02 mm")


def report_of(made: Made, look: Look | None = None) -> str:
    make_report(made.store, made.result.id, look)
    written = made.store.run(made.result.id).artifact("report")
    assert written is not None
    return written.path.read_text(encoding="utf-8")


def test_scores_are_told_as_they_come(made: Made) -> None:
    told: list[str] = []

    class Listening:
        def report(self, done: int, total: int, words: str = "") -> None:
            told.append(f"{done}/{total} {words}")

    telling = _Telling(Listening(), "A", ("no_change", "ridge"), 1, 2)  # type: ignore[arg-type]
    judged = evaluate(series_from(made.result, "ZK1_mm"), Plan(models=("ridge",)), finished=telling.finished)
    telling.progress(1, 2)
    ridge = judged.models["ridge"].scores.rmse
    assert told[-1].startswith("3/4 A: Ridge regression. RMSE so far: ")
    assert f"Ridge regression {ridge:.2f} mm" in told[-1]
    assert told[-1].count(" mm") == 3  # the best three of six


def test_the_report_holds_the_warning_and_the_explanations_that_were_made(made: Made) -> None:
    run = run_inline(made.store, order_explanation(made.result, ExplainRequest("ZK2_mm", "ridge")))
    sentence = made.store.result(run).notes[0]

    text = report_of(made)

    assert "Early warning, retrospective" in text
    assert "Explanation of the forecasts" in text
    assert html.escape(sentence) in text or sentence in text


def test_an_export_tells_what_comes_after_the_series_and_when_levels_were_reached(made: Made, tmp_path: Path) -> None:
    export_run(made.result, Look(station="ZK1_mm", levels="0.2,0.4"), tmp_path)
    ahead, levels = pd.read_csv(tmp_path / "ahead.csv"), pd.read_csv(tmp_path / "levels.csv")

    assert set(ahead["station"]) == set(made.result.names)
    assert ahead["target"].unique().tolist() == ["2020-01-01"]  # the month after the last one of the sample
    chosen = ahead[ahead["chosen"]].set_index("station")["forecast_mm"]
    for name in made.result.names:
        model = str(made.result.stations[name]["chosen"])
        assert chosen[name] == pytest.approx(made.result.of(name, model, "ahead"), abs=1e-3)
    assert len(levels) > 1
    first = levels[levels["level"] == "level 1"]
    assert len(first)
    assert (first["velocity_mm_per_day"] >= 0.2).all()
    assert (tmp_path / "warning.png").stat().st_size > 5_000
    charts = (tmp_path / "charts.html").read_text(encoding="utf-8")
    assert charts.count('class="plotly-graph-div"') == 2
    assert "<script src" not in charts  # it needs no network
    assert "not an alarm system" in charts


def test_a_change_of_level_is_acknowledged_once_and_for_all(made: Made, tmp_path: Path) -> None:
    look = Look(station="ZK1_mm", levels="0.2,0.4").checked(made.result)
    change = warning_of(measured_of(made.result), look).log[0]
    said = Acknowledgement("ZK1_mm", moment(change), change.level, "A. Nobody", "<b>Seen</b> on site")
    run_inline(made.store, order_acknowledgement(made.result, said))

    found = acknowledged(made.store, made.result.id, "ZK1_mm")
    assert found[moment(change), change.level].said == said
    assert not acknowledged(made.store, made.result.id, "ZK2_mm")
    export_stored(made.store, made.store.run(made.result.id), look, tmp_path)
    levels = pd.read_csv(tmp_path / "levels.csv")
    assert levels["acknowledged"].notna().tolist() == [True] + [False] * (len(levels) - 1)
    assert "UTC, A. Nobody: <b>Seen</b> on site" in levels["acknowledged"][0]
    text = report_of(made, look)
    assert "A. Nobody" in text
    assert "<b>Seen</b>" not in text
    for wrong in ({"by": " "}, {"by": "x" * 81}, {"text": "x" * 501}, {"level": 9}):
        with pytest.raises(InputError):
            replace(said, **wrong)
    with pytest.raises(InputError, match="no station"):
        order_acknowledgement(made.result, replace(said, station="ZK9"))


def test_a_scenario_supposes_what_comes_and_follows_the_law(made: Made) -> None:
    asked = request_of(made.store.run(made.result.id))
    drivers = supposed(asked, series_from(made.result, "ZK1_mm"))
    assert [one.name for one in drivers] == list(KNOWN)
    rain, level = drivers
    assert rain.low >= 0
    assert rain.low < rain.usual < rain.high

    def ask(wet: float, change: float, model: str = "ridge") -> RunResult:
        request = ScenarioRequest("ZK1_mm", model, ((rain.name, wet), (level.name, change)))
        return made.store.result(run_inline(made.store, order_scenario(made.result, request)))

    dry, wet, drawn = (ask(*one).numbers["forecast_mm"] for one in (
        (rain.low, 0.0), (rain.high, 0.0), (rain.low, level.low),
    ))  # fmt: skip
    assert wet > dry  # by the law rain and a falling level move the slope
    assert drawn > dry
    usual = ask(rain.usual, level.usual)
    # Unknown drivers are taken as usual, as the median of the steps that were learnt from: almost the same.
    assert usual.numbers["forecast_mm"] == pytest.approx(made.result.of("ZK1_mm", "ridge", "ahead"), abs=0.5)
    assert wet - dry > 10
    assert any("not scored" in one for one in usual.notes)
    assert any("outside the past range" in one for one in ask(2 * rain.high, 0.0).notes)
    for wrong, said in (
        (ScenarioRequest("ZK1_mm", "ridge", ((rain.name, 1.0),)), "a value for each"),
        (ScenarioRequest("ZK1_mm", "ridge", ((rain.name, float("nan")), (level.name, 0.0))), "cannot be used"),
    ):
        with pytest.raises(InputError, match=said):
            run_inline(made.store, order_scenario(made.result, wrong))
    with pytest.raises(InputError, match="no features"):
        order_scenario(made.result, ScenarioRequest("ZK1_mm", "drift", ()))
    blind = replace(asked, plan=replace(asked.plan, known_future=()))
    assert known_ahead(blind, series_from(made.result, "ZK1_mm")) == ()
    with pytest.raises(InputError, match="known-future"):
        supposed(blind, series_from(made.result, "ZK1_mm"))


def test_what_is_found_in_readings_is_corrected_by_command_and_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    frame = pd.DataFrame({"date": pd.date_range("2024-01-01", periods=120).astype(str)})
    noise = np.random.default_rng(0).normal(0, 0.2, 120)
    frame["A_mm"] = 0.5 * np.arange(120) + noise
    frame.loc[50, "A_mm"] += 40
    frame.to_csv(tmp_path / "slope.csv", index=False)
    options = ["--displacement", "A_mm", "--models", "ridge", "--no-store", "--out", str(tmp_path / "out.json")]
    steps = {}
    for correct in ((), ("--correct", "outliers")):
        assert main(["displacement", "evaluate", str(tmp_path / "slope.csv"), *options, *correct]) == 0
        steps[bool(correct)] = json.loads((tmp_path / "out.json").read_text(encoding="utf-8"))
    assert steps[False]["corrections"] == []
    (made_,) = steps[True]["corrections"]
    assert made_["what"] == "remove"
    assert "2024-02-20" in json.dumps(made_)
    assert steps[True]["stations"]["A_mm"]["filled"] == 1
    assert steps[False]["stations"]["A_mm"]["filled"] == 0
    assert main(["displacement", "evaluate", str(tmp_path / "slope.csv"), *options, "--correct", "lies"]) != 0
    assert "outliers, steps, stuck" in capsys.readouterr().err


def test_an_earlier_file_is_joined_and_the_forecasts_are_those_of_the_whole(
    tmp_path: Path, repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = SAMPLE.path.read_text(encoding="utf-8").splitlines(keepends=True)
    older, newer = tmp_path / "older.csv", tmp_path / "newer.csv"
    older.write_text("".join(lines[:90]))
    newer.write_text("".join([lines[0], *lines[80:]]))
    options = ["--time", "date", "--displacement", "ZK1_mm", "--rain", "rain_mm", "--models", "ridge", "--no-store"]
    found = []
    for file, more in ((SAMPLE.path, []), (newer, ["--earlier", str(older)])):
        out = tmp_path / "scores.json"
        assert main(["displacement", "evaluate", str(file), *options, *more, "--out", str(out)]) == 0
        found.append(json.loads(out.read_text(encoding="utf-8")))
    assert found[1]["stations"]["ZK1_mm"]["models"]["ridge"]["rmse"] == pytest.approx(
        found[0]["stations"]["ZK1_mm"]["models"]["ridge"]["rmse"]
    )
    assert any("10 readings of ZK1_mm are in both files and are the same" in one for one in found[1]["notes"])


def test_the_commands_predict_and_explain_take_the_example(
    tmp_path: Path, repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    example = [str(repository / "docs" / "displacement.toml"), "--no-store", "--models", "ridge"]
    assert main(["displacement", "predict", *example]) == 0
    table = pd.read_csv(io.StringIO(capsys.readouterr().out))
    assert set(table["model"]) == {*SIMPLE, "ridge"}
    assert (table["low_mm"] < table["high_mm"]).all()

    event = ["--event", "2018-06-01,2018-06-30"]
    assert main(["displacement", "explain", *example, *event, "--out", str(tmp_path)]) == 0
    assert "ZK1_mm, ridge: Without the rain of June 2018" in capsys.readouterr().out
    parts = pd.read_csv(tmp_path / "01_contributions.csv")
    effects = parts[[one for one in parts if one.startswith("effect:")]].sum(axis=1)
    assert (parts["base"] + effects).to_numpy() == pytest.approx(parts["forecast"].to_numpy(), abs=1e-6)

    assert main(["displacement", "explain", *example, "--models", "no_change"]) != 0
    assert "--models" in capsys.readouterr().err
    assert main(["displacement", "explain", *example, "--event", "2018-06-01"]) != 0
    assert "two dates" in capsys.readouterr().err


def test_commands_take_the_example_and_options_and_give_the_numbers_of_the_page(
    made: Made, tmp_path: Path, repository: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLIDELENS_HOME", str(tmp_path / "home"))
    out = tmp_path / "scores.json"
    options = [
        "--time", "date", "--displacement", "ZK1_mm,ZK2_mm", "--rain", "rain_mm", "--level", "reservoir_level_m",
        "--known-future", "rain,level", "--models", "ridge,xgboost", "--refit", "20", "--out", str(out),
    ]  # fmt: skip
    assert main(["displacement", "evaluate", str(SAMPLE.path), *options]) == 0
    content = json.loads(out.read_text(encoding="utf-8"))
    for station in made.result.names:
        for model, scores in content["stations"][station]["models"].items():
            assert scores["rmse"] == pytest.approx(made.result.of(station, model, "rmse"), nan_ok=True)
        assert set(scores) >= {
            "rmse", "mae", "mase", "r2_increment", "r2_cumulative", "bias_factor", "skill", "coverage90", "coverage_n",
            "refits", "seconds",
        }  # fmt: skip
    folder = tmp_path / "example"
    example = ["displacement", "train", str(repository / "docs" / "displacement.toml"), "--models", "ridge"]
    assert main([*example, "--out", str(folder)]) == 0
    assert (folder / "forecasts.csv").is_file()
    assert "ZK1_mm" in capsys.readouterr().out
    assert main(["displacement", "models"]) == 0
    assert "xgboost" in capsys.readouterr().out
    assert main(["displacement", "columns", str(SAMPLE.path)]) == 0
    assert json.loads(capsys.readouterr().out)["rain"] == ["rain_mm"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ([], "The displacement columns are not given. Probably ZK1_mm"),
        (["--displacement", "ZK9"], "has no column 'ZK9'"),
        (["--displacement", "ZK1_mm", "--horizon", "100"], "A horizon of 100 steps is not possible"),
        (["--displacement", "ZK1_mm", "--test-share", "2"], "test share of 2 is out of range"),
        (["--displacement", "ZK1_mm", "--models", "oracle"], "Unknown model 'oracle'"),
        (["--displacement", "ZK1_mm", "--known-future", "rain"], "no driver 'rain' to be known"),
        (["--components", "ZK1_mm"], "two or three columns"),
        (["--displacement", "ZK1_mm", "--step", "fortnight"], "not a valid time step"),
        (["--displacement", "ZK1_mm", "--stations", "ZK2_mm"], "no station 'ZK2_mm'"),
    ],
)
def test_a_question_that_is_not_answered_names_the_option(
    options: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setenv("SLIDELENS_HOME", str(tmp_path))

    assert main(["displacement", "evaluate", str(SAMPLE.path), *options]) != 0
    assert message in capsys.readouterr().err.replace("\n", " ")


def test_the_view_of_a_run_is_checked(made: Made) -> None:
    look = Look("ZK2_mm", "oracle", levels="1,3").checked(made.result)

    assert look.model == made.result.stations["ZK2_mm"]["chosen"]
    assert look.given_levels() == (1.0, 3.0)
    with pytest.raises(InputError, match="no station"):
        Look("ZK9").checked(made.result)
    for wrong in ({"levels": "3,1"}, {"levels": "a"}, {"day": "June"}, {"span": -1.0}, {"quiet": 0.0}):
        with pytest.raises(InputError):
            Look(**wrong)
