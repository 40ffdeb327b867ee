"""Scores: agreement of boxes with a reference inventory, and what was missed worst."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from core.plots.colours import FALSE_POSITIVE, MISSED, REFERENCE, TRUE_POSITIVE
from core.report.words import why_undefined
from ui import labels, resources
from ui.detection.view import View
from ui.feedback import guard
from ui.messages import tr, tr_noop
from ui.task.key_figures import score_text
from ui.task.reference import ask_for_reference
from ui.task.selection import Name, Selection, around
from ui.task.view import single_area_text

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from shapely.geometry.base import BaseGeometry

    from core.raster.scene import Scene
    from core.runs.records import SceneRecord
    from core.tasks.detection.boxes import Boxes
    from core.tasks.detection.findings import Detections
    from core.tasks.detection.metrics import DetectionScores
    from core.tasks.detection.view import Choice

NAMES = {
    "ap50": "AP50", "ap50_95": "AP50:95", "f1": "F1", "precision": tr_noop("Precision"), "recall": tr_noop("Recall"),
}  # fmt: skip

AT_ONCE = 16_000_000
"""Pixels of a scene up to which its reference is read while the page waits."""

SHOWN = 8
"""Pictures in a gallery."""

ACROSS = 4


def show(view: View) -> None:
    """Scores at the confidence, their curves, and galleries of what went wrong; or the way to them."""
    scores, curve = view.findings.scores, view.findings.curve
    if scores is None or curve is None:
        gain = (
            tr("With one, this tab shows AP50, AP50:95, F1, precision, recall and their curves, and the map shows "
            "correct detections, false alarms and misses.")
        )
        ask_for_reference(view.record, "detection", gain, lambda known: scored(view, known))
        return
    if view.result.provenance["scene"]["seen_by_model"]:
        st.warning(tr("The detector was trained or selected on this image: these scores do not measure its skill."))
    _numbers(scores)
    from core.tasks.detection.plots import confidence_figure, precision_recall_figure

    left, right = st.columns(2)
    with left:
        figure = precision_recall_figure(curve, curve.at(view.choice.confidence), scores.ap50)
        st.plotly_chart(figure, key=f"pr-{view.result.id}", config={"displaylogo": False})
    with right:
        figure = confidence_figure(curve, view.choice.confidence)
        st.plotly_chart(figure, key=f"f1-{view.result.id}", config={"displaylogo": False})
    st.markdown(
        tr("Turn on the map layer *Correct, false alarm, missed*: bluish green is correct, orange a false alarm, sky "
        "blue and dashed missed.")
    )
    _missed(view)
    _false(view)


def scored(view: View, record: SceneRecord) -> str:
    """Score the run against the scene's inventory; a large raster is counted by a job, which the page follows."""
    from core.tasks.detection.run import order_scored, rescore

    height, width = view.result.grid.shape
    if height * width > AT_ONCE:
        return resources.jobs().submit(order_scored(view.result, record, owner=resources.visitor()))
    return rescore(resources.store(), view.result, record).id


def _numbers(scores: DetectionScores) -> None:
    row = st.container(horizontal=True, gap="small")  # wraps where the window is narrow
    for name, title in NAMES.items():
        row.metric(tr(title), score_text(getattr(scores, name)), help=labels.meaning(name), width=110)
    counts = {
        tr("Correct"): scores.hits,
        tr("False alarms"): scores.found - scores.hits,
        tr("Missed"): scores.truth - scores.hits,
    }
    st.markdown(" · ".join(f"{title}: **{count:,}**" for title, count in counts.items()))
    values = {title: getattr(scores, name) for name, title in NAMES.items()}
    undefined = why_undefined(values, "detection", scores.found, scores.truth)
    if undefined:
        st.caption(undefined)
    st.caption(
        tr("F1, precision, recall and the counts are at confidence {confidence:.2f}; a detection is correct "
        "from an overlap (IoU) of 0.5. A reference may be incomplete: a false alarm can be a real landslide that was "
        "not mapped.").format(confidence=scores.confidence)
    )


