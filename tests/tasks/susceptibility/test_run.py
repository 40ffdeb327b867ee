"""From a table to a stored validation, by command, with its report and exports."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pyogrio
import pytest

from core.catalog.samples import sample_table
from core.cli.main import main
from core.jobs.perform import request_of, run_inline
from core.report.make import make_report
from core.runs.store import Store
from core.tasks.susceptibility.cells import Columns
from core.tasks.susceptibility.export import OWN_FILES, export_run
from core.tasks.susceptibility.findings import better, curves, verdict
from core.tasks.susceptibility.result import SusceptibilityResult
from core.tasks.susceptibility.run import CODE_PAGE, SYNTHETIC, Request, order_of

ECUADOR = ("slope", "cplan", "cprof", "elev", "log10_carea")
FACTORS = ("elevation_m", "slope_deg", "northness", "eastness", "relief_310m")
REQUEST = Request(
    Columns("landslide", FACTORS, (), "x_epsg32632", "y_epsg32632", "EPSG:32632"),
    ("logistic_regression", "weights_of_evidence"), repeats=2,
)  # fmt: skip


@pytest.fixture
def result(quick_store: Store) -> SusceptibilityResult:
    sample = sample_table("valley-cells")
    record = quick_store.add_dataset(sample.path, sample.title, "table", synthetic=True)
    return quick_store.result(run_inline(quick_store, order_of(record, REQUEST)), SusceptibilityResult)


def test_a_validation_is_kept_with_its_scores_and_its_cells(quick_store: Store, result: SusceptibilityResult) -> None:
    run = quick_store.run(result.id)

    assert request_of(run) == REQUEST
    assert result.count == 480
    assert result.landslides == 240
    assert result.notes[0] == SYNTHETIC
    assert run.metrics["auroc_random"] == max(result.of(model, "random", "auroc") for model in result.models)
    assert 0.6 < result.of("logistic_regression", "spatial", "auroc") < 0.85
    assert json.loads(result.artifact("scores").read_text())["models"] == result.scores
    assert len(pd.read_parquet(result.artifact("cells"))) == 480
    assert set(curves(result, "spatial")) == set(result.models)
    assert "has the highest AUROC on spatial folds" in verdict(result).lead
    assert better(result, "spatial") == ()


def test_the_report_says_what_was_found_and_how_sure_it_is(quick_store: Store, result: SusceptibilityResult) -> None:
    make_report(quick_store, result.id)
    stored = quick_store.run(result.id).artifact("report")
    assert stored is not None
    report = stored.path.read_text(encoding="utf-8")

    assert "No model is significantly better than logistic regression" in report
    assert "Random folds" in report
    assert "an index that ranks places, not a probability" in report
    assert "Factors, strongest first" in report
    assert "Variance inflation" in report


def test_exports_hold_what_the_page_shows(tmp_path: Path, result: SusceptibilityResult) -> None:
    content = export_run(result, tmp_path / "out")

    assert {path.name for path in (tmp_path / "out").iterdir()} == set(OWN_FILES)
    assert json.loads((tmp_path / "out" / "metrics.json").read_text())["models"] == content["models"]
    assert len(pd.read_csv(tmp_path / "out" / "scores.csv")) == 4
    classes = pd.read_csv(tmp_path / "out" / "factor_classes.csv")
    assert classes.groupby("factor")["cells"].sum().to_dict() == dict.fromkeys(FACTORS, 480)
    assert classes.groupby("factor")["landslides"].sum().to_dict() == dict.fromkeys(FACTORS, 240)
    association = pd.read_csv(tmp_path / "out" / "factor_association.csv", index_col="factor")
    cells = pd.read_csv(tmp_path / "out" / "cells.csv")
    r = cells["slope_deg"].corr(cells["relief_310m"])
    assert association.loc["slope_deg", "relief_310m"] == pytest.approx(r)


def test_the_example_configuration_is_validated_by_command(
    tmp_path: Path, repository: Path, store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    config, out = repository / "docs" / "susceptibility.toml", tmp_path / "scores.json"

    status = main(["susceptibility", "evaluate", str(config), "--repeats", "1", "--out", str(out)])

    assert status == 0
    models = json.loads(out.read_text())["models"]
    assert list(models) == ["logistic_regression", "weights_of_evidence", "random_forest"]
    assert set(models["random_forest"]) == {"random", "spatial"}
    spatial = models["logistic_regression"]["spatial"]
    assert spatial["repeats"] == 1
    assert {"auroc", "auroc_low", "auroc_high", "auroc_sd", "brier", "f1", "repeats", "folds_skipped"} <= set(spatial)
    assert "has the highest AUROC" in capsys.readouterr().out


def test_a_table_with_semicolons_and_decimal_commas_gives_the_same_numbers(tmp_path: Path, store: Store) -> None:
    table = pd.read_csv(sample_table("valley-cells").path)
    table.to_csv(tmp_path / "a.csv", index=False)
    table.to_csv(tmp_path / "b.csv", index=False, sep=";", decimal=",")
    common = ["--target", "landslide", "--factors", ",".join(FACTORS), "--models", "logistic_regression"]
    common += ["--repeats", "1"]

    for name in ("a", "b"):
        paths = ["--table", str(tmp_path / f"{name}.csv"), "--out", str(tmp_path / f"{name}.json"), "--no-store"]
        assert main(["susceptibility", "evaluate", *paths, *common]) == 0

    one, other = (json.loads((tmp_path / f"{name}.json").read_text())["models"] for name in ("a", "b"))
    for scores in (one, other):
        del scores["logistic_regression"]["random"]["seconds"]
    assert one == other
    assert list(one["logistic_regression"]) == ["random"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--target", "landslide", "--factors", "slope_deg"], "No table was given. Give it with --table."),
        (["--table", "SAMPLE", "--factors", "slope_deg"], "Give it with --target."),
        (["--table", "SAMPLE", "--target", "landslide", "--factors", "slope_deg", "--cv", "spatial"], "(--x and --y)"),
        (["--table", "SAMPLE", "--target", "slide_id", "--factors", "slope_deg"], "Name the value (--positive)"),
    ],
)
def test_what_is_missing_names_the_option(
    options: list[str], message: str, store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    sample = str(sample_table("valley-cells").path)

    given = [sample if one == "SAMPLE" else one for one in options]
    status = main(["susceptibility", "evaluate", *given, "--no-store"])

    assert status == 2
    assert message in capsys.readouterr().err


@pytest.mark.realdata
def test_ecuador_gives_the_published_numbers(shared_data: Path, tmp_path: Path, store: Store) -> None:
    """Logistic regression: 0.7726 by spatial, 0.8097 by random cross-validation (Muenchow et al. 2012's data)."""
    out = tmp_path / "scores.json"
    options = ["--table", str(shared_data / "ecuador_lsl" / "lsl.csv"), "--target", "lslpts", "--x", "x", "--y", "y"]
    plan = ["--crs", "EPSG:32717", "--factors", ",".join(ECUADOR), "--models", "logistic_regression", "--repeats", "20"]

    assert main(["susceptibility", "evaluate", *options, *plan, "--no-store", "--out", str(out)]) == 0

    scores = json.loads(out.read_text())["models"]["logistic_regression"]
    assert scores["spatial"]["auroc"] == pytest.approx(0.7726, abs=0.01)
    assert scores["random"]["auroc"] == pytest.approx(0.8097, abs=0.01)
    assert scores["spatial"]["auroc_low"] < 0.7726 < scores["spatial"]["auroc_high"]


def test_a_table_of_dbase_whose_text_is_no_utf_8_is_validated_with_a_note(quick_store: Store, tmp_path: Path) -> None:
    cells = pd.read_csv(sample_table("valley-cells").path)[["landslide", "slope_deg", "northness"]]
    path = tmp_path / "cells.dbf"
    pyogrio.write_dataframe(cells.assign(rock="Höhe"), path, driver="ESRI Shapefile", encoding="cp1252")
    record = quick_store.add_dataset(path, "cells.dbf")
    request = Request(Columns("landslide", ("slope_deg", "northness")), schemes=("random",), repeats=1)

    result = quick_store.result(run_inline(quick_store, order_of(record, request)), SusceptibilityResult)

    assert result.count == 480
    assert CODE_PAGE in result.notes
