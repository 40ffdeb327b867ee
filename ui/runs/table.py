"""The list of runs as a table from which one or more can be chosen."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import streamlit as st

from ui import labels
from ui.feedback import duration
from ui.messages import tr, tr_noop
from ui.runs.parameter_diff import told_apart
from ui.state import Slot
from ui.task.links import place
from ui.task.table import titles
from ui.task.task import script_of

if TYPE_CHECKING:
    from pandas import DataFrame

    from core.runs.records import Run

PICKED: Slot[tuple[str, ...]] = Slot("runs-picked", ())
_OPENED: Slot[int | None] = Slot("runs-opened", None)
"""Number of the row whose button was pressed."""

BUTTON = "runs-open"
"""Key of the buttons of the rows."""

_TABLE: Slot[int] = Slot("runs-table", 0)
"""Number of the table: one in which a visitor has chosen keeps to that, so another choice needs another table."""

ROW, TALL, HEAD = 35, 68, 38
"""Heights in pixels; long names are read whole in tall rows, in which text wraps."""

LONG = 60
"""Letters from which a name is long."""

PLAIN = (
    tr_noop("Model"), tr_noop("Status"), tr_noop("Kind"), tr_noop("Duration"), tr_noop("Size"), tr_noop("Pinned"),
)  # fmt: skip
"""Columns of words."""

HIGHEST = 15
"""Rows after which the table scrolls."""


def choose(runs: Sequence[Run]) -> tuple[str, ...]:
    """Show runs and return the ids of those chosen, the newest first.

    What was chosen stays so when runs come or go; ``?run=`` in the address chooses one from the start.
    """
    ids = [run.id for run in runs]
    asked = st.query_params.get("run", "")
    if asked and PICKED.get() != (asked,):
        pick(asked)
    picked = PICKED.get()
    # Rows are chosen by number: another list is another table, or the choice would slip to a neighbour.
    key = f"runs-{_TABLE.get()}-{hashlib.sha256(''.join(ids).encode()).hexdigest()[:16]}"
    shown = frame(runs)
    row = TALL if any(shown[name].str.len().gt(LONG).any() for name in ("Name", "Input")) else ROW
    chosen = st.dataframe(
        shown, key=key, hide_index=True, column_config=_config(wide=row == ROW), on_select="rerun",
        selection_mode="multi-row",
        selection_default={"selection": {"rows": [ids.index(one) for one in picked if one in ids]}},
        height=HEAD + row * min(len(runs), HIGHEST), row_height=row, alt="Table of runs, newest first",
        placeholder="",
    )  # fmt: skip
    _open(runs)
    rows = sorted(row for row in chosen.selection.rows if row < len(ids))
    here = tuple(ids[row] for row in rows)
    if not here and asked and asked not in ids:
        here = (asked,)  # it is on another page of the list, or the filters hide it
    PICKED.put(here)
    _address(here)
    return here


def _press() -> None:
    _OPENED.put(st.session_state[BUTTON].row)


def _open(runs: Sequence[Run]) -> None:
    """Go to where a run is seen whose button was pressed."""
    row = _OPENED.get()
    _OPENED.clear()
    if row is not None and row < len(runs):
        page, address = place(runs[row])
        st.switch_page(script_of(page), query_params=address)


def pick(*ids: str) -> None:
    """Choose these runs, or none, in place of those that were chosen in the table."""
    PICKED.put(ids)
    _TABLE.put(_TABLE.get() + 1)
    _address(ids)


def _address(picked: tuple[str, ...]) -> None:
    if len(picked) == 1:
        if st.query_params.get("run") != picked[0]:
            st.query_params["run"] = picked[0]
    elif "run" in st.query_params:
        del st.query_params["run"]


def frame(runs: Sequence[Run]) -> DataFrame:
    """What is shown of each run; numbers by which none of them can be compared are left out."""
    import pandas

    zone = labels.zone()
    kinds = len({run.kind for run in runs}) > 1
    metrics = labels.metrics()
    named = [name for name in metrics if any(_known(run, name) is not None for run in runs)]
    apart = told_apart(runs)
    rows = [
        {
            "Open": tr("Open"),
            "Name": f"{run.title}{labels.part(run)}" + (f" · {apart[run.id]}" if apart.get(run.id) else ""),
            "Model": labels.model(run),
            "Status": labels.status(run),
            **({"Kind": labels.kind(run)} if kinds else {}),
            "Submitted": run.created.astimezone(zone),
            **{metrics[name].title: _known(run, name) for name in named},
            "Input": run.subject.name,
            "Duration": "" if run.seconds is None else duration(run.seconds),
            "Size": labels.size(run.bytes) if run.artifacts else "",
            "Pinned": tr("pinned") if run.pinned else "",
            "Tags": list(run.tags),
        }
        for run in runs
    ]
    return pandas.DataFrame(rows)


def _known(run: Run, name: str) -> float | None:
    """The value of a metric as the table writes it, shares in per cent; None where it is undefined."""
    value = run.metrics.get(name)
    if value is None or math.isnan(value):
        return None
    return 100 * value if labels.metrics()[name].form == "share" else value


def _config(*, wide: bool) -> dict[str, Any]:
    """Columns; `wide` where all names fit into a line, else they wrap."""
    column = st.column_config
    formats = {"score": "%.3f", "share": "%.1f %%", "count": "localized"}
    scores = {
        metric.title: column.NumberColumn(
            tr(metric.title), format=formats[metric.form], help=labels.meaning(metric.name)
        )
        for metric in labels.metrics().values()
    }
    return scores | titles(PLAIN) | {
        "Open": column.ButtonColumn("", width=72, type="tertiary", on_click=_press, key=BUTTON),
        "Name": column.TextColumn(tr("Name"), width=None if wide else 320),
        "Kind": column.TextColumn(tr("Kind"), width=140),
        "Submitted": column.DatetimeColumn(
            tr("Submitted ({zone})").format(zone=labels.zone()), format="YYYY-MM-DD HH:mm"
        ),
        "Input": column.TextColumn(tr("Input"), width=None if wide else 250),
        "Tags": column.ListColumn(tr("Tags")),
    }
