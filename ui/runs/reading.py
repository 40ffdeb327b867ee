"""One run to be read by who was not there: nothing to choose but what the map shows.

What is said and shown of a run is its task's own: a module with one `Reader`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, cast

import streamlit as st

from core.errors import InputError
from ui import jobs, resources
from ui.feedback import guard, plain
from ui.map_layers import Tiles, scene_tiles
from ui.maps import DynamicLayers, MapSpec, show_map
from ui.runs import labels, parts
from ui.task.links import place
from ui.task.task import script_of, task_pages

if TYPE_CHECKING:
    from core.report.content import GridReport
    from core.report.parts import Content, Part
    from core.runs.records import Run, SceneRecord
    from ui.map_layers import Outlines

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
    shown
        What lies on its map, of the task's own.
    """

    content: GridReport
    summary: Part
    shown: Any


@dataclass(frozen=True)
class Reader:
    """How runs of a task are read.

    Attributes
    ----------
    verb, listed
        Words of what the model did, and above the table of what stands out.
    choice
        What was chosen after the run, from the page's address; else what its page begins with.
    key
        What else than run, choice, name, image and explanations the reading depends on.
    begin, told
        Summary and map, and the other parts of the report by their anchors, both kept under a key.
    layers
        Rasters and outlines on the map, above the image.
    below
        Says below the map what it leaves out.
    chosen
        The choice in a few words.
    """

    verb: str
    listed: str
    choice: Callable[[Any], Any]
    key: Callable[[Any], tuple[str, ...]]
    begin: Callable[[tuple[str, ...], Any], Reading]
    told: Callable[[tuple[str, ...], Any], Mapping[str, Part]]
    layers: Callable[[Reading], tuple[list[Tiles], list[Outlines]]]
    below: Callable[[Reading], None]
    chosen: Callable[[Reading], str]


def find(identity: str) -> Run:
    """The run that an address names.

    Raises
    ------
    InputError
        When there is none.
    """
    return resources.store().run(identity)


def _reader(task: str) -> Reader:
    declared = task_pages()[task].reader
    if declared is None:
        raise InputError("There is no reading view of runs of this task.", remedy="Open the run on its own page.")
    reader: Reader = declared.load()
    return reader


def show(run: Run) -> None:
    """Show a run.

    Raises
    ------
    LandslideError
        When it cannot be shown, and why.
    """
    from core.tasks.imagery.inputs import known_scene

    st.title(plain(run.title))  # first of all: what is wrong with a run is said below its name
    if not _ready(run):
        return
    reader = _reader(run.task)
    record = known_scene(resources.store(), run)
    choice = reader.choice(resources.store().result(run.id))
    content = _content(run, choice)
    image = "" if content.scene is None else content.scene.digest
    key = (run.id, repr(choice), run.name, image, *reader.key(content), *(one.id for one in content.explanations))
    reading = reader.begin(key, content)
    _beginning(run, reader, reading)
    _map(run, reader, record, reading)
    _rest(reader.told(key, content), reader)
    _end(run, reader, reading)


def _ready(run: Run) -> bool:
    """Whether there is something to read; otherwise it is said what there is instead."""
    from core.runs.kinds import is_primary

    if not is_primary(run):
        page, address = place(run)
        st.page_link(script_of(page), label="Open it where it is seen", query_params=address)
        raise InputError(
            f"This run holds no map and no boxes: it is of the kind {run.kind}.",
            "Only what was found in a scene can be read here.",
            "Open the run it stands on.",
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


def number(name: str, default: float) -> float:
    """A number of the page's address, as the page of the run writes it there.

    Raises
    ------
    InputError
        When it is none.
    """
    text = st.query_params.get(name)
    if text is None:
        return default
    try:
        return float(text)
    except ValueError:
        raise InputError(f"The {name} in the address is no number.", remedy="Open the page without it.") from None


def _content(run: Run, choice: Any) -> GridReport:  # noqa: ANN401  of the run's task
    """What the report of the run would be made from; explanations whose pictures are lost are left out."""
    from core.report.make import report_input

    store = resources.store()
    content = cast("GridReport", report_input(store, run.id, choice))
    whole = tuple(one for one in content.explanations if jobs.missing_files(store.run(one.id)) is None)
    return replace(content, explanations=whole)


def _beginning(run: Run, reader: Reader, reading: Reading) -> None:
    """The one sentence, who says so, and what must be known before reading on."""
    from core.report.parts import KeyFigures, Notice, Paragraph

    told = reading.summary.content
    _show(part for part in told if isinstance(part, Paragraph))
    subject = run.subject.name
    scene = f" from {subject}" if subject != run.title else ""
    when = labels.moment(run.finished)
    st.markdown(plain(f"{reader.verb}{scene} by the model “{labels.model(run)}”, computed on {when}."))
    if run.note:
        st.markdown("\n".join(f"> {plain(line)}" if line.strip() else ">" for line in run.note.splitlines()))
    _show(part for part in told if isinstance(part, Notice))
    _show(part for part in told if isinstance(part, KeyFigures))


@st.fragment
def _map(run: Run, reader: Reader, record: SceneRecord | None, reading: Reading) -> None:
    """The map; a fragment, because clicks on it are told to the page, which has no use for them."""
    with guard():  # Streamlit takes what leaves a fragment for itself, so no guard outside it is asked
        image = [] if record is None else [scene_tiles(record.id, version=record.scene.digest)]
        tiles, outlines = reader.layers(reading)
        grid = reading.content.result.grid if record is None else record.scene.grid
        spec = MapSpec(f"read-{run.id}", grid, drawable=False)
        show_map(spec, DynamicLayers((*image, *tiles), tuple(outlines)), key=f"read-{run.id}", around=AROUND)
        reader.below(reading)
        jobs.notice_runs()


def _rest(told: Mapping[str, Part], reader: Reader) -> None:
    """What stands out, agreement, reasons and limits: the report without what the live map shows."""
    from core.report.parts import Pictures, Table

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
            st.subheader(reader.listed if anchor == "map" else part.title, anchor=False)
            _show(content)


def _show(content: Iterable[Content]) -> None:
    for one in content:
        parts.show(one)


def _end(run: Run, reader: Reader, reading: Reading) -> None:
    """Where all of it came from, in a line, and the report to take along."""
    st.divider()
    result = reading.content.result
    record = result.provenance
    scene, versions = record.get("scene") or {}, record.get("versions") or {}
    weights = str((record.get("model") or {}).get("weights_sha256", ""))[:12]
    line = [
        f"Run {run.id}", f"scene {run.subject.name} (SHA-256 {result.subject.digest[:12]}…)",
        f"licence of the scene: {scene.get('licence') or 'not stated'}",
        f"model {labels.model(run)} ({run.model}, weights {weights}…)",
        reader.chosen(reading), f"SlideLens {versions.get('slidelens', '')}",
    ]  # fmt: skip
    st.caption(plain(" · ".join(line)))
    if run.artifact("report") is not None:
        st.link_button("Download the report", f"{resources.base_path()}/artifacts/{run.id}/report")
