"""What is drawn on a map: what the browser tells of it, and what the page puts in its place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import streamlit as st

from ui.state import Slot

if TYPE_CHECKING:
    from ui.maps import MapSpec


@dataclass(frozen=True)
class Replaced:
    """A drawing that the page put on a map in place of what was drawn there.

    Parameters
    ----------
    number
        How often that was done.
    drawing
        As `MapEvent.drawn`; None for none.
    before
        What the browser had told of its drawings until then, which is no longer so.
    """

    number: int = 0
    drawing: Mapping[str, Any] | None = None
    before: Sequence[Mapping[str, Any]] | None = None


def drawn_on(spec: MapSpec, *, key: str) -> dict[str, Any] | None:
    """What is drawn on a map, as the browser told last, also before the map is shown in this run of the page.

    Whoever draws and at once presses a button is heard with both: the page then acts before it comes to the map.

    Parameters
    ----------
    spec, key
        As given to `show_map`; the key belongs to this scene's map alone.

    Returns
    -------
    dict or None
        As `MapEvent.drawn`.
    """
    # st_folium keeps under this key what the map told since it was built.
    keep_drawing(spec, key, cast("Mapping[str, Any]", st.session_state.get(key) or {}))
    return _drawing(spec, key).get()


def replace_drawing(spec: MapSpec, drawing: Mapping[str, Any] | None, *, key: str) -> None:
    """Put a drawing on a map in place of what is drawn there, ready to be edited; None takes away what is drawn.

    Parameters
    ----------
    drawing
        As `MapEvent.drawn`.
    spec, key
        As given to `show_map`.
    """
    told = cast("Mapping[str, Any]", st.session_state.get(key) or {}).get("all_drawings")
    slot = replaced_drawing(spec, key)
    slot.put(Replaced(slot.get().number + 1, drawing, told))
    _drawing(spec, key).put(None if drawing is None else dict(drawing))


def draw_visible(spec: MapSpec, *, key: str) -> None:
    """Ask the browser to make what its map shows of the image the drawn area; it then tells of it as of any drawing.

    Where the whole image is visible, or none of it, the map says so and nothing changes.

    Parameters
    ----------
    spec, key
        As given to `show_map`.
    """
    asked = asked_visible(spec, key)
    asked.put(asked.get() + 1)


def put_drawing(spec: MapSpec, *, key: str) -> Mapping[str, Any] | None:
    """What `replace_drawing` put on a map last."""
    return replaced_drawing(spec, key).get().drawing


def replaced_drawing(spec: MapSpec, key: str) -> Slot[Replaced]:
    """What the page put on a map last."""
    return Slot(f"{key}-replaced-{spec.key}", Replaced())


def asked_visible(spec: MapSpec, key: str) -> Slot[int]:
    """How often the visible part was asked for."""
    return Slot(f"{key}-visible-{spec.key}", 0)


def _drawing(spec: MapSpec, key: str) -> Slot[dict[str, Any] | None]:
    return Slot(f"{key}-drawn-{spec.key}", None)


def keep_drawing(spec: MapSpec, key: str, value: Mapping[str, Any]) -> None:
    """Keep what is drawn on a map beyond the life of the map.

    Parameters
    ----------
    spec, key
        As given to `show_map`.
    value
        What the map tells.
    """
    from core.serve.coordinates import drawn_area

    # None means that nothing was drawn since the map was built, not that the drawing was removed.
    told = value.get("all_drawings")
    if told is not None and told != replaced_drawing(spec, key).get().before:
        _drawing(spec, key).put(drawn_area(spec.grid, told))
