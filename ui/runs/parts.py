"""Parts of a report on a page: the same words, without a file."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from core.report.parts import (
    Column,
    Facts,
    Heading,
    Items,
    KeyFigures,
    Notice,
    Paragraph,
    Pictures,
    Table,
)
from core.wording import tied
from ui.feedback import plain
from ui.messages import tr

if TYPE_CHECKING:
    from collections.abc import Sequence

    from core.report.parts import Content, Picture

FULL = 900
"""Natural width of a picture, in CSS pixels, from which it gets a row of its own."""


def show(content: Content) -> None:
    """Show one piece of a report; all its text may come from files and users."""
    match content:
        case Paragraph():
            text = _text(content.text)
            st.markdown(f"#### {text}" if content.lead else text)
        case Heading():
            st.markdown(f"**{_text(content.text)}**")
        case Items():
            title = f"**{_text(content.title)}**\n\n" if content.title else ""
            st.markdown(title + "\n".join(f"- {_text(item)}" for item in content.items))
        case Notice():
            box = st.warning if content.tone == "warning" else st.info
            box(f"**{_text(content.title)}.** {_text(content.text)}")
        case KeyFigures():
            _figures(content)
        case Pictures():
            _pictures(content)
        case Table():
            _table(content.caption, content.columns, content.rows)
        case Facts():
            _table(content.caption, (Column(tr("Item")), Column(tr("Value"))), content.rows)


def _text(text: str) -> str:
    return tied(plain(text))


def _figures(content: KeyFigures) -> None:
    longest = max((len(figure.name) for figure in content.figures), default=0)
    with st.container(horizontal=True, gap="small"):
        for figure in content.figures:
            with st.container(width=max(200, 8 * longest), gap=None):  # so that no name is cut
                st.metric(_text(figure.name), _text(figure.value).replace("\\", ""))
                st.caption(_text(figure.words))


def _pictures(content: Pictures) -> None:
    beside = len(content.pictures) > 1 and all(picture.natural < FULL for picture in content.pictures)
    for place, picture in zip(
        st.columns(len(content.pictures)) if beside else [st.container() for _ in content.pictures],
        content.pictures,
        strict=True,
    ):
        with place:
            _picture(picture)


def _picture(picture: Picture) -> None:
    kind = "PNG" if picture.media_type == "image/png" else "JPEG"  # unless told, Streamlit writes every PNG as JPEG
    with st.container(width=picture.natural):  # narrower where the window is
        st.image(picture.file, caption=_text(picture.caption), alt=picture.alt, width="stretch", output_format=kind)


def _table(caption: str, columns: Sequence[Column], rows: tuple[tuple[str, ...], ...]) -> None:
    import pandas

    st.markdown(f"**{_text(caption)}**")
    heads = [_text(column.title) for column in columns]
    frame = pandas.DataFrame([[_text(cell) for cell in row] for row in rows], columns=heads)
    numbers = [head for head, column in zip(heads, columns, strict=True) if column.number]
    if not numbers or not frame.columns.is_unique or not len(frame):
        st.table(frame, border="horizontal", hide_index=True)
        return
    # Streamlit sets the side of each cell on the cell itself, which only this overrides.
    right = "text-align: right !important"
    style = frame.style.set_properties(subset=numbers, **{"text-align": "right !important"})
    style = style.set_table_styles({head: [{"selector": "th", "props": right}] for head in numbers}, overwrite=False)
    st.table(style, border="horizontal", hide_index=True)
