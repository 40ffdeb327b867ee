"""A run that is no map, such as the training or evaluation of a model: what was asked, and all that came of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from core.errors import LandslideError
from ui import labels, resources
from ui.feedback import duration, plain, show_error
from ui.messages import tr
from ui.task import jobs

if TYPE_CHECKING:
    from core.runs.records import Run


def show(run: Run) -> None:
    """Everything of one run, in words, numbers and files."""
    st.subheader(plain(run.title), anchor=False)
    spent = "" if run.seconds is None or run.active else f"took {duration(run.seconds)}"
    line = (labels.kind(run), labels.status(run), run.model, labels.moment(run.created), spent, f"run {run.id[:8]}")
    st.caption(plain(" · ".join(part for part in line if part)))
    if run.active:
        jobs.follow(run.id, what=labels.kind(run))
    elif run.failure is not None and run.status != "done":
        show_error(LandslideError(run.failure.what, run.failure.why, run.failure.remedy))
    for note in run.notes:
        st.markdown(plain(note))
    _metrics(run)
    _files(run)
    st.markdown(tr("**Settings**"))
    st.json(dict(run.parameters), expanded=2)
    st.markdown(tr("**Provenance**"))
    st.json(resources.store().provenance(run.id), expanded=1)


def _metrics(run: Run) -> None:
    if not run.metrics:
        return
    with st.container(horizontal=True, gap="medium"):
        for name, value in run.metrics.items():
            title, text = labels.title_of_metric(name), labels.metric(name, value)
            st.metric(title, text, width="content", help=labels.meaning(name))


def _files(run: Run) -> None:
    if not run.artifacts:
        return
    st.markdown(tr("**Files**"))
    missing = jobs.missing_files(run)
    if missing is not None:
        show_error(missing)
    base = resources.base_path()
    for artifact in run.artifacts:
        if artifact.path.is_file():
            label = plain(f"{artifact.role} · {labels.size(artifact.size)}")
            st.link_button(label, f"{base}/artifacts/{run.id}/{artifact.role}")
