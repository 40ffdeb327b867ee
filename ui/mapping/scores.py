"""Scores: agreement with a reference inventory, beside the colour index."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from core.report.words import why_undefined
from ui import labels, resources
from ui.mapping.outlines import is_large
from ui.mapping.view import View
from ui.messages import tr, tr_noop
from ui.task.key_figures import score_text
from ui.task.reference import ask_for_reference

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

    from core.runs.records import SceneRecord
    from core.tasks.mapping.findings import Scores

NAMES = {
    "f1": "F1", "iou": "IoU", "miou": "mIoU", "precision": tr_noop("Precision"),
    "recall": tr_noop("Recall"), "oa": "OA", "kappa": tr_noop("Kappa"),
}  # fmt: skip


def show(view: View) -> None:
    """Scores at the threshold and the precision–recall curve, or the way to them."""
    from core.tasks.mapping.findings import score

    scores = score(view.result, view.choice.threshold)
    if scores is None:
        _offer_reference(view)
        return
    if view.result.provenance["scene"]["seen_by_model"]:
        st.warning(tr("The model was trained or selected on this image: these scores do not measure its skill."))
    _table(view, scores)
    st.caption(
        tr("Scores count pixels at the threshold, before minimum area and hole filling; a dash means undefined. The "
        "models were trained on data where nearly every patch holds a landslide and one region occurs in all splits: "
        "scores on such patches are optimistic, and false alarms on quiet terrain are unknown.")
    )
    figures = _figures(view.result.id, view.choice.threshold, scores)
    for column, (name, figure) in zip(st.columns(2), figures, strict=True):
        column.plotly_chart(figure, key=f"{name}-{view.result.id}", config={"displaylogo": False})
    st.markdown(
        tr("Turn on the map layer *Correct, false alarm, missed*: bluish green is correct, orange a false alarm, sky "
        "blue missed.")
    )


@st.cache_resource(max_entries=16, show_spinner=False)
def _figures(run: str, threshold: float, _scores: Scores) -> tuple[tuple[str, Figure], ...]:
    """Charts of a run at a threshold, by their keys."""
    del run  # part of the key
    from core.plots.scores import precision_recall_figure, threshold_figure

    curve, baseline = _scores.curve, _scores.baseline
    return (
        ("pr", precision_recall_figure(curve, _scores.model, threshold, baseline)),
        ("f1", threshold_figure(curve, threshold, baseline)),
    )


def _table(view: View, scores: object) -> None:
    from core.tasks.mapping.findings import Scores

    assert isinstance(scores, Scores)  # noqa: S101  narrows the lazily imported type
    model = scores.model
    row = st.container(horizontal=True, gap="small")  # wraps where the window is narrow
    for name, title in NAMES.items():
        column = row.container(width=96, gap=None)
        value = getattr(model, name)
        beside = None if scores.baseline is None else getattr(scores.baseline, name)
        means = [labels.meaning(name) or "", *([] if beside is None else [labels.explained_term("colour_index")])]
        column.metric(tr(title), score_text(value), help="\n\n".join(means))
        if beside is not None:
            column.caption(tr("colour index {score_text}").format(score_text=score_text(beside)))
    counts = {
        tr("Correct"): model.true_positive,
        tr("False alarm"): model.false_positive,
        tr("Missed"): model.false_negative,
        tr("True negatives"): model.true_negative,
    }
    st.markdown(" · ".join(f"{title}: **{count:,}** px" for title, count in counts.items()))
    undefined = why_undefined(
        {tr(title): getattr(model, name) for name, title in NAMES.items()}, "pixel",
        model.true_positive + model.false_positive, model.true_positive + model.false_negative,
    )  # fmt: skip
    if undefined:
        st.caption(undefined)
    quiet = _false_alarm_rate(view, model.false_positive)
    if quiet:
        st.markdown(quiet)


def _false_alarm_rate(view: View, false_positive: int) -> str:
    """False-alarm area per km², for a georeferenced run with truth."""
    from core.tasks.mapping.findings import pixel_area

    if not view.result.grid.in_metres:
        return ""
    area = int(view.result.counts[:2].sum()) * pixel_area(view.result)
    if not area:
        return ""
    rate = false_positive * pixel_area(view.result) / (area / 1e6)
    return tr("False alarms: **{rate:,.0f} m² per km²** of the compared area.").format(rate=rate)


def _offer_reference(view: View) -> None:
    gain = (
        tr("With one, this tab shows precision, recall, F1, IoU and their curve, and the map shows correct pixels, "
        "false alarms and misses.")
    )
    ask_for_reference(view.record, "mapping", gain, lambda known: scored(view, known))


def scored(view: View, record: SceneRecord) -> str:
    """Score the run against the scene's inventory; a large raster is counted by a job, which the page follows."""
    from core.tasks.mapping.run_scored import order_scored, rescore

    if is_large(view.result):
        return resources.jobs().submit(order_scored(view.result, record, owner=resources.visitor()))
    return rescore(resources.store(), view.result, record).id
