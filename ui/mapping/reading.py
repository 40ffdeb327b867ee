"""How a mapping is read."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from ui.map_layers import Outlines, Tiles, found_outlines, run_tiles
from ui.mapping.outlines import DRAWN, tell_left_out
from ui.mapping.results import facts
from ui.runs.reading import Reader, Reading, number

if TYPE_CHECKING:
    from core.report.parts import Part
    from core.tasks.mapping.report.content import MappingInput
    from core.tasks.mapping.report.subject import MappingSubject
    from core.tasks.mapping.result import MappingResult
    from core.tasks.mapping.view import Choice


def _choice(result: MappingResult) -> Choice:
    """Threshold and areas from the address, as the mapping page writes them there; else the model's own.

    Raises
    ------
    InputError
        When one of them is no number, or out of range.
    """
    from core.tasks.mapping.findings import default_choice
    from core.tasks.mapping.view import Choice

    default = default_choice(result, result.threshold)
    return Choice(
        number("threshold", default.threshold),
        number("minimum", default.minimum_area),
        number("holes", default.fill_holes),
    )


def _key(content: MappingInput) -> tuple[str, ...]:
    return str(content.dem), "" if content.outlined is None else str(content.outlined.path)


@st.cache_resource(max_entries=2, show_spinner=False)
def _subject(key: tuple[str, ...], _content: MappingInput) -> MappingSubject:
    """Everything computed of a run; kept only as long as both halves of a page need it, for it holds pictures."""
    del key
    from core.tasks.mapping.report.subject import MappingSubject

    return MappingSubject.of(_content)


@st.cache_resource(max_entries=16, show_spinner="Reading the run")
def _begin(key: tuple[str, ...], _content: MappingInput) -> Reading:
    from core.tasks.mapping.report.summary import summary

    subject = _subject(key, _content)
    # Of a raster too large to outline at once there are no polygons, unless somebody has had it outlined.
    return Reading(_content, summary(subject), None if subject.findings is None else subject.findings.polygons)


@st.cache_resource(max_entries=16, show_spinner="Drawing charts and explanations")
def _told(key: tuple[str, ...], _content: MappingInput) -> dict[str, Part]:
    from core.report import reasons
    from core.tasks.mapping.report import agreement, maps, summary

    subject = _subject(key, _content)
    polygons = None if subject.findings is None else subject.findings.polygons
    made = (
        maps.maps(subject), maps.sizes(subject), agreement.agreement(subject), reasons.reasons(_content, polygons),
        summary.meaning(subject),
    )  # fmt: skip
    return {part.anchor: part for part in made if part is not None}


def _threshold(reading: Reading) -> float:
    choice: Choice = reading.content.choice  # type: ignore[attr-defined]  that of a mapping
    return choice.threshold


def _layers(reading: Reading) -> tuple[list[Tiles], list[Outlines]]:
    run = reading.content.result
    tiles = [run_tiles(run.id, "probability", opacity=0.7, visible=False)]
    tiles.append(run_tiles(run.id, "mask", threshold=_threshold(reading), opacity=0.55))
    if run.has_truth:
        tiles.append(run_tiles(run.id, "truth", opacity=0.6, visible=False))
    polygons = None if reading.shown is None else reading.shown.head(DRAWN)
    if polygons is None or not len(polygons):
        return tiles, []
    return tiles, [found_outlines(polygons, facts(polygons))]


def _below(reading: Reading) -> None:
    content: MappingInput = reading.content  # type: ignore[assignment]
    if content.outlined is not None:
        tell_left_out(content.outlined)


READER = Reader(
    verb="Mapped", listed="The largest", choice=_choice, key=_key, begin=_begin, told=_told, layers=_layers,
    below=_below, chosen=lambda reading: f"threshold {_threshold(reading):.2f}",
)  # fmt: skip
