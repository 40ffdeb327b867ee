"""Stations whose places are known stand on a map among the findings; without places there is none."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from core.jobs.perform import run_inline
from core.runs.store import Store
from core.series.guess import guess_columns
from core.series.heads import read_series_table
from core.tasks.displacement.plan import Plan
from core.tasks.displacement.run import ForecastRequest, order_of
from tests.pages.test_mapping import texts


@pytest.mark.parametrize("placed", [True, False])
def test_stations_stand_on_a_map_where_their_places_are_known(
    placed: bool, repository: Path, store: Store, tmp_path: Path
) -> None:
    days = pd.date_range("2024-01-01", periods=60, freq="D")
    table = pd.DataFrame({"date": days, "P_n_mm": range(60), "P_e_mm": 0.0})
    if placed:
        table["lat"], table["lon"] = 46.0, 11.0
    table.to_csv(tmp_path / "slope.csv", index=False)
    record = store.add_dataset(tmp_path / "slope.csv", "slope.csv", "table")
    columns = guess_columns(read_series_table(record.path))
    run = run_inline(store, order_of(record, ForecastRequest(columns, Plan(models=("no_change",)))))
    page = AppTest.from_file(str(repository / "ui" / "main.py"), default_timeout=120)
    page.switch_page("../pages/displacement.py")
    page.query_params["run"] = run
    page.run()

    assert not page.exception
    assert ("Positions of the stations, north up." in texts(page)) is placed
    assert ("the longest 365 mm/year" in texts(page)) is placed  # a millimetre a day
