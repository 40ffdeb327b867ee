"""Options of commands that post-process a result: made from the fields of a task's view."""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from dataclasses import MISSING, fields, replace
from typing import Any

from core.errors import InputError
from core.runs.kinds import Task, find_task, tasks
from core.runs.view import Option, options_of

AREA = "minimum_area"


def add_view_options(parser: argparse.ArgumentParser, views: Iterable[type], *, without: tuple[str, ...] = ()) -> None:
    """Add an option for each field of some views; a field that several have is one option.

    Parameters
    ----------
    without
        Names of fields that are not asked for.
    """
    known: set[str] = set(without)
    for option in (option for view in views for option in options_of(view)):
        if option.name in known:
            continue
        known.add(option.name)
        choices = option.choices or None
        parser.add_argument(option.flag, type=option.kind, choices=choices, default=None, help=option.help)


def views(*, reviewed: bool = False) -> list[type]:
    """The views of all tasks that have one.

    Parameters
    ----------
    reviewed
        Only of those whose results can be reviewed.
    """
    chosen = (task for task in tasks().values() if not reviewed or task.features is not None)
    return [task.view.load() for task in chosen if task.view is not None]


def given(view: type, arguments: argparse.Namespace) -> dict[str, Any]:
    """What was given for the fields of a view."""
    values = {option.name: getattr(arguments, option.name, None) for option in options_of(view)}
    return {name: value for name, value in values.items() if value is not None}


def check_view(view: type, arguments: argparse.Namespace) -> None:
    """Refuse values that the view cannot have, before anything long begins.

    Raises
    ------
    InputError
        When a number is out of range.
    """
    values = given(view, arguments)
    neutral = {one.name: 0.0 for one in fields(view) if one.default is MISSING}
    view(**{**neutral, **values})


def view_of(view: type, result: Any, arguments: argparse.Namespace) -> Any:  # noqa: ANN401  a task's own view
    """What was chosen, and where nothing was, the default of a result."""
    return replace(view.default(result), **given(view, arguments))  # type: ignore[attr-defined]


def chosen_for(task: str, identity: str, arguments: argparse.Namespace) -> bool:
    """Whether anything was chosen for a run of a task; what is of another task's view is refused.

    Parameters
    ----------
    identity
        Id of the run.

    Raises
    ------
    InputError
        When a number is out of range, or an option is of another task than the run.
    """
    own = _options(find_task(task))
    for other in tasks().values():
        for option in _options(other):
            if getattr(arguments, option.name, None) is not None and option.name not in {one.name for one in own}:
                raise InputError(
                    f"{option.flag} applies to runs of the task {other.name} only.",
                    f"Run {identity[:8]} belongs to the task {task}.",
                    "Leave the option out.",
                )
    view = find_task(task).view
    if view is None:
        return False
    check_view(view.load(), arguments)
    return bool(given(view.load(), arguments))


def _options(task: Task) -> tuple[Option, ...]:
    return () if task.view is None else options_of(task.view.load())
