"""One run to be read by who was not there: nothing to choose but what the map shows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import streamlit as st

from core.errors import InputError
from ui import jobs, resources
from ui.feedback import guard, plain
from ui.map_layers import Outlines, found_outlines, run_tiles, scene_tiles
from ui.mapping.outlines import DRAWN, tell_left_out
from ui.mapping.results import facts
from ui.maps import DynamicLayers, MapSpec, show_map
from ui.places import place
from ui.runs import parts, words

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

    from core.mapping.findings import Choice
    from core.mapping.result import MappingResult
    from core.runs.records import Run, SceneRecord
    from core.runs.report.content import MappingInput
    from core.runs.report.mapping.subject import MappingSubject
    from core.runs.report.parts import Content, Part

AROUND = "12rem"


@dataclass(frozen=True)
class Reading:
    """What is read of a run first; the rest follows while the map is looked at.

    Attributes
    ----------
    content
        What all of it is told from.
    summary
        The first part of its report.
    polygons
        The landslides; None for a raster too large to outline at once that nobody has had outlined.
    """

    content: MappingInput
    summary: Part
    polygons: GeoDataFrame | None

    @property
    def threshold(self) -> float:
        """Probability from which a pixel is called landslide."""
        assert self.content.choice is not None  # noqa: S101  `_content` gives one
        return self.content.choice.threshold


def find(identity: str) -> Run:
    """The run that an address names.

    Raises
    ------
    InputError
        When there is none.
    """
    return resources.store().run(identity)


def show(run: Run) -> None:
    """Show a run.

    Raises
    ------
    LandslideError
        When it cannot be shown, and why.
    """
    from core.runs.reporting import scene_of

    st.title(plain(run.title))  # first of all: what is wrong with a run is said below its name
    if not _ready(run):
        return
    result = resources.store().mapping(run.id)
    record = scene_of(resources.store(), run)
    content = _content(run, _choice(result))
    image = "" if content.scene is None else content.scene.digest
    outlined = "" if content.outlined is None else str(content.outlined.path)
    key = (run.id, repr(content.choice), run.name, image, str(content.dem), outlined)
    key += tuple(one.id for one in content.explanations)
    reading = _begin(key, content)
    _beginning(run, reading)
    _map(run, result, record, reading)
    _rest(_told(key, content))
    _end(run, result, reading)


def _ready(run: Run) -> bool:
    """Whether there is something to read; otherwise it is said what there is instead."""
    from core.mapping.result import MAPPINGS

    if run.task != "mapping" or run.kind not in MAPPINGS:
        page, address = place(run)
        st.page_link(f"../pages/{page}.py", label="Open it where it is seen", query_params=address)
        raise InputError(
            f"This run is no map but of the kind {run.kind}.",
            "Only maps can be read here.",
            "Open the map it stands on.",
        )
    if run.status == "done":
        missing = jobs.missing_files(run)
        if missing is not None:
            raise missing
        return True
    if run.active:
        st.info("This run is still being computed. Come back when it is done: the address stays the same.")
    else:
        told = run.failure.what if run.failure else ""
        st.info(plain(f"This run has no result. {told}"))
    return False


def _choice(result: MappingResult) -> Choice:
    """Threshold and areas from the address, as the mapping page writes them there; else the model's own.

    Raises
    ------
    InputError
        When one of them is no number, or out of range.
    """
    from core.mapping.findings import Choice, default_choice

    default = default_choice(result, result.threshold)
    return Choice(
        _number("threshold", default.threshold),
        _number("minimum", default.minimum_area),
        _number("holes", default.fill_holes),
    )


def _number(name: str, default: float) -> float:
    text = st.query_params.get(name)
    if text is None:
        return default
    try:
        return float(text)
    except ValueError:
        raise InputError(f"The {name} in the address is no number.", remedy="Open the page without it.") from None


def _content(run: Run, choice: Choice) -> MappingInput:
    """What the report of the run would be made from; explanations whose pictures are lost are left out."""
    from core.runs.reporting import report_input

    store = resources.store()
    content = report_input(store, run.id, choice)
    whole = tuple(one for one in content.explanations if jobs.missing_files(store.run(one.id)) is None)
    return replace(content, explanations=whole)


@st.cache_resource(max_entries=2, show_spinner=False)
def _subject(key: tuple[str, ...], _content: MappingInput) -> MappingSubject:
    """Everything computed of a run; kept only as long as both halves of a page need it, for it holds pictures."""
    del key
    from core.runs.report.mapping.subject import MappingSubject

    return MappingSubject.of(_content)


@st.cache_resource(max_entries=16, show_spinner="Reading the run")
def _begin(key: tuple[str, ...], _content: MappingInput) -> Reading:
    from core.runs.report.mapping.summary import summary

    subject = _subject(key, _content)
    return Reading(_content, summary(subject), None if subject.findings is None else subject.findings.polygons)


@st.cache_resource(max_entries=16, show_spinner="Drawing charts and explanations")
def _told(key: tuple[str, ...], _content: MappingInput) -> dict[str, Part]:
    """The other parts of the report, by their anchors."""
    from core.runs.report import reasons
    from core.runs.report.mapping import agreement, maps, summary

    subject = _subject(key, _content)
    polygons = None if subject.findings is None else subject.findings.polygons
    made = (
        maps.maps(subject), maps.sizes(subject), agreement.agreement(subject), reasons.reasons(_content, polygons),
        summary.meaning(subject),
    )  # fmt: skip
    return {part.anchor: part for part in made if part is not None}


def _beginning(run: Run, reading: Reading) -> None:
    """The one sentence, who says so, and what must be known before reading on."""
    from core.runs.report.parts import KeyFigures, Notice, Paragraph

    told = reading.summary.content
    _show(part for part in told if isinstance(part, Paragraph))
    scene = f" from {run.scene}" if run.scene != run.title else ""
    st.markdown(plain(f"Mapped{scene} by the model “{words.model(run)}”, computed on {words.moment(run.finished)}."))
    if run.note:
        st.markdown("\n".join(f"> {plain(line)}" if line.strip() else ">" for line in run.note.splitlines()))
    _show(part for part in told if isinstance(part, Notice))
    _show(part for part in told if isinstance(part, KeyFigures))


@st.fragment
def _map(run: Run, result: MappingResult, record: SceneRecord | None, reading: Reading) -> None:
    """The map; a fragment, because clicks on it are told to the page, which has no use for them."""
    with guard():  # Streamlit takes what leaves a fragment for itself, so no guard outside it is asked
        tiles = [] if record is None else [scene_tiles(record.id, version=record.scene.digest)]
        tiles.append(run_tiles(run.id, "probability", opacity=0.7, visible=False))
        tiles.append(run_tiles(run.id, "mask", threshold=reading.threshold, opacity=0.55))
        if result.has_truth:
            tiles.append(run_tiles(run.id, "truth", opacity=0.6, visible=False))
        outlines: tuple[Outlines, ...] = ()
        polygons = None if reading.polygons is None else reading.polygons.head(DRAWN)
        if polygons is not None and len(polygons):
            outlines = (found_outlines(polygons, facts(polygons)),)
        grid = result.grid if record is None else record.scene.grid
        spec = MapSpec(f"read-{run.id}", grid, drawable=False)
        show_map(spec, DynamicLayers(tuple(tiles), outlines), key=f"read-{run.id}", around=AROUND)
        if reading.content.outlined is not None:
            tell_left_out(reading.content.outlined)


def _rest(told: Mapping[str, Part]) -> None:
    """The largest, their sizes, agreement, reasons and limits: the report without what the live map shows."""
    from core.runs.report.parts import Pictures, Table

    for anchor, part in told.items():
        content = list(part.content)
        if anchor == "map":
            content = [one for one in content if not isinstance(one, Pictures)]
        if anchor == "scores":
            # The counts behind the scores and their curves are for who opens the run itself.
            tables = [one for one in content if isinstance(one, Table)]
            charts = [one for one in content if isinstance(one, Pictures)]
            content = [one for one in content if one not in (*tables[1:], *charts[1:])]
        if content:
            st.subheader("The largest" if anchor == "map" else part.title, anchor=False)
            _show(content)


def _show(content: Iterable[Content]) -> None:
    for one in content:
        parts.show(one)


def _end(run: Run, result: MappingResult, reading: Reading) -> None:
    """Where all of it came from, in a line, and the report to take along."""
    st.divider()
    record = result.provenance
    scene, versions = record.get("scene") or {}, record.get("versions") or {}
    weights = str((record.get("model") or {}).get("weights_sha256", ""))[:12]
    line = [
        f"Run {run.id}", f"scene {run.scene} (SHA-256 {result.scene_digest[:12]}…)",
        f"licence of the scene: {scene.get('licence') or 'not stated'}",
        f"model {words.model(run)} ({run.model}, weights {weights}…)",
        f"threshold {reading.threshold:.2f}", f"SlideLens {versions.get('slidelens', '')}",
    ]  # fmt: skip
    st.caption(plain(" · ".join(line)))
    if run.artifact("report") is not None:
        st.link_button("Download the report", f"{resources.base_path()}/artifacts/{run.id}/report")
