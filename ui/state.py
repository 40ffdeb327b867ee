"""What a visitor has chosen, with a type: ids, digests and small choices, never arrays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar, cast

import streamlit as st
from streamlit.errors import StreamlitAPIException

T = TypeVar("T")


@dataclass(frozen=True)
class Slot(Generic[T]):
    """A place in the visitor's session.

    Parameters
    ----------
    key
        Name of the place; begin it with the page's name.
    default
        What it holds until something is put there.
    """

    key: str
    default: T

    def get(self) -> T:
        """Return what was chosen."""
        return cast("T", st.session_state.get(self.key, self.default))

    def put(self, value: T) -> None:
        """Keep a choice until the session ends."""
        st.session_state[self.key] = value

    def clear(self) -> None:
        """Forget the choice."""
        st.session_state.pop(self.key, None)


def rerun_fragment() -> None:
    """Run the fragment anew, or the page where the page as a whole is being run: Streamlit refuses the former then."""
    try:
        st.rerun(scope="fragment")
    except StreamlitAPIException:
        st.rerun()
