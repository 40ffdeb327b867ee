"""Texts of the pages in other languages: the message files fit the code, and the choice is kept."""

from __future__ import annotations

import importlib
import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

import geopandas
import pytest
import shapely
from affine import Affine
from rasterio.crs import CRS
from streamlit.testing.v1 import AppTest

from core.raster.grid import Grid
from ui import map_layers, map_script, map_words, maps, messages
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


OPTIONS = (
    "ui.task.form:STRETCHES", "ui.task.form:RESAMPLES", "ui.task.look:CONTRASTS", "ui.task.look:COLOURS",
    "ui.mapping.results:SIDES", "ui.detection.results:SIDES", "ui.detection.form:OVERLAPS",
    "ui.detection.sliders:MERGINGS", "ui.susceptibility.page:WAYS", "ui.susceptibility.area_form:PARTS",
    "ui.susceptibility.area_form:KINDS", "ui.susceptibility.area_source:ROLES", "ui.displacement.form:UNITS",
    "ui.displacement.form:STEPS", "ui.displacement.words:ORDERS", "ui.displacement.movement_tab:VIEWS",
    "ui.labels:STATUSES", "core.review.state:STATUSES", "core.tasks.susceptibility.folds:TITLES",
    "core.tasks.susceptibility.tuning:TITLES", "core.tasks.susceptibility.view:METHODS",
    "core.tasks.susceptibility.factor_plots:WEIGHTS", "core.tasks.displacement.decomposed:TITLES",
    "core.tasks.displacement.tuning:TITLES", "core.series.decomposition:METHODS",
)  # fmt: skip
"""Options of lists by name, in English words."""

WORDS = (
    "core.review.edits:REASONS", "core.review.edits:LABEL_REASONS", "core.review.labels:STATUSES",
    "core.series.alert:NAMES", "core.tasks.displacement.points_result:RASTERS",
    "core.tasks.displacement.points_result:FURTHER", "core.tasks.displacement.findings:HEADS",
)  # fmt: skip
"""Further words of `core` that pages show."""

ABBREVIATION = re.compile(r"[A-Z]{2,}|[cm]?m")
"""What reads the same in every language."""


def declared(place: str) -> Mapping[object, str] | Iterable[str]:
    module, name = place.split(":")
    found: Mapping[object, str] | Iterable[str] = getattr(importlib.import_module(module), name)
    return found


@pytest.mark.parametrize("place", [*OPTIONS, *WORDS])
def test_options_are_translated_and_none_reads_as_another(place: str) -> None:
    found = declared(place)
    texts = list(found.values() if isinstance(found, Mapping) else found)
    known = extract.messages()
    assert [one for one in texts if one not in known and not ABBREVIATION.fullmatch(one)] == []
    for code in TRANSLATED:
        catalog = messages.catalog(code)
        assert len({catalog.get(one, one) for one in texts}) == len(texts), code


def _page_of_options() -> None:
    import streamlit as st

    from ui import messages
    from ui.choices import in_address

    messages._CHOSEN.put(st.query_params.get("spoken", "es"))
    words = {"nms": "Keep highest confidence (NMS)", "fusion": "Mean box (WBF)"}
    st.text(in_address("Merging", words, "nms", key="merging"))


def test_what_is_chosen_stands_in_the_address_by_its_name_in_every_language() -> None:
    page = AppTest.from_function(_page_of_options).run()
    spanish = messages.catalog("es")
    (choice,) = page.selectbox
    assert choice.options == [spanish["Keep highest confidence (NMS)"], spanish["Mean box (WBF)"]]
    assert "merging" not in page.query_params
    choice.set_value("fusion").run()
    assert page.query_params["merging"] in ("fusion", ["fusion"])
    page.query_params["spoken"] = "zh"
    page.run()
    assert page.text[0].value == page.selectbox[0].value == "fusion"
    page.query_params["merging"] = "nms"  # as by Back
    page.run()
    assert page.text[0].value == "nms"
    assert "merging" not in page.query_params
    # An older address calls an option by its English words.
    page.query_params["merging"] = "Mean box (WBF)"
    page.run()
    assert page.text[0].value == "fusion"
    assert not page.exception


