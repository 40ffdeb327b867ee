"""Rain in a file of its own on the displacement page: chosen, read, joined, and recorded with the run."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from core.catalog.samples import sample_table
from core.jobs.perform import request_of
from core.runs.records import DatasetRecord, RunFilter
from core.runs.store import Store
from tests.pages.test_mapping import labels, press, texts


@pytest.fixture
def page(repository: Path, store: Store) -> AppTest:
    """The page with an empty store."""
    del store  # what the page finds
    test = AppTest.from_file(str(repository / "ui" / "main.py"), default_timeout=120)
    return test.switch_page("../pages/displacement.py")


@pytest.fixture
def slope(store: Store, tmp_path: Path) -> DatasetRecord:
    """A station of the synthetic slope, without what drives it."""
    pd.read_csv(sample_table("reservoir-slide").path)[["date", "ZK1_mm"]].to_csv(tmp_path / "slope.csv", index=False)
    return store.add_dataset(tmp_path / "slope.csv", "slope.csv", "table")


def test_a_file_of_rain_is_joined_and_goes_with_the_run(
    page: AppTest, store: Store, slope: DatasetRecord, tmp_path: Path
) -> None:
    pd.read_csv(sample_table("reservoir-slide").path)[["date", "rain_mm"]].to_csv(tmp_path / "rain.csv", index=False)
    rain = store.add_dataset(tmp_path / "rain.csv", "rain.csv", "table")
    page.query_params["series"] = slope.id
    page.run()
    assert "Remove this file" not in labels(page)
    next(one for one in page.selectbox if one.key == "drivers-source").set_value("Earlier tables").run()
    next(one for one in page.selectbox if one.key == "drivers-earlier").set_value(rain.id).run()
    next(one for one in page.button if one.key == "drivers-Use this table").click().run()

    assert not page.exception
    assert "rain_mm of rain.csv: 144 known readings from 2008-01-31 to 2019-12-31." in texts(page)
    assert next(one for one in page.multiselect if one.label == "Known in advance").options == ["rain_mm"]
    next(one for one in page.multiselect if one.label == "Models").set_value(["ridge"])
    press(page, "Forecast")
    assert not page.exception
    (run,) = store.runs(RunFilter())
    assert [(one.role, one.dataset_id) for one in run.inputs] == [("series", slope.id), ("drivers", rain.id)]
    assert request_of(run).drivers.columns.rain == ("rain_mm",)
    assert page.query_params["drivers"] == rain.id


def test_a_file_that_is_refused_takes_nothing_else_with_it(page: AppTest, slope: DatasetRecord) -> None:
    page.query_params["series"] = slope.id
    page.run()
    next(one for one in page.selectbox if one.key == "drivers-source").set_value("Upload").run()
    for key, button in (("drivers-upload", "drivers-Use this table"), (f"earlier-upload-{slope.id}", "earlier-use")):
        uploader = next(one for one in page.get("file_uploader") if one.key == key)
        uploader.upload("rain.xlsx", b"no table at all", "text/csv").run()
        next(one for one in page.button if one.key and one.key.startswith(button)).click().run()
        (error,) = page.error
        assert "rain.xlsx" in error.value.replace("\\", "")
        assert "Forecast" in labels(page)


def test_the_layout_of_fixed_columns_is_asked(
    page: AppTest, store: Store, slope: DatasetRecord, tmp_path: Path
) -> None:
    days = pd.date_range("2010-01-01", "2012-12-31", freq="D")
    (tmp_path / "K.txt").write_text("".join(f"03{day:%Y%m%d}12{number % 50:03d}\n" for number, day in enumerate(days)))
    rain = store.add_dataset(tmp_path / "K.txt", "K.txt", "table")
    page.query_params["series"], page.query_params["drivers"] = slope.id, rain.id
    page.run()
    assert "The layout of the rows is unknown." in texts(page)
    assert "Forecast" not in labels(page)
    next(one for one in page.text_input if one.label == "Row layout").set_value("SSYYYYMMDDHHRRR").run()
    next(one for one in page.selectbox if one.label == "Rain unit").set_value("0.01 in").run()

    assert not page.exception
    assert "rain of K.txt: 1,096 known readings from 2010-01-01 to 2012-12-31." in texts(page)
    told = "rain has values from 2010-01-01 to 2012-12-31 only; before and after it is unknown, not zero."
    assert told in texts(page)


def test_rain_of_another_time_is_refused_in_words(
    page: AppTest, store: Store, slope: DatasetRecord, tmp_path: Path
) -> None:
    (tmp_path / "old.csv").write_text("date,rain_mm\n1999-01-01,1\n1999-01-02,2\n")
    rain = store.add_dataset(tmp_path / "old.csv", "old.csv", "table")
    page.query_params["series"], page.query_params["drivers"] = slope.id, rain.id
    page.run()

    assert not page.exception
    assert "The periods do not overlap" in texts(page)
    assert "Remove this file" in labels(page)
    press(page, "Remove this file")
    assert "Remove this file" not in labels(page)
    assert "ZK1_mm: 144 monthly steps" in texts(page)
