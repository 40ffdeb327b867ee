"""What reviewers deleted, and a way to put it back."""

from __future__ import annotations

from datetime import UTC, datetime

import streamlit as st

from core.raster.files import one_line
from ui import labels
from ui.messages import tr
from ui.task.editing import Edited, do, show_problem, ticked_key, turned
from ui.task.reviewer import is_named

LONGEST = 160
"""Letters that the list gives of each; the log has whole notes."""


def show_deleted(at: Edited, title: str) -> None:
    """Choose deleted features, and restore them; nothing is shown where none was deleted.

    Parameters
    ----------
    title
        What they were deleted from.
    """
    gone = at.review.deleted
    if gone:
        own = sum(one.origin == "added" for one in gone.values())
        heading = (
            tr("Deleted ({count:,})") if not own
            else tr("Deleted ({count:,}, all drawn by reviewers)") if own == len(gone)
            else tr("Deleted ({count:,}, {own:,} of them drawn by reviewers)")
        )  # fmt: skip
        with st.expander(heading.format(count=len(gone), own=own)):
            # Other choices are another field: one that keeps a name that is there no longer would be refused.
            key = f"deleted-{at.run}-{at.review.number}"
            about = tr("Puts them back as they were before they were deleted.")
            with st.container(horizontal=True, vertical_alignment="bottom"):  # beside it: the open list lies below
                picked = st.multiselect(
                    title, list(gone), key=key, format_func=lambda name: _words(at, name),
                    placeholder=tr("Choose what to restore"),
                )  # fmt: skip
                st.button(
                    tr("Restore"), disabled=not (picked and is_named()), on_click=_restore, args=(at, tuple(picked)),
                    key=f"restore-{at.run}", help=about if is_named() else tr("Enter your name first."),
                )  # fmt: skip
    show_problem(at, "deleted")


def _words(at: Edited, name: str) -> str:
    one = at.review.deleted[name]
    label = "" if one.label is None else tr("labelled: landslide") if one.label else tr("labelled: no landslide")
    when = "" if one.reviewed is None else labels.moment(datetime.fromtimestamp(one.reviewed, UTC))
    by = tr("deleted by {name}, {when}").format(name=one.reviewer, when=when)
    own = tr("drawn by a reviewer") if one.origin == "added" else ""
    told = " · ".join(one_line(text) for text in (name, own, label, by, one.reason, one.note) if text)
    return told if len(told) <= LONGEST else f"{told[: LONGEST - 1]}…"


def _restore(at: Edited, names: tuple[str, ...]) -> None:
    from core.review.edits import Edit

    edit = Edit("restore", names)

    def then() -> None:
        turned(at.run).put(edit.words)
        at.selection.choose(names[0], "chart")
        st.session_state[ticked_key(at.run)] = list(names)

    do(at, lambda: edit, then=then, place="deleted")
