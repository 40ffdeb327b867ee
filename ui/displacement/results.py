"""What was forecast: the slope, the forecasts with their intervals, scores, files and where they came from."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import streamlit as st

from core.series.words import signed
from core.tasks.displacement.result import FORECASTS, MEASURED, SCORES, SERIES, ForecastResult
from core.wording import within
from ui import labels, resources
from ui.choices import in_address
from ui.feedback import plain
from ui.messages import tr, tr_noop
from ui.task import explained, export, provenance
from ui.task.key_figures import KeyFigure, show_key_figures
from ui.task.notes import show_lead
from ui.task.tabs import show_tabs
from ui.task.view import view_from_address

if TYPE_CHECKING:
    from pandas import DataFrame

    from core.runs.records import Run
    from core.tasks.displacement.view import Look
    from ui.task.task import TaskPage

PLAIN_CHART = {"displaylogo": False, "modeBarButtonsToRemove": ["lasso2d", "select2d"]}


@dataclass(frozen=True)
class Shown:
    """What the tabs are given: the run's result, and what of it is looked at."""

    result: ForecastResult
    look: Look


def show(task: TaskPage, found: Run) -> None:
    """The result of a finished run."""
    from core.tasks.displacement.findings import verdict
    from core.tasks.displacement.forecasters import title_of

    result = resources.store().result(found.id, ForecastResult)
    begin: Look = view_from_address(found).checked(result)
    row = st.container(horizontal=True, vertical_alignment="bottom")
    with row:
        station = begin.station
        if len(result.names) > 1:
            station = st.selectbox(
                tr("Station"), result.names, result.names.index(begin.station), key="station", bind="query-params",
            )  # fmt: skip
        models = result.models(station)
        replace(begin, station=station).checked(result)
        chosen = result.stations[station]["chosen"]
        said = tr("{model} (selected)").format(model=title_of(chosen))
        words = {one: said if one == chosen else title_of(one) for one in models}
        model = in_address(tr("Model"), words, chosen if chosen in models else models[0], key="shown")
    said = verdict(result, station)
    show_lead(said.lead, result.id)
    _figures(result, station, model)
    told = [*said.others, *result.notes]
    with st.expander(tr("Basis and limitations ({count})").format(count=len(told))):
        st.markdown("\n".join(f"- {plain(one)}" for one in told))
    parts = {
        "Findings": findings, "Movement": _movement, "Scores": scores, "Warning": _warning, "Why": _why,
        "Scenario": _scenario, "Export": export_tab, "Provenance": _provenance,
    }  # fmt: skip
    wanted = "Why" if explained.led_here(task.name) else ""
    show_tabs(task.name, parts, Shown(result, replace(begin, station=station, model=model)), wanted)


def _figures(result: ForecastResult, station: str, model: str) -> None:
    """The main figures, in a row."""
    from core.tasks.displacement.findings import in_words
    from core.tasks.displacement.forecasters import title_of

    ours = result.stations[station]
    simple = str(ours["best_simple"])
    ahead, low, high = (result.of(station, model, name) for name in ("ahead", "ahead_low", "ahead_high"))
    span = in_words(result.horizon, str(ours["step"]))
    skill = result.skill(station, model, simple)
    show_key_figures([
        KeyFigure(
            tr("Next {span}").format(span=span.removeprefix('1 ')),
            "–" if ahead != ahead else f"{signed(ahead, '.1f')} mm",
            tr("Movement forecast beyond the end of the series."),
        ),
        KeyFigure(tr("90 % interval"), "–" if low != low else f"{signed(low, '.1f')} to {signed(high, '.1f')} mm",
                  tr("Conformal: based on earlier errors of this model.")),
        KeyFigure("RMSE", f"{result.of(station, model, 'rmse'):.2f} mm",
                  tr("{meaning} On the test part.").format(meaning=labels.meaning('rmse'))),
        KeyFigure(tr("RMSE of {model}").format(model=within(title_of(simple))),
                  f"{result.of(station, simple, 'rmse'):.2f} mm",
                  tr("RMSE of the simple forecast that was best on the training part.")),
        KeyFigure(tr("Skill"), "–" if skill != skill or model == simple else signed(skill, ".2f"),
                  labels.meaning("skill") or ""),
    ])  # fmt: skip


@st.cache_data(max_entries=8, show_spinner="Loading the forecasts")
def tables(run: str, _result: ForecastResult) -> tuple[DataFrame, DataFrame]:
    """Series and forecasts of a run, kept for the next look."""
    del run  # the key
    from core.tasks.displacement.findings import forecasts_of, series_of

    return series_of(_result), forecasts_of(_result)


