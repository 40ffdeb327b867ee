"""Forecasts with rain and levels in a file of their own: the same as with one table, and recorded as an input."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from core.catalog.samples import sample_table
from core.errors import InputError
from core.jobs.perform import request_of, run_inline
from core.runs.store import Store
from core.series.columns import Columns
from core.series.drivers import DriverTable
from core.tasks.displacement.plan import Plan
from core.tasks.displacement.result import DRIVERS, ForecastResult
from core.tasks.displacement.run import ForecastRequest, order_of

SAMPLE = sample_table("reservoir-slide")
DRIVEN = Columns("date", rain=("rain_mm",), level=("reservoir_level_m",))
TOGETHER = ForecastRequest(replace(DRIVEN, displacements=("ZK1_mm",)), Plan(models=("ridge",), refit=20))
APART = replace(TOGETHER, columns=Columns("date", ("ZK1_mm",)), drivers=DriverTable(DRIVEN))


def test_two_files_give_the_forecasts_of_one(store: Store, tmp_path: Path) -> None:
    table = pd.read_csv(SAMPLE.path)
    table[["date", "ZK1_mm"]].to_csv(tmp_path / "slope.csv", index=False)
    table[["date", "rain_mm", "reservoir_level_m"]].to_csv(tmp_path / "rain.csv", index=False)
    whole = store.add_dataset(SAMPLE.path, "whole", "table")
    slope, rain = (store.add_dataset(tmp_path / one, one, "table") for one in ("slope.csv", "rain.csv"))

    one = store.result(run_inline(store, order_of(whole, TOGETHER)), ForecastResult)
    two = store.result(run_inline(store, order_of(slope, APART, drivers=rain)), ForecastResult)

    for score in ("rmse", "mase", "ahead", "ahead_low"):
        assert two.of("ZK1_mm", "ridge", score) == one.of("ZK1_mm", "ridge", score)
    assert two.drivers == {"rain_mm": "rain", "reservoir_level_m": "level"}
    assert [(each.role, each.name) for each in two.inputs] == [("series", "slope.csv"), (DRIVERS, "rain.csv")]
    assert request_of(store.run(two.id)) == APART
    assert "rain_mm of rain.csv: 144 known readings from 2008-01-31 to 2019-12-31." in two.notes


def test_a_file_and_how_it_is_read_go_together(store: Store) -> None:
    whole = store.add_dataset(SAMPLE.path, "whole", "table")

    with pytest.raises(InputError, match="file is missing"):
        run_inline(store, order_of(whole, APART))
    with pytest.raises(InputError, match="The description of the file is missing"):
        run_inline(store, order_of(whole, TOGETHER, drivers=whole))
