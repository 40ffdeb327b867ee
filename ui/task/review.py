"""Review: correct and accept, one by one, what a run found; the model's own result stays as it is.

While the tab is open the map shows the reviewed inventory in place of what was found, and a bar above the map has all
that can be done with what is selected.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import streamlit as st

from core.errors import LandslideError
from ui import resources
from ui.feedback import guard, plain, show_error
from ui.map_layers import Outlines
from ui.maps import MapSpec, drawn_on, put_drawing, replace_drawing
from ui.messages import tr, tr_noop
from ui.state import Slot
from ui.task.selection import Selection
from ui.task.tabs import open_tab
from ui.task.view import single_area_text

if TYPE_CHECKING:
    from geopandas import GeoDataFrame
    from shapely.geometry.base import BaseGeometry

    from core.review.edits import Edit, Judgement
    from core.review.found import Opened
    from core.review.state import Feature, Review
    from core.runs.records import Run, SceneRecord
    from core.runs.result import RunResult
    from ui.task.task import TaskPage

TAB = "Review"
NAME = Slot("reviewer", "")
USES = {
    "reshape": tr_noop("The drawn shape replaces the outline."),
    "draw": tr_noop("The drawn shape becomes a new entry of the inventory."),
    "add": tr_noop("The drawn ground is added to the outline."),
    "cut": tr_noop("The drawn ground is taken out of the outline and is then mapped no more."),
    "split": tr_noop("The part within the drawn shape becomes an entry of its own."),
}
"""What becomes of a drawn shape, by the use that is made of it."""

DRAWN, CHANGED = 2000, 1000
"""Features on the map: the first, and of the others those that were changed."""

CORNERS = 150
"""Corners of an outline that is edited on the map; more handles than these are in each other's way."""


@dataclass(frozen=True)
class Reviewing:
    """A review on a page.

    Attributes
    ----------
    opened
        The run and its review.
    spec, map_key
        The map on which it is drawn.
    shown
        Id of the run that the page shows, which may be the reviewed one counted against a reference.
    """

    opened: Opened
    spec: MapSpec
    map_key: str
    shown: str

    @property
    def review(self) -> Review:
        """What became of what was found."""
        return self.opened.review

    @property
    def run(self) -> str:
        """Id of the reviewed run."""
        return self.opened.run.id

    @property
    def view_words(self) -> str:
        """The view that is reviewed, in words, such as "threshold 0.5"."""
        from core.runs.kinds import find_task
        from core.runs.view import options_of

        declared = find_task(self.opened.run.task).view
        values = self.opened.view_values
        named = [] if declared is None else [option.name for option in options_of(declared.load())]
        unit = " m²" if self.opened.found.grid.in_metres else " px"
        said = [
            f"{_named(name)}{':' if isinstance(values[name], str) else ''} {_short(values[name])}"
            f"{unit if 'area' in name or 'holes' in name else ''}"
            for name in named if values.get(name)
        ]
        return ", ".join(said) or "its settings"

    @property
    def selection(self) -> Selection:
        """What is selected."""
        return Selection(self.shown)

    @property
    def selected(self) -> Feature | None:
        """The selected feature, where it is in the inventory."""
        return self.review.features.get(self.selection.current or "")

    @property
    def drawn(self) -> dict[str, Any] | None:
        """What is drawn on the map."""
        return drawn_on(self.spec, key=self.map_key)


SHORT = {"nms": "NMS", "iou": "IoU"}
"""Abbreviations as they are written."""


def _named(name: str) -> str:
    return " ".join(SHORT.get(word, word) for word in name.split("_"))


def _short(value: object) -> str:
    if not isinstance(value, float):
        return _named(str(value))
    if value < 1:  # a threshold, written as its slider writes it
        return f"{value:.2f}"
    return f"{value:,.4g}" if value < 1000 else f"{value:,.0f}"


def is_open(task: str) -> bool:
    """Whether the tab is open."""
    return open_tab(task) == TAB


def begin(page: TaskPage, record: SceneRecord, result: RunResult, view: object) -> Reviewing | None:
    """The review of a run with its bar, where its tab is open.

    The bar's place is there in any case: what moves the map's place makes the browser build the map anew.

    Parameters
    ----------
    view
        What the sliders say, with which a review would begin.
    """
    at = None
    _keep_drawings_apart(page, MapSpec(record.id, record.scene.grid), page.map_key(record))
    with st.container(gap="small"), guard():
        at = reviewing(page.name, result, view, MapSpec(record.id, record.scene.grid), page.map_key(record))
        if at is not None:
            show_bar(at)
    return at


def _keep_drawings_apart(page: TaskPage, spec: MapSpec, map_key: str) -> None:
    """Take away what is drawn when the tab is opened or left: a drawn area is no outline, nor an outline an area."""
    now, before = is_open(page.name), Slot(f"review-open-{map_key}", False)
    if now != before.get() and drawn_on(spec, key=map_key):
        replace_drawing(spec, None, key=map_key)
    before.put(now)


