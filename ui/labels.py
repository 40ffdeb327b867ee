"""What runs, their kinds, states, sizes and times are called."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, tzinfo
from functools import lru_cache
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import streamlit as st

from core.glossary import of_figure, terms
from core.runs import kinds
from ui.messages import tr, tr_noop

if TYPE_CHECKING:
    from core.runs.kinds import Metric
    from core.runs.records import Run

PROGRAM = "SlideLens"

STATUSES: Mapping[str, str] = {
    "queued": tr_noop("Waiting"),
    "running": tr_noop("Running"),
    "done": tr_noop("Done"),
    "failed": tr_noop("Failed"),
    "cancelled": tr_noop("Cancelled"),
    "interrupted": tr_noop("Interrupted"),
}

NOUNS: Mapping[str, tuple[str, str]] = {
    "run": (tr_noop("{count:,} run"), tr_noop("{count:,} runs")),
    "note": (tr_noop("{count:,} note"), tr_noop("{count:,} notes")),
    "warning": (tr_noop("{count:,} warning"), tr_noop("{count:,} warnings")),
    "file": (tr_noop("{count:,} file"), tr_noop("{count:,} files")),
    "orphaned file": (tr_noop("{count:,} orphaned file"), tr_noop("{count:,} orphaned files")),
    "band": (tr_noop("{count:,} band"), tr_noop("{count:,} bands")),
    "edit": (tr_noop("{count:,} edit"), tr_noop("{count:,} edits")),
    "image": (tr_noop("{count:,} image"), tr_noop("{count:,} images")),
    "upload": (tr_noop("{count:,} upload"), tr_noop("{count:,} uploads")),
    "unused upload": (tr_noop("{count:,} unused upload"), tr_noop("{count:,} unused uploads")),
    "prepared download": (tr_noop("{count:,} prepared download"), tr_noop("{count:,} prepared downloads")),
}
"""What is counted on pages, once and several times."""


def tasks() -> dict[str, str]:
    """Titles of the tasks by their names."""
    return {task.name: task.title for task in kinds.tasks().values()}


def metrics() -> dict[str, Metric]:
    """The numbers by which runs are compared, by name, in the order in which they are shown."""
    return {metric.name: metric for metric in kinds.all_metrics()}


def counted(run: Run) -> str:
    """At what the numbers of a run are counted."""
    return tr(kinds.find_task(run.task).counted)


def counted_each(run: Run) -> str:
    """At what the numbers of runs of its task are counted, which stand beside each other."""
    task = kinds.find_task(run.task)
    return tr(task.counted_each or task.counted)


def kind(run: Run) -> str:
    """What a run is."""
    known = kinds.kind_of(run)
    return run.kind if known is None else tr(known.title_of(run))


def model(run: Run) -> str:
    """Title of the model that a run used, as the forms call it; its name when the model is gone."""
    return model_title(run.task, run.model) if run.model else ""


def part(run: Run) -> str:
    """Words that follow the name of what a run is about, where it is about a drawn part of it only."""
    area = run.parameters.get("area")
    return tr(" (drawn area)") if isinstance(area, Mapping) and "coordinates" in area else ""


@lru_cache(maxsize=128)
def model_title(task: str, name: str) -> str:
    """Title of a model by its name."""
    from core.errors import ModelError
    from core.learning.store import find_model

    declared = kinds.tasks().get(task)
    if declared is not None and declared.model_title is not None:
        return str(declared.model_title.load()(name))
    try:
        return find_model(task, name).spec.title
    except ModelError:
        return name


@lru_cache(maxsize=128)
def model_limits(task: str, name: str) -> tuple[str, ...]:
    """Known limits of a model, from its card, a sentence each; nothing when the model is gone."""
    from core.errors import ModelError
    from core.learning.store import find_model

    try:
        return tuple(find_model(task, name).spec.limits)
    except ModelError:
        return ()


def name_page(*names: str) -> None:
    """Name the page in the browser's tab: what is open on it first, then the page; the program's name ends it."""
    parts = [name for name in names if name and name != PROGRAM]
    st.set_page_config(page_title=" · ".join((*parts, PROGRAM)))


def status(run: Run) -> str:
    """State of a run, with its share while it works."""
    if run.cancelling and run.active:
        return tr("Stopping")
    if run.status == "running" and run.progress.total:
        return tr("Running, {share:.0f} %").format(share=100 * run.progress.share)
    return tr(STATUSES[run.status])


def metric(name: str, value: float | None) -> str:
    """A number by which runs are compared, or that one run has; a dash where it is undefined."""
    known = metrics().get(name)
    if known is not None or value is None:
        return "–" if known is None else known.text(value)
    return f"{value:,.5g}"


def title_of_metric(name: str) -> str:
    """Heading of a number of a run."""
    known = metrics().get(name)
    return name.replace("_", " ").capitalize() if known is None else tr(known.title)


def meaning(name: str) -> str | None:
    """What a number of a run means, from the glossary; None for a plain count."""
    return of_figure(name) or None


def explained_term(name: str) -> str:
    """A term of the glossary with what it means, as Markdown for the help beside a text that uses it."""
    term = terms()[name]
    return f"**{term.title}.** {term.short}"


def size(octets: int) -> str:
    """Bytes with a unit a person would use.

    Examples
    --------
    >>> size(999), size(1_500), size(12_345_678), size(4_200_000_000)
    ('999 B', '1.5 kB', '12 MB', '4.2 GB')
    """
    value, units = float(octets), ["B", "kB", "MB", "GB", "TB"]
    while value >= 999.5 and len(units) > 1:
        value, units = value / 1000, units[1:]
    return f"{value:.1f} {units[0]}" if value < 9.95 and units[0] != "B" else f"{value:.0f} {units[0]}"


def count(number: int, noun: str) -> str:
    """A number with its noun in the right form: one of `NOUNS`."""
    one, many = NOUNS[noun]
    return tr(one if number == 1 else many).format(count=number)


def zone() -> tzinfo:
    """The visitor's time zone as the browser tells it, else UTC."""
    try:
        return ZoneInfo(st.context.timezone or "UTC")
    except (ZoneInfoNotFoundError, ValueError):
        return UTC


def moment(time: datetime | None) -> str:
    """A time on the visitor's clock, with its zone, such as ``5 May 2026, 14:30 CEST``."""
    if time is None:
        return "–"
    here = time.astimezone(zone())
    # Zones without an abbreviation are called by their offset alone, such as "-03".
    offset = "UTC" if here.tzname()[:1] in "+-" else ""
    return f"{here.day} {here:%B %Y, %H:%M} {offset}{here:%Z}"
