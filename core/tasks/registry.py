"""The tasks of this application, one line each, in the order in which they are listed."""

from __future__ import annotations

import os

from core.runs.kinds import Ref, Task

TASKS = (
    Ref("core.tasks.detection.task:TASK"),
    Ref("core.tasks.mapping.task:TASK"),
    Ref("core.tasks.susceptibility.task:TASK"),
    Ref("core.tasks.displacement.task:TASK"),
)

FURTHER = "SLIDELENS_TASKS"
"""Environment variable with further tasks of the operator's own, ``module:name`` separated by commas."""


def load_tasks() -> tuple[Task, ...]:
    """The declarations of all tasks.

    Raises
    ------
    ModelError
        When one of them is not installed.
    """
    further = (Ref(name.strip()) for name in os.environ.get(FURTHER, "").split(",") if name.strip())
    return tuple(ref.load() for ref in (*TASKS, *further))
