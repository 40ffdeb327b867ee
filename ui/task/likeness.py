"""Beside what was found: whether the model knows images like this one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from ui.feedback import plain
from ui.map_layers import Tiles, run_tiles

if TYPE_CHECKING:
    from core.tasks.imagery.result import ImageResult


def tell_likeness(result: ImageResult) -> None:
    """Say how far the scene is from the model's training images; where it is unlike them, the head warns."""
    from core.tasks.imagery.likeness import likeness_words

    st.caption(plain(likeness_words(result)))


def likeness_tiles(result: ImageResult) -> list[Tiles]:
    """The map layer of it, not ticked at first, as it may cover the scene; none where it was not measured."""
    from core.tasks.imagery.roles import TRAINING_DISTANCE

    if TRAINING_DISTANCE not in result.artifacts:
        return []
    return [run_tiles(result.id, TRAINING_DISTANCE, opacity=0.55, visible=False)]
