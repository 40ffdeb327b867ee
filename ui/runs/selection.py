"""Several runs that were chosen together."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from core.errors import LandslideError
from ui import labels, resources
from ui.feedback import plain, show_error
from ui.messages import tr
from ui.runs.parameter_diff import same_or, told_apart

if TYPE_CHECKING:
    from core.runs.records import Run

MOST = 6
"""Runs that can be read beside each other."""


def show(ids: tuple[str, ...]) -> None:
    """Name the chosen runs and offer to compare them, or say why they cannot be."""
    try:
        runs = [resources.store().run(identity) for identity in ids]
    except LandslideError as error:
        show_error(error)
        return
    st.subheader(tr("{count} runs selected").format(count=len(runs)))
    apart = told_apart(runs)
    lines = (
        [f"{run.title}{labels.part(run)}", labels.model(run), same_or(apart, run),
         labels.moment(run.finished or run.created)]
        for run in runs
    )  # fmt: skip
    st.markdown("\n".join(f"- {plain(' · '.join(part for part in line if part))}" for line in lines))
    why = refusal(runs)
    if why:
        st.info(why)
        return
    # The older one first: what is compared reads from left to right.
    asked = {"runs": ",".join(run.id for run in reversed(runs))}
    st.page_link("../pages/compare.py", label=tr("Compare runs"), icon=":material/compare:", query_params=asked)


def refusal(runs: list[Run]) -> str:
    """Why runs cannot be compared, empty when they can."""
    from core.runs.kinds import is_primary

    if len({run.task for run in runs}) > 1:
        return tr("These runs belong to different tasks. Select runs of one task to compare them.")
    if not all(is_primary(run) for run in runs):
        return tr("Only results can be compared, such as maps with maps or detections with detections.")
    if any(run.status != "done" for run in runs):
        return tr("Not all of these runs are done. Select finished runs to compare them.")
    if len(runs) > MOST:
        return tr("More than {most} runs cannot be compared at a time. Select fewer.").format(most=MOST)
    return ""
