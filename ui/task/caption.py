"""What a picture of a map says of itself: scene, run, model, date, and where the data come from."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from core.runs.kinds import kind_of
from ui import labels, resources
from ui.maps import Caption

if TYPE_CHECKING:
    from core.runs.records import Run, SceneRecord
    from core.runs.result import RunResult


def caption(record: SceneRecord, run: str = "") -> Caption:
    """What a picture of a scene's map says.

    Parameters
    ----------
    run
        Id of the finished run that is shown; empty for the scene alone.
    """
    return _caption(record.id, record.scene.digest, run, record)


@st.cache_resource(max_entries=64, show_spinner=False)
def _caption(scene: str, digest: str, run: str, _record: SceneRecord) -> Caption:
    del scene, digest  # parts of the key
    found = resources.store().run(run) if run else None
    return Caption(_record.scene.name, "" if found is None else about(found), credits_of(_record))


def caption_of(result: RunResult, title: str) -> Caption:
    """What a picture of the map of a run says, whatever datasets it used."""
    store = resources.store()
    records = [store.dataset(one.dataset_id) for one in result.inputs]
    credits = tuple(dict.fromkeys(
        f"{one.name}{' (synthetic, generated)' if one.synthetic else ''}{f', {one.citation}' if one.citation else ''}."
        for one in records
    ))  # fmt: skip
    return Caption(title, about(store.run(result.id)), credits)


def about(run: Run) -> str:
    """The run in a line: what it is, by which model, when, and its id."""
    when = run.finished or run.created
    known = kind_of(run)
    kind = run.kind if known is None else known.title_of(run)  # in English, as it stands in a file
    parts = [kind, labels.model(run), f"{when.day} {when:%B %Y}", f"run {run.id}"]
    return " · ".join(part for part in parts if part)


def credits_of(record: SceneRecord) -> tuple[str, ...]:
    """Where the image comes from, in a line."""
    scene = record.scene
    parts = ["synthetic, generated" if scene.synthetic else "", scene.citation]
    parts.append(f"licence: {scene.licence}" if scene.licence else "")
    told = "; ".join(part for part in parts if part)
    return (f"Image: {scene.name}{f' ({told})' if told else ''}.",)