def reviewing(task: str, result: RunResult, view: object, spec: MapSpec, map_key: str) -> Reviewing | None:
    """The review of a run, where its tab is open.

    Parameters
    ----------
    view
        What the sliders say, with which a review would begin.

    Raises
    ------
    LandslideError
        When a file of the run is gone, or the log is of a newer version.
    """
    if not is_open(task):
        return None
    from core.review.found import reviewed_run
    from core.review.log import last_number

    run = reviewed_run(resources.store(), resources.store().run(result.id))
    number = last_number(resources.store(), run.id)
    st.session_state[_seen(run.id)] = number
    return Reviewing(_opened(run.id, number, None if number else repr(view), run, view), spec, map_key, result.id)


@st.cache_resource(max_entries=8, show_spinner="Opening the review")
def _opened(run: str, number: int, view: str | None, _run: Run, _view: object) -> Opened:
    del run, number, view  # the key: a review stays with the view that it began with
    from core.review.found import open_review

    return open_review(resources.store(), _run, _view)


def _seen(run: str) -> str:
    """Where the number of the last edit that this visitor saw is kept."""
    return f"review-seen-{run}"


# What can be done


def do(at: Reviewing, make: Callable[[], Edit], *, then: Callable[[], None] | None = None) -> None:
    """Add an edit to the log; what goes wrong is shown when the page is drawn next."""
    from core.review.log import append

    def add() -> None:
        append(
            resources.store(), at.run, at.opened.features, make(), reviewer=NAME.get(),
            seen=int(st.session_state.get(_seen(at.run), 0)), view=at.opened.view_values,
        )  # fmt: skip
        if then is not None:
            then()

    _attempt(at, add)


def _attempt(at: Reviewing, work: Callable[[], object]) -> None:
    """Do something; what goes wrong is shown when the page is drawn next."""
    problem = _problem(at.run)
    problem.clear()
    try:
        work()
    except LandslideError as error:
        problem.put(error)


def is_named() -> bool:
    """Whether the reviewer wrote a name, without which nothing can be edited."""
    return bool(NAME.get())


def _problem(run: str) -> Slot[LandslideError | None]:
    return Slot(f"review-problem-{run}", None)


def _judge(at: Reviewing, name: str, judgement: Judgement, *, onwards: bool = True) -> None:
    """Mark the feature that the bar was drawn for: a second press before it is drawn anew means no other one.

    Reason and note are those of this moment, so that what was typed last is not lost.
    """
    from core.review.edits import Edit

    if at.selection.current != name:
        return
    reason, note = st.session_state.get(_reason_key(at, name)), st.session_state.get(_note_key(at, name))
    why = reason if judgement == "rejected" else None
    do(
        at, lambda: Edit("judge", (name,), judgement=judgement, reason=why, note=note),
        then=(lambda: _next(at, after=name)) if onwards else None,
    )  # fmt: skip


def _reason_key(at: Reviewing, name: str) -> str:
    return f"reason-{at.run}-{name}"


def _note_key(at: Reviewing, name: str) -> str:
    return f"note-{at.run}-{name}"


def _next(at: Reviewing, after: str | None = None, step: int = 1) -> None:
    """Select the next feature that nobody reviewed, in the order of the table."""
    names = list(at.review.features)
    current = after or at.selection.current
    start = names.index(current) if current in names else -step
    order = [names[(start + step * turn) % len(names)] for turn in range(1, len(names) + 1)]
    waiting = [name for name in order if at.review.features[name].status == "unreviewed" and name != after]
    if waiting:
        at.selection.choose(waiting[0], "table")


def _delete(at: Reviewing, name: str) -> None:
    from core.review.edits import Edit

    if at.selection.current == name:
        do(at, lambda: Edit("delete", (name,)), then=lambda: _next(at, after=name))


def _with_drawing(at: Reviewing, make: Callable[[Review, BaseGeometry], Edit]) -> None:
    """Use what is drawn, and take the drawing off the map."""
    from core.review.geometry import drawn_outline

    drawn = at.drawn

    def edit() -> Edit:
        return make(at.review, drawn_outline(drawn or {}, at.opened.found.grid))

    do(at, edit, then=lambda: _clear(at))


def _clear(at: Reviewing) -> None:
    replace_drawing(at.spec, None, key=at.map_key)
    _reshaping(at.run).clear()


def _reshaping(run: str) -> Slot[str]:
    """Id of the feature whose outline is edited on the map."""
    return Slot(f"review-reshaping-{run}", "")


