"""The monitored slope before it is forecast: its chart, and what was assumed or left out in reading it."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import streamlit as st

from ui.displacement import form
from ui.displacement.results import PLAIN_CHART
from ui.feedback import guard, plain
from ui.messages import tr
from ui.state import Slot

if TYPE_CHECKING:
    from pandas import DataFrame

    from core.runs.records import DatasetRecord
    from core.series.columns import Columns
    from core.series.corrections import Correction
    from core.series.finding import Finding
    from core.series.monitoring import Monitoring
    from ui.displacement.drivers_form import Beside


KINDS = {
    "gap": ("long gap", "long gaps"), "silence": ("silence", "silences"), "outlier": ("outlier", "outliers"),
    "step": ("sudden step", "sudden steps"), "instrument": ("changed instrument", "instrument changes"),
    "stuck": ("stuck instrument", "constant readings"),
}  # fmt: skip
"""What can be found in readings, in words."""

TOLD = 8
"""Findings that cannot be corrected, of which so many are told."""


@st.cache_data(max_entries=8, show_spinner="Reading the series")
def read_monitoring(identity: str, digest: str, columns: Columns, _table: DataFrame, _name: str) -> Monitoring:
    """The monitored slope, kept for the next rerun."""
    del identity, digest  # the key
    from core.series.read import monitoring_of

    return monitoring_of(_table, columns, _name)


@st.cache_data(max_entries=8, show_spinner=False)
def _regular(
    identity: str, digest: str, columns: Columns, names: tuple[str, ...], corrections: tuple[Correction, ...],
    beside: tuple[object, ...], _monitoring: Monitoring,
) -> tuple[DataFrame, tuple[str, ...]]:  # fmt: skip
    del identity, digest, columns, corrections, beside  # the key
    from core.series.regular import regular_of
    from core.tasks.displacement.run import series_table

    notes: list[str] = []
    return series_table([regular_of(_monitoring, one, notes=notes) for one in names]), tuple(notes)


def corrections_of(record: DatasetRecord) -> tuple[Correction, ...]:
    """Corrections that were ticked for a table."""
    return _ticked(record).get()


def _ticked(record: DatasetRecord) -> Slot[tuple[Correction, ...]]:
    return Slot(f"corrections-{record.digest}", ())


@st.cache_data(max_entries=8, show_spinner="Checking the readings")
def _findings(identity: str, digest: str, columns: Columns, _monitoring: Monitoring) -> tuple[Finding, ...]:
    del identity, digest, columns  # the key
    from core.series.cleaning import findings

    return findings(_monitoring)


def _check(record: DatasetRecord, found: tuple[Finding, ...]) -> tuple[Correction, ...]:
    """What was found in the readings, each with a tick where it can be corrected; the corrections that are ticked."""
    import pandas as pd

    from core.series.corrections import correction_of

    if not found:
        _ticked(record).put(())
        return ()
    pairs = [(one, correction_of(one)) for one in found]
    mendable = [(one, way) for one, way in pairs if way is not None]
    kept = set(_ticked(record).get())
    counted = Counter(one.what for one in found)
    said = ", ".join(f"{number:,} {KINDS[what][number > 1]}" for what, number in counted.items())
    with st.expander(tr("Check of the readings: {said}").format(said=said)):
        others = [one.text for one, way in pairs if way is None]
        if others:
            more = f"\n- and {len(others) - TOLD:,} more" if len(others) > TOLD else ""
            st.markdown("\n".join(f"- {plain(one)}" for one in others[:TOLD]) + more)
        if not mendable:
            _ticked(record).put(())
            return ()
        st.caption(tr("Only selected corrections are applied. Each correction is recorded with the run."))
        table = pd.DataFrame({
            "Correct": [way in kept for _, way in mendable], "Found": [one.text for one, _ in mendable],
            "Correction": [{"remove": tr("remove"), "shift": tr("subtract")}[way.what] for _, way in mendable],
        })  # fmt: skip
        edited = st.data_editor(
            table, hide_index=True, disabled=["Found", "Correction"], height=min(400, 38 + 36 * len(mendable)),
            key=f"check-{record.digest}-{len(found)}",
            column_config={"Correct": st.column_config.CheckboxColumn(tr("Apply"), width="small"),
                           "Correction": tr("Correction"),
                           "Found": st.column_config.TextColumn(tr("Found"), width="large")},
        )  # fmt: skip
    ticks = edited["Correct"].to_numpy(bool)
    chosen = tuple(way for (_, way), tick in zip(mendable, ticks, strict=True) if tick)
    _ticked(record).put(chosen)
    return chosen


def show(record: DatasetRecord, columns: Columns, beside: Beside | None = None) -> None:
    """Show the slope as the columns say it, with drivers of a file of their own, and what is to be looked at in it."""
    from core.series.corrections import apply_corrections
    from core.series.drivers import with_drivers
    from core.tasks.displacement.plots import series_figure, station_colours

    table = form.read(record.id, record.digest, record)
    monitoring = read_monitoring(record.id, record.digest, columns, table, record.name)
    corrections = corrections_of(record)
    with guard():
        monitoring = apply_corrections(monitoring, corrections)
    key: tuple[object, ...] = ()
    if beside is not None:
        monitoring = with_drivers(monitoring, beside.read, beside.record.name)
        key = (beside.record.digest, beside.record.name, beside.table)
    names = tuple(one.name for one in monitoring.stations)
    shown = names[:8]
    if len(names) > len(shown):
        shown = tuple(st.multiselect(tr("Stations"), names, list(shown), key="looked-at"))
    if not shown:
        st.info(tr("Select a station."))
        return
    series, notes = _regular(record.id, record.digest, columns, shown, corrections, key, monitoring)
    drivers = {one.name: one.quantity for one in monitoring.drivers}
    figure = series_figure(series, drivers, shown, station_colours(names))
    st.plotly_chart(figure, key=f"series-{record.id}", config=PLAIN_CHART)
    st.caption(tr("Cumulative displacement and possible drivers. Dotted: interpolated where values are missing."))
    raw = read_monitoring(record.id, record.digest, columns, table, record.name)
    if _check(record, _findings(record.id, record.digest, columns, raw)) != corrections:
        st.rerun()
    told = [*monitoring.notes, *notes]
    with st.expander(tr("Notes on how the table was read ({count})").format(count=len(told)), expanded=len(told) < 6):
        st.markdown("\n".join(f"- {plain(one)}" for one in told))
    st.info(
        tr("Check the columns and press *{button}*. Each model is trained on past data only, tested on later "
        "data, and compared with simple forecasts.").format(button=form.BUTTON)
    )
