"""The frame that every page stands in."""

from __future__ import annotations

import logging
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import pytest
from streamlit.testing.v1 import AppTest

from core.runs.store import Store
from ui import labels
from ui.feedback import without_options

HEAVY = ("torch", "rasterio", "folium", "leafmap", "geopandas", "matplotlib", "scipy")
"""What takes seconds to import and so has to wait until it is needed."""


@pytest.fixture
def frame(repository: Path) -> AppTest:
    return AppTest.from_file(str(repository / "ui" / "main.py"), default_timeout=60)


def test_the_first_page_says_what_it_is_for(frame: AppTest) -> None:
    frame.run()
    assert not frame.exception
    assert not frame.error
    assert frame.title[0].value == "SlideLens"
    assert "Open the sample in Detection" in [button.label for button in frame.button]
    assert "Open the sample in Mapping" in [button.label for button in frame.button]


def test_the_source_and_licence_are_on_the_page(frame: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLIDELENS_SOURCE_URL", "https://example.org/our-source")
    frame.run()
    assert "[Source and licence](https://example.org/our-source)" in frame.sidebar.caption[0].value


def test_an_address_that_is_none_is_not_linked(frame: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLIDELENS_SOURCE_URL", "javascript:alert(1)")
    frame.run()
    assert "javascript" not in frame.sidebar.caption[0].value
    assert "[Licence](https://www.gnu.org/licenses/agpl-3.0.html)" in frame.sidebar.caption[0].value
    assert "Source" not in frame.sidebar.caption[0].value


def test_the_first_page_imports_nothing_heavy(repository: Path) -> None:
    script = (
        "import sys, runpy; runpy.run_path('app.py');"
        "from streamlit.testing.v1 import AppTest;"
        "test = AppTest.from_file('ui/main.py', default_timeout=60).run(); assert not test.exception;"
        f"print([name for name in {HEAVY} if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=repository, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def test_running_a_page_leaves_the_path_of_imports_to_other_threads(repository: Path) -> None:
    """An import at the instant at which a folder is taken out of the path passes over another one."""
    script = (
        "import sys, runpy; runpy.run_path('app.py');"
        "from streamlit.runtime.scriptrunner.exec_code import modified_sys_path;"
        "path = modified_sys_path('ui/main.py'); before = list(sys.path); path.__enter__();"
        "assert sys.path == before; path.__exit__(None, None, None); assert sys.path == before"
    )
    subprocess.run([sys.executable, "-c", script], cwd=repository, check=True)


def test_an_error_of_ours_says_what_why_and_remedy() -> None:
    def page() -> None:
        import streamlit as st

        from core.errors import InputError
        from ui.feedback import guard

        with guard():
            raise InputError("*slide_1.tif* is cut short.", "Pixels are missing.", "Copy it [again](x).")
        st.write("still here")

    test = AppTest.from_function(page).run()
    assert not test.exception
    (error,) = test.error
    assert error.value.startswith("**\\*slide\\_1.tif\\* is cut short.**")
    assert "Pixels are missing." in error.value
    assert "\\[again\\](x)" in error.value
    assert test.markdown[0].value == "still here"


@pytest.mark.parametrize(("remedy", "told"), [
    ("Name it (--time).", "Name it."),
    ("Name it (--unit mm, cm or m).", "Name it (mm, cm or m)."),
    ("Name the column or columns (--displacement, or --components NORTH,EAST).", "Name the column or columns."),
    ("Name one (--drivers-columns rain=COLUMN).", "Name one."),
    ("Name the system, such as EPSG:32633 (--crs).", "Name the system, such as EPSG:32633."),
    ("Choose another file (a CSV).", "Choose another file (a CSV)."),
])  # fmt: skip
def test_a_remedy_on_a_page_names_no_option_of_a_command(remedy: str, told: str) -> None:
    assert without_options(remedy) == told


def test_a_bug_is_logged_whole_and_shown_with_its_number(caplog: pytest.LogCaptureFixture) -> None:
    def page() -> None:
        from ui.feedback import guard

        with guard():
            raise ZeroDivisionError("secret detail")

    with caplog.at_level(logging.ERROR, logger="slidelens"):
        test = AppTest.from_function(page).run()
    (record,) = [record for record in caplog.records if record.name == "slidelens"]
    assert record.exc_info is not None
    assert isinstance(record.exc_info[1], ZeroDivisionError)
    number = record.getMessage().split()[-1]
    (error,) = test.error
    assert number in error.value
    assert "secret detail" not in error.value


def test_stopping_and_rerunning_pass_through_the_guard() -> None:
    def page() -> None:
        import streamlit as st

        from ui.feedback import guard

        with guard():
            st.write("before")
            st.stop()
        st.write("after")

    test = AppTest.from_function(page).run()
    assert not test.error
    assert [text.value for text in test.markdown] == ["before"]


def test_an_empty_page_offers_what_fills_it() -> None:
    def page() -> None:
        import streamlit as st

        from ui.feedback import empty

        if empty("No image yet.", "Start with the sample.", action="Use the sample"):
            st.write("pressed")

    test = AppTest.from_function(page).run()
    test.button[0].click().run()
    assert test.markdown[-1].value == "pressed"


@pytest.mark.parametrize(
    ("seconds", "words"), [(0.2, "0 s"), (59.6, "1 min 0 s"), (140, "2 min 20 s"), (7260, "2 h 1 min")]
)
def test_times_are_said_as_people_say_them(seconds: float, words: str) -> None:
    from ui.feedback import duration

    assert duration(seconds) == words


def test_what_is_under_way_is_told_on_every_page_and_opens(repository: Path, store: Store, tmp_path: Path) -> None:
    from core.runs.records import Progress
    from core.tasks.mapping.run import Request, order_of
    from tests.factories import ramp, write_raster

    scene = store.add_scene(write_raster(tmp_path / "scene.tif", ramp(40, 40)), "North slope")
    run = store.order(order_of(scene, Request("gone-model")))
    store.claim(run, server="elsewhere", worker="one")
    store.beat(run, Progress(3, 12, "Mapping tile 3 of 12", left=90.0))
    frame = AppTest.from_file(str(repository / "ui" / "main.py"), default_timeout=60).run()
    assert not frame.exception
    button = next(button for button in frame.sidebar.button if button.label == "gone-model")
    button.click().run()
    assert not frame.exception
    assert frame.query_params["run"] in (run, [run])
    assert any("You can close this page" in part.value for part in frame.caption)


@pytest.mark.parametrize(
    ("zone", "told"),
    [
        ("Europe/Zurich", "1 July 2026, 14:30 CEST"),
        ("America/Sao_Paulo", "1 July 2026, 09:30 UTC-03"),
        ("no such zone", "1 July 2026, 12:30 UTC"),
    ],
)
def test_times_are_told_with_their_zone(zone: str, told: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ui.labels.st.context", SimpleNamespace(timezone=zone))
    assert labels.moment(datetime(2026, 7, 1, 12, 30, tzinfo=UTC)) == told
