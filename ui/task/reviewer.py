"""Who reviews: a name, asked once, which goes with each edit."""

from __future__ import annotations

from urllib.parse import unquote

import streamlit as st

from ui.feedback import plain
from ui.messages import tr
from ui.state import Slot

NAME: Slot[str | None] = Slot("reviewer", None)
"""What the reviewer wrote as a name in this session; None for nothing yet."""

NAME_FIELD = "reviewer-name"
"""Begins the key of the field for the name, by which ``static/page.js`` finds it."""

COOKIE = "slidelens-reviewer"
"""Keeps the name until the browser is closed; that script writes it."""

LONGEST_NAME = 80


def name_in(text: str) -> str:
    """The name in what a visitor wrote, or a browser says: one line, not too long."""
    return " ".join(text.split())[:LONGEST_NAME]


def reviewer() -> str:
    """The reviewer's name: written in this session, or before the page was loaded anew; empty for none."""
    written = NAME.get()
    return name_in(unquote(st.context.cookies.get(COOKIE, ""))) if written is None else written


def is_named() -> bool:
    """Whether the reviewer wrote a name, without which nothing can be edited."""
    return bool(reviewer())


def ask_name(run: str) -> None:
    """The reviewer's name: a field until it is there, then a button that shows it."""
    key = f"{NAME_FIELD}-{run}"

    def named() -> None:
        NAME.put(name_in(str(st.session_state[key])))

    place = st.popover(plain(reviewer()), icon=":material/person:") if is_named() else st.container(width=130)
    with place:
        st.text_input(
            tr("Reviewer"), reviewer(), max_chars=LONGEST_NAME, placeholder=tr("Your name"), key=key,
            on_change=named, help=tr("Saved with each of your edits."),
        )  # fmt: skip
