"""What a validation found: which model ranks best, all scores, curves, files and where they came from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePath
from typing import TYPE_CHECKING

import streamlit as st

from core.tasks.susceptibility.map_result import SusceptibilityMap
from core.tasks.susceptibility.result import CELLS, SCORES, SusceptibilityResult
from core.wording import within
from ui import labels, resources
from ui.choices import in_address
from ui.feedback import plain
from ui.maps import MapEvent
from ui.messages import tr, tr_noop
from ui.susceptibility import factors_tab, why
from ui.susceptibility.source import SOURCE
from ui.task import explained, export, provenance
from ui.task.key_figures import KeyFigure, show_key_figures
from ui.task.notes import show_lead
from ui.task.selection import Selection
from ui.task.tabs import open_tab, show_tabs
from ui.task.view import view_from_address

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from pandas import DataFrame

    from core.learning.roc import RocCurve
    from core.runs.records import Run
    from core.tasks.susceptibility.held_out import HeldOut
    from core.tasks.susceptibility.view import Choice
    from ui.task.task import TaskPage

PLAIN_CHART = {"displaylogo": False, "modeBarButtonsToRemove": ["lasso2d", "select2d"]}


SCORES_SHOWN = {
    "auroc": "AUROC", "auroc_low": tr_noop("from"), "auroc_high": tr_noop("to"), "auroc_sd": tr_noop("Spread"),
    "auroc_fitted": tr_noop("Training AUROC"), "brier": "Brier", "f1": "F1", "mcc": "MCC",
    "difference": tr_noop("Difference"), "p_value": "p", "seconds": tr_noop("Time (s)"),
}  # fmt: skip
"""Headings of the scores by name."""


@dataclass(frozen=True)
class Shown:
    """What the tabs are given: the run's result, and what of it is looked at."""

    result: SusceptibilityResult
    choice: Choice


def show(task: TaskPage, found: Run) -> None:
    """The result of a finished run."""
    from core.tasks.susceptibility.folds import TITLES
    from core.tasks.susceptibility.models import title_of
    from core.tasks.susceptibility.view import Choice

    result = resources.store().result(found.id, SusceptibilityResult)
    view_from_address(found).checked(result)
    default = Choice.default(result)
    headline(result)
    row = st.container(horizontal=True, vertical_alignment="bottom")
    with row:
        schemes = {name: TITLES[name] for name in result.schemes}
        scheme = in_address(tr("Show"), schemes, default.scheme, key="scheme")
        models = {name: title_of(name) for name in result.models}
        model = in_address(tr("Model"), models, default.model, key="shown")
    parts = {
        "Findings": findings, "Review": review, "Scores": scores, "Factors": factors_tab.show, "Why": why.show,
        "Export": export_tab, "Provenance": _provenance,
    }  # fmt: skip
    if open_tab(task.name) != "Review":  # which has a map, and follows the address by itself
        Selection(result.id).follow(MapEvent(), None)
    wanted = "Why" if explained.led_here(task.name) else ""
    show_tabs(task.name, parts, Shown(result, Choice(scheme, model)), wanted)


def headline(result: SusceptibilityResult, *, folded: bool = False, further: Sequence[KeyFigure] = ()) -> None:
    """Which model ranks best, in words and figures, and notes.

    Parameters
    ----------
    folded
        Whether all but the one sentence and the figures is folded, to leave room for a map.
    further
        Figures beside those of the test.
    """
    from core.tasks.susceptibility.findings import best, verdict
    from core.tasks.susceptibility.folds import TITLES
    from core.tasks.susceptibility.models import title_of
    from core.tasks.susceptibility.run import CORRECTED

    said = verdict(result)
    show_lead(said.lead, result.id)
    for note in result.notes:
        if note.startswith(CORRECTED):
            st.warning(plain(note))
    figures, firsts = [], []
    for scheme in result.schemes:
        first = best(result, scheme)
        firsts.append(f"{title_of(first)} ({within(TITLES[scheme].split(' (')[0])})")  # type: ignore[index]
        figures.append(
            KeyFigure(
                tr("Best AUROC · {titles}").format(titles=TITLES[scheme].split(" (")[0].lower()),  # type: ignore[index]
                f"{result.of(first, scheme, 'auroc'):.3f}",
                tr("{title_of}: mean over folds and repeats. 0.5 is chance, 1 is perfect.").format(
                    title_of=title_of(first)
                ),
            )
        )
    figures.append(
        KeyFigure(
            tr("Cells"),
            f"{result.count:,}",
            tr("{landslides:,} of them are landslide cells.").format(landslides=result.landslides),
        )
    )
    show_key_figures([*figures, *further], tr("Best AUROC: {models}.").format(models=", ".join(firsts)))
    notes = [one for one in result.notes if not one.startswith(CORRECTED)]
    told = [f"- {plain(one)}" for one in said.others], [f"- {plain(one)}" for one in notes]
    if folded:
        with st.expander(tr("Basis and limitations ({count})").format(count=len(told[0]) + len(told[1]))):
            st.markdown("\n".join([*told[0], *told[1]]))
        return
    st.markdown("\n".join(told[0]))
    if told[1]:
        with st.expander(
            tr("Notes on how the table was read ({count})").format(count=len(told[1]))
        ):
            st.markdown("\n".join(told[1]))