def _page_of_a_list() -> None:
    import streamlit as st

    from ui import messages
    from ui.choices import words_of
    from ui.task.form import STRETCHES

    messages.choose_language()
    st.text(st.selectbox("Pixel values", list(STRETCHES), key="stretch", format_func=words_of(STRETCHES)))


def test_what_is_chosen_stays_when_the_language_changes() -> None:
    page = AppTest.from_function(_page_of_a_list).run()
    page.selectbox(key="stretch").set_value("2,98").run()
    for code in ("es", "zh", "en"):
        page.selectbox(key="choose-language").set_value(code).run()
        assert page.selectbox(key="stretch").value == page.text[0].value == "2,98"
    assert not page.exception


def speak(monkeypatch: pytest.MonkeyPatch, code: str) -> None:
    for module in (map_words, maps, messages):
        monkeypatch.setattr(module, "language", lambda: code)


@pytest.fixture
def spec() -> maps.MapSpec:
    return maps.MapSpec("scene", Grid(64, 48, Affine(10, 0, 500_000, 0, -10, 5_000_000), CRS.from_epsg(32632), None))


def test_the_script_of_a_map_is_given_its_words(monkeypatch: pytest.MonkeyPatch, spec: maps.MapSpec) -> None:
    written = {}
    for code in ("en", "es", "zh"):
        speak(monkeypatch, code)
        written[code] = map_script.written(spec, True, "", code).script
    assert f"slidelensWords.learn({json.dumps(map_words.RENAMED)});" in written["en"]
    for code in TRANSLATED:
        (learnt,) = re.findall(r"slidelensWords\.learn\((\{.*?\})\);\n", written[code])
        words = json.loads(learnt)
        assert words["Layers"] == messages.catalog(code)["Layers"] != "Layers"
        assert {*map_words.TOOLS, *map_words.DRAWING, *map_words.RENAMED} <= words.keys()
        full_screen = messages.catalog(code)["Full Screen"]
        assert full_screen in written[code] or json.dumps(full_screen)[1:-1] in written[code]


def test_the_scripts_say_nothing_that_is_not_among_the_words() -> None:
    said = set()
    for path in map_script.STATIC.glob("*.js"):
        said |= set(re.findall(r"""word\("((?:[^"\\]|\\.)*)\"""", path.read_text(encoding="utf-8")))
    assert said
    assert said - set(map_words.TOOLS) == set()


def test_layers_keep_their_names_and_are_called_in_the_visitors_language(monkeypatch: pytest.MonkeyPatch) -> None:
    box = geopandas.GeoDataFrame({"id": [1]}, geometry=[shapely.box(8, 46, 8.1, 46.1)], crs="EPSG:4326")
    found = map_layers.found_outlines(box, {"Landslide": ["1"], "Review": ["false alarm"], "Note": ["confidence 0.93"]})
    mask = map_layers.run_tiles("0" * 32, "mask")
    assert (found.name, mask.name) == ("Found landslides (outlines)", "Found landslides (area)")
    layers = maps.DynamicLayers((mask,), (found,))
    assert map_words.translated(maps._texts(layers, layers.tiles)) == {}
    speak(monkeypatch, "es")
    said = map_words.translated(maps._texts(layers, layers.tiles))
    spanish = messages.catalog("es")
    for text in ("Found landslides (outlines)", "Found landslides (area)", "Landslide", "false alarm"):
        assert said[text] == spanish[text]
    assert said["confidence 0.93"] == "confianza 0.93"
    assert map_words.translated(["Classes: Random forest", "Very high (0.80 to 1.00)", "A file.tif"]) == {
        "Classes: Random forest": "Clases: Random forest", "Very high (0.80 to 1.00)": "Muy alta (de 0.80 a 1.00)",
    }  # fmt: skip
