"""What is known of the selected row of a review of labels."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from core.raster.inside import point_inside
from core.wording import cell_text
from ui.feedback import guard, plain
from ui.messages import tr
from ui.task.inspector import show_coordinates
from ui.task.judged import fate
from ui.task.label_map import place_of
from ui.task.review_map import RELATIONS
from ui.task.selection import tell

if TYPE_CHECKING:
    from core.review.state import Feature
    from ui.task.labelling import Labelling


def label_words() -> dict[bool, str]:
    """What a label says, in the visitor's language."""
    return {True: tr("landslide"), False: tr("no landslide")}


def show_selected(at: Labelling) -> None:
    """What is known of the row that was selected last."""
    one = at.selected
    if one is None and at.selection.current is None and at.selection.place is None:
        st.caption(tr("Nothing is selected."))  # so that the table stays in place when something is
        return
    if one is None:
        gone = fate(at.run, at.selection.current)
        tell(at.selection, "row", None, gone or tr("not among the validated rows"))
        return
    from core.review.labels import STATUSES

    rows = at.opened.rows
    row = rows[rows["id"] == one.id].iloc[0]
    has_score = row["score"] == row["score"]
    changed = (
        tr("no held-out score, as it was drawn") if one.origin == "added"
        else tr("no held-out score, as the outline was changed")
    )  # fmt: skip
    score = (
        tr("held-out score {score:.2f}").format(score=row["score"]) if has_score
        else tr("no held-out score") if one.origin == "model" else changed
    )  # fmt: skip
    words = [] if one.label is None else [tr("labelled: {label}").format(label=label_words()[one.label])]
    words += [score, tr(STATUSES[one.status])]
    if one.origin != "model" and one.status != one.origin:
        words.append(tr(STATUSES[one.origin]))
    how, names = one.relation
    if how:
        words.append(tr(RELATIONS[how]).format(names=names))
    if (parts := len(getattr(one.outline, "geoms", ()))) > 1:
        words.append(tr("{parts:,} separate parts").format(parts=parts))
    if one.origin == "added":
        words.append(tr("no values of factors: models leave it out"))
    words += [plain(text) for text in (one.reason, one.note) if text]
    if one.reviewer and one.status != "unreviewed":
        by = tr("reviewed by {name}") if one.is_judged else tr("changed by {name}, label not reviewed")
        words.append(by.format(name=plain(one.reviewer)))
    if len(at.ticked) > 1:
        words.append(tr("one of {count:,} selected").format(count=len(at.ticked)))
    tell(at.selection, "row", words)


def show_details(at: Labelling) -> None:
    """Where the row that was selected last is, and all its values."""
    one, place = at.selected, place_of(at)
    if one is None:
        return
    if place is not None and at.spec is not None:
        point = point_inside(place)
        show_coordinates(point.x, point.y, at.spec.grid, of="")
    with guard():
        _values(at, one)


def _values(at: Labelling, one: Feature) -> None:
    """All values of a row of the table, or of a unit as it stands in the corrected layer."""
    title = (
        tr("All values of row {name} of the table") if one.origin == "model"
        else tr("All values of unit {name} in the corrected layer")
    )  # fmt: skip
    with st.expander(title.format(name=one.id)):
        values = at.opened.values_of(one.id).rename("value").rename_axis("column").reset_index()
        values["value"] = values["value"].map(cell_text)
        config = {"column": tr("Column"), "value": tr("Value")}
        st.dataframe(
            values, hide_index=True, column_config=config, key=f"label-values-{at.run}", alt="Values of the row"
        )
