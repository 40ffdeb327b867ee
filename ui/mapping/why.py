"""Why: explanations of one landslide or of a place, and those that were asked for before.

The one that is shown stands in the page's address, as ``?why=``: its layer lies on the map, its pictures here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import streamlit as st

from ui.feedback import plain
from ui.mapping.view import View
from ui.messages import tr
from ui.task import explain
from ui.task.explained import show_explained
from ui.task.judged import is_made
from ui.task.selection import Selection

if TYPE_CHECKING:
    from core.runs.records import Run

TASK = "mapping"

SAME = 0.01
"""Share of its area by which an outline may differ from the one that was explained; stored ones are rounded."""


def show(view: View) -> None:
    """Explain the chosen polygon or clicked place, and show what the model reacted to."""
    explain.open_awaited(TASK)
    _ask(view)
    show_explained(
        TASK, view.result, "map", lambda run: explain.show(view, run, _noun(run)),
        lambda run: _about(run, view),
    )  # fmt: skip


def _ask(view: View) -> None:
    from core.explain.regions import METHODS
    from core.learning.store import find_model
    from core.tasks.mapping.run_explanation import METHOD, layers_of, order_explanation, request_for

    target = _target(view)
    if target is None:
        current = Selection(view.result.id).current
        st.info(
            tr("{name} was made in the review. Explanations are of what the model mapped: click a point inside it on "
            "the map to explain the landslide that the model mapped there, or the probability at that "
            "point.").format(name=plain(current))
            if current and is_made(view.result.id, current) else
            tr("Click a landslide or any location on the map, or choose a row under Findings, then explain it here.")
        )  # fmt: skip
        return
    layers, _ = layers_of(view.result.model)
    explain.ask(
        explain.Asking(
            TASK, view.result, _words(view), METHODS, find_model(TASK, view.result.model),
            {layer.name: layer.title for layer in layers}, METHOD,
            lambda method, layer: request_for(target, method, layer, curves=False),
            lambda request, owner: order_explanation(view.result, request, owner=owner),
        )
    )  # fmt: skip


def _target(view: View) -> Any:  # noqa: ANN401  one polygon, or row and column
    if view.selected is not None and view.findings is not None:
        chosen = view.findings.polygons[view.findings.polygons["id"] == view.selected]
        if len(chosen):
            return chosen
    return view.clicked


def _words(view: View) -> str:
    if view.selected is not None:
        return tr("Why was landslide {selected} mapped?").format(selected=view.selected)
    assert view.clicked is not None  # noqa: S101  a target is there
    row, column = view.clicked
    return tr("Why this probability at row {row}, column {column}?").format(row=row, column=column)


def _about(run: Run, view: View) -> str:
    """What an explanation asked about, and how, in words."""
    method = explain.method_of(run)
    return f"{_place(run, view)}, {method}" if method else _place(run, view)


def _noun(run: Run) -> str:
    """What an explanation is of, in a word: of a landslide, or of the place of one pixel."""
    return "place" if "row" in (run.parameters.get("target") or {}) else "landslide"


def _place(run: Run, view: View) -> str:
    target = run.parameters.get("target") or {}
    if "row" in target:
        return tr("Row {row}, column {column}").format(row=target["row"], column=target["column"])
    if target.get("outline") and view.findings is not None and len(view.findings.polygons):
        from shapely.geometry import shape

        # By place: at other sliders it may be a part of a larger landslide, and old runs recorded numbers.
        asked, polygons = shape(target["outline"]), view.findings.polygons
        inside = polygons[polygons.geometry.contains(asked.representative_point())]
        if len(inside):
            same = abs(inside.geometry.iloc[0].area / asked.area - 1) < SAME
            form = tr("Landslide {name}") if same else tr("Landslide {name} with its outline at other slider settings")
            return form.format(name=inside["id"].iloc[0])
    return tr("A landslide at other slider settings")
