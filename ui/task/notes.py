"""What must be known about a result before it is looked at."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from ui.feedback import plain

if TYPE_CHECKING:
    from core.runs.records import SceneRecord
    from core.tasks.imagery.result import ImageResult


def show_notes(record: SceneRecord, result: ImageResult) -> None:
    """The notes of a result in one quiet block; a scene the model has seen is a warning."""
    seen = result.provenance["scene"]["seen_by_model"]
    text = "  \n".join(plain(note) for note in result.notes)
    if record.scene.digest != result.scene_digest:
        st.warning("The scene's file was replaced since this run: the image is not the one that was looked at.")
    if seen:
        st.warning(text)
    elif text:
        st.caption(text)
