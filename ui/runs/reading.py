"""One run to be read by who was not there: nothing to choose but what the map shows.

What is said is the report of the run; what its map shows, and a few words, are its task's own `ReadingView`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING, Any, cast

import streamlit as st

from core.errors import InputError
from core.tasks.imagery.roles import SCENE
from ui import labels, resources
from ui.feedback import guard, plain
from ui.map_layers import Tiles, hillshade_tiles, scene_tiles, terrain_tiles
from ui.maps import Caption, DynamicLayers, MapSpec, show_map
from ui.messages import tr
from ui.runs import parts
from ui.task import jobs, review_map
from ui.task.bands import shown_by
from ui.task.caption import about, caption
from ui.task.links import place
from ui.task.notes import show_model
from ui.task.task import script_of, task_pages, view_keys
from ui.task.view import view_from_address

if TYPE_CHECKING:
    from core.report.content import GridReport, ReportInput
    from core.report.parts import Content, Part
    from core.runs.records import Run
    from ui.map_layers import Outlines

AROUND = "12rem"

LEFT_OUT = ("data", "provenance")
"""Parts of a report, by their anchors, that the reading view tells in one line at its end."""

LAST = "meaning"
"""Anchor of the part that closes the reading view: what the result does and does not mean."""


@dataclass(frozen=True)
class ReadingView:
    """What the reading view says and shows of runs of a task, beside the parts of their report.

    Attributes
    ----------
    verb, listed
        What the model did, where it did more than compute, and words above the table of what stands out.
    layers
        Rasters and outlines on the map, above the image; None for a task without a map.
    below
        Says below the map what it leaves out.
    chosen
        The view in a few words.
    """

    verb: str = ""
    listed: str = "Largest"
    layers: Callable[[Any], tuple[list[Tiles], list[Outlines]]] | None = None
    below: Callable[[Any], None] = lambda content: None
    chosen: Callable[[Any], str] = lambda content: ""


def find(identity: str) -> Run:
    """The run that an address names.

    Raises
    ------
    InputError
        When there is none.
    """
    return resources.store().run(identity)


def _reading_view(task: str) -> ReadingView:
    page = task_pages().get(task)
    shown: ReadingView = ReadingView() if page is None or page.reading is None else page.reading.load()
    return shown


def show(run: Run) -> None:
    """Show a run.

    Raises
    ------
    LandslideError
        When it cannot be shown, and why.
    """
    labels.name_page(run.title, "Reading view")
    st.title(f"{plain(run.title)}{labels.part(run)}")  # first of all: what is wrong with a run is said below its name
    st.caption(labels.kind(run))
    if not _ready(run):
        return
    shown = _reading_view(run.task)
    view = view_from_address(run)
    fresh = _content(run, view)
    key = (*fresh.key(), repr(view))
    content = _kept(key, fresh)
    _beginning(run, shown, _summary(key, content))
    if shown.layers is not None:
        _map(run, shown, cast("GridReport", content))
    _rest(_told(key, content), shown)
    _end(run, shown, content)


@st.cache_resource(max_entries=4, show_spinner=False)
def _kept(key: tuple[str, ...], _content: ReportInput) -> ReportInput:
    """One content for equal keys: what it has prepared is shared by map and parts, also between reruns."""
    del key
    return _content


@st.cache_resource(max_entries=16, show_spinner="Loading the run")
def _summary(key: tuple[str, ...], _content: ReportInput) -> Part:
    """The first part of the report of a run."""
    del key
    return next(_parts(_content))


@st.cache_resource(max_entries=16, show_spinner="Drawing charts and explanations")
def _told(key: tuple[str, ...], _content: ReportInput) -> tuple[Part, ...]:
    """The other parts of the report, but data and provenance; what the result does not mean comes last."""
    del key
    parts = [part for part in islice(_parts(_content), 1, None) if part.anchor not in LEFT_OUT]
    return tuple(sorted(parts, key=lambda part: part.anchor == LAST))


def _parts(content: ReportInput) -> Iterator[Part]:
    from core.report.make import report_kind

    made = report_kind(resources.store().run(content.result.id)).parts(content)
    return (part for part in made if part is not None)


def _ready(run: Run) -> bool:
    """Whether there is something to read; otherwise it is said what there is instead."""
    from core.runs.kinds import is_primary

    if not is_primary(run):
        page, address = place(run)
        st.page_link(script_of(page), label=tr("Open on its own page"), query_params=address)
        raise InputError(
            tr("This run cannot be shown in the reading view: it is “{kind}”.").format(kind=labels.kind(run)),
            tr("The reading view shows results such as maps and detections."),
            tr("Open the run that it is based on."),
        )
    if run.status == "done":
        missing = jobs.missing_files(run)
        if missing is not None:
            raise missing
        return True
    if run.active:
        st.info(tr("This run is still in progress. Return when it is done: the address stays the same."))
    else:
        told = run.failure.what if run.failure else ""
        st.info(plain(tr("This run has no result. {told}").format(told=told)))
    return False


def _content(run: Run, view: Any) -> ReportInput:  # noqa: ANN401  of the run's task
    """What the report of the run would be made from; explanations whose pictures are lost are left out."""
    from core.report.make import report_input

    store = resources.store()
    content = report_input(store, run.id, view)
    whole = tuple(one for one in content.explanations if jobs.missing_files(store.run(one.id)) is None)
    return replace(content, explanations=whole)


def _beginning(run: Run, shown: ReadingView, summary: Part) -> None:
    """The one sentence, who says so, and what must be known before reading on."""
    from core.report.parts import Items, KeyFigures, Notice, Paragraph

    told = summary.content
    _show(part for part in told if isinstance(part, Paragraph))
    subject = run.subject.name
    scene = f" from {subject}" if subject != run.title else ""
    when = labels.moment(run.finished)
    by = f" with the model “{labels.model(run)}”" if run.model else ""
    with st.container(horizontal=True, vertical_alignment="center", gap="medium"):
        done = f"{shown.verb}{scene}{by} on" if shown.verb else f"Computed{scene}{by} on"
        st.markdown(plain(f"{done} {when}."), width="content")
        show_model(run.task, run.model)
    if run.note:
        st.markdown("\n".join(f"> {plain(line)}" if line.strip() else ">" for line in run.note.splitlines()))
    _show(part for part in told if isinstance(part, Notice))
    _show(part for part in told if isinstance(part, KeyFigures) or (isinstance(part, Items) and not part.title))


@st.fragment
def _map(run: Run, shown: ReadingView, content: GridReport) -> None:
    """The map; a fragment, because clicks on it are told to the page, which has no use for them."""
    from core.tasks.imagery.inputs import known_scene

    with guard():  # Streamlit takes what leaves a fragment for itself, so no guard outside it is asked
        record = known_scene(resources.store(), run)
        image = []
        if record is not None:
            picture = scene_tiles(record.id, bands=shown_by(run), version=record.scene.digest)
            image = [*hillshade_tiles(record), picture, *terrain_tiles(record)]
        tiles, outlines = shown.layers(content) if shown.layers else ([], [])
        if content.review is not None and content.review.review.number:
            # What reviewers decided, in place of what the model found, which can be ticked.
            tiles = [replace(one, visible=False) for one in tiles]
            found = [replace(one, visible=one.visible and not one.selectable) for one in outlines]
            outlines = [*found, review_map.layer_of(content.review)]
        grid = content.result.grid if record is None else record.scene.grid
        spec = MapSpec(f"read-{run.id}", grid, drawable=False)
        says = Caption(run.title, about(run)) if record is None else caption(record, run.id)
        shows = DynamicLayers((*image, *tiles), tuple(outlines), caption=says)
        show_map(spec, shows, key=f"read-{run.id}", around=AROUND)
        if content.review is not None and content.review.review.number:
            told = tr("The map shows the reviewed inventory. What the model found can be turned on under *Layers*.")
            st.caption(told)
        shown.below(content)
        jobs.notice_runs()


def _rest(told: Iterable[Part], shown: ReadingView) -> None:
    """What stands out, agreement, reasons and limits: the report without what the live map shows."""
    from core.report.parts import Pictures, Table

    for part in told:
        anchor, content = part.anchor, list(part.content)
        if anchor == "map" and shown.layers is not None:
            content = [one for one in content if not isinstance(one, Pictures)]
        if anchor == "scores":
            # The counts behind the scores and their curves are for who opens the run itself.
            tables = [one for one in content if isinstance(one, Table)]
            charts = [one for one in content if isinstance(one, Pictures)]
            content = [one for one in content if one not in (*tables[1:], *charts[1:])]
        if content:
            st.subheader(tr(shown.listed) if anchor == "map" else part.title, anchor=False)
            _show(content)


def _show(content: Iterable[Content]) -> None:
    for one in content:
        parts.show(one)


def _licence(content: ReportInput, role: str) -> str:
    """Licence of what a run is about; of a table, with where it comes from."""
    scene = content.result.provenance.get("scene")
    if scene is not None:
        return f"licence of the {role}: {scene.get('licence') or 'not stated'}"
    known = content.licences.get(content.result.subject.dataset_id)
    return f"source and licence of the {role}: {known or 'not stated'}"


def _end(run: Run, shown: ReadingView, content: ReportInput) -> None:
    """Where all of it came from, in a line, and the report to take along."""
    st.divider()
    result = content.result
    record = result.provenance
    versions = record.get("versions") or {}
    weights = str((record.get("model") or {}).get("weights_sha256", ""))[:12]
    role = "image" if result.subject.role == SCENE else result.subject.role
    line = [
        f"Run {run.id}",
        f"{role} {run.subject.name} (SHA-256 {result.subject.digest[:12]}…)",
        _licence(content, role),
        tr("model {model} ({model_2}, weights {weights}…)").format(
            model=labels.model(run), model_2=run.model, weights=weights
        )
        if run.model
        else "",
        shown.chosen(content),
        f"SlideLens {versions.get('slidelens', '')}",
    ]
    st.caption(plain(" · ".join(part for part in line if part)))
    page, address = place(run)
    title = labels.tasks().get(run.task, run.task).lower()
    view = {name: value for name, value in st.query_params.items() if name in view_keys()}
    st.page_link(script_of(page), label=tr("Open in {title}").format(title=title), query_params={**view, **address})
    if run.artifact("report") is not None:
        st.link_button(tr("Download report"), f"{resources.base_path()}/artifacts/{run.id}/report")