def findings(view: Shown) -> None:
    """AUROC of all models with their intervals."""
    from core.tasks.susceptibility.plots import auroc_figure

    st.plotly_chart(auroc_figure(view.result), key=f"auroc-{view.result.id}", config=PLAIN_CHART)
    st.caption(
        tr("Each symbol is the mean AUROC over folds and repeats; the line is its 95 % interval (DeLong). Models with "
        "widely overlapping lines cannot be ranked with this number of cells.")
    )


def review(view: Shown) -> None:
    """The labels of the table."""
    from ui.task import label_tab

    run = resources.store().run(view.result.id)
    table = resources.store().dataset(view.result.subject.dataset_id)

    def again(corrected: Path, origin: str) -> None:
        stem = PurePath(table.name).stem
        with corrected.open("rb") as file:
            name = f"{stem}, labels corrected (review of {run.id[:8]})"
            made = resources.store().upload_dataset(file, name, table.form, made_from=table, origin=origin)
        SOURCE.use(made, prefill=run.id)

    label_tab.show(run, view.choice, again)


def scores(view: Shown) -> None:
    """All scores, and curves."""
    from core.tasks.susceptibility.findings import settings_table

    result, choice = view.result, view.choice
    frame = _frame(result, choice.scheme)
    formats = {
        title: st.column_config.NumberColumn(tr(title), format="%.3f", help=labels.meaning(name))
        for name, title in SCORES_SHOWN.items()
    }
    formats["Model"] = tr("Model")
    st.dataframe(frame, hide_index=True, width="stretch", column_config=formats, placeholder="–")
    st.caption(
        tr("Training AUROC: on the training cells (success rate). F1 and MCC are at the cut-off that best separates "
        "the training cells (Youden's J). p: probability that a difference to logistic regression "
        "at least this large arises by chance "
        "(paired DeLong test, not corrected for multiple models). Time: processor time.")
    )
    chosen = settings_table(result, choice.scheme)
    if not chosen.empty:
        with st.expander(tr("Selected settings")):
            st.dataframe(chosen, hide_index=True, width="stretch")
            st.caption(tr("For each model, the settings selected most often by inner folds of the training cells."))
    _tested(view)