def _missed(view: View) -> None:
    """The largest landslides of the reference that no box found."""
    lost = view.findings.missed
    if not len(lost):
        return
    area = "area_m2" if "area_m2" in lost else "area_px"
    worst = lost.nlargest(SHOWN, area)
    form = tr("No. {number} of the reference, {area}")
    words = [
        form.format(number=number, area=single_area_text(size, area == "area_m2"))
        for number, size in zip(worst["id"], worst[area], strict=True)
    ]
    st.markdown(
        tr("**Largest misses**: the {count} largest of {count_2:,} missed landslides").format(
            count=len(worst), count_2=len(lost)
        )
    )
    assert view.findings.matches is not None  # noqa: S101  nothing would be missed
    numbers = view.findings.matches.missed(view.choice.confidence)[0][worst.index.to_numpy()]
    _gallery(view, "missed", numbers, words, [_Target(shape=shape) for shape in worst.geometry])


def _false(view: View) -> None:
    """The false alarms of which the detector is surest."""
    table = view.findings.table
    places = np.flatnonzero(table["outcome"] == "false")
    if not len(places):
        return
    false = table.iloc[places[:SHOWN]]
    words = ["Detection "
             f"{number}, confidence {score:.2f}" for number, score in zip(false["id"], false["score"], strict=True)]
    st.markdown(
        tr("**False alarms of highest confidence**: {count} of {count_2:,} detections that match no landslide "
        "of the reference").format(count=len(false), count_2=len(places))
    )
    _gallery(view, "false", places[:SHOWN], words, [_Target(name) for name in false["id"].tolist()])


@dataclass(frozen=True)
class _Target:
    """What a picture shows: a box that can be selected, or a landslide of the reference, which is shown on the map."""

    name: Name | None = None
    shape: BaseGeometry | None = None

    def select(self, selection: Selection) -> None:
        if self.shape is None:
            selection.choose(self.name, "chart")
        else:
            middle = self.shape.centroid
            selection.choose(None, "chart", (middle.x, middle.y), around(self.shape.bounds))


def _gallery(
    view: View, kind: str, numbers: NDArray[np.integer], words: list[str], targets: Sequence[_Target]
) -> None:
    record, result = view.record, view.result
    if record.scene.digest != result.scene_digest:
        st.caption(tr("The image that was searched is no longer available."))
        return
    with guard():
        which = tuple(int(number) for number in numbers)
        pictures = _pictures(result.id, view.choice, kind, which, record.scene, view.findings)
        for start in range(0, len(pictures), ACROSS):
            for column, place in zip(st.columns(ACROSS), range(start, start + ACROSS), strict=True):
                if place < len(pictures):
                    column.image(pictures[place], caption=words[place], width="stretch", alt=f"Image of {words[place]}")
                    column.button(
                        tr("Show on map"), key=f"show-{kind}-{place}-{result.id}", type="tertiary",
                        on_click=targets[place].select, args=(Selection(result.id),),
                    )  # fmt: skip
        st.caption(
            tr("Sky blue: missed. Orange: false alarm. Bluish green: correct. Blue: reference landslides.")
        )


@st.cache_resource(max_entries=8, show_spinner="Cropping images")
def _pictures(
    run: str, choice: Choice, kind: str, numbers: tuple[int, ...], _scene: Scene, _found: Detections
) -> list[NDArray[np.uint8]]:
    del run, choice  # parts of the key
    from core.tasks.detection.cutouts import cutout

    reference_boxes, grid = _found.reference_boxes, _found.result.grid
    assert reference_boxes is not None  # noqa: S101  there would be no gallery
    assert _found.matches is not None  # noqa: S101
    hit = _found.matches.matched[0][: _found.count] >= 0
    below = ((reference_boxes, REFERENCE, 1), (_found.boxes.take(hit), TRUE_POSITIVE, 2))
    middle, colour = (reference_boxes, MISSED) if kind == "missed" else (_found.boxes, FALSE_POSITIVE)

    def picture(number: int) -> NDArray[np.uint8]:
        over: tuple[Boxes, str, int] = (middle.take(np.array([number])), colour, 3)
        others = ((_found.boxes.take(~hit), FALSE_POSITIVE, 2),) if kind == "missed" else ()
        return cutout(_scene, grid, middle.corners[number], (*below, *others, over))

    return [picture(number) for number in numbers]
