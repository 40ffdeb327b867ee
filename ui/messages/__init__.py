"""Texts of the pages in the visitor's language.

The English text in the code is the key of a message. `tr` gives its translation, and the English text where there is
none. The message files are in the format of GNU gettext: ``slidelens.pot`` lists every message, ``es.po`` and ``zh.po``
hold the translations. Messages of the store, of reports and of commands are in English: what is recorded with a run
reads the same for everyone who opens it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from ui.state import Slot

FOLDER = Path(__file__).parent

LANGUAGES: Mapping[str, str] = {"en": "English", "es": "Español", "zh": "中文"}
"""Languages of the pages by their code (BCP 47), each by its own name."""

ENGLISH = "en"

COOKIE = "slidelens-language"
"""Cookie in which the browser keeps the language that was chosen."""

_YEAR = 365 * 24 * 3600

_CHOSEN: Slot[str] = Slot("language", "")

_SHOWN: Slot[str] = Slot("language-shown", "")
"""The language in which the pages were shown last."""


def tr(text: str) -> str:
    """Return a text in the visitor's language, the text itself where it is not translated.

    Parameters
    ----------
    text
        The English text as a literal, so that it is found by the extraction; placeholders in braces are filled in
        afterwards: ``tr("{count} runs chosen").format(count=3)``.
    """
    chosen = language()
    return text if chosen == ENGLISH else catalog(chosen).get(text, text)


def tr_noop(text: str) -> str:
    """Mark a text for translation that is translated where it is shown, such as a constant of a module."""
    return text


def language() -> str:
    """Code of the visitor's language: what was chosen in this tab, else what the browser keeps, else English."""
    if get_script_run_ctx(suppress_warning=True) is None:
        return ENGLISH
    chosen = _CHOSEN.get() or str(st.context.cookies.get(COOKIE, ""))
    return chosen if chosen in LANGUAGES else ENGLISH


@lru_cache(maxsize=len(LANGUAGES))
def catalog(code: str) -> Mapping[str, str]:
    """Return the translations of a language by their English texts.

    Parameters
    ----------
    code
        One of `LANGUAGES`, other than English.
    """
    from babel.messages.pofile import read_po

    with (FOLDER / f"{code}.po").open("rb") as file:
        messages = read_po(file, locale=code)
    return {str(one.id): str(one.string) for one in messages if one.id and one.string and not one.fuzzy}


def choose_language() -> None:
    """Offer the languages, and have the browser keep the one that is chosen for its next visits."""
    before = language()
    if _SHOWN.get() not in ("", before):
        _keep_choices()
    _SHOWN.put(before)
    codes = list(LANGUAGES)
    chosen = st.selectbox(
        tr("Language"), codes, index=codes.index(before), format_func=LANGUAGES.__getitem__, key="choose-language"
    )
    if chosen != before:
        _CHOSEN.put(chosen)
        st.rerun()
    if chosen != ENGLISH:
        st.caption(tr("Labels, headings and buttons are translated. Other texts and exports are in English."))
    kept = f"{COOKIE}={chosen}; path=/; max-age={_YEAR}; SameSite=Lax"
    script = f"document.documentElement.lang = {json.dumps(chosen)};"
    if _CHOSEN.get():
        script += f" document.cookie = {json.dumps(kept)};"
    st.html(f"<script>{script}</script>", unsafe_allow_javascript=True)


def _keep_choices() -> None:
    """Keep what is chosen in lists although their options read otherwise now.

    A browser sends an option by the words that it shows, and goes on showing those until it is told other ones.
    """
    for key, value in list(st.session_state.items()):
        if type(value) in (str, int, float) or (type(value) is list and all(type(one) is str for one in value)):
            st.session_state[key] = value
