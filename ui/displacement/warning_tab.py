"""Early warning on a chosen day: levels, failure time and silence, from what was known then."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

import streamlit as st

from core.jobs.perform import run_in_process
from ui import resources
from ui.displacement.results import PLAIN_CHART, tables
from ui.feedback import guard, plain
from ui.messages import tr
from ui.state import rerun_fragment

if TYPE_CHECKING:
    from pandas import DataFrame

    from core.series.alert import Transition
    from core.tasks.displacement.result import ForecastResult
    from core.tasks.displacement.view import Look
    from core.tasks.displacement.warning import EarlyWarning
    from ui.displacement.results import Shown


@st.cache_data(max_entries=8, show_spinner="Loading the measurements")
def measured_of_run(run: str, _result: ForecastResult) -> DataFrame:
    """What was measured in a run, kept for the next look."""
    del run  # the key
    from core.tasks.displacement.findings import measured_of

    return measured_of(_result)


def show(view: Shown) -> None:
    """The tab."""
    from core.tasks.displacement.warning import DISCLAIMER, sentences, warning_of
    from core.tasks.displacement.warning_plots import inverse_figure, velocity_figure

    result, look = view.result, view.look
    st.warning(DISCLAIMER)
    measured = measured_of_run(result.id, result)
    own = measured[(measured["station"] == look.station) & measured["displacement"].notna()]
    first, last = own["time"].min().date(), own["time"].max().date()
    look = replace(look, **_asked(look.day, first, last, look.span, look.levels, look.quiet))
    found = warning_of(measured, look)
    told = sentences(found)
    st.markdown(f"**{plain(told[0])}**")
    st.markdown("\n".join(f"- {plain(one)}" for one in told[1:]))
    left, right = st.columns(2, gap="medium")
    key = f"{result.id}-{look.station}"
    left.plotly_chart(velocity_figure(found), key=f"velocity-{key}", config=PLAIN_CHART)
    if len(found.failure.velocities.values):
        right.plotly_chart(inverse_figure(found), key=f"inverse-{key}", config=PLAIN_CHART)
    else:
        right.info(tr("No inverse velocity: the window holds too few readings. Choose a longer one."))
    st.caption(" ".join(plain(one) for one in found.notes))
    _rain(view, look)
    if found.log:
        with guard():
            _log(view, look, found)


def _log(view: Shown, look: Look, found: EarlyWarning) -> None:
    """Changes of level, who looked at each, and the form in which one is acknowledged."""
    from core.tasks.displacement.acknowledge import acknowledged, moment
    from core.tasks.displacement.warning import log_table

    said = acknowledged(resources.store(), view.result.id, look.station)
    open_ones = [one for one in found.log[::-1] if (moment(one), one.level) not in said]
    head = tr("Log of alert levels: {count:,} changes, {open:,} not acknowledged").format(
        count=len(found.log), open=len(open_ones)
    )
    with st.expander(head, expanded=len(found.log) < 12):
        st.dataframe(
            log_table(found, said), hide_index=True, width="stretch",
            column_config={"velocity_mm_per_day": st.column_config.NumberColumn(tr("Velocity (mm/day)"), format="%.3f"),
                           "time": st.column_config.DatetimeColumn(tr("Time"), format="YYYY-MM-DD HH:mm"),
                           "acknowledged": st.column_config.TextColumn(tr("Acknowledged"), width="large"),
                           "level": tr("Level")},
        )  # fmt: skip
        st.caption(tr("Each change uses only readings up to its own time."))
        if open_ones:
            _acknowledge(view, look.station, open_ones)


def _acknowledge(view: Shown, station: str, changes: list[Transition]) -> None:
    """The form; what is said is kept as a run of its own and stands in the report and in levels.csv."""
    from core.series.alert import NAMES
    from core.tasks.displacement.acknowledge import Acknowledgement, moment, order_acknowledgement

    with st.form(f"acknowledge-{view.result.id}-{station}", clear_on_submit=True, border=False):
        row = st.container(horizontal=True, vertical_alignment="bottom")
        with row:
            at = st.selectbox(
                tr("Change"), range(len(changes)), width=260,
                format_func=lambda number: f"{moment(changes[number])[:16].replace('T', ' ')}: "
                f"{tr(NAMES[changes[number].level])}",
            )  # fmt: skip
            by = st.text_input(tr("Acknowledged by"), max_chars=80, width=180)
            text = st.text_input(tr("Comment"), max_chars=500)
            pressed = st.form_submit_button(tr("Acknowledge"))
    if pressed:
        change = changes[at]
        said = Acknowledgement(station, moment(change), change.level, by, text)
        order = order_acknowledgement(view.result, said, owner=resources.visitor())
        run_in_process(resources.store(), order)  # nothing is computed
        rerun_fragment()


def _rain(view: Shown, look: Look) -> None:
    """Events of rain and published thresholds, where rain is known by the day or better."""
    from core.series.rainfall import events_of
    from core.tasks.displacement.warning import rain_of, rain_sentences
    from core.tasks.displacement.warning_plots import rain_figure

    result = view.result
    series, _ = tables(result.id, result)
    rain = rain_of(series, look, result.drivers, str(result.stations[look.station]["step"]))
    if rain is None:
        return
    events = events_of(rain)
    with st.expander(tr("Rain compared with published thresholds")):
        st.markdown("\n".join(f"- {plain(one)}" for one in rain_sentences(events, rain)))
        st.plotly_chart(rain_figure(events, rain.name), key=f"rain-{result.id}-{look.station}", config=PLAIN_CHART)


def _asked(day: str, first: date, last: date, span: float, levels: str, quiet: float) -> dict[str, object]:
    """Day, window, levels and quiet period, each in the page's address."""
    at = min(max(date.fromisoformat(day), first), last) if day else last
    chosen = st.slider(
        tr("As known at the end of"), first, last, at, key="replay-day", format="YYYY-MM-DD",
        help=tr("Replay: shows what would have been known on that day. Later readings are not used."),
    )  # fmt: skip
    row = st.container(horizontal=True, vertical_alignment="bottom")
    with row:
        days = st.number_input(tr("Velocity window (days)"), 0.0, 36_525.0, span or None, key="span", format="%.4g",
                               placeholder=tr("ten readings"), width=180,
                               help=tr("Empty: the velocity is that of the last ten readings."))  # fmt: skip
        share = st.number_input(tr("Quiet period (first %)"),
                                1.0, 100.0, quiet, 5.0, key="quiet", format="%.0f",
                                help=tr("Share of the series from whose velocities the alert levels are derived."),
                                width=210)  # fmt: skip
        own = st.text_input(tr("Custom levels (mm/day)"), levels, key="levels", placeholder="1, 3, 10", max_chars=80,
                            width=240)  # fmt: skip
    days = days or 0.0
    keep = {"day": "" if chosen == last else chosen.isoformat(), "span": f"{days:g}" if days else "",
            "quiet": f"{share:g}" if share != 30 else "", "levels": own}  # fmt: skip
    for name, value in keep.items():
        if value and st.query_params.get(name) != value:
            st.query_params[name] = value
        elif not value and name in st.query_params:
            del st.query_params[name]
    return {"day": keep["day"], "span": float(days), "quiet": float(share), "levels": own}
