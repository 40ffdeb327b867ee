"""A task of another kind than those of the application works everywhere without a line that knows it.

Its folder is ``tests/toy``; ``SLIDELENS_TASKS`` is its line in the registry. Its input is a table, and it has neither
grid nor model. The runs are made once, by a real worker; each test has a copy of that store to itself.
"""

from __future__ import annotations

import csv
import json
import os
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zipfile import ZipFile

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient
from streamlit.testing.v1 import AppTest

from core.cli.main import main
from core.errors import InputError
from core.jobs import jobs
from core.jobs.jobs import ClusterJobs, InlineJobs
from core.jobs.local_cluster import LocalCluster
from core.retention.prune import orphans, plan, prune
from core.runs import kinds
from core.runs.database import database_url
from core.runs.records import Run, RunFilter
from core.runs.store import Store, default_store, open_store
from core.serve.routes import routes
from tests.factories import ramp, write_raster
from tests.toy.result import Trend, Trends
from tests.toy.run import Request, order_influence, order_trends
from ui import resources
from ui.task import task as declared
from ui.task.links import place

REPOSITORY = Path(__file__).resolve().parents[2]
LINE = "tests.toy.task:TASK"

# Each level is on a line but for the last one of odd, whose slope is Σxy / Σx² = 10 / 10 over x = −2 … 2. Without the
# last row nothing is left of it; without the first it is 7.5 / 5, so that one changes it by half as much.
LEVELS = "place,north,south,odd\na,1,10,0\nb,2,8,0\nc,3,6,0\nd,4,4,0\ne,5,2,5\n"
TRENDS = {"north": (3.0, 1.0), "south": (6.0, -2.0), "odd": (1.0, 1.0)}
"""Mean and trend of each column."""


@dataclass(frozen=True)
class Made:
    """A store with the runs that a worker did: of all rows, of the last three, and an explanation of the first."""

    home: Path
    table: str
    whole: str
    last: str
    why: str


def forget_tasks() -> None:
    for known in (kinds.tasks, declared.task_pages, declared.view_keys):
        known.cache_clear()


