"""Runs ordered by a page are computed at once here, in the same process, and nothing is imported ahead by a thread."""

from __future__ import annotations

import pytest

from core.jobs import jobs
from core.runs.store import Store
from ui import resources


@pytest.fixture(autouse=True)
def _jobs_at_once(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "override", jobs.InlineJobs(store))


@pytest.fixture(autouse=True)
def _no_warm_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """The thread would outlive the test that started it."""
    monkeypatch.setattr(resources, "warm_up", lambda: None)
