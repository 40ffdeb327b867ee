"""Lists of options that are shown in the visitor's language; what is chosen is the same in all of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

import streamlit as st

from ui.messages import tr
from ui.state import Slot

O = TypeVar("O")  # noqa: E741  an option


def words_of(options: Mapping[O, str], names: Iterable[O] = ()) -> Callable[[O], str]:
    """The words of options in the visitor's language, for ``format_func``.

    A widget sends the words that are shown: where several options would have the same, they keep their English ones.

    Parameters
    ----------
    options
        English words by option.
    names
        Further options that visitors named: they read as they are.
    """
    shown = {option: tr(text) for option, text in options.items()}
    seen = Counter([*shown.values(), *map(str, names)])
    return lambda option: shown[option] if seen[shown.get(option, "")] == 1 else options.get(option, str(option))


def in_address(
    label: str, options: Mapping[O, str], first: O, *, key: str, names: Iterable[O] = (),
    control: Callable[..., Any] = st.selectbox, **more: Any,  # noqa: ANN401  as the widget takes it
) -> O:  # fmt: skip
    """Offer options of which the chosen one stands in the page's address, by its name, in every language.

    Streamlit would put the words that are shown into the address, and find no option by those of another language.

    Parameters
    ----------
    label
        What is chosen.
    options
        English words by name of an option, by either of which an address may call it.
    first
        What is chosen until the visitor chooses otherwise; nothing stands in the address for it.
    key
        Key of the widget, and name in the address.
    names
        Further options that visitors named: they read as they are.
    control
        `streamlit.selectbox` or `streamlit.segmented_control`.
    more
        Further options of the widget.
    """
    kept: Slot[str | None] = Slot(f"in-address-{key}", None)
    said = st.query_params.get(key)
    listed = [*options, *names]
    known = {**{text: option for option, text in options.items()}, **{str(option): option for option in listed}}
    if st.session_state.get(key) not in listed or said != kept.get():
        st.session_state[key] = known.get(said or "", first)
    chosen: O = control(label, listed, key=key, format_func=words_of(options, names), **more)
    if chosen == first:
        st.query_params.pop(key, None)
    elif said != str(chosen):
        st.query_params[key] = str(chosen)
    kept.put(st.query_params.get(key))
    return chosen