@pytest.fixture(scope="module", autouse=True)
def _registered() -> Iterator[None]:
    """Give the task its line in the registry."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SLIDELENS_TASKS", LINE)
        forget_tasks()
        yield
    forget_tasks()


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, _registered: None) -> Iterator[Made]:
    home = tmp_path_factory.mktemp("wells")
    store = open_store(home, database_url(home))
    environment = {"PYTHONPATH": str(REPOSITORY), "SLIDELENS_TASKS": LINE}
    office = ClusterJobs(store, LocalCluster(1, threads=1, environment=environment))
    try:
        with write_levels(tmp_path_factory.mktemp("tables") / "levels.csv").open("rb") as file:
            table = store.upload_dataset(file, "levels.csv")
        whole = finish(store, office.submit(order_trends(table, Request(), name="Whole year")))
        last = finish(store, office.submit(order_trends(table, Request(last=3))))
        why = finish(store, office.submit(order_influence(store.result(whole.id, Trends), "odd")))
    finally:
        office.close()
    assert all(str(os.getpid()) not in run.worker.split(":") for run in (whole, last, why))
    yield Made(home, table.id, whole.id, last.id, why.id)
    store.database.close()


def write_levels(path: Path) -> Path:
    path.write_text(LEVELS, encoding="utf-8")
    return path


def finish(store: Store, identity: str) -> Run:
    """Wait until a worker has done a run."""
    deadline = time.monotonic() + 120
    while store.run(identity).active:
        assert time.monotonic() < deadline, "the worker did not end"
        time.sleep(0.1)
    run = store.run(identity)
    assert run.status == "done", run.failure
    return run


@pytest.fixture
def store(made: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    """A copy of the store with the runs, which is the default one."""
    shutil.copytree(made.home, tmp_path / "home")
    monkeypatch.setenv("SLIDELENS_HOME", str(tmp_path / "home"))
    store = default_store()
    monkeypatch.setattr(jobs, "override", InlineJobs(store))
    monkeypatch.setattr(resources, "warm_up", lambda: None)  # its thread would outlive the test
    return store


@pytest.fixture
def open_page(store: Store) -> Callable[..., AppTest]:
    """Opens a page of the app by its script, with query parameters."""

    def opened(script: str, **address: str) -> AppTest:
        page = AppTest.from_file(str(REPOSITORY / "ui" / "main.py"), default_timeout=120).switch_page(script)
        for name, value in address.items():
            page.query_params[name] = value
        page.run()
        assert not page.exception
        return page

    return opened


def texts(page: AppTest) -> str:
    kinds = (page.title, page.subheader, page.markdown, page.caption, page.info, page.error, page.warning)
    return "\n".join(part.value for kind in kinds for part in kind).replace("\\", "")


def press(page: AppTest, label: str) -> AppTest:
    return next(button for button in page.button if button.label == label).click().run()


def command(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    capsys.readouterr()
    assert main([str(one) for one in arguments]) == 0
    return capsys.readouterr().out


# Ordered and worked


def test_a_worker_fits_the_lines(store: Store, made: Made) -> None:
    result = store.result(made.whole, Trends)
    assert result.trends == tuple(
        Trend(name, pytest.approx(mean), pytest.approx(slope)) for name, (mean, slope) in TRENDS.items()
    )
    assert store.run(made.whole).metrics == {"columns": 3, "steepest": pytest.approx(2.0)}
    # Of the last three rows of odd, 0, 0, 5, the line rises by 5/2.
    assert store.run(made.last).metrics["steepest"] == pytest.approx(2.5)
    with store.artifact(made.whole, "trends").path.open(encoding="utf-8") as file:
        assert [row["column"] for row in csv.DictReader(file)] == list(TRENDS)


def test_a_worker_explains_a_line(store: Store, made: Made) -> None:
    run = store.run(made.why)
    assert run.parents == (made.whole,)
    assert run.notes == ("Row 5 changes the trend of odd most, by +1.000.",)
    with store.artifact(made.why, "influence").path.open(encoding="utf-8") as file:
        changes = [float(row["change"]) for row in csv.DictReader(file)]
    assert (changes[0], changes[4]) == (pytest.approx(-0.5), pytest.approx(1.0))


def test_the_page_orders_a_run_of_a_table(open_page: Callable[..., AppTest], store: Store, made: Made) -> None:
    page = open_page("../tests/toy/wells.py", levels=made.table)
    press(page, "Fit lines")
    assert not page.exception
    (new,) = {run.id for run in store.runs()} - {made.whole, made.last, made.why}
    assert page.query_params["run"] == new
    assert store.result(new, Trends).trends == store.result(made.whole, Trends).trends


def test_a_command_orders_a_run_of_a_file(
    store: Store, made: Made, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = write_levels(tmp_path / "more.csv")
    out = command(capsys, "wells", "run", table, "--last", 3, "--least-trend", 1.5, "--tag", "north")
    assert "odd: mean 1.667, trend +2.500" in out
    assert "north" not in out
    (run,) = store.runs(RunFilter(tag="north"))
    assert run.subject.name == "more.csv"


def test_a_raster_is_no_table(store: Store, tmp_path: Path) -> None:
    raster = store.add_dataset(write_raster(tmp_path / "ramp.tif", ramp(8, 8)), "ramp.tif")
    with pytest.raises(InputError, match="cannot be used as table of levels"):
        store.order(order_trends(raster, Request()))


# Listed and opened


def test_the_runs_are_listed(
    open_page: Callable[..., AppTest], store: Store, made: Made, capsys: pytest.CaptureFixture[str]
) -> None:
    assert {run.id for run in store.runs(RunFilter(task="wells"))} == {made.whole, made.last, made.why}
    listed = command(capsys, "runs", "list", "--task", "wells")
    assert all(identity[:8] in listed for identity in (made.whole, made.last, made.why))
    assert "STEEPEST TREND" in listed.upper()
    assert "Whole year" in listed
    page = open_page("../pages/runs.py")
    rows = page.dataframe[0].value
    assert set(rows["Name"]) == {"Whole year", "levels.csv"}
    assert sorted(rows["Steepest trend"]) == [pytest.approx(2.0), pytest.approx(2.5)]
    assert set(rows["Input"]) == {"levels.csv"}


def test_the_list_finds_them_by_task_kind_and_table(open_page: Callable[..., AppTest], made: Made) -> None:
    page = open_page("../pages/runs.py", task="Well levels", what="Explanations", image="levels.csv")
    assert [box.value for box in page.selectbox[:2]] == ["Well levels", "Explanations"]
    assert len(page.dataframe[0].value) == 1


def test_a_run_has_its_place(store: Store, made: Made) -> None:
    assert place(store.run(made.whole)) == ("wells", {"run": made.whole})
    assert place(store.run(made.why)) == ("wells", {"run": made.whole, "why": made.why})


def test_the_address_opens_a_run_at_its_view(open_page: Callable[..., AppTest], made: Made) -> None:
    page = open_page("../tests/toy/wells.py", run=made.whole, least="1.5")
    assert page.title[0].value == "Well levels"
    assert page.slider[0].value == 1.5
    assert page.table[0].value[0].tolist() == ["south"]


def test_the_address_of_an_explanation_opens_what_it_explains(open_page: Callable[..., AppTest], made: Made) -> None:
    page = open_page("../tests/toy/wells.py", run=made.why)
    assert page.query_params["run"] == made.whole
    assert page.query_params["why"] == made.why
    assert "Row 5 changes the trend of odd most" in texts(page)
    assert page.table[0].value["change"].tolist()[4] == pytest.approx(1.0)


def test_the_page_tells_where_a_run_came_from(open_page: Callable[..., AppTest], store: Store, made: Made) -> None:
    page = open_page("../tests/toy/wells.py", run=made.whole)
    page.session_state["wells-tab"] = "Provenance"
    page.run()
    assert f"Table of levels: levels.csv (content SHA-256 {store.dataset(made.table).digest[:16]}…)" in texts(page)


def test_the_list_opens_a_run_and_takes_its_settings_over(
    open_page: Callable[..., AppTest], store: Store, made: Made
) -> None:
    page = open_page("../pages/runs.py", run=made.whole)
    assert "Steepest trend" in [metric.label for metric in page.metric]
    press(page, "Open")
    assert page.title[0].value == "Well levels"
    page = open_page("../pages/runs.py", run=made.whole)
    press(page, "Run with changes")
    assert page.query_params["levels"] == made.table
    page = open_page("../pages/runs.py", run=made.last)
    press(page, "Repeat")
    assert store.runs()[0].parameters == {"last": 3}
    assert store.runs()[0].status == "done"


def test_the_first_page_names_the_task(open_page: Callable[..., AppTest]) -> None:
    page = open_page("../pages/home.py")
    assert "Well levels" in texts(page)
    press(page, "Open a table")
    assert page.title[0].value == "Well levels"


# Compared, read, reported


def test_two_runs_are_compared(open_page: Callable[..., AppTest], made: Made) -> None:
    page = open_page("../pages/compare.py", runs=f"{made.whole},{made.last}")
    assert not page.error
    numbers, differing = (table.value for table in page.table)
    # Neither is better: a table of other rows is another question.
    assert numbers.loc["Steepest trend"].tolist() == ["2.000", "2.500"]
    assert numbers.loc["Columns"].tolist() == ["3", "3"]
    assert differing.loc["Last"].tolist() == ["0", "3"]
    assert "Map comparison" not in texts(page)


def test_a_run_is_read(open_page: Callable[..., AppTest], store: Store, made: Made) -> None:
    store.label(made.whole, note="Ask the village.")
    page = open_page("../pages/read.py", run=made.whole, least="1.5")
    assert not page.error
    assert page.title[0].value == "Whole year"
    words = texts(page)
    assert "1 column of 3 with a trend from 1.5." in words
    assert "Ask the village." in words
    assert "Row 5 changes the trend of odd most" in words
    assert f"levels levels.csv (SHA-256 {store.run(made.whole).subject.digest[:12]}" in words
    assert "is not a number" in texts(open_page("../pages/read.py", run=made.whole, least="much"))


def test_a_run_is_reported_at_a_view(
    store: Store, made: Made, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command(capsys, "runs", "report", made.whole, "--least-trend", 1.5, "--out", tmp_path / "report.html")
    report = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "Trends in levels.csv" in report
    assert "−2.000" in report or "-2.000" in report
    assert "1 column of 3" in report
    assert "Row 5 changes the trend of odd most" in report
    assert store.run(made.whole).subject.digest in report
    assert store.run(made.whole).artifact("report") is not None


def test_the_page_writes_the_report(open_page: Callable[..., AppTest], store: Store, made: Made) -> None:
    page = open_page("../tests/toy/wells.py", run=made.whole)
    page.session_state["wells-tab"] = "Export"
    page.run()
    press(page, "Write report")
    assert not page.exception
    assert store.run(made.whole).artifact("report") is not None


# Exported and bundled


def test_a_run_is_exported_to_a_folder_at_a_view(
    store: Store, made: Made, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command(capsys, "runs", "export", made.whole, "--least-trend", 1.5, "--out", tmp_path / "out")
    with (tmp_path / "out" / f"levels_wells_trends_{made.whole[:8]}.csv").open(encoding="utf-8") as file:
        assert [row["column"] for row in csv.DictReader(file)] == ["south"]
    content = json.loads((tmp_path / "out" / f"levels_wells_summary_{made.whole[:8]}.json").read_text(encoding="utf-8"))
    assert content == {"run": made.whole, "table": "levels.csv", "least_trend": 1.5}


def test_a_choice_of_another_task_is_refused(store: Store, made: Made, tmp_path: Path) -> None:
    assert main(["runs", "export", made.whole, "--threshold", "0.5", "--out", str(tmp_path / "out")]) == 2
    assert not (tmp_path / "out").exists()


def test_an_explanation_is_exported_as_it_is(
    store: Store, made: Made, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command(capsys, "runs", "export", made.why, "--out", tmp_path / "out")
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        f"levels_wells_influence_{made.why[:8]}.csv", "manifest.json"
    }  # fmt: skip


def test_a_run_is_one_zip_with_its_explanations(
    store: Store, made: Made, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command(capsys, "runs", "export", made.whole, "--out", tmp_path / "out.zip")
    with ZipFile(tmp_path / "out.zip") as archive:
        manifest = json.loads(archive.read("manifest.json"))
        assert set(archive.namelist()) == {
            "manifest.json",
            *(f"levels_wells_{what}_{made.whole[:8]}.{ending}"
              for what, ending in (("trends", "csv"), ("report", "html"), ("report", "pdf"), ("summary", "json"))),
            f"influences/{made.why[:8]}/levels_wells_influence_{made.why[:8]}.csv",
        }  # fmt: skip
    assert [one["role"] for one in manifest["run"]["inputs"]] == ["levels"]
    assert [one["run"]["id"] for one in manifest["influences"]] == [made.why]


def test_the_server_sends_its_files_and_has_no_tiles_of_it(store: Store, made: Made) -> None:
    client = TestClient(Starlette(routes=routes()))
    assert client.get(f"/artifacts/{made.whole}/trends").text.startswith("column,mean,slope")
    assert client.get(f"/runs/{made.whole}.zip").content[:2] == b"PK"
    refused = client.get(f"/tiles/run/{made.whole}/probability/0/0/0.png")
    assert (refused.status_code, "no map layer" in refused.text) == (400, True)


# Deleted and pruned


def test_a_run_goes_with_its_explanations(
    store: Store, made: Made, capsys: pytest.CaptureFixture[str]
) -> None:
    files = [artifact.path for one in (made.whole, made.why) for artifact in store.run(one).artifacts]
    assert "2 runs deleted" in command(capsys, "runs", "delete", made.whole)
    assert not any(path.exists() for path in files)
    assert [run.id for run in store.runs()] == [made.last]


def test_the_list_deletes_a_run(open_page: Callable[..., AppTest], store: Store, made: Made) -> None:
    press(open_page("../pages/runs.py", run=made.whole), "Delete permanently")
    assert [run.id for run in store.runs()] == [made.last]


def test_old_runs_and_their_table_are_pruned(store: Store, made: Made) -> None:
    store.label(made.last, pinned=True)
    later = datetime.now(UTC) + timedelta(seconds=1)
    assert prune(store, plan(store, older_than=later)).runs == 2
    assert store.dataset(made.table).path.is_file()  # the pinned run is of it
    store.label(made.last, pinned=False)
    removed = prune(store, plan(store, older_than=later))
    assert (removed.runs, removed.uploads) == (1, 1)
    assert list(store.datasets()) == []
    assert orphans(store) == ()
