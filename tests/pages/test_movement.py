"""The tab Movement of the displacement page: how the slope moved, from every side."""

from __future__ import annotations

from pathlib import Path

from streamlit.testing.v1 import AppTest

from core.jobs.perform import run_inline
from core.runs.store import Store
from core.tasks.displacement.run import order_of
from tests.pages.test_displacement import QUICK, page, table
from tests.pages.test_mapping import texts
from ui.displacement.movement_tab import _days

__all__ = ["page", "table"]  # fixtures


def test_how_the_slope_moved_is_shown_from_every_side(page: AppTest, store: Store, table: Path) -> None:
    record = store.add_dataset(table, "slope", "table")
    page.query_params["run"] = run_inline(store, order_of(record, QUICK))
    page.session_state["displacement-tab"] = "Movement"
    page.run()

    assert not page.exception
    # The last ten readings: 0.2 mm a day and one rise of 2 mm.
    assert "mm/day, slow (" in texts(page) or "mm/day, very slow (" in texts(page)
    said = {
        "parts": "periodic part and residual add up", "months": "P1_mm moves most in", "path": "were not measured",
        "lags": "Strongest with rain_mm, sum of 1 day, 1 day before", "trajectory": "readings are used",
    }  # fmt: skip
    for view, words in said.items():
        _choose(page, "movement", view)
        assert not page.exception
        assert words in texts(page)
        assert not page.error


def test_the_lesson_and_a_trajectory_are_made_as_asked(page: AppTest, store: Store, table: Path) -> None:
    record = store.add_dataset(table, "slope", "table")
    page.query_params["run"] = run_inline(store, order_of(record, QUICK))
    page.session_state["displacement-tab"] = "Movement"
    _choose(page.run(), "movement", "parts")
    next(one for one in page.toggle if one.key == "lesson").set_value(True).run()

    assert not page.exception
    assert "of the test set, the trend of the whole series differs" in texts(page)
    _choose(page, "movement", "trajectory")
    next(one for one in page.text_input if one.key == "trajectory-steps").set_value("soon").run()
    assert "'soon' is not a valid date of a step" in texts(page)
    next(one for one in page.text_input if one.key == "trajectory-steps").set_value("2024-02-05").run()
    assert not page.error
    (parameters,) = (one.value for one in page.dataframe if "parameter" in one.value)
    assert parameters["parameter"].tolist() == ["position", "velocity", "step 2024-02-05"]


def test_a_window_of_one_day_is_one_day() -> None:
    assert [_days(days) for days in (0.0, 1.0, 7.0, 365.0)] == ["Default", "1 day", "7 days", "1 year"]


def _choose(page: AppTest, key: str, value: str) -> None:
    next(one for one in page.button_group if one.key == key).set_value(value).run()
