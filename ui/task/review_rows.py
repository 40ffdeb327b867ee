"""The table of a reviewed inventory, and what can be done with the rows that are selected in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import streamlit as st

from ui.feedback import plain
from ui.messages import tr
from ui.task.editing import Edited, do, left_selected, listed, show_problem, ticked_key, turned
from ui.task.nearest import offer_nearest
from ui.task.review import delete_one, judge_one
from ui.task.review_address import name_rows
from ui.task.reviewer import is_named
from ui.task.reviewing import Reviewing
from ui.task.rows import show_rows
from ui.task.table import number_column

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pandas import DataFrame

    from core.review.edits import Edit, Judgement

MOST_UNITED = 50
"""Selected rows up to which it is said of how many pieces their merge would be."""

NAMED = 8
"""Selected rows that are named one by one; they may be out of sight in the table."""


def _frame(at: Reviewing) -> DataFrame:
    from core.review.inventory import inventory
    from core.review.state import STATUSES

    table = inventory(at.opened)
    area = "area_m2" if "area_m2" in table else "area_px"
    scores = [name for name in ("mean_probability", "score") if name in table]
    columns = ["id", "status", area, *scores, "reason", "note", "reviewer"]
    frame: DataFrame = table[columns].assign(status=[tr(STATUSES[name]) for name in table["status"]])
    return frame.set_index("id", drop=False).loc[list(at.names)].reset_index(drop=True)


def show_inventory(at: Reviewing) -> None:
    """The table, its filter, and the buttons for the rows that are selected in it."""
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
    listed(at.run).put(frozenset(names) if wanted else None)
    kept = ticked_key(at.run)
    ticked = [name for name in at.ticked if name in names]
    current = at.selection.current
    if current not in ticked:  # something else was selected since, or nothing
        ticked = [str(current)] if current in names else []
        st.session_state[kept] = ticked

    left = left_selected(at.run)

    def chosen(rows: list[str]) -> None:
        rows = meant(rows, ticked, left.get())
        left.clear()
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
        column_config=config, height=300, alt="Table of the reviewed inventory",
    )  # fmt: skip
    name_rows(at)
    _several(at, ticked)
    show_problem(at, "rows")  # also where a filter has left fewer rows than were selected


def meant(rows: list[str], before: list[str], left: Sequence[str]) -> list[str]:
    """Rows that a reviewer means: the first that is selected after an edit replaces what the edit left selected.

    Parameters
    ----------
    rows, before
        Ids of what is selected now, and of what was.
    left
        Ids of what an edit left selected; empty for nothing.

    Examples
    --------
    >>> meant(["L2", "L7"], ["L2"], left=["L2"]), meant(["L2", "L7"], ["L2"], left=[])
    (['L7'], ['L2', 'L7'])
    """
    added = [name for name in rows if name not in before]
    return added if len(added) == 1 and before and set(before) <= set(left) else rows


def selection_words(at: Edited, ticked: Sequence[str]) -> str:
    """That the next row replaces the selected ones, where an edit left them selected; else empty."""
    if not ticked or set(ticked) != set(left_selected(at.run).get()):
        return ""
    edit, replaces = at.review.log[-1].edit, tr("Selecting another row replaces this selection.")
    if edit.op in ("judge", "label", "delete") and not set(ticked) & set(edit.ids):
        return f"{tr('{name} was selected as the next one.').format(name=ticked[0])} {replaces}"
    return replaces


@dataclass(frozen=True)
class _Chosen:
    """The rows that the buttons below a table were drawn for, and what the buttons do with them.

    Attributes
    ----------
    at
        The review.
    ids
        Their ids.
    """

    at: Reviewing
    ids: tuple[str, ...]

    def _still(self) -> tuple[str, ...]:
        """Those of them that are ticked at this moment."""
        now = self.at.ticked
        return tuple(name for name in self.ids if name in now)

    def judge(self, judgement: Judgement) -> None:
        if len(self.ids) == 1:
            judge_one(self.at, self.ids[0], judgement, onwards=judgement != "unreviewed", place="rows")
            return
        do(self.at, lambda: self.at.opened.judge(self._still(), judgement), place="rows")

    def delete(self) -> None:
        from core.review.edits import Edit

        if len(self.ids) == 1:
            delete_one(self.at, self.ids[0], place="rows")
            return
        do(self.at, lambda: Edit("delete", self._still()), place="rows")

    def merge(self) -> None:
        from core.review import actions

        at, made = self.at, list[str]()

        def edit() -> Edit:
            found = actions.merge(at.review, self._still())
            made.extend(found.made)
            return found

        wrong = [name for name in self.ids if at.review.features[name].status == "rejected"]

        def select() -> None:
            if wrong:
                said = tr("{names} had been marked as false alarm. The merged outline counts as a landslide.")
                turned(at.run).put(said.format(names=", ".join(wrong)))
            st.session_state[ticked_key(at.run)] = made
            at.selection.choose(made[0], "chart")

        do(at, edit, then=select, place="rows")


def _several(at: Reviewing, ticked: list[str]) -> None:
    """What can be done with the selected rows, where they are seen."""
    current = at.selection.current
    if current in at.review.features and current not in ticked:
        st.caption(tr("Selected, but not among the rows that are listed: {names}.").format(names=current))
    ready = "" if len(ticked) > 1 else tr("Select rows to mark or delete them, or several to merge them.")
    told = plain(selection_words(at, ticked))
    if told or ready:
        st.caption(f"{told} {ready}".strip())
    if not is_named():
        st.caption(tr("Enter your name above the map first: until then, marking and editing are off."))
    if not ticked:
        return
    off, chosen = not is_named(), _Chosen(at, tuple(ticked))
    named = f": {', '.join(ticked)}" if len(ticked) <= NAMED else ""
    st.markdown(tr("**{count:,} selected**").format(count=len(ticked)) + plain(named))
    # A press that selects one more must leave no other button than Merge below the pointer.
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        key = f"several-{at.run}"
        st.button(tr("Mark correct"), on_click=chosen.judge, args=("confirmed",), disabled=off, key=f"{key}-correct")
        st.button(tr("Mark false alarm"), on_click=chosen.judge, args=("rejected",), disabled=off, key=f"{key}-wrong")
        done = any(at.review.features[name].is_judged for name in ticked if name in at.review.features)
        st.button(
            tr("Mark not reviewed"), on_click=chosen.judge, args=("unreviewed",), disabled=off or not done,
            key=f"{key}-open",
        )  # fmt: skip
        st.button(tr("Delete"), on_click=chosen.delete, disabled=off, key=f"{key}-delete")
        if len(ticked) > 1:
            about = tr("Combine them into one, named after the largest. It counts as a landslide.")
            st.button(tr("Merge"), on_click=chosen.merge, disabled=off, key=f"{key}-merge", help=about)
        offer_nearest(at)
    if (parts := _parts(at, ticked)) > 1:
        told = tr("Merged, they make one {noun} of {parts:,} separate parts.")
        st.caption(told.format(noun=tr(at.opened.found.noun), parts=parts))


def _parts(at: Reviewing, names: list[str]) -> int:
    """Of how many pieces a merge of several features would be; 0 for a single one."""
    from core.review.geometry import united

    outlines = [at.review.features[name].outline for name in names if name in at.review.features]
    if not 1 < len(outlines) <= MOST_UNITED:
        return 0
    return len(getattr(united(outlines), "geoms", ())) or 1
