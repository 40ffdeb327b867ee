"""The tab Review: how far the review is, its table, its log, and what can be made of it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING

import streamlit as st

from core.wording import count
from ui import labels
from ui.feedback import guard, plain
from ui.messages import tr
from ui.task.review import delete_one, judge_one
from ui.task.review_deleted import show_deleted
from ui.task.review_files import show_files, show_reference
from ui.task.reviewer import is_named, reviewer
from ui.task.reviewing import ACTIONS, Reviewing, bar_key, do, onward, show_problem, ticked_key, turned
from ui.task.rows import show_rows
from ui.task.table import number_column

if TYPE_CHECKING:
    from pandas import DataFrame

    from core.review.edits import Judgement
    from core.runs.records import SceneRecord

NAMED = 8
"""Selected rows that are named one by one; they may be out of sight in the table."""

def show(at: Reviewing, score: Callable[[SceneRecord], str] | None = None, record: SceneRecord | None = None) -> None:
    """Show the tab.

    Parameters
    ----------
    score
        Scores the run against the scene's reference and returns the scored run's id; None where it cannot.
    record
        The scene of the run; None where it is no longer there.
    """
    _tell(at)
    _table(at)
    show_deleted(at)
    _searched(at)
    st.subheader(tr("Use the review"), divider="gray")
    with st.container():  # of its own, so that what appears in it does not close the log below
        show_files(at)
        if score is not None and record is not None:
            show_reference(at, score, record)
    with st.expander(tr("Edit log")), guard():
        _log(at)


def _tell(at: Reviewing) -> None:
    """How far it is, and what a visitor should know."""
    from core.review.state import STATUSES
    from core.review.totals import totals_words

    review, noun, progress = at.review, at.opened.found.noun, at.opened.progress
    waiting = progress.total - progress.reviewed
    counts = ({STATUSES["unreviewed"]: waiting} if waiting else {}) | dict(progress.judged)
    counted = [f"{tr(words)} {number:,}" for words, number in counts.items()]
    text = tr("{total:,} of {total_2:,} reviewed").format(total=progress.reviewed, total_2=progress.total)
    if progress.added:
        text += " · " + tr("{count:,} missed by the model and added").format(count=progress.added)
    st.progress(progress.reviewed / progress.total if progress.total else 1.0, text=text)
    if progress.reviewed:
        several = count(progress.total, tr(noun), tr(at.opened.found.several))
        told = tr("The model's {several}: {list}.").format(several=several, list=", ".join(counted))
        if any(one.is_merged or one.relation[0] == "split from" for one in review.features.values()):
            told += " " + tr("In the inventory and its files, merged and split ones count as outline corrected.")
        st.caption(told)
    if progress.reviewed or progress.added:
        st.markdown(plain(totals_words(at.opened)))
    if at.opened.found.left_out:
        st.warning(
            tr(
                "Only the {total:,} largest can be reviewed; {left_out:,} are left out. To leave out "
                "fewer, raise the minimum area before the review starts."
            ).format(total=progress.total, left_out=at.opened.found.left_out)
        )
    if review.number:
        st.caption(
            tr("The review started at {view_words} and keeps what was found there: the sliders above change what "
            "the other tabs show, not the review, and the review does not change the model's result. "
            "To add a {noun} that the model missed, draw it on the map (pentagon or square at its left); a drawn shape "
            "can also extend, cut or split the {noun} that is selected.").format(
                view_words=at.view_words, noun=noun
            )
        )
        with st.container(key="review-keys"):  # hidden where there is no keyboard, see `static/page.css`
            st.caption(tr("Keys: Y correct, N false alarm, J next {noun}.").format(noun=noun))
    else:
        st.caption(
            ("" if is_named() else tr("Enter your name.") + " ")
            + tr("Select a {noun} on the map or in the table below, and use the buttons above the map or below the "
            "table. To add a {noun} that the model missed, draw it on the map (pentagon or square at its left); a "
            "drawn shape can also extend, cut or split the {noun} that is selected. The review keeps what was found "
            "with the settings of its start (now {view_words}), so set the sliders first. The model's result is kept "
            "unchanged.").format(noun=noun, view_words=at.view_words)
        )


def _frame(at: Reviewing) -> DataFrame:
    from core.review.inventory import inventory
    from core.review.state import STATUSES

    table = inventory(at.opened)
    area = "area_m2" if "area_m2" in table else "area_px"
    scores = [name for name in ("mean_probability", "score") if name in table]
    columns = ["id", "status", area, *scores, "reason", "note", "reviewer"]
    frame: DataFrame = table[columns].assign(status=[tr(STATUSES[name]) for name in table["status"]])
    return frame.set_index("id", drop=False).loc[list(at.names)].reset_index(drop=True)


def _table(at: Reviewing) -> None:
    from core.review.state import STATUSES

    frame = _frame(at)
    counts = at.review.counts
    there = [name for name, count in counts.items() if count]
    wanted = st.pills(
        tr("Reviewed inventory: filter by status"), there, selection_mode="multi", key=f"review-show-{at.run}",
        format_func=lambda name: f"{tr(STATUSES[name])} ({counts[name]:,})",
    )  # fmt: skip
    if wanted:
        frame = frame[frame["status"].isin([tr(STATUSES[name]) for name in wanted])]
    names: list[str] = frame["id"].tolist()
    kept = ticked_key(at.run)
    ticked = [name for name in at.ticked if name in names]
    current = at.selection.current
    if current not in ticked:  # something else was selected since, or nothing
        ticked = [str(current)] if current in names else []
        st.session_state[kept] = ticked

    offered = onward(at.run)

    def chosen(rows: list[str]) -> None:
        rows = meant(rows, ticked, offered.get())
        offered.clear()
        st.session_state[kept] = rows
        at.selection.choose(rows[-1], "table") if rows else at.selection.clear()

    area = "area_m2" if "area_m2" in frame else "area_px"
    config: dict[str, object] = {
        "id": st.column_config.TextColumn(tr("ID"), width="small"),
        "status": st.column_config.TextColumn(tr("Status"), width=185),
        area: st.column_config.NumberColumn(
            tr("Area, m²") if area == "area_m2" else tr("Area, px"), format="localized"
        ),
        "mean_probability": number_column("Probability", 2, "Mean over the pixels of the polygon."),
        "score": st.column_config.NumberColumn(tr("Confidence"), format="%.2f", width=90),
        "reason": st.column_config.TextColumn(tr("Reason"), width=100),
        "note": st.column_config.TextColumn(tr("Note"), width=110),
        "reviewer": st.column_config.TextColumn(tr("Reviewer"), width=85),
    }
    show_rows(
        frame.round({area: 0}), names, ticked, chosen, key=f"review-table-{at.run}", several=True,
        buttons=[bar_key(at.run, one) for one in ACTIONS], column_config=config, height=300,
        alt="Table of the reviewed inventory",
    )  # fmt: skip
    _several(at, ticked)
    show_problem(at, "rows")  # also where a filter has left fewer rows than were selected


def meant(rows: list[str], before: list[str], offered: str) -> list[str]:
    """Rows that a reviewer means: the first that is selected beside one that the page had selected replaces it.

    Parameters
    ----------
    rows, before
        Ids of what is selected now, and of what was.
    offered
        Id of what the page had selected because another was marked; empty for none.

    Examples
    --------
    >>> meant(["L2", "L7"], ["L2"], offered="L2"), meant(["L2", "L7"], ["L2"], offered="")
    (['L7'], ['L2', 'L7'])
    """
    return [name for name in rows if name != offered] if before == [offered] and len(rows) == 2 else rows


def _several(at: Reviewing, ticked: list[str]) -> None:
    """What can be done with the selected rows, where they are seen."""
    if len(ticked) < 2:
        words = tr("Select rows to mark or delete them, or several to merge them.")
        if ticked and ticked == [onward(at.run).get()]:
            told = tr("{name} was selected as the next one. Selecting another row replaces this selection.")
            words = f"{plain(told.format(name=ticked[0]))} {words}"
        st.caption(words)
    if not ticked:
        return
    from core.review import actions
    from core.review.edits import Edit

    off, ids = not is_named(), tuple(ticked)

    def still() -> tuple[str, ...]:
        """Those that are ticked at this moment, of those that the buttons were drawn for."""
        now = at.ticked
        return tuple(name for name in ids if name in now)

    def judged(judgement: Judgement) -> None:
        if len(ids) == 1:
            judge_one(at, ids[0], judgement, onwards=judgement != "unreviewed", place="rows")
            return
        do(at, lambda: Edit("judge", still(), judgement=judgement), place="rows")

    def deleted() -> None:
        if len(ids) == 1:
            delete_one(at, ids[0], place="rows")
            return
        do(at, lambda: Edit("delete", still()), place="rows")

    def merged() -> None:
        made: list[str] = []

        def edit() -> Edit:
            found = actions.merge(at.review, still())
            made.extend(found.made)
            return found

        wrong = [name for name in ids if at.review.features[name].status == "rejected"]

        def select() -> None:
            if wrong:
                said = tr("{names} had been marked as false alarm. The merged outline counts as a landslide.")
                turned(at.run).put(said.format(names=", ".join(wrong)))
            st.session_state[ticked_key(at.run)] = made
            at.selection.choose(made[0], "chart")

        do(at, edit, then=select, place="rows")

    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        named = f": {', '.join(ids)}" if len(ids) <= NAMED else ""
        st.markdown(tr("**{count:,} selected**").format(count=len(ids)) + plain(named), width="content")
        key = f"several-{at.run}"
        st.button(tr("Mark correct"), on_click=judged, args=("confirmed",), disabled=off, key=f"{key}-correct")
        st.button(tr("Mark false alarm"), on_click=judged, args=("rejected",), disabled=off, key=f"{key}-wrong")
        st.button(tr("Mark not reviewed"), on_click=judged, args=("unreviewed",), disabled=off, key=f"{key}-open")
        if len(ids) > 1:
            about = tr("Combine them into one, named after the largest. It counts as a landslide.")
            st.button(tr("Merge"), on_click=merged, disabled=off, key=f"{key}-merge", help=about)
        st.button(tr("Delete"), on_click=deleted, disabled=off, key=f"{key}-delete")
        _offer_nearest(at, ticked)


def _offer_nearest(at: Reviewing, ticked: list[str]) -> None:
    """Select the neighbour of what is selected too, which may be far from it in the table."""
    from core.review import actions

    if len(ticked) != 1 or ticked[0] not in at.review.features:
        return
    beside = actions.nearest(at.review, ticked[0])
    if not beside:
        return

    def select() -> None:
        st.session_state[ticked_key(at.run)] = [*ticked, beside]
        at.selection.choose(ticked[0], "chart")

    st.button(
        tr("Select the nearest as well: {name}").format(name=beside), on_click=select, key=f"nearest-{at.run}",
        help=tr("Then press Merge to combine both into one."),
    )  # fmt: skip


def _searched(at: Reviewing) -> None:
    from core.review.edits import Edit

    key = f"searched-{at.run}"
    st.session_state[key] = at.review.examined
    def changed() -> None:
        wanted = bool(st.session_state[key])
        do(at, lambda: Edit("examined", examined=wanted), place="search")

    st.checkbox(
        tr("The whole area was searched for landslides missed by the model"),
        key=key,
        on_change=changed,
        disabled=not is_named(),
        help=tr("Required before ground outside all outlines counts as free of landslides in scores and training."),
    )
    show_problem(at, "search")


def _log(at: Reviewing) -> None:
    from core.review.inventory import log_table

    log, zone = log_table(at.opened), labels.zone()
    if log.empty:
        st.caption(tr("No edits yet."))
        return
    log = log.assign(time=[datetime.fromtimestamp(one.created, zone) for one in at.review.log])
    config: dict[str, object] = {
        "number": st.column_config.NumberColumn(tr("No."), format="%d", width="small"),
        "time": st.column_config.DatetimeColumn(tr("Time ({zone})").format(zone=zone), format="YYYY-MM-DD HH:mm"),
        "reviewer": tr("Reviewer"), "words": tr("Edit"),
        "reason": tr("Reason"), "note": tr("Note"), "undone": st.column_config.CheckboxColumn(tr("Undone")),
        "operation": None, "features": None,
    }  # fmt: skip
    st.dataframe(
        log[::-1], hide_index=True, column_config=config, height=240, alt="Edit log", key=f"log-{at.run}"
    )
    told = tr("No entry is removed: undoing an edit adds one, and the edit is ticked as undone. Reviewing as {name}.")
    st.caption(told.format(name=plain(reviewer()) or tr("nobody yet")))
