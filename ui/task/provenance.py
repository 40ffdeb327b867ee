"""Provenance: what this result was computed from, with what, and when."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import streamlit as st

from core.report.words import moment_of
from core.review.corrected import origin_words
from core.runs.kinds import role_title
from core.wording import count
from ui import labels, resources
from ui.feedback import plain
from ui.messages import tr
from ui.task.view import View

if TYPE_CHECKING:
    from core.runs.result import RunResult

Line = tuple[str, str]


def show(view: View) -> None:
    """A summary in words and the whole record of a run on an image."""
    show_record(view.result, view.record.origin)


def show_record(result: RunResult, origin: str = "") -> None:
    """A summary in words and the whole record of a run.

    Parameters
    ----------
    origin
        Where the data came from, in words.
    """
    lines = [(tr("Run"), result.id), *_data(result, origin), *_computation(result)]
    st.markdown("\n".join(f"- {title}: {plain(text)}" for title, text in lines))
    with st.expander(tr("Full record")):
        st.json(dict(result.provenance), expanded=2)


def _data(result: RunResult, origin: str) -> Iterator[Line]:
    """The scene as it is recorded, else every input."""
    scene = result.provenance.get("scene")
    if scene:
        name = tr("{name} (content SHA-256 {digest}…)")
        yield tr("Image"), name.format(name=scene["name"], digest=scene["digest"][:16])
    else:
        for one in result.inputs:
            yield (
                tr(role_title(one.role)),
                tr("{name} (content SHA-256 {digest}…)").format(name=one.name, digest=one.digest[:16]),
            )
    yield tr("Origin"), origin_words(origin) or tr("unknown")
    reference = result.provenance.get("truth")
    if reference:
        yield tr("Reference"), tr("{name} (file SHA-256 {digest}…)").format(
            name=reference["name"], digest=reference["sha256"][:16]
        )
    if scene:
        yield tr("Image licence"), scene["licence"] or tr("not stated")
        yield tr("Citation"), scene["citation"] or tr("not stated")


def _computation(result: RunResult) -> Iterator[Line]:
    record = result.provenance
    model, runtime = record.get("model"), record.get("runtime")
    if model:
        yield (
            tr("Model"),
            tr("{name} (weights SHA-256 {weights_sha256}…)").format(
                name=_named(result, model["name"]), weights_sha256=model["weights_sha256"][:16]
            ),
        )
    if runtime:
        yield tr("Runtime"), f"{runtime['name']}, {count(runtime['threads'], 'thread')}"
    yield tr("Finished"), tr("{time}, after {seconds:g} s").format(
        time=moment_of(record["finished"]), seconds=record["seconds"]
    )  # fmt: skip


def _named(result: RunResult, name: str) -> str:
    """Title of a model with the name by which commands ask for it."""
    title = labels.model_title(resources.store().run(result.id).task, name)
    return name if title == name else f"{title}, {name}"