def _edit_outline(at: Reviewing) -> None:
    from core.review.geometry import to_draw

    one = at.selected
    if one is None:
        return

    def put() -> None:
        replace_drawing(at.spec, to_draw(one.outline, at.opened.found.grid, CORNERS), key=at.map_key)
        _reshaping(at.run).put(one.id)

    _attempt(at, put)


def _turn(at: Reviewing, *, back: bool) -> None:
    from core.review import log

    turn = log.undo if back else log.redo
    _attempt(at, lambda: turn(resources.store(), at.run, at.opened.features, NAME.get()))


# What the page shows


def show_bar(at: Reviewing) -> None:
    """What can be done with what is selected or drawn, above the map."""
    review, one = at.review, at.selected
    error = _problem(at.run).get()
    if error is not None:
        show_error(error)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="xsmall", key="review-bar"):
        _ask_name(at)
        ready = is_named()
        off = not ready or one is None
        with st.popover(tr("Reason"), disabled=off, help=tr("Reason for a false alarm, and a note.")):
            if one is not None:
                _ask_reason(at, one)
        name = "" if one is None else one.id
        for label, key, judgement in ((tr("Correct"), "Y", "confirmed"), (tr("False alarm"), "N", "rejected")):
            st.button(
                label,
                on_click=_judge,
                args=(at, name, judgement),
                disabled=off,
                shortcut=key,
                key=f"review-{key}-{at.run}",
                help=tr("{label}, and go to the next one not reviewed.").format(label=label),
            )
        st.button(tr("Delete"), on_click=_delete, args=(at, name), disabled=off, key=f"review-delete-{at.run}",
                  help=tr("Removes it from the reviewed inventory, for example a duplicate."))  # fmt: skip
        st.button(tr("Edit outline"), on_click=lambda: _edit_outline(at), disabled=off, key=f"review-outline-{at.run}",
                  help=tr("Drag the corners on the map, press Save on the map, then Use as outline."))  # fmt: skip
        st.button(tr("Next"), on_click=lambda: _next(at), shortcut="J", key=f"review-next-{at.run}",
                  disabled=not review.counts["unreviewed"], help=tr("Go to the next one not reviewed."))  # fmt: skip
        undo, redo = review.to_undo(NAME.get()), review.to_redo(NAME.get())
        for name, entry, back in (("undo", undo, True), ("redo", redo, False)):
            st.button(
                f":material/{name}:",
                on_click=_turn,
                args=(at,),
                kwargs={"back": back},
                disabled=entry is None,
                key=f"review-{name}-{at.run}",
                help=f"{name.title()}: {entry.edit.words}"
                if entry
                else tr("Nothing to undo")
                if back
                else tr("Nothing to redo"),
            )
    _offer_drawing(at, ready=ready)


def _ask_name(at: Reviewing) -> None:
    """The reviewer's name: a field until it is there, then a button that shows it."""
    key = f"reviewer-{at.run}"

    def named() -> None:
        NAME.put(" ".join(str(st.session_state[key]).split())[:80])

    place = st.popover(plain(NAME.get()), icon=":material/person:") if is_named() else st.container(width=160)
    with place:
        st.text_input(
            tr("Reviewer"), NAME.get(), max_chars=80, placeholder=tr("Your name, to start"), key=key, on_change=named,
            help=tr("Saved with each of your edits."),
        )  # fmt: skip


def _ask_reason(at: Reviewing, one: Feature) -> None:
    from core.review.edits import MOST_WORDS, REASONS

    known = ["", *REASONS, *([one.reason] if one.reason and one.reason not in REASONS else [])]
    st.selectbox(
        tr("Reason for a false alarm"), known, known.index(one.reason), key=_reason_key(at, one.id),
        accept_new_options=True, format_func=lambda text: tr(text) if text else tr("not given"),
    )  # fmt: skip
    st.text_area(tr("Note"), one.note, max_chars=MOST_WORDS, key=_note_key(at, one.id), height=80)
    if one.status == "unreviewed":
        st.caption(tr("Saved when you press Correct or False alarm."))
        return
    judged: Judgement = "rejected" if one.status == "rejected" else "confirmed"
    st.button(
        tr("Save reason and note"), key=f"save-{at.run}-{one.id}", on_click=_judge, args=(at, one.id, judged),
        kwargs={"onwards": False},
    )  # fmt: skip


