"""What changes how far a result may be relied on: warnings, the model's limits, and how the scene was read."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlencode

import streamlit as st

from ui import labels, resources
from ui.feedback import plain
from ui.messages import tr
from ui.task.task import view_keys

if TYPE_CHECKING:
    from collections.abc import Sequence

    from core.runs.records import SceneRecord
    from core.tasks.imagery.result import ImageResult


def show_warnings(record: SceneRecord, result: ImageResult) -> None:
    """Say what changes how far a result may be relied on."""
    warnings = warnings_of(record, result)
    if warnings:
        st.warning("  \n".join(warnings))


def warnings_of(record: SceneRecord, result: ImageResult) -> list[str]:
    """What changes how far a result may be relied on, as Markdown."""
    from core.learning.training_distance import UNLIKE
    from core.report.cautions import is_warning

    warnings = []
    if record.scene.digest != result.scene_digest:
        warnings.append(tr("The image file was replaced after this run: the image shown is not the one processed."))
    for note in filter(is_warning, result.notes):
        told = plain(note)
        if note.startswith(UNLIKE) and record.scene.synthetic:
            expected = tr("This is expected here: the image is synthetic, and the model was trained on real images.")
            told = f"{told}  \n{plain(expected)}"
        warnings.append(told)
    return warnings


def show_notes(
    result: ImageResult, task: str, warnings: Sequence[str] = (), limits: Sequence[str] = ()
) -> None:
    """The model with its limits, and the notes on how the scene was read, each one click away.

    Parameters
    ----------
    task
        Name of the task.
    warnings
        Those that are not shown above the map, to leave room for it: see `warnings_of`.
    limits
        Of the model, beside those that its card names.
    """
    from core.report.cautions import is_warning

    show_model(task, result.model, limits)
    if warnings:
        with st.popover(labels.count(len(warnings), "warning"), icon=":material/warning:"):
            st.markdown("\n".join("- " + one.replace("\n", "\n  ") for one in warnings))
    notes = [note for note in result.notes if not is_warning(note)]
    if notes:
        with st.popover(labels.count(len(notes), "note"), help=tr("How this image was read")):
            st.markdown("\n".join(f"- {plain(note)}" for note in notes))
    link_to_reading(result.id)


def show_maker(result: ImageResult) -> None:
    """By which model the result is, and when it was made: the form beside it may ask another model by now."""
    run = resources.store().run(result.id)
    when = labels.moment(run.finished or run.created)
    st.caption(tr("Result of {model}, {when}").format(model=plain(labels.model(run) or tr("the run")), when=when))


def show_lead(lead: str, run: str) -> None:
    """The one sentence that a result comes to, with the link to where the run can be read."""
    st.markdown(f"**{plain(lead)}** [{tr('Reading view')}]({_reading(run)})")


def link_to_reading(run: str) -> None:
    """A link to the reading view of a run, in the view that the page's address names."""
    about = tr("Opens the result as a page for reading, without controls, in a new tab")
    st.link_button(tr("Reading view"), _reading(run), type="tertiary", help=about, icon=":material/open_in_new:")


def _reading(run: str) -> str:
    """Address of the reading view, which links open in another tab of the browser.

    On the way to another page Streamlit would take the view out of a link.
    """
    view = {name: value for name, value in st.query_params.items() if name in view_keys()}
    return f"{resources.base_path()}/read?{urlencode({'run': run, **view})}"


def show_model(task: str, name: str, further: Sequence[str] = ()) -> None:
    """The name of a model, with its known limits and further ones one click away."""
    limits = (*labels.model_limits(task, name), *further) if name else ()
    if limits:
        with st.popover(tr("Model limits"), help=plain(labels.model_title(task, name))):
            st.markdown(f"**{plain(labels.model_title(task, name))}**")
            st.markdown("\n".join(f"- {plain(limit)}" for limit in limits))
