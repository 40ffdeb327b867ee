"""The form that asks for forecasts: which columns are what, which models, and how far ahead."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import streamlit as st

from core.errors import InputError
from ui import resources
from ui.choices import words_of
from ui.displacement import drivers_form
from ui.displacement.words import DRIVER_TITLES, NONE, ORDERS
from ui.messages import tr, tr_noop
from ui.task import press

if TYPE_CHECKING:
    from pandas import DataFrame

    from core.runs.records import DatasetRecord, Run
    from core.series.columns import Columns, Components
    from core.tasks.displacement.plan import Plan
    from core.tasks.displacement.run import ForecastRequest

BUTTON = "Forecast"

UNITS = {"": tr_noop("as in the column headings"), "mm": "mm", "cm": "cm", "m": "m"}
MEASURED = {"displacement": tr_noop("displacement"), "positions": tr_noop("positions")}
STEPS = {
    "auto": tr_noop("as measured"), "h": tr_noop("hour"), "6h": tr_noop("6 hours"), "D": tr_noop("day"),
    "7D": tr_noop("week"), "month": tr_noop("month"),
}  # fmt: skip


@st.cache_data(max_entries=4, show_spinner="Reading the table")
def read(identity: str, digest: str, _record: DatasetRecord) -> DataFrame:
    """The table, kept for the next rerun."""
    del identity, digest  # the key
    from core.series.heads import read_series_table

    return read_series_table(_record.path)


@st.cache_data(max_entries=8, show_spinner=False)
def _guess(identity: str, digest: str, _table: DataFrame) -> Columns:
    del identity, digest  # the key
    from core.series.guess import guess_columns

    return guess_columns(_table)


def ask(
    record: DatasetRecord, before: ForecastRequest | None, asked: Run | None = None
) -> tuple[Columns, ForecastRequest | None, drivers_form.Beside | None]:
    """Show which columns are what, and the form.

    Parameters
    ----------
    before
        Request with whose choices it begins; the guessed columns when None.
    asked
        The run that is open.

    Returns
    -------
    tuple
        The columns as they are chosen now, the request when the button was pressed, and the file of drivers beside the
        table, where there is one.
    """
    from core.tasks.displacement.run import ForecastRequest

    table = read(record.id, record.digest, record)
    st.caption(tr("{count:,} rows, {shape} columns.").format(count=len(table), shape=table.shape[1]))
    guess = _guess(record.id, record.digest, table) if before is None else before.columns
    columns = _columns(table, guess)
    beside = drivers_form.ask(record, asked, before)
    resources.jobs().prepare()  # a worker starts while the user looks at the form
    with st.form("ask-forecast", border=False, enter_to_submit=False):
        pressed = press.button(BUTTON, record.digest)
        future = [name for _, name in columns.drivers] + list(() if beside is None else beside.names(columns))
        stations, step, plan = _plan(columns, before, future)
    if not pressed:
        return columns, None, beside
    if plan is None:
        with press.refusing(BUTTON, record.digest):
            raise InputError(tr("No model was chosen."), remedy=tr("Choose one under “Models”."))
    drivers = None if beside is None else beside.table
    return columns, ForecastRequest(columns, plan, stations, step, drivers=drivers), beside


def _columns(table: DataFrame, guess: Columns) -> Columns:
    """Which columns are what: chosen outside the form, as the charts follow at once."""
    from core.series.columns import Columns

    names = [str(one) for one in table.columns]

    def one(label: str, begin: str, help: str, key: str) -> str:
        listed = [NONE, *names]
        chosen = st.selectbox(label, listed, listed.index(begin) if begin in names else 0, help=help, key=f"c-{key}")
        return "" if chosen == NONE else chosen

    found = any((guess.displacements, guess.components))
    with st.expander(tr("Columns"), expanded=not (guess.time and found)):
        st.dataframe(table.head(8), hide_index=True, height=180)
        time = one(tr("Time"), guess.time, tr("Time of measurement of each row."), "time")
        measured = st.segmented_control(
            tr("Movement given as"), list(MEASURED), key="c-kind", required=True, format_func=words_of(MEASURED),
            default="positions" if guess.components else "displacement", width="stretch",
            help=tr("Displacement, or north and east coordinates, from which the distance to the first position is "
                 "calculated."),
        )  # fmt: skip
        displacement: tuple[str, ...] = ()
        components: tuple[Components, ...] = ()
        if measured == "positions":
            components, reference = _positions(names, guess)
        else:
            begin = [name for name in guess.displacements if name in names]
            displacement = tuple(
                st.multiselect(tr("Displacement"), names, begin, key="c-disp", help=tr("One column per station."))
            )
            stable = guess.reference if isinstance(guess.reference, str) else ""
            reference = one(tr("Stable station"), stable, tr("Subtracted from the other stations."), "ref") or None
        station = one(
            tr("Station names"), guess.station, tr("For tables with one row per station and time."), "station"
        )
        increments = st.checkbox(tr("Values are increments since the previous row"), guess.increments, key="c-inc")
        unit = st.selectbox(tr("Unit"), list(UNITS), list(UNITS).index(guess.unit), format_func=words_of(UNITS),
                            key="c-unit")  # fmt: skip
        at = list(ORDERS).index(guess.date_order) if guess.date_order in ORDERS else 0
        order = st.selectbox(tr("Date order"), list(ORDERS), at, format_func=words_of(ORDERS), key="c-order")
        clock = one(tr("Time of day"), guess.clock, tr("If it is in a separate column."), "clock")
    drivers: dict[str, Any] = {}
    with st.expander(tr("Rain, levels and other drivers")):
        for what, title in DRIVER_TITLES.items():
            begin = [name for name in getattr(guess, what) if name in names]
            drivers[what] = tuple(st.multiselect(tr(title), names, begin, key=f"c-{what}"))
    return Columns(
        time, displacement, components, station, reference, increments=increments, unit=unit, date_order=order,
        clock=clock, places=guess.places, **drivers,
    )  # fmt: skip


def _positions(names: list[str], guess: Columns) -> tuple[tuple[Components, ...], Components | None]:
    """Stations by their positions: those that were found, or one of two columns."""
    from core.series.columns import Components

    known = {one.name: one for one in guess.components}
    stable = guess.reference if isinstance(guess.reference, Components) else None
    if stable is not None:
        known[stable.name] = stable
    if known:
        begin = [one.name for one in guess.components]
        chosen = st.multiselect(tr("Stations"), list(known), begin, key="c-stations")
        listed = [NONE, *known]
        at = 0 if stable is None else listed.index(stable.name)
        base = st.selectbox(
            tr("Stable station"), listed, at, key="c-base", help=tr("Subtracted from the other stations.")
        )
        reference = None if base == NONE else known[base]
        return tuple(known[one] for one in chosen if one != base), reference
    north = st.selectbox(tr("North"), [NONE, *names], key="c-north")
    east = st.selectbox(tr("East"), [NONE, *names], key="c-east")
    return (() if NONE in (north, east) else (Components("station", north, east),)), None


def _plan(
    columns: Columns, before: ForecastRequest | None, future: list[str]
) -> tuple[tuple[str, ...], str, Plan | None]:
    from core.tasks.displacement.forecasters import FORECASTERS, title_of
    from core.tasks.displacement.plan import Plan

    begin = Plan() if before is None else before.plan
    stations: tuple[str, ...] = ()
    listed = [one.name for one in columns.components] or list(columns.displacements)
    if len(listed) > 1 and not columns.station:
        first = [one for one in (before.stations if before is not None else ()) if one in listed] or listed[:6]
        stations = tuple(st.multiselect(tr("Stations to forecast"), listed, first))
    left, right = st.columns(2)
    step_now = "auto" if before is None else before.step
    steps = list(STEPS) if step_now in STEPS else [*STEPS, step_now]
    step = left.selectbox(tr("Step"), steps, steps.index(step_now), format_func=lambda one: tr(STEPS.get(one, one)))
    horizon = right.number_input(tr("Steps ahead"), 1, 10_000, begin.horizon)
    learners = [name for name, one in FORECASTERS.items() if one.learns]
    models = st.multiselect(
        tr("Models"), learners, [one for one in begin.models if one in learners], format_func=title_of,
        help=tr("Simple forecasts (no change, last increment, drift, previous year, straight line) are always included "
             "for comparison."),
    )  # fmt: skip
    with st.expander(tr("Testing")):
        share = st.slider(
            tr("Test part of the series (%)"), 5, 90, round(begin.test_share * 100), 5,
            help=tr("The end of the series. Each test forecast uses only data up to its origin."),
        )  # fmt: skip
        refit = st.number_input(tr("Refit after … forecasts"), 0, 100_000, begin.refit, help=tr("0 refits ten times."))
        window = st.number_input(
            tr("Training window (steps)"), 0, 10_000_000, begin.window, help=tr("0 uses all steps.")
        )
        known = st.multiselect(
            tr("Known in advance"), future, [one for one in begin.known_future if one in future],
            help=tr("Such as a planned reservoir level: values up to the target are used. All other drivers end at the "
                 "forecast origin."),
        )  # fmt: skip
        kinds = {"adaptive": tr_noop("adaptive width"), "split": tr_noop("constant width")}
        intervals = st.selectbox(tr("Intervals"), list(kinds), list(kinds).index(begin.intervals),
                                 format_func=words_of(kinds))  # fmt: skip
        seed = st.number_input(tr("Seed"), 0, 2**31 - 1, begin.seed)
    from core.tasks.displacement.simple import SIMPLE

    plan = Plan(int(horizon), share / 100, (*SIMPLE, *models), int(refit), int(window), tuple(known), intervals,
                int(seed), **_further(begin))  # fmt: skip
    return stations, step, plan


def _further(begin: Plan) -> dict[str, Any]:
    """What is seldom chosen: decomposition, steps, tuning, and fewer features."""
    from core.tasks.displacement import decomposed, tuning

    with st.expander(tr("Decomposition and tuning")):
        decomposition = st.selectbox(
            tr("Decomposition"), list(decomposed.TITLES), list(decomposed.TITLES).index(begin.decomposition),
            format_func=words_of(decomposed.TITLES),
            help=tr("This part of the past is continued unchanged; models forecast the rest. It is decomposed again at "
                 "every origin, using past data only."),
        )  # fmt: skip
        ways = {"direct": tr_noop("direct"), "recursive": tr_noop("recursive")}
        strategy = st.selectbox(tr("Multi-step forecasts"), list(ways), list(ways).index(begin.strategy),
                                format_func=words_of(ways))  # fmt: skip
        chosen = st.selectbox(
            tr("Tuning"), list(tuning.TITLES), list(tuning.TITLES).index(begin.tuning),
            format_func=words_of(tuning.TITLES),
            help=tr("Before each fit, on its own training data. Takes many times as long."),
        )  # fmt: skip
        trials = st.number_input(tr("Settings to try"), 1, tuning.MOST_TRIALS, begin.trials)
        features = st.number_input(tr("Most informative features"), 0, 1_000, begin.features, help=tr("0 uses all."))
    return {"decomposition": decomposition, "strategy": strategy, "tuning": chosen, "trials": int(trials),
            "features": int(features)}  # fmt: skip
