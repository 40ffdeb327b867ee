"""Fuse: the boxes of this run with those of a detector that saw the shape of the ground, by a tree that can be read."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from core.tasks.detection.result import DetectionResult
from ui import resources
from ui.detection.form import title
from ui.detection.scores import NAMES
from ui.detection.task import PAGE
from ui.detection.view import View, found
from ui.feedback import empty, plain
from ui.labels import model_title, moment
from ui.messages import tr, tr_noop
from ui.task import models
from ui.task.earlier import newest
from ui.task.key_figures import score_text
from ui.task.run import show_state

if TYPE_CHECKING:
    from core.runs.records import Order, Run
    from core.tasks.detection.fusion import FusionTree


def show(view: View) -> None:
    """Search the ground below the scene, choose a tree and fuse; of a fused run, what it stands on, by which rules."""
    st.subheader(tr("Combine with terrain"))
    if view.result.kind == "fused":
        _tell(view)
        return
    if not view.result.grid.is_georeferenced:
        st.info(tr("Only images with a coordinate system can be combined with an elevation model."))
        return
    from core.tasks.detection.terrain import terrain_runs

    known = terrain_runs(resources.store(), view.result)
    if not known:
        _search(view)
        return
    _fuse(view, known)


def _search(view: View) -> None:
    """Run a detector of terrain on the elevation model of the scene."""
    from core.tasks.detection.terrain import terrain_fittings

    if view.record.dem is None:
        empty(
            tr("This image has no elevation model."),
            tr("Attach one under “Image”, then run a terrain detector on it."),
        )
        return
    found = terrain_fittings(view.record)
    if not found:
        empty(
            tr("No terrain detector is installed."),
            tr("Train one: `python -m core detection train models/configs/detection/dem-fcos.toml --data DATA`."),
        )
        return
    offer = models.offer(found, title, as_they_are=True)
    if not offer.offered:
        st.caption(tr("No terrain detector can be run on this elevation model."))
        offer.tell_left_out(tr_noop("this elevation model"))
        return
    st.caption(
        tr("A second detector searches hillshade, slope and slope position alone. A decision tree then combines both "
        "detectors for each detection.")
    )
    chosen = offer.select("Terrain detector", key=f"terrain-model-{view.result.id}")
    offer.tell_score(chosen)
    offer.tell_left_out(tr_noop("this elevation model"))
    model = chosen.model.spec.name
    order = _order(view, model) if _relief_known(view) else None
    run = None if order is None else newest(order)
    if run is not None:
        show_state(run, PAGE, opens=False)
    elif st.button(tr("Run on the elevation model")):
        resources.jobs().submit(_order(view, model))
        st.rerun()


def _relief_known(view: View) -> bool:
    """Whether the relief of the scene was made before; looking must not make it."""
    from core.tasks.detection.terrain import relief_file

    return view.record.dem is not None and relief_file(resources.store(), view.record).is_file()


def _order(view: View, model: str) -> Order:
    from core.tasks.detection.run import Request, order_of
    from core.tasks.detection.terrain import relief_scene

    with st.spinner(tr("Preparing terrain layers")):
        record = relief_scene(resources.store(), view.record)
    area = resources.store().run(view.result.id).parameters.get("area")
    return order_of(record, Request(model), area, owner=resources.visitor())


def _fuse(view: View, known: list[Run]) -> None:
    from core.tasks.detection.run_fused import find_tree, list_trees, order_fused

    trees = list_trees()
    if not trees:
        empty(
            tr("No decision tree is installed."),
            tr("Train one on three areas or more: `python -m core detection fuse-train`."),
        )
        return
    titles = {run.id: f"{model_title('detection', run.model)} · {moment(run.created)}" for run in known}
    left, right = st.columns(2, gap="medium")
    terrain = left.selectbox(tr("Detections on the terrain"), list(titles), format_func=titles.__getitem__)
    tree = find_tree(str(right.selectbox(tr("Decision tree"), list(trees))))
    _rules(tree)
    if tree.needs_ground and view.record.dem is None:
        st.info(tr("This tree uses slope or relief: first attach an elevation model under *Image*."))
        return
    from core.tasks.detection.result import DetectionResult

    order = order_fused(
        view.result, resources.store().result(str(terrain), DetectionResult), tree, owner=resources.visitor()
    )
    run = newest(order)
    if run is None:
        if st.button(tr("Combine detections"), type="primary"):
            resources.jobs().submit(order)
            st.rerun()
    elif show_state(run, PAGE, opens=False) and st.button(tr("Open combined run"), type="primary"):
        _open(run.id)


def _open(identity: str) -> None:
    st.query_params.from_dict({"run": identity})
    st.rerun()


def _rules(tree: FusionTree) -> None:
    with st.expander(tr("Rules of the decision tree {name}").format(name=plain(tree.name))):
        rules = tree.rules()
        table = {
            tr("Condition"): [rule for rule, *_ in rules],
            tr("Landslide probability"): [f"{100 * chance:.0f} %" for _, chance, _ in rules],
            tr("Training boxes"): [f"{boxes:,}" for *_, boxes in rules],
        }
        st.dataframe(table, hide_index=True, alt="Rules of the decision tree")
        places = ", ".join(map(str, tree.trained.get("places", ())))
        st.caption(
            plain(tr("{summary} Trained on: {places}.").format(summary=tree.summary, places=places or "unknown areas"))
        )
        _apart(tree)


def _apart(tree: FusionTree) -> None:
    """What trees learnt like this one did in places they had not seen."""
    told = tree.trained.get("nested_cross_validation")
    if not isinstance(told, dict):
        return
    rows = {tr_noop("Image only"): "optical", tr_noop("Terrain only"): "terrain", tr_noop("Combined"): "fused"}
    try:
        table = {"": [tr(one) for one in rows], **{
            tr(title): [score_text(float(told[name][score])) for name in rows.values()]
            for score, title in NAMES.items() if score in ("ap50", "f1", "precision", "recall")
        }}  # fmt: skip
    except (KeyError, TypeError, ValueError):
        return
    st.dataframe(table, hide_index=True, alt="Scores on held-out areas")
    st.caption(tr("Each area is scored by a tree trained, and its depth selected, without that area."))


def _tell(view: View) -> None:
    """What a fused run stands on, and how each part does by itself."""
    from core.tasks.detection.findings import default_choice
    from core.tasks.detection.fusion import FusionTree
    from core.tasks.detection.result import DetectionResult

    store = resources.store()
    parents = [store.result(parent, DetectionResult) for parent in view.result.parents]
    for what, parent in zip((tr("Detections on the image"), tr("Detections on the terrain")), parents, strict=True):
        label = f"{what}: {model_title('detection', parent.model)}"
        st.page_link(PAGE.page, label=label, query_params={"run": parent.id})
    _rules(FusionTree.from_json(view.result.provenance["tree"]))
    if view.result.has_reference:
        _scores(view, parents, [default_choice(parent) for parent in parents])


def _scores(view: View, parents: list[DetectionResult], choices: list[object]) -> None:
    """Both parents and what was made of them beside the same reference."""
    from core.tasks.detection.metrics import scores
    from core.tasks.detection.run_fused import moved

    truth = view.result.reference()
    if truth is None:
        return
    rows: dict[str, list[str]] = {"": [tr("Image only"), tr("Terrain only"), tr("Combined")]}
    told = []
    for parent, choice in zip(parents, choices, strict=True):
        boxes = found(parent.id, choice, parent).everything  # type: ignore[arg-type]
        told.append(scores([moved(boxes, parent.grid, view.result.grid)], [truth], parent.confidence, limit=None))
    told.append(scores([view.findings.everything], [truth], view.result.confidence, limit=None))
    rows |= {tr(title): [score_text(getattr(one, name)) for one in told] for name, title in NAMES.items()}
    st.dataframe(rows, hide_index=True, alt="Scores of image, terrain and combined detections")
    st.caption(
        tr(
            "Each at its own confidence threshold, on the same reference. Combining does not always help: compare "
            "the scores."
        )
    )
