"""Runs ordered by a page are computed at once here, in the same process."""

from __future__ import annotations

import pytest

from core.jobs import jobs
from core.runs.store import Store


@pytest.fixture(autouse=True)
def _jobs_at_once(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "override", jobs.InlineJobs(store))
