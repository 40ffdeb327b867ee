"""Every run is seen somewhere, and links lead to where it is."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from core.runs.records import Run
from ui.task.jobs import order_again
from ui.task.links import place

ID, ONE, OTHER = "a" * 32, "b" * 32, "c" * 32


def run(kind: str, **more: Any) -> Run:
    return Run(ID, "mapping", kind, "running", datetime(2026, 1, 1, tzinfo=UTC), **more)


def detection(kind: str, **more: Any) -> Run:
    return replace(run(kind, **more), task="detection")


@pytest.mark.parametrize(
    ("one", "page", "address"),
    [
        (run("mapping"), "mapping", {"run": ID}),
        (run("scored", parents=(ONE,)), "mapping", {"run": ID}),
        (run("change", parents=(ONE, OTHER)), "compare", {"runs": f"{ONE},{OTHER}", "view": "Difference"}),
        (
            run("outlines", parents=(ONE,), parameters={"threshold": 0.4, "minimum_area": 900.0, "fill_holes": 0.0}),
            "mapping",
            {"run": ONE, "threshold": "0.4", "minimum": "900.0", "holes": "0.0"},
        ),
        (run("explanation", parents=(ONE,)), "mapping", {"run": ONE, "why": ID}),
        (run("training"), "mapping", {"run": ID}),
        (run("evaluation"), "mapping", {"run": ID}),
        (replace(run("map"), task="of another version"), "runs", {"run": ID}),
        (detection("detection"), "detection", {"run": ID}),
        (detection("scored", parents=(ONE,)), "detection", {"run": ID}),
        (detection("fused", parents=(ONE, OTHER)), "detection", {"run": ID}),
        (detection("explanation", parents=(ONE,)), "detection", {"run": ONE, "why": ID}),
        (detection("outline", parents=(ONE,)), "detection", {"run": ONE, "outline": ID}),
        (detection("evaluation"), "detection", {"run": ID}),
    ],
)
def test_a_run_is_seen_on_its_own_map_or_on_those_it_stands_on(one: Run, page: str, address: dict[str, str]) -> None:
    assert place(one) == (page, address)


def test_a_run_that_took_too_long_is_given_the_time_of_today() -> None:
    assert order_again(run("mapping", time_limit=1.0)).time_limit is None
