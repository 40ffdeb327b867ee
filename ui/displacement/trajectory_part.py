"""A trajectory that is fitted to a station: what it is made of, its parameters, and the file of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from ui.choices import words_of
from ui.displacement.results import PLAIN_CHART
from ui.displacement.warning_tab import measured_of_run
from ui.feedback import plain
from ui.messages import tr, tr_noop
from ui.task.export import saved_as

if TYPE_CHECKING:
    from pandas import DataFrame

    from core.series.trajectory import Trajectory
    from core.series.trajectory_plan import Relaxation, TrajectoryPlan
    from ui.displacement.results import Shown


@st.cache_data(max_entries=16, show_spinner="Fitting the trajectory")
def _fitted(run: str, station: str, plan: TrajectoryPlan, _measured: DataFrame) -> Trajectory:
    del run  # the key
    from core.series.trajectory import fit_trajectory
    from core.tasks.displacement.movement import readings

    return fit_trajectory(*readings(_measured, station), plan)


def show_trajectory(view: Shown) -> None:
    """Form, chart and parameters."""
    from core.series.trajectory import table_of
    from core.tasks.displacement.movement_plots import trajectory_figure

    station = view.look.station
    measured = measured_of_run(view.result.id, view.result)
    found = _fitted(view.result.id, station, _asked(), measured)
    st.plotly_chart(trajectory_figure(found), key=f"trajectory-{view.result.id}-{station}", config=PLAIN_CHART)
    table = table_of(found)
    st.dataframe(
        table[["parameter", "value", "unit", "standard_error", "standard_error_correlated"]], hide_index=True,
        width="stretch", placeholder="–",
        column_config={
            "parameter": st.column_config.TextColumn(tr("Parameter"), width="medium"), "unit": tr("Unit"),
            "value": st.column_config.NumberColumn(tr("Value"), format="%.3f"),
            "standard_error": st.column_config.NumberColumn(tr("Standard error"), format="%.3f"),
            "standard_error_correlated": st.column_config.NumberColumn(
                tr("Standard error (correlated residuals)"), format="%.3f",
                help=tr("Larger, because residuals of neighbouring readings are correlated."),
            ),
        },
    )  # fmt: skip
    st.caption(
        plain(
            tr("Position and velocity refer to {reference}. Residuals {rmse:.2f} mm (RMSE). ").format(
                reference=str(found.reference)[:10], rmse=found.rmse
            )
            + " ".join(found.notes)
            + tr(" Trajectory model after Bevis and Brown (2014).")
        )
    )
    offer_table(view, "Parameters", table)


def offer_table(view: Shown, title: str, table: DataFrame) -> None:
    """A table of what is shown, as a file."""
    st.download_button(
        tr("{title} (CSV)").format(title=title),
        table.to_csv(index=False).encode(),
        file_name=saved_as(view.result.id, title.lower(), ".csv"),
        mime="text/csv",
        key=f"download-{title}-{view.result.id}-{view.look.station}",
        on_click="ignore",
    )


def _asked() -> TrajectoryPlan:
    """What the trajectory is made of."""
    from core.series.trajectory_plan import TrajectoryPlan
    from core.tasks.displacement.movement import dates_of, spans_of

    with st.container(horizontal=True, vertical_alignment="bottom"):
        degree = st.segmented_control(
            tr("Trend"), [1, 2, 3], default=1, key="trajectory-degree", required=True,
            format_func=words_of({1: tr_noop("Linear"), 2: tr_noop("Quadratic"), 3: tr_noop("Cubic")}),
        )  # fmt: skip
        annual = st.toggle(tr("Annual cycle"), key="trajectory-annual")
        half = st.toggle(tr("Semi-annual cycle"), key="trajectory-half")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        steps = st.text_input(
            tr("Dates of steps"),
            key="trajectory-steps",
            placeholder="2017-06-01, 2018-02-10",
            max_chars=400,
            width=280,
            help=tr("Dates of sudden steps; readings of that day count as after the step."),
        )
        spans = st.text_input(tr("Exclude"), key="trajectory-spans", max_chars=800, width=340,
                              placeholder=tr("2017-03-01 to 2017-03-09, 2018-01-05"),
                              help=tr("Periods whose readings are not used."))  # fmt: skip
    relaxation = _relaxation()
    return TrajectoryPlan(int(degree), annual, half, dates_of(steps), relaxation, spans_of(spans))


def _relaxation() -> Relaxation | None:
    """Movement that fades from a date on; None for none."""
    from core.series.trajectory_plan import Relaxation

    words = {"none": tr_noop("None"), "logarithmic": tr_noop("Logarithmic"), "exponential": tr_noop("Exponential")}
    with st.container(horizontal=True, vertical_alignment="bottom"):
        shape = st.segmented_control(tr("Decaying movement"), list(words), default="none", key="trajectory-fades",
                                     format_func=words_of(words), required=True)  # fmt: skip
        if shape == "none":
            return None
        begin = st.text_input(
            tr("From"), key="trajectory-fades-from", placeholder="2018-02-10", max_chars=30, width=150
        )
        days = st.number_input(tr("Relaxation time (days)"), 0.0, 99_999.0, 0.0, key="trajectory-fades-days", width=190,
                               format="%.4g", help=tr("0: estimated by the fit."))  # fmt: skip
    if not begin.strip():
        st.caption(tr("Enter the date from which the movement decays."))
        return None
    return Relaxation(begin, shape, float(days))
