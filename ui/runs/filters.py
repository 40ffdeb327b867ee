"""Which runs are listed; all of it stands in the address."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, cast

import streamlit as st

from core.runs.kinds import kind_groups
from ui import resources
from ui.choices import in_address
from ui.labels import STATUSES, zone
from ui.labels import tasks as task_titles
from ui.messages import tr, tr_noop

if TYPE_CHECKING:
    from core.runs.records import RunFilter, Status

FOUND, ALL = tr_noop("Results"), tr_noop("All")

ANY = tr_noop("Any")
WIDTH = 160
"""Two beside each other on a phone."""
DEFAULTS: Mapping[str, str | None] = {
    "text": "", "task": ANY, "what": FOUND, "status": ANY, "image": ANY, "model": ANY, "tag": ANY,
    "from": None, "to": None,
}  # fmt: skip
"""By the names in the address, which are the keys of the widgets, the values that let everything through."""


def ask() -> RunFilter:
    """Show the filters and return what they let through."""
    from core.runs.records import RunFilter

    store = resources.store()
    titles = {title: status for status, title in STATUSES.items()}
    inputs, groups = _inputs(), {**kind_groups(), ALL: ()}
    with st.container(horizontal=True, gap="small"):
        text = st.text_input(
            tr("Search"), key="text", bind="query-params", width=WIDTH, placeholder=tr("Name, note, ID"), type="search"
        )
        tasks = {title: task for task, title in task_titles().items()}
        task = _choose(tr("Task"), "task", [ANY, *tasks]) if len(tasks) > 1 else ANY
        what = _choose(tr("Show"), "what", list(groups))
        status = _choose(tr("Status"), "status", [ANY, *titles])
        chosen = _choose(tr("Input"), "image", [ANY], inputs)
        model = _choose(tr("Model"), "model", [ANY], store.models())
        tag = _choose(tr("Tag"), "tag", [ANY], store.tags())
        after, before = _day(tr("From"), "from"), _day(tr("To"), "to")
    return RunFilter(
        task=tasks.get(task, ""),
        kinds=groups[what],
        statuses=(cast("Status", titles[status]),) if status in titles else (),
        dataset_id=inputs.get(chosen, ""),
        model="" if model == ANY else model,
        tag="" if tag == ANY else tag,
        text=(text or "").strip(),
        after=_start(after),
        before=_start(before + timedelta(days=1)) if before else None,
    )


def clear() -> None:
    """Let everything through again."""
    st.session_state.update({key: DEFAULTS[key] for key in DEFAULTS if key in st.session_state})


def _choose(label: str, name: str, words: Sequence[str], names: Iterable[str] = ()) -> str:
    """One of some words, which are translated, or of names, which are not."""
    options = {word: word for word in words}
    return in_address(label, options, words[0], key=name, names=names, width=WIDTH)


def _day(label: str, name: str) -> date | None:
    chosen = st.date_input(label, None, key=name, bind="query-params", format="YYYY-MM-DD", width=WIDTH)
    return cast("date | None", chosen)


def _start(day: date | None) -> datetime | None:
    """When a day begins for the visitor."""
    return datetime.combine(day, time(), zone()) if day else None


def _inputs() -> dict[str, str]:
    """Ids of datasets by their names, which are told apart where several have one name."""
    named: dict[str, str] = {}
    for one in resources.store().datasets():
        name = one.name if one.name not in named and one.name != ANY else f"{one.name} · {one.id[:8]}"
        named[name] = one.id
    return named
