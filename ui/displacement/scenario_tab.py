"""What would be forecast if rain fell, or a level changed, as somebody supposes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import streamlit as st

from core.jobs.perform import request_of
from core.runs.kinds import parameters_of
from core.series.words import signed
from core.wording import within
from ui import resources
from ui.feedback import guard, plain
from ui.messages import tr, tr_noop
from ui.task import jobs
from ui.task.tabs import next_tab

if TYPE_CHECKING:
    from core.runs.records import Run
    from core.tasks.displacement.result import ForecastResult
    from core.tasks.displacement.scenario import Supposed
    from ui.displacement.results import Shown

MOST = 12
"""Scenarios that are listed; of more, the latest."""


@st.cache_data(max_entries=16, show_spinner=False)
def _supposed(run: str, station: str, _result: ForecastResult) -> tuple[Supposed, ...]:
    from core.tasks.displacement.run_explanation import series_from
    from core.tasks.displacement.scenario import known_ahead

    return known_ahead(request_of(resources.store().run(run)), series_from(_result, station))


def show(view: Shown) -> None:
    """The tab."""
    from core.tasks.displacement.forecasters import title_of
    from core.tasks.displacement.run_explanation import explainable
    from core.tasks.displacement.scenario import SCENARIO

    result, look = view.result, view.look
    st.caption(SCENARIO)
    if not result.drivers:
        st.info(tr("This table has no drivers, so no scenario can be calculated."))
        return
    drivers = _supposed(result.id, look.station, result)
    if not drivers:
        st.info(tr("A scenario needs a driver whose future values are known, such as a planned reservoir level. "
                   "Forecast again with such a driver; it can also be chosen under *Testing* > *Known in advance*."))
        _offer_known(result)
        return
    models = explainable(result, look.station)
    if not models:
        st.info(tr("None of these models uses drivers for which values could be assumed. Add ridge regression, a "
                   "random "
                "forest or gradient boosting, and forecast again."))  # fmt: skip
        return
    asked = None
    with st.form(f"scenario-{result.id}-{look.station}", border=False):
        row = st.container(horizontal=True, vertical_alignment="bottom")
        with row:
            model = st.selectbox(tr("Model"), models, models.index(look.model) if look.model in models else 0,
                                 format_func=title_of, width=280)  # fmt: skip
            given = [(one.name, _slider(one)) for one in drivers]
            pressed = st.form_submit_button(tr("Run scenario"), type="primary")
    with guard():
        if pressed:
            asked = _ask(result, look.station, model, tuple(given))
    if asked is not None and asked.active:
        jobs.follow(asked.id, what="Running the scenario")
        return
    if asked is not None and asked.status != "done":
        jobs.show_ended(asked, opens=False)
    _listed(result, look.station, look.model, {one.name: one.title for one in drivers})


def _offer_known(result: ForecastResult) -> None:
    """The same forecast with a driver taken as known in advance, for which scenarios can then be calculated."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        names = sorted(result.drivers, key=lambda one: result.drivers[one] == "rain")  # hardly ever known in advance
        name = st.selectbox(tr("Driver"), names, key=f"scenario-driver-{result.id}", width=280)
        pressed = st.button(tr("Forecast again with this driver known in advance"), key=f"scenario-known-{result.id}")
    if not pressed:
        return
    before = resources.store().run(result.id)
    asked = request_of(before)
    request = replace(asked, plan=replace(asked.plan, known_future=(name,)))
    identity = resources.jobs().submit(replace(jobs.order_again(before), parameters=parameters_of(request)))
    next_tab(before.task).put("Scenario")
    st.query_params["run"] = identity
    st.rerun()


def _slider(one: Supposed) -> float:
    """A slider over what came before and half as much again."""
    reach = max(one.high - one.low, 1e-6)
    low = 0.0 if one.quantity == "rain" else one.low - reach / 4
    high = one.high + reach / 2
    step = max(round(reach / 100, 3), 0.001)
    return float(
        st.slider(
            tr("{what}; so far {low:.4g} to {high:.4g}").format(what=one.what, low=one.low, high=one.high),
            round(low, 3),
            round(high, 3),
            round(one.usual, 3),
            step,
            width=330,
            help=tr("Median so far {usual:.4g}. The model has not been tested outside the range so far.").format(
                usual=one.usual
            ),
        )
    )


def _ask(result: ForecastResult, station: str, model: str, ahead: tuple[tuple[str, float], ...]) -> Run:
    """The run that answers, which is begun where there is none."""
    from core.tasks.displacement.scenario import ScenarioRequest, known_scenario, order_scenario

    request = ScenarioRequest(station, model, ahead)
    known = known_scenario(resources.store(), result, request)
    if known is not None and (known.active or known.status == "done"):
        return known
    identity = resources.jobs().submit(order_scenario(result, request, owner=resources.visitor()))
    return resources.store().run(identity)


def _listed(result: ForecastResult, station: str, model: str, titles: Mapping[str, str]) -> None:
    """The scenarios of a station so far, beside what is forecast without one.

    Parameters
    ----------
    titles
        What is supposed, by the names of the drivers.
    """
    import pandas

    from core.tasks.displacement.forecasters import title_of
    from core.tasks.displacement.scenario import KIND

    rows, notes = [], []
    for run in resources.store().children(result.id, KIND):
        if run.status != "done" or (asked := request_of(run)).station != station:
            continue
        found = resources.store().result(run.id)
        half = found.numbers.get("half_width_mm", float("nan"))
        forecast = found.numbers["forecast_mm"]
        rows.append({"Model": title_of(asked.model), **{titles.get(name, name): value for name, value in asked.ahead},
                     "Forecast (mm)": forecast, "from": forecast - half, "to": forecast + half})  # fmt: skip
        notes += [one for one in found.notes[2:] if one not in notes]
        if len(rows) == MOST:
            break
    own = result.of(station, model, "ahead")
    told = tr("Without a scenario, {title_of} forecasts {own} mm.")
    told = told.format(title_of=within(title_of(model)), own=signed(own, ".1f"))
    if not rows:
        st.info(f"{told} {tr('Set what is assumed and press *Run scenario*.')}")
        return
    st.caption(told)
    formats: dict[str, object] = {"Model": tr("Model")}
    numbers = {
        "Forecast (mm)": tr_noop("Forecast (mm)"), "from": tr_noop("90 % from (mm)"), "to": tr_noop("90 % to (mm)"),
    }  # fmt: skip
    formats |= {name: st.column_config.NumberColumn(tr(title), format="%.1f") for name, title in numbers.items()}
    st.dataframe(pandas.DataFrame(rows), hide_index=True, width="stretch", column_config=formats, placeholder="–")
    if notes:
        st.markdown("\n".join(f"- {plain(one)}" for one in notes))
