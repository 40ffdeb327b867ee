"""The legend of a picture, in the colours and words of the map's own."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

import streamlit as st

from ui.map_words import translated

if TYPE_CHECKING:
    from core.plots.colours import Legend

EDGE = "border:1px solid color-mix(in srgb, currentColor 50%, transparent);border-radius:2px"


def show_legend(legend: Legend, note: str = "") -> None:
    """Show what the colours of a picture mean.

    Parameters
    ----------
    legend
        A continuous scale, or separate colours that are drawn as filled areas or as lines.
    note
        A further sentence below it, in the visitor's language.
    """
    st.html(f'<div style="font-size:0.875rem;max-width:24rem">{_content(legend)}</div>')
    if note:
        st.caption(note)


def _content(legend: Legend) -> str:
    said = translated((legend.title, *(entry.label for entry in legend.entries)))

    def word(text: str) -> str:
        return escape(said.get(text, text))

    title = f"<div>{word(legend.title)}</div>" if legend.title else ""
    if legend.kind == "ramp":
        colours = ",".join(entry.colour for entry in legend.entries)
        words = "".join(f"<span>{word(entry.label)}</span>" for entry in legend.entries if entry.label)
        return (
            f'{title}<div style="height:12px;background:linear-gradient(to right,{colours});{EDGE}"></div>'
            f'<div style="display:flex;justify-content:space-between;gap:6px">{words}</div>'
        )
    entries = []
    for entry in legend.entries:
        lines = {"line": "solid", "dashed": "dashed"}
        drawn = f"border:2px {lines[entry.drawn]} {entry.colour}" if entry.drawn in lines else (
            f"background:{entry.colour};{EDGE}"
        )  # fmt: skip
        entries.append(
            '<span style="display:inline-flex;align-items:center;gap:6px">'
            f'<span style="width:14px;height:14px;{drawn}"></span>{word(entry.label)}</span>'
        )
    return f'{title}<div style="display:flex;flex-wrap:wrap;gap:2px 16px">{"".join(entries)}</div>'
