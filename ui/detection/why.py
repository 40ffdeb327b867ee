"""Why: explanations of one box, and those that were asked for before.

The one that is shown stands in the page's address, as ``?why=``: its layer lies on the map, its pictures here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from ui.detection.view import View
from ui.messages import tr
from ui.task import explain
from ui.task.explained import show_explained

if TYPE_CHECKING:
    from core.explain.layers import LayerChoice
    from core.runs.records import Run
    from core.tasks.detection.result import DetectionResult

TASK = "detection"

def show(view: View) -> None:
    """Explain the chosen box, and show what the detector reacted to."""
    explain.open_awaited(TASK)
    _ask(view)
    show_explained(
        TASK, view.result, "detection", lambda run: explain.show(view, run, "detection"),
        lambda run: _about(run, view),
    )  # fmt: skip


def _ask(view: View) -> None:
    from core.explain.boxes import METHODS
    from core.learning.store import find_model
    from core.tasks.detection.run_explanation import METHOD, order_explanation, question_of

    chosen = view.selected
    if chosen is None or view.box is None:
        st.info(tr("Choose a detection on the map or a row under Findings, then explain it here."))
        return
    layers = _layers(view.result.id, view.result)
    explain.ask(
        explain.Asking(
            TASK, view.result, tr("Why was detection {chosen} found?").format(chosen=chosen), METHODS,
            find_model(TASK, view.result.model), {layer.name: layer.title for layer in reversed(layers)}, METHOD,
            lambda method, layer: question_of(view.findings, chosen, method, layer, curves=False),
            lambda request, owner: order_explanation(view.result, request, owner=owner),
        )
    )  # fmt: skip


@st.cache_resource(max_entries=8, show_spinner="Loading the detector")
def _layers(run: str, _result: DetectionResult) -> tuple[LayerChoice, ...]:
    del run  # the key
    from core.tasks.detection.run_explanation import layers_of_detector

    return layers_of_detector(_result)


def _about(run: Run, view: View) -> str:
    """What an explanation asked about, and how, in words."""
    target, method = run.parameters.get("target") or {}, explain.method_of(run)
    how = f", {method}" if method else ""
    name = _name(target.get("box"), view)
    if name is not None:
        return f"Detection {name}{how}"
    if "score" not in target:
        return f"A detection{how}"
    return f"A detection of confidence {target['score']:.2f} at other slider settings{how}"


def _name(box: list[float] | None, view: View) -> str | None:
    """Id of a box, by its place, since old runs recorded numbers; None when it is not among those shown."""
    import numpy as np

    if box is None:
        return None
    same = np.flatnonzero((view.findings.boxes.corners == np.asarray(box, dtype=np.float32)).all(axis=1))
    return str(view.findings.names[same[0]]) if len(same) else None