def _offer_drawing(at: Reviewing, *, ready: bool) -> None:
    """What can be done with what is drawn on the map."""
    from core.review import actions

    drawn, one = at.drawn, at.selected
    if not drawn:
        _reshaping(at.run).clear()  # the outline that was to be edited was deleted on the map
        return
    edited = _reshaping(at.run).get()
    untouched = edited in at.review.features and drawn == put_drawing(at.spec, key=at.map_key)
    noun = at.opened.found.noun
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(tr("**Drawn outline**"), width="content")
        uses: list[tuple[str, str, Callable[[Review, BaseGeometry], Edit]]] = []
        if edited in at.review.features:
            label = tr("Use as outline of {name}").format(name=edited)
            uses.append(("reshape", label, lambda review, shape: actions.reshape(review, edited, shape)))
        else:
            grid = at.opened.found.grid
            label = tr("Add as missed {noun}").format(noun=tr(noun))
            uses.append(("draw", label, lambda review, shape: actions.draw(review, shape, grid)))
            if one is not None:
                name = one.id
                labels = {
                    "add": tr("Add to {name}").format(name=name), "cut": tr("Cut away from {name}").format(name=name),
                    "split": tr("Split off from {name}").format(name=name),
                }  # fmt: skip
                uses += [
                    ("add", labels["add"], lambda review, shape: actions.add_to(review, name, shape)),
                    ("cut", labels["cut"], lambda review, shape: actions.cut_from(review, name, shape)),
                    ("split", labels["split"], lambda review, shape: actions.split_off(review, name, shape)),
                ]
        if edited in at.review.features:
            st.caption(tr("Drag the corners, press Save on the map, then:"), width="content")
        for use, label, make in uses:
            st.button(
                label, on_click=_with_drawing, args=(at, make), disabled=not ready or untouched,
                key=f"use-{use}-{at.run}", help=tr(USES[use]),
            )
        st.button(tr("Discard"), on_click=lambda: _clear(at), type="tertiary", key=f"discard-{at.run}")


def told(at: Reviewing) -> list[str] | None:
    """What is known of the selected feature, as Markdown; None where it is not in the inventory."""
    from core.review.geometry import ground_areas
    from core.review.state import STATUSES

    one = at.selected
    if one is None:
        return None
    grid = at.opened.found.grid
    known = one.values.get("area_m2" if grid.in_metres else "area_px") if one.origin == "model" else None
    size = float(ground_areas([one.outline], grid)[0] if known is None else known)
    words = [single_area_text(size, grid.in_metres), tr(STATUSES[one.status])]
    for name, title in (("mean_probability", tr("mean probability")), ("score", tr("confidence"))):
        if one.values.get(name) is not None:
            words.append(f"{title} {one.values[name]:.2f}")
    words += [plain(text) for text in (one.reason, one.note) if text]
    if one.reviewer:
        words.append(tr("reviewed by {name}").format(name=plain(one.reviewer)))
    return words


def layer(at: Reviewing) -> Outlines:
    """The reviewed inventory as it lies on the map."""
    names = list(at.review.features)
    current = at.selection.current
    beyond = current if current in names and names.index(current) >= DRAWN else None
    return _layer(at.run, at.review.number, repr(at.opened.view), beyond, at.opened)


def shapes(at: Reviewing) -> GeoDataFrame:
    """The selected feature alone, to move the map to."""
    import geopandas

    grid, one = at.opened.found.grid, at.selected
    crs = None if grid.crs is None else grid.crs.to_wkt()
    found = [] if one is None else [one]
    return geopandas.GeoDataFrame({"id": [x.id for x in found]}, geometry=[x.outline for x in found], crs=crs)


@st.cache_resource(max_entries=8, show_spinner=False)
def _layer(run: str, number: int, view: str, selected: str | None, _opened: Opened) -> Outlines:
    del run, number, view  # parts of the key
    import geopandas

    from core.plots.colours import NOT_KNOWN, Legend, LegendEntry
    from core.review.geometry import ground_areas
    from core.review.inventory import COLOURS
    from core.review.state import STATUSES
    from core.serve.coordinates import features

    grid, everything = _opened.found.grid, list(_opened.review.features.values())
    changed = [one for one in everything[DRAWN:] if one.reviewer][:CHANGED]
    chosen = [one for one in everything[DRAWN:] if one.id == selected and one not in changed]
    shown = [*everything[:DRAWN], *changed, *chosen]
    areas = ground_areas([one.outline for one in shown], grid)
    facts = {
        tr_noop("ID"): [one.id for one in shown],
        tr_noop("Status"): [STATUSES[one.status] for one in shown],
        tr_noop("Area"): [single_area_text(value, grid.in_metres) for value in areas],
    }
    crs = None if grid.crs is None else grid.crs.to_wkt()
    table = geopandas.GeoDataFrame({"id": [one.id for one in shown]}, geometry=[one.outline for one in shown], crs=crs)
    told, left_out = features(table, facts, colours=[COLOURS[one.status] for one in shown], most=len(shown) or 1)
    entries = tuple(LegendEntry(COLOURS[name], words, "line") for name, words in STATUSES.items())
    legend = Legend(tr_noop("Review"), entries)
    return Outlines(
        "review", tr_noop("Reviewed inventory"), told, NOT_KNOWN, selectable=True, legend=legend, weight=2.2, seam=True,
        left_out=left_out + len(everything) - len(shown),
    )  # fmt: skip
