"""Texts of the pages in other languages: the message files fit the code, and the choice is kept."""

from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from ui import messages
from ui.messages import ENGLISH, FOLDER, LANGUAGES, extract

TRANSLATED = [code for code in LANGUAGES if code != ENGLISH]


def test_the_template_lists_every_message_of_the_code() -> None:
    listed = [str(one.id) for one in extract.read(extract.TEMPLATE) if one.id]
    assert listed == list(extract.messages()), "run: python -m ui.messages.extract"


@pytest.mark.parametrize("code", TRANSLATED)
def test_a_translation_has_every_label_and_the_same_placeholders(code: str) -> None:
    found = {str(one.id): str(one.string) for one in extract.read(FOLDER / f"{code}.po") if one.id}
    assert list(found) == list(extract.messages()), "run: python -m ui.messages.extract"
    assert [text for text, said in found.items() if extract.is_label(text) and not said] == []
    for text, said in found.items():
        if said:
            assert extract.placeholders(said) == extract.placeholders(text), text


def test_an_f_string_is_refused_and_texts_are_found_wherever_they_stand() -> None:
    source = 'A = tr_noop("one")\ndef f(x):\n    return g(x, label=tr("two " "and three {x}").format(x=x))\n'
    assert list(extract._in_file(source, "a.py")) == ["one", "two and three {x}"]
    with pytest.raises(SyntaxError, match=r"a\.py, line 1"):
        list(extract._in_file('tr(f"{x} runs")', "a.py"))


def test_a_chosen_language_is_shown_on_every_page_and_unknown_ones_are_english(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    test = AppTest.from_file(str(repository / "ui" / "main.py"), default_timeout=120).run()
    spanish = messages.catalog("es")
    (choice,) = [one for one in test.selectbox if one.label == "Language"]
    choice.set_value("es").run()
    (choice,) = [one for one in test.selectbox if one.key == "choose-language"]
    assert choice.label == spanish["Language"] != "Language"
    test.switch_page("../pages/runs.py").run()
    assert test.title[0].value == spanish["Runs"]
    assert not test.exception

    # What a browser sends is compared with the languages there are.
    monkeypatch.setattr(messages, "get_script_run_ctx", lambda **_: object())
    monkeypatch.setattr(messages, "_CHOSEN", type("Empty", (), {"get": staticmethod(lambda: "")})())
    for sent, taken in (("zh", "zh"), ("../../etc", "en"), ("", "en")):
        monkeypatch.setattr("ui.messages.st.context", type("Context", (), {"cookies": {messages.COOKIE: sent}})())
        assert messages.language() == taken
