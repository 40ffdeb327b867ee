"""Runs ordered by a page are computed at once here, in the same process, and nothing is imported ahead by a thread."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import pytest
from streamlit.components.v2 import manifest_scanner

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


@pytest.fixture(autouse=True, scope="session")
def _packages_are_read_once() -> Iterator[None]:
    """Streamlit reads the description of every installed package for each page that a test opens, for a third of a
    second; which packages are installed does not change meanwhile."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(manifest_scanner, "scan_component_manifests", cache(manifest_scanner.scan_component_manifests))
        yield
