"""How the slope moved: velocity, path, parts, months, what went before, and a fitted trajectory. No model is asked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import streamlit as st

from core.wording import count
from ui.choices import in_address, words_of
from ui.displacement.results import PLAIN_CHART, tables
from ui.displacement.trajectory_part import offer_table, show_trajectory
from ui.displacement.warning_tab import measured_of_run
from ui.feedback import guard, plain
from ui.messages import tr, tr_noop

if TYPE_CHECKING:
    from collections.abc import Sequence

    from core.series.decomposition import How, Method, Parts
    from core.series.lags import LagCorrelation
    from core.series.monitoring import RegularSeries
    from core.tasks.displacement.lesson import Lesson
    from core.tasks.displacement.result import ForecastResult
    from ui.displacement.results import Shown

VIEWS = {
    "velocity": tr_noop("Velocity"), "parts": tr_noop("Trend and season"), "months": tr_noop("Months"),
    "lags": tr_noop("Rain and levels"), "path": tr_noop("Path"), "trajectory": tr_noop("Trajectory"),
}  # fmt: skip


def show(view: Shown) -> None:
    """The tab."""
    chosen = in_address(
        tr("Movement"), VIEWS, "velocity", key="movement", control=st.segmented_control, required=True,
        label_visibility="collapsed",
    )  # fmt: skip
    parts = {"velocity": _velocity, "parts": _parts, "months": _months, "lags": _lags, "path": _path,
             "trajectory": show_trajectory}  # fmt: skip
    with guard():
        parts[str(chosen)](view)


def _say(sentences: Sequence[str]) -> None:
    """The first sentence above the others."""
    st.markdown(f"**{plain(sentences[0])}**")
    if sentences[1:]:
        st.markdown("\n".join(f"- {plain(one)}" for one in sentences[1:]))


def _of(view: Shown) -> RegularSeries:
    """The station on its step."""
    from core.tasks.displacement.movement import regular_station

    series, _ = tables(view.result.id, view.result)
    return regular_station(view.result, series, view.look.station)


def _days(days: float) -> str:
    known = {0.0: tr("Default"), 1.0: tr("1 day"), 365.0: tr("1 year")}
    return known.get(days) or tr("{days:g} days").format(days=days)


def _smoothing(choices: Sequence[float], key: str) -> float:
    return float(st.segmented_control(
        tr("Smoothing window"), list(choices), default=0.0, format_func=_days, key=key, required=True,
        help=tr("Default: ten readings."),
    ))  # fmt: skip


def _here(view: Shown) -> str:
    """What tells the widgets and charts of one station of one run from those of others."""
    return f"{view.result.id}-{view.look.station}"


def _velocity(view: Shown) -> None:
    """Velocity, acceleration and the class of the velocity."""
    from core.tasks.displacement.movement import motion_of, motion_sentences, readings, windows_of
    from core.tasks.displacement.movement_plots import motion_figure

    station = view.look.station
    measured = measured_of_run(view.result.id, view.result)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        days = _smoothing(windows_of(readings(measured, station)[0]), f"smoothed-{_here(view)}")
        side: Literal["past", "centred"] = st.segmented_control(
            tr("Readings"), ["centred", "past"], default="centred", key="smoothed-side", required=True,
            format_func=words_of({"centred": tr_noop("Around each"), "past": tr_noop("Before each")}),
            help=tr("Around: no delay, but later readings are used. Before: as it would have been seen on that day."),
        )  # fmt: skip
    found = motion_of(measured, station, days, side)
    _say(motion_sentences(found))
    st.plotly_chart(motion_figure(found), key=f"motion-{_here(view)}", config=PLAIN_CHART)
    where = "around each" if side == "centred" else "before each"
    st.caption(
        tr("Slope of a regression line through the readings of {days} {where}; acceleration is "
        "calculated in the same way from the velocities. No values across long gaps. Velocity classes after Cruden "
        "and Varnes (1996).").format(days=count(found.days, "day", form=".3g"), where=where)
    )


@st.cache_data(max_entries=16, show_spinner="Decomposing")
def _decomposed(run: str, how: How, station: str, _series: RegularSeries) -> Parts:
    del run, station  # the key
    from core.series.decomposition import decomposed_series

    return decomposed_series(_series, how)


@st.cache_data(max_entries=16, show_spinner="Decomposing the past at each origin")
def _lesson(run: str, how: How, station: str, first: int, _result: ForecastResult, _series: RegularSeries) -> Lesson:
    del run, station  # the key
    from core.tasks.displacement.lesson import lesson_of

    return lesson_of(_series, how, _result.horizon, first)


def _how(series: RegularSeries, here: str) -> How:
    """The method that is chosen, with its degree or window."""
    from core.series.decomposition import METHODS, MODES, How, has_season

    usual = "stl" if has_season(series) else "loess"
    with st.container(horizontal=True, vertical_alignment="bottom"):
        method: Method = st.segmented_control(tr("Trend method"),
                                              list(METHODS), default=usual, format_func=words_of(METHODS),
                                      key=f"parts-method-{here}", required=True)  # fmt: skip
        if method == "polynomial":
            degree = st.number_input(tr("Degree"), 1, 5, 3, key=f"parts-degree-{here}", width=110)
            return How(method, int(degree))
        if method == "stl" or method in MODES:
            return How(method)
        window = st.number_input(tr("Window (steps)"), 0, len(series), 0, key=f"parts-window-{here}", width=150,
                                 help=tr("0: one year, or a quarter of the series (at most 30 steps) if it is shorter "
                                      "than two years."))  # fmt: skip
        return How(method, window=int(window))


def _parts(view: Shown) -> None:
    """Trend, periodic part and rest, and what a decomposition of the whole series knows of the future."""
    from core.tasks.displacement.movement import parts_table
    from core.tasks.displacement.movement_plots import parts_figure

    series, station = _of(view), view.look.station
    how = _how(series, _here(view))
    parts = _decomposed(view.result.id, how, station, series)
    st.plotly_chart(parts_figure(series, parts), key=f"parts-{_here(view)}", config=PLAIN_CHART)
    st.caption(" ".join([tr("Trend, periodic part and residual add up to the measured displacement."),
                         *map(plain, parts.notes)]))
    offer_table(view, "Parts", parts_table(series, parts))
    if st.toggle(tr("Does this decomposition use future data?"), key="lesson"):
        with guard():
            _show_lesson(view, series, how)


def _show_lesson(view: Shown, series: RegularSeries, how: How) -> None:
    import numpy as np

    from core.tasks.displacement.findings import in_words
    from core.tasks.displacement.lesson import lesson_sentences
    from core.tasks.displacement.movement_plots import lesson_figure

    result, station = view.result, view.look.station
    first = int(np.searchsorted(series.times, np.datetime64(str(result.stations[station]["test_from"]), "ns")))
    found = _lesson(result.id, how, station, first, result, series)
    _say(lesson_sentences(found, in_words(result.horizon, series.step), series.step))
    st.plotly_chart(lesson_figure(series, found), key=f"lesson-{_here(view)}", config=PLAIN_CHART)
    st.caption(tr("Models with decomposition repeat it at every origin, from past data only."))


def _months(view: Shown) -> None:
    """Movement of the months of the year."""
    from core.series.lags import seasonal_profile
    from core.tasks.displacement.movement import profile_sentence, profile_table
    from core.tasks.displacement.movement_plots import profile_figure

    series, station = _of(view), view.look.station
    found = seasonal_profile(series)
    _say([profile_sentence(found, station)])
    st.plotly_chart(profile_figure(found), key=f"months-{_here(view)}", config=PLAIN_CHART)
    st.caption(tr("Bars: mean over the years, with the standard deviation between years. A month is included if at "
               "least 80 % of its steps are known."))  # fmt: skip
    offer_table(view, "Months", profile_table(found))


@st.cache_data(max_entries=16, show_spinner="Comparing")
def _correlated(
    run: str, station: str, driver: str, longest: int, window: int, ranks: bool, less_season: bool,
    _series: RegularSeries,
) -> LagCorrelation:  # fmt: skip
    del run, station  # the key
    from core.series.lags import lag_correlation

    return lag_correlation(_series, driver, longest, window, ranks=ranks, less_season=less_season)


def _lags(view: Shown) -> None:
    """How the movement goes with what was measured before it."""
    from core.series.monitoring import unit_of_step
    from core.tasks.displacement.movement import lag_sentence, lag_table
    from core.tasks.displacement.movement_plots import lag_figure

    series, station = _of(view), view.look.station
    if not series.drivers:
        st.info(tr("The table has no rain, level or other driver to compare."))
        return
    here = _here(view)
    most = max(1, min(365, len(series) // 4))
    usual = min(most, 12 if series.step == "month" else 60)
    number, unit = unit_of_step(series.step)
    step = f"{unit}s" if number == 1 else f"steps of {number} {unit}s"
    with st.container(horizontal=True, vertical_alignment="bottom"):
        driver = st.selectbox(tr("Driver"), list(series.drivers), key=f"lag-driver-{here}", width=260)
        window = st.number_input(
            tr("Period ({step})").format(step=step),
            1,
            most,
            1,
            key=f"lag-window-{here}",
            width=150,
            help=tr("Sum of rain, change of a level, mean of other drivers."),
        )
        longest = st.number_input(
            tr("Lags up to ({step})").format(step=step), 1, most, usual, key=f"lag-longest-{here}", width=170
        )
        ranks = st.toggle(tr("Ranks (Spearman)"), key="lag-ranks")
        years = len(series) / series.steps_per_year
        less = years >= 2 and st.toggle(
            tr("Remove seasonal cycle"), years >= 3, key=f"lag-season-{here}",
            help=tr("Subtracts the mean of each calendar month from both, so that a shared seasonal cycle does not "
                    "count."),
        )  # fmt: skip
    found = _correlated(view.result.id, station, driver, int(longest), int(window), ranks, less, series)
    _say([lag_sentence(found, series.step)])
    st.plotly_chart(lag_figure(found, step), key=f"lags-{_here(view)}", config=PLAIN_CHART)
    st.caption(
        tr("Correlation of the movement in a step with the driver up to this many steps earlier. Band: the same with "
        "the movement shifted in time, which keeps the memory and season of both. Correlation does not imply "
        "causation.")
    )
    offer_table(view, "Lags", lag_table(found))


def _path(view: Shown) -> None:
    """Where the station went in the horizontal."""
    from core.tasks.displacement.movement import hodograph_of, hodograph_sentence, readings, windows_of
    from core.tasks.displacement.movement_plots import hodograph_figure

    station = view.look.station
    measured = measured_of_run(view.result.id, view.result)
    if hodograph_of(measured, station) is None:
        st.info(tr("North and east were not measured at this station."))
        return
    days = _smoothing(windows_of(readings(measured, station)[0]), f"path-smoothed-{_here(view)}")
    path = hodograph_of(measured, station, days)
    if path is None:
        return
    _say([hodograph_sentence(path)])
    st.plotly_chart(hodograph_figure(path), key=f"path-{_here(view)}", config=PLAIN_CHART)
    st.caption(
        tr("Hodograph: positions in mm relative to the first one, minus the reference station if one was chosen.")
    )
