"""What is said of runs under way."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from core.runs.records import Progress, Run
from ui.task.jobs import words


@pytest.mark.parametrize(
    ("left", "said"),
    [(None, "Mapping"), (42.4, "Mapping, about 42 s left"), (0.3, "Mapping"), (0.0, "Mapping"), (-5.0, "Mapping")],
)
def test_time_that_is_left_is_told_while_there_is_some(left: float | None, said: str) -> None:
    now = datetime.now(UTC)
    run = Run(
        "a" * 32, "mapping", "mapping", "running", now, started=now, heartbeat=now,
        progress=Progress(9, 10, "Mapping", left),
    )  # fmt: skip
    assert words(run) == said
