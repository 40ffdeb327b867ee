"""All scores of a validation, and curves of the model that is looked at."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from ui import labels
from ui.messages import tr, tr_noop

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pandas import DataFrame

    from core.learning.roc import RocCurve
    from core.tasks.susceptibility.held_out import HeldOut
    from core.tasks.susceptibility.result import SusceptibilityResult
    from ui.susceptibility.results import Shown

PLAIN_CHART = {"displaylogo": False, "modeBarButtonsToRemove": ["lasso2d", "select2d"]}


SCORES_SHOWN = {
    "auroc": "AUROC", "auroc_low": tr_noop("from"), "auroc_high": tr_noop("to"), "auroc_sd": tr_noop("Spread"),
    "auroc_fitted": tr_noop("Training AUROC"), "brier": "Brier", "f1": "F1", "mcc": "MCC",
    "difference": tr_noop("Difference"), "p_value": "p", "seconds": tr_noop("Time (s)"),
}  # fmt: skip
"""Headings of the scores by name."""


def show(view: Shown) -> None:
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
        tr("Calibration and Brier score refer to the cells as given: where landslides are over-represented among them, "
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
