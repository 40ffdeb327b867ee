"""The monitored slope before it is forecast: its chart, and what was assumed or left out in reading it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from ui.displacement import form
from ui.displacement.results import PLAIN_CHART
from ui.feedback import plain

if TYPE_CHECKING:
    from pandas import DataFrame

    from core.runs.records import DatasetRecord
    from core.series.columns import Columns
    from core.series.monitoring import Monitoring


@st.cache_data(max_entries=8, show_spinner="Reading the series")
def read_monitoring(identity: str, digest: str, columns: Columns, _table: DataFrame, _name: str) -> Monitoring:
    """The monitored slope, kept for the next rerun."""
    del identity, digest  # the key
    from core.series.read import monitoring_of

    return monitoring_of(_table, columns, _name)


@st.cache_data(max_entries=8, show_spinner=False)
def _regular(
    identity: str, digest: str, columns: Columns, names: tuple[str, ...], _monitoring: Monitoring
) -> tuple[DataFrame, tuple[str, ...]]:
    del identity, digest, columns  # the key
    from core.series.regular import regular_of
    from core.tasks.displacement.run import series_table

    notes: list[str] = []
    return series_table([regular_of(_monitoring, one, notes=notes) for one in names]), tuple(notes)


def show(record: DatasetRecord, columns: Columns) -> None:
    """Show the slope as the columns say it."""
    from core.tasks.displacement.plots import series_figure, station_colours

    table = form.read(record.id, record.digest, record)
    monitoring = read_monitoring(record.id, record.digest, columns, table, record.name)
    names = tuple(one.name for one in monitoring.stations)
    shown = names[:8]
    if len(names) > len(shown):
        shown = tuple(st.multiselect("Stations", names, list(shown), key="looked-at"))
    if not shown:
        st.info("Choose a station.")
        return
    series, notes = _regular(record.id, record.digest, columns, shown, monitoring)
    drivers = {one.name: one.quantity for one in monitoring.drivers}
    figure = series_figure(series, drivers, shown, station_colours(names))
    st.plotly_chart(figure, key=f"series-{record.id}", config=PLAIN_CHART)
    st.caption("Cumulative displacement, and what may drive it. Dotted: gaps, filled along a line.")
    told = [*monitoring.notes, *notes]
    with st.expander(f"{len(told)} notes on how the table was read", expanded=len(told) < 6):
        st.markdown("\n".join(f"- {plain(one)}" for one in told))
    st.info(
        f"Check the columns and press *{form.BUTTON}*. Each model is fitted on the past alone and asked about what "
        "came after, beside the assumption that nothing changes."
    )