def _tested(view: Shown) -> None:
    """How the tested cells of the model that is looked at fare: curves, and counts at a cut-off."""
    from core.tasks.susceptibility.held_out import Calibration, cut_table, precision_recall
    from core.tasks.susceptibility.models import title_of
    from core.tasks.susceptibility.plots import calibration_figure, precision_recall_figure, roc_figure

    result, choice = view.result, view.choice
    held = held_out(result.id, choice.scheme, choice.model, result)
    name = f"{result.id}-{choice.scheme}-{choice.model}"
    st.markdown(
        tr("**{title_of}, on cells not used for training** (first repeat)").format(title_of=title_of(choice.model))
    )
    left, middle, right = st.columns(3, gap="medium")
    figure = roc_figure(_curves(result.id, choice.scheme, result), choice.model)
    left.plotly_chart(figure, key=f"roc-{name}", config=PLAIN_CHART)
    drawn = precision_recall_figure(*precision_recall(held), float(held.landslide.mean()))
    middle.plotly_chart(drawn, key=f"precision-{name}", config=PLAIN_CHART)
    right.plotly_chart(calibration_figure(Calibration.of(held)), key=f"calibration-{name}", config=PLAIN_CHART)
    left, right = st.columns([3, 2], gap="medium")
    with left:
        usual = round(min(max(held.best_cut, 0.0), 1.0), 2)
        begin = usual if choice.cutoff < 0 else choice.cutoff
        cut = st.slider(
            tr("Cut-off"), 0.0, 1.0, begin, 0.01, key="cutoff", bind="query-params",
            help=tr("Cells at or above this score count as predicted landslides. The initial value separates landslide "
                 "from other cells best (largest Youden's J). The map shows the outcomes as layers."),
        )  # fmt: skip
        counts = held.confusion(cut)
        st.markdown(
            tr(
                "- Landslides predicted: **{true_positive:,}** of "
                "{true_positive_2:,}, missed **{false_negative:,}**\n- True "
                "negatives: **{true_negative:,}** of {true_negative_2:,}, false "
                "alarms **{false_positive:,}**"
            ).format(
                true_positive=counts.true_positive,
                true_positive_2=counts.true_positive + counts.false_negative,
                false_negative=counts.false_negative,
                true_negative=counts.true_negative,
                true_negative_2=counts.true_negative + counts.false_positive,
                false_positive=counts.false_positive,
            )
        )
        _without_flat(held)
    columns = {"Value": st.column_config.NumberColumn(tr("Value"), format="%.3f")}
    right.dataframe(cut_table(held, cut), hide_index=True, column_config=columns, width="stretch")
    st.caption(
        tr("Calibration and Brier score refer to the cells as drawn: where landslides are over-represented among them, "
        "the output is an index, not a probability.")
    )


def _without_flat(held: HeldOut) -> None:
    if held.slope is None:
        return
    least = st.number_input(tr("Minimum slope of test cells (°)"), 0.0, 60.0, 5.0, 1.0, key="steeper", format="%.0f")
    (everything, number), (value, cells) = held.auroc_steeper(0.0), held.auroc_steeper(least)
    told = "undefined (only one class)" if value != value else f"**{value:.3f}**"
    words = tr("AUROC of the first repeat, all folds together: **{everything:.3f}** on all {number:,} cells").format(
        everything=everything, number=number
    )
    if cells < number:
        words += tr(", {told} on the {cells:,} cells of at least {least:g}°").format(
            told=told, cells=cells, least=least
        )
    st.markdown(f"{words}.")
    st.caption(
        tr("Flat cells are easy to tell from landslides and can raise the score. The table above gives the mean over "
           "folds and repeats.")
    )


@st.cache_resource(max_entries=16, show_spinner=False)
def held_out(run: str, scheme: str, model: str, _result: SusceptibilityResult) -> HeldOut:
    """Tested cells of a run, kept for the next look."""
    del run  # part of the key
    from core.tasks.susceptibility.held_out import held_out_cells

    return held_out_cells(_result, scheme, model)


@st.cache_resource(max_entries=16, show_spinner="Loading the curves")
def _curves(run: str, scheme: str, _result: SusceptibilityResult) -> Mapping[str, RocCurve]:
    """ROC curves of a run, kept for the next look."""
    del run  # part of the key
    from core.tasks.susceptibility.findings import curves

    return curves(_result, scheme)


def _frame(result: SusceptibilityResult, scheme: str) -> DataFrame:
    import pandas

    from core.tasks.susceptibility.models import title_of

    rows = [
        {"Model": title_of(model), **{title: result.of(model, scheme, name) for name, title in SCORES_SHOWN.items()}}
        for model in result.models
    ]
    return pandas.DataFrame(rows).sort_values("AUROC", ascending=False)


FACTOR = "factor"
"""Query parameter with the factor that a map shows."""


def export_tab(view: Shown) -> None:
    """The report and files."""
    result, choice = view.result, view.choice
    values = export.values_of(choice)
    if FACTOR in st.query_params:
        values[FACTOR] = st.query_params[FACTOR]
    content = tr_noop("scores with their limitations, charts, explanations, the review of the labels")
    if isinstance(result, SusceptibilityMap):
        content = tr_noop("maps, charts, explanations, scores with their limitations")
    export.show_report(result, choice, values, "The report holds the scores", content)
    run = resources.store().run(result.id)
    export.link(run, SCORES, "All scores, machine-readable")
    export.link(run, CELLS, "Design matrix: cells, factors, folds and held-out score of each model")


def _provenance(view: Shown) -> None:
    record = resources.store().dataset(view.result.subject.dataset_id)
    provenance.show_record(view.result, record.origin)
