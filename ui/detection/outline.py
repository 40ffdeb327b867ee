"""From box to outline: the chosen box is sent to a mapping model, and what it maps there lies on the map."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from core.tasks.imagery.result import ImageResult
from ui import resources
from ui.detection.view import View
from ui.feedback import guard, plain
from ui.map_layers import Outlines
from ui.messages import tr, tr_noop
from ui.state import rerun_fragment
from ui.task import jobs, models
from ui.task.export import link
from ui.task.view import single_area_text

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

    from core.learning.fit import Fitting
    from core.runs.records import Run
    from core.tasks.detection.result import DetectionResult
    from core.tasks.joined.box_outline import OutlineQuestion

SHOWN = 100
"""Outlines that the map shows, the newest."""


def layers(result: DetectionResult) -> list[Outlines]:
    """Outlines of boxes of a run so far, for its map."""
    from core.plots.colours import FOUND
    from core.serve.coordinates import features

    done = [run for run in resources.store().children(result.id, "outline") if run.status == "done"]
    shapes = _outlines(tuple(run.id for run in done[:SHOWN]))
    if shapes is None:
        return []
    facts = {
        tr_noop("Outline of a detection"): [f"confidence {score:.2f}" for score in shapes["score"]],
        tr_noop("Mapped by"): [str(model) for model in shapes["model"]],
        tr_noop("Area"): [_area(value, result) for value in shapes[_column(result)]],
    }
    collection, left_out = features(shapes, facts)
    return [Outlines("box-outlines", tr_noop("Outlines of detections"),
                     collection, FOUND, left_out=left_out, fill=0.2, seam=True)]


@st.cache_resource(max_entries=16, show_spinner=False)
def _outlines(runs: tuple[str, ...]) -> GeoDataFrame | None:
    """Outlines that finished runs hold, numbered anew; None when there is none."""
    import pandas

    from core.errors import StorageError
    from core.tasks.joined.box_outline import read_outline

    found = []
    for run in runs:
        try:
            outline = read_outline(resources.store().result(run, ImageResult))
        except StorageError:
            continue  # its file is gone, which its own entry among the runs says
        if outline is not None:
            found.append(outline)
    if not found:
        return None
    joined: GeoDataFrame = pandas.concat(found, ignore_index=True)
    return joined.assign(id=[str(number) for number in range(1, len(joined) + 1)])


def show(view: View) -> None:
    """Send the chosen box to a mapping model, and say what it maps there."""
    from core.tasks.joined.box_outline import known_outline, outline_question

    if view.selected is None or view.box is None:
        return
    offer = models.offer(_models(view), lambda model: model.spec.title, as_they_are=True)
    if not offer.offered:
        st.caption(tr("No mapping model can outline detection {selected}.").format(selected=view.selected))
        offer.tell_left_out(tr_noop("this image"))
        return
    left, right = st.columns([3, 1], vertical_alignment="bottom")
    with left:
        chosen = offer.select(
            f"Outline detection {view.selected} with", key=f"outline-model-{view.result.id}",
            explained=tr("The model maps the surroundings of the box. The outline is what it maps mostly within the "
                         "box."),
        )  # fmt: skip
    model = chosen.model.spec.name
    question = outline_question(view.findings, view.selected, model)
    known = known_outline(resources.store(), view.result, question)
    if known is not None and known.active:
        jobs.follow(known.id, what="Outlining the box")
        return
    done = known is not None and known.status == "done" and jobs.missing_files(known) is None
    with right:
        words = "Outlined" if done else "Outline"
        pressed = st.button(words, width="stretch", disabled=done, key=f"outline-box-{view.result.id}")
    offer.tell_score(chosen)
    offer.tell_left_out(tr_noop("this image"))
    if pressed:
        with guard():
            _start(view, question)
            rerun_fragment()
    if known is None:
        return
    if done:
        _tell(view, known)
    else:
        jobs.show_ended(known, opens=False)


def _models(view: View) -> tuple[Fitting, ...]:
    """Mapping models, those that fit the scene best first; they are given the bands that the detector was given."""
    from core.learning.fit import fittings
    from core.tasks.joined.box_outline import known_bands

    return fittings("mapping", view.record.scene, known_bands(view.result))


def _start(view: View, question: OutlineQuestion) -> None:
    """Outline a box at once, or have a large one outlined by a job."""
    from core.tasks.joined.box_outline import order_outline, outline_box

    if question.is_large(view.result.grid):
        resources.jobs().submit(order_outline(view.result, question, owner=resources.visitor()))
        return
    with st.spinner(tr("Outlining the box")):
        outline_box(resources.store(), view.result, question)


def _tell(view: View, run: Run) -> None:
    """Say what was mapped in the box, and offer it."""
    numbers = run.metrics
    area = numbers.get(_column(view.result))
    if area is None:
        st.info(plain(" ".join(run.notes)))
        return
    share, sure = numbers.get("box_share") or 0.0, numbers.get("mean_probability") or 0.0
    st.markdown(
        tr(
            "**{area}** mapped in this box, {share:.0f} % of it, with a mean probability of "
            "{sure:.2f}. It is shown in the map layer *Outlines of detections*. It is a model result, not a survey."
        ).format(area=_area(area, view.result), share=100 * share, sure=sure)
    )
    if run.notes:
        st.caption(plain(" ".join(run.notes)))
    link(run, "outline", "Outline with its provenance, GeoPackage")


def _area(value: float, result: DetectionResult) -> str:
    return single_area_text(value, result.grid.in_metres)


def _column(result: DetectionResult) -> str:
    return "area_m2" if result.grid.in_metres else "area_px"