def findings(view: Shown) -> None:
    """The forecasts at their targets, and the slope with what may drive it."""
    from core.tasks.displacement.plots import forecast_figure, series_figure, station_colours
    from core.tasks.displacement.warning import DISCLAIMER

    result, look = view.result, view.look
    series, forecasts = tables(result.id, result)
    own = series[series["station"] == look.station]
    simple = str(result.stations[look.station]["best_simple"])
    ours = forecasts[forecasts["station"] == look.station]
    figure = forecast_figure(ours, own, look.model, simple)
    st.plotly_chart(figure, key=f"forecast-{result.id}-{look.station}-{look.model}", config=PLAIN_CHART)
    st.caption(
        tr("Each point of the line is a forecast by a model that used only data up to its origin. The diamond lies "
        "beyond the end of the series. {disclaimer}").format(disclaimer=DISCLAIMER)
    )
    colours = station_colours(result.names)
    drawn = series_figure(series, result.drivers, result.names, colours)
    st.plotly_chart(drawn, key=f"series-{result.id}", config=PLAIN_CHART)
    st.caption(tr("Cumulative displacement and possible drivers. Dotted: interpolated where values are missing."))
    _stations(result, look.station)


def _stations(result: ForecastResult, station: str) -> None:
    from ui.displacement import stations_map

    stations_map.show(result, station)


FORMATS = {
    "r2_increment": "%.3f", "r2_cumulative": "%.3f", "n": "%d", "refits": "%d", "coverage90": "percent",
}  # fmt: skip
"""How scores are written that have other than two decimals, by name."""


def scores(view: Shown) -> None:
    """All scores of a station, and the errors as a chart."""
    from core.tasks.displacement.findings import HEADS
    from core.tasks.displacement.plots import scores_figure
    from core.tasks.displacement.report import MEANINGS

    result, station = view.result, view.look.station
    st.plotly_chart(scores_figure(result, station), key=f"rmse-{result.id}-{station}", config=PLAIN_CHART)
    frame = _frame(result, station)
    formats = {
        title: st.column_config.NumberColumn(tr(title), format=FORMATS.get(name, "%.2f"), help=labels.meaning(name))
        for name, title in {**HEADS, "skill": tr_noop("Skill")}.items()
    }
    chance = st.column_config.TextColumn("p", help=labels.meaning("p"), alignment="right")
    formats |= {"Model": st.column_config.TextColumn(tr("Model")), "p": chance}
    st.dataframe(frame, hide_index=True, width="stretch", column_config=formats, placeholder="–")
    told = tr("Scores are of the test set. *Selected*: the model with the lowest error on the training set, before the "
              "test set was used.")
    ours = result.stations[station]
    if ours["best_on_test"] != ours["chosen"]:
        told += " " + tr("Another model has the lowest error on the test set, which is known only afterwards.")
    st.caption(told)
    with st.expander(tr("What the scores mean")):
        st.markdown("\n".join(f"- {one}" for one in MEANINGS))


def _frame(result: ForecastResult, station: str) -> DataFrame:
    import pandas

    from core.tasks.displacement.findings import HEADS, p_words
    from core.tasks.displacement.forecasters import title_of

    ours = result.stations[station]
    simple = str(ours["best_simple"])
    rows = [
        {
            "Model": f"{title_of(model)}{' (selected)' if model == ours['chosen'] else ''}",
            "Skill": result.skill(station, model, simple) if model != simple else None,
            "p": p_words(ours["models"][model].get("dm", {}).get("p_value")),
            **{title: result.of(station, model, name) for name, title in HEADS.items()},
        }
        for model in result.models(station)
    ]
    frame = pandas.DataFrame(rows).sort_values(HEADS["rmse"])
    first = ["Model", HEADS["rmse"], "Skill", "p"]
    return frame[[*first, *(one for one in frame.columns if one not in first)]]


def _movement(view: Shown) -> None:
    from ui.displacement import movement_tab

    movement_tab.show(view)


def _warning(view: Shown) -> None:
    from ui.displacement import warning_tab

    warning_tab.show(view)


def _why(view: Shown) -> None:
    from ui.displacement import why

    why.show(view)


def _scenario(view: Shown) -> None:
    from ui.displacement import scenario_tab

    scenario_tab.show(view)


def export_tab(view: Shown) -> None:
    """The report and files."""
    from core.tasks.displacement.export import TITLES, export_stored

    result, look = view.result, view.look
    export.show_report(result, look, export.values_of(look), "The report holds the scores")
    run = resources.store().run(result.id)
    export.link(run, FORECASTS, "All forecasts with their intervals, mm")
    export.link(run, SERIES, "Series at regular steps, with possible drivers")
    export.link(run, MEASURED, "Measurements")
    export.link(run, SCORES, "All scores, machine-readable")
    folder = export.folder_of(result.id, look)
    if st.button(tr("Prepare tables and charts"), key=f"prepare-{result.id}"):
        with st.spinner(tr("Writing the files")):
            export_stored(resources.store(), run, look, folder)
    if folder.is_dir():
        export.offer(folder, TITLES, result.id)


def _provenance(view: Shown) -> None:
    record = resources.store().dataset(view.result.subject.dataset_id)
    provenance.show_record(view.result, record.origin)
