"""Addresses of runs that an earlier version wrote still open on the pages."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from core.jobs import jobs
from tests.runs.stores import adapters, packing

EXPECTED: dict[str, Any] = json.loads(packing.EXPECTED.read_text(encoding="utf-8"))


def first_of_each() -> dict[str, str]:
    """Newest run of each task, kind and state whose scene is there, by these."""
    found: dict[str, str] = {}
    for identity, known in EXPECTED["runs"].items():
        run = known["shown"]["run"]
        if run["scene"]["id"] in {"", *EXPECTED["scenes"]} and run["status"] != "queued":
            found.setdefault(f"{run['task']} {run['kind']} {run['status']}", identity)
    return found


RUNS = first_of_each()


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the home folder of the old store."""
    return packing.unpack(tmp_path_factory.mktemp("old"))


@pytest.fixture
def page(repository: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> AppTest:
    """Return the app on the old store."""
    monkeypatch.setenv("SLIDELENS_HOME", str(home))
    monkeypatch.setattr(jobs, "override", jobs.InlineJobs(adapters.default_store()))
    return AppTest.from_file(str(repository / "ui" / "main.py"), default_timeout=120)


@pytest.mark.parametrize("name", sorted(RUNS))
def test_a_run_opens_on_the_page_of_its_task(page: AppTest, name: str) -> None:
    task, _, status = name.split()
    page.switch_page(f"../pages/{task}.py").query_params["run"] = RUNS[name]
    page.run()

    assert not page.exception
    # What ended a run without a result is shown as an error; nothing else may be.
    assert len(page.error) <= (status == "failed"), [one.value for one in page.error]


@pytest.mark.parametrize("name", [name for name in sorted(RUNS) if EXPECTED["runs"][RUNS[name]].get("findings")])
def test_a_run_with_findings_opens_for_reading(page: AppTest, name: str) -> None:
    page.switch_page("../pages/read.py").query_params["run"] = RUNS[name]
    page.run()

    assert not page.exception
    assert not page.error
    run = EXPECTED["runs"][RUNS[name]]["shown"]["run"]
    titles = [one.value.replace("\\", "") for one in page.title]
    assert any((run["name"] or run["scene"]["name"]) in title for title in titles), titles


def test_the_list_of_runs_shows_the_old_ones(page: AppTest) -> None:
    run = RUNS["mapping mapping done"]
    page.switch_page("../pages/runs.py").query_params["run"] = run
    page.run()

    assert not page.exception
    assert not page.error
    assert page.dataframe
