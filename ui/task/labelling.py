"""The review of the labels of a run on a page, and what is done with the rows that are selected."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import streamlit as st

from ui import resources
from ui.messages import tr
from ui.state import Slot
from ui.task.drawn import Drawn, Use
from ui.task.editing import do, next_unreviewed, saw, show_problem, show_turns, tell_turned, ticked_key
from ui.task.label_map import spec_of
from ui.task.label_units import show_delete, show_drawing, show_outline_buttons
from ui.task.reviewer import ask_name, is_named

if TYPE_CHECKING:
    from core.review.edits import Judgement
    from core.review.labels import OpenedLabels
    from core.runs.records import Run
    from ui.maps import MapSpec


@dataclass(frozen=True)
class Labelling(Drawn):
    """The labels of a run on a page.

    Attributes
    ----------
    opened
        The labels and their review.
    spec, map_key
        The map; None where the places of the rows are not known.
    """

    opened: OpenedLabels
    spec: MapSpec | None
    map_key: str

    @property
    def names(self) -> list[str]:
        """Ids of all rows, those first whose score contradicts the label most."""
        known = self.opened.rows["id"].to_numpy()
        return [str(one) for one in known[self.opened.order]]

    @property
    def drawn(self) -> dict[str, Any] | None:
        """What is drawn on the map."""
        return None if self.spec is None else super().drawn

    def follow_map(self) -> None:
        """Let a click on the map choose, before anything is done with what is selected."""
        if self.spec is not None:
            super().follow_map()

    def uses_of_new(self, parts: int) -> list[Use]:
        """Each shape that is drawn anew is a unit, with a landslide or without."""
        from core.review import units

        several = parts > 1
        about = (
            tr("Each drawn shape becomes a unit. These have no values of factors: models leave them out until they are "
               "filled in.") if several
            else tr("The drawn shape becomes a unit. It has no values of factors: models leave it out until they are "
                    "filled in.")
        )  # fmt: skip

        def use(name: str, label: str, *, landslide: bool) -> Use:
            return Use(
                name, label.format(count=parts), about,
                lambda review, shape: units.draw(review, shape, landslide=landslide, apart=True),
            )  # fmt: skip

        with_one = tr("Add as {count:,} units with landslide") if several else tr("Add as unit with landslide")
        without = tr("Add as {count:,} units without landslide") if several else tr("Add as unit without landslide")
        return [use("draw", with_one, landslide=True), use("draw-none", without, landslide=False)]

    def about_cut(self) -> str:
        """What becomes of ground that is cut out of an outline."""
        return tr("The drawn ground is taken out of the outline and then belongs to no unit.")

    def about_overlap(self, *, new: bool) -> str:
        """What follows where a drawn shape covers other units."""
        several = tr("This ground would then belong to several units.")
        added = tr("Unless it is cut away or split off, this ground would then belong to several units.")
        return added if new else several

    def tick(self) -> None:
        """Select in the table what was selected elsewhere since, or nothing; no rows that are gone."""
        current, kept = self.selection.current, [name for name in self.ticked if name in self.review.features]
        if current not in kept:
            kept = [current] if current in self.review.features else []
        st.session_state[ticked_key(self.run)] = kept


def labelling(run: Run, view: Any) -> Labelling:  # noqa: ANN401  of the run's task
    """The labels of a run with their review.

    Raises
    ------
    LandslideError
        When the table or a file of the run is gone, or the log is of a newer version.
    """
    from core.review.log import last_number

    number = last_number(resources.store(), run.id)
    saw(run.id, number)
    opened = _opened(run.id, number, repr(view), run, view)
    return Labelling(opened, spec_of(opened), f"label-map-{run.id}")


@st.cache_resource(max_entries=4, show_spinner="Opening the review")
def _opened(run: str, number: int, view: str, _run: Run, _view: Any) -> OpenedLabels:  # noqa: ANN401
    del run, number, view  # the key
    from core.review.labels import open_labels

    return open_labels(resources.store(), _run, _view)


def bar_key(run: str, action: str) -> str:
    """Key of a button of the bar."""
    return f"label-{action}-{run}"


NAMED = 8
"""Selected rows that are named one by one."""


def judge(at: Labelling, ids: tuple[str, ...], judgement: Judgement) -> None:
    """Say of the labels of the rows that a button was drawn for whether they are right, and go to the next row.

    Reason and note are those of this moment; of several rows all are given the same.
    """
    at.follow_map()
    if at.selection.current not in ids:
        return
    named, typed = _reason_key(at, ids), _note_key(at, ids)
    reason = st.session_state.get(named) if judgement == "rejected" else None
    note = st.session_state.get(typed)

    def then() -> None:
        _typed(at, ids).clear()
        if len(ids) == 1 and judgement != "unreviewed":
            go_on(at, after=ids[0])

    do(at, lambda: at.opened.judge(ids, judgement, reason, note), then=then)


def go_on(at: Labelling, after: str | None = None) -> None:
    """Select the next row that nobody reviewed, in the order of the table.

    Parameters
    ----------
    after
        The row that was reviewed just now; None where a reviewer asked for the next.
    """
    following = next_unreviewed(at, at.names, after)
    if following is not None:
        at.selection.choose(following, "table")
        st.session_state[ticked_key(at.run)] = [following]


def _delete(at: Labelling, ids: tuple[str, ...]) -> None:
    """Delete the rows that a button was drawn for, with reason and note of this moment, and go to the next row."""
    from core.review.edits import Edit

    at.follow_map()
    if at.selection.current not in ids:
        return
    reason, note = st.session_state.get(_reason_key(at, ids)), st.session_state.get(_note_key(at, ids))

    def then() -> None:
        _typed(at, ids).clear()
        if len(ids) == 1:
            go_on(at, after=ids[0])

    do(at, lambda: Edit("delete", ids, reason=reason or None, note=note or None), then=then)


def _ask_next(at: Labelling) -> None:
    at.follow_map()
    go_on(at)


def _reason_key(at: Labelling, ids: tuple[str, ...]) -> str:
    return f"label-reason-{at.run}-{','.join(ids)}"


def _note_key(at: Labelling, ids: tuple[str, ...]) -> str:
    return f"label-note-{at.run}-{','.join(ids)}"


def _typed(at: Labelling, ids: tuple[str, ...]) -> Slot[str | None]:
    """A note that was typed and is not saved yet."""
    return Slot(f"label-typed-{at.run}-{','.join(ids)}", None)


def show_bar(at: Labelling) -> None:
    """What can be said of the labels of the selected rows."""
    ids, waiting = tuple(at.ticked), at.opened.counts["unreviewed"]
    show_problem(at, "bar")
    tell_turned(at)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="xsmall", key="review-bar"):
        ask_name(at.run)
        off = not is_named() or not ids
        about = tr("Why a label is wrong or a row deleted; and a note.")
        with st.popover(tr("Reason, note"), disabled=off, help=about):
            if ids:
                _ask_reason(at, ids)
        buttons: tuple[tuple[str, str, Judgement, str | None], ...] = (
            (tr("Label correct"), "Y", "confirmed", "Y"), (tr("Label wrong"), "N", "rejected", "N"),
            (tr("Mark not reviewed"), "open", "unreviewed", None),
        )  # fmt: skip
        done = [name for name in ids if at.review.features[name].is_judged]
        for title, key, judgement, shortcut in buttons:
            st.button(
                title, on_click=judge, args=(at, ids, judgement), shortcut=shortcut,
                disabled=off or (judgement == "unreviewed" and not done),
                key=bar_key(at.run, key),
            )  # fmt: skip
        show_delete(off=off, key=bar_key(at.run, "delete"), delete=lambda: _delete(at, ids))
        if at.opened.labelled.has_outlines:
            show_outline_buttons(at, ids, off=off, keys=lambda name: bar_key(at.run, name))
        st.button(tr("Next"), on_click=_ask_next, args=(at,), shortcut="J", key=bar_key(at.run, "next"),
                  disabled=not waiting, help=tr("Go to the next one not reviewed."))  # fmt: skip
        show_turns(at, lambda name: bar_key(at.run, name))
    if not is_named():
        st.caption(tr("Enter your name first: until then, marking and editing are off."))
    elif not ids:
        st.caption(tr("Select rows in the table, or one on the map."))
    elif len(ids) == 1:  # a line in every case, so that the map stays in place
        st.caption(tr("The buttons apply to {name}.").format(name=ids[0]))
    else:
        told = tr("{count:,} rows are selected, and the buttons apply to all of them: {names}. Labels reviewed "
                  "already: {done:,}.")
        names = ", ".join(ids[:NAMED]) + (" …" if len(ids) > NAMED else "")
        st.caption(told.format(count=len(ids), names=names, done=len(done)))
    show_drawing(at, ready=is_named())


def _ask_reason(at: Labelling, ids: tuple[str, ...]) -> None:
    from core.review.edits import MOST_WORDS

    one = at.review.features[ids[-1]] if len(ids) == 1 else None
    reason, note = ("", "") if one is None else (one.reason, one.note)
    offered = at.opened.reasons(ids)
    known = ["", *offered, *([reason] if reason and reason not in offered else [])]
    st.selectbox(
        tr("Reason for a wrong label or a deletion"), known, known.index(reason), key=_reason_key(at, ids),
        accept_new_options=True, format_func=lambda text: tr(text) if text else tr("not given"),
    )  # fmt: skip
    typed, key = _typed(at, ids), _note_key(at, ids)
    kept = typed.get()
    st.text_area(
        tr("Note"), note if kept is None else kept, max_chars=MOST_WORDS, key=key, height=80,
        on_change=lambda: typed.put(st.session_state[key]),
    )  # fmt: skip
    st.caption(tr("The note is saved when you press Label correct, Label wrong or Delete; the reason "
                  "only with Label wrong or Delete."))
