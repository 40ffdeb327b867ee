"""The tab Review of a run that learnt from labelled rows: check the labels, correct them, and take them away."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import streamlit as st

from core.wording import count
from ui.feedback import guard, plain
from ui.maps import MapEvent, told_by
from ui.messages import tr
from ui.state import Slot
from ui.task.editing import left_selected, listed, show_log, show_problem, ticked_key
from ui.task.export import folder_of, offer
from ui.task.label_map import show_rows_on_map
from ui.task.label_selected import label_words, show_details, show_selected
from ui.task.labelling import NAMED, Labelling, labelling, show_bar
from ui.task.nearest import offer_nearest
from ui.task.review_address import follow_address, name_rows
from ui.task.review_deleted import show_deleted
from ui.task.review_rows import meant, selection_words
from ui.task.rows import show_rows
from ui.task.table import number_column

if TYPE_CHECKING:
    from pathlib import Path

    from pandas import DataFrame

    from core.review.state import Feature
    from core.runs.records import Run

MOST_DEGREES = 360

LISTED = 2000
"""Rows of the table at once; the first of those that the filters leave."""

TITLES = {
    "reviewed_labels.csv": "Reviewed labels with status, reason and reviewer, CSV",
    "reviewed_labels.gpkg": "Reviewed labels on the map, GeoPackage",
    "reviewed_labels_fields.csv": "Meaning, unit and codes of each field of the reviewed labels, CSV",
    "corrected_table.csv": "The validated table with the corrections of the review, CSV",
    "corrected_table.gpkg": "The validated units with the corrections of the review, GeoPackage",
    "review_log.csv": "All edits with time and reviewer, CSV",
    "review.json": "Counts and reviewers, JSON",
}


def show(run: Run, view: Any, again: Callable[[Path, str], None]) -> None:  # noqa: ANN401  the view of the run's task
    """Show the tab.

    Parameters
    ----------
    view
        Which model's scores stand beside the labels.
    again
        Opens the page with the file of the corrected data, to be validated with the settings of the run; told that and
        what the data come from.
    """
    at = labelling(run, view)
    spec = at.spec
    at.selection.follow(*((told_by(spec, key=at.map_key), spec.grid) if spec else (MapEvent(), None)))
    follow_address(at)
    at.tick()
    with st.container(gap="small"):  # what moves the map's place makes the browser build the map anew
        _tell(at)
        show_bar(at)
    show_rows_on_map(at)
    show_selected(at)
    _table(at)
    show_details(at)
    offer_nearest(at)
    show_deleted(at, tr("Deleted rows"))
    name_rows(at)
    st.subheader(tr("Use the review"), divider="gray")
    with st.container():
        _files(at)
        _again(at, again)
    with st.expander(tr("Edit log")), guard():
        show_log(at)


def _tell(at: Labelling) -> None:
    from core.review.corrected import corrected_in
    from core.review.label_words import labels_words
    from core.review.units import REVIEW_ID

    opened, total = at.opened, len(at.opened.features)
    done = tr("{total:,} of {total_2:,} reviewed").format(total=opened.reviewed, total_2=total)
    st.progress(opened.reviewed / total, text=done)
    if left_out := opened.labelled.left_out:
        names = f"{', '.join(left_out[:NAMED])}{' …' if len(left_out) > NAMED else ''}"
        st.caption(tr("{rows} of the table without a label, a place or the value of a factor: not validated, and not "
                      "listed here: {names}.").format(rows=count(len(left_out), "row"), names=plain(names)))
    if opened.reviewed:
        st.markdown(plain(labels_words(opened)))
    for words in opened.fit.words:
        st.markdown(f":material/warning: {words}")
    earlier = corrected_in(opened.labelled.origin)
    if earlier is not None:
        numbered = tr("Rows are numbered anew; the column {name} holds their names in that review.")
        renamed = numbered.format(name=REVIEW_ID) if REVIEW_ID in opened.labelled.named else ""
        st.caption(f"{tr('Before this run:')} {plain(earlier.words)} {plain(renamed)}")
    st.caption(
        tr("The label of a row says whether there is a landslide. Check it in images or records, and mark it as "
        "correct or wrong. The rows are ordered by how far the score of a model that was not trained on them "
        "({scored_by}) is from their labels; choose another model above. They are named by their place in the table, "
        "from R0 for the first. The table that was validated and its scores stay as they "
        "are.").format(scored_by=opened.labelled.scored_by)
    )  # fmt: skip
    if opened.labelled.has_outlines:
        st.caption(
            tr("The units themselves can be corrected as well: *Edit outline* and *Delete* apply to what is selected; "
            "to *Merge* units, select several. A shape drawn on the map (pentagon or square at its left) can become "
            "a new unit, or extend, cut or split the selected one; the buttons for this then appear above the map. To "
            "split a unit, draw a shape around the part to split off.")
        )  # fmt: skip
    with st.container(key="review-keys"):  # hidden where there is no keyboard, see `static/page.css`
        st.caption(tr("Keys: Y label correct, N label wrong, J next row."))


def _frame(at: Labelling) -> DataFrame:
    """A row each, those first whose score contradicts the label most."""
    import pandas

    from core.review.labels import STATUSES

    opened = at.opened
    rows, named, words = opened.rows, opened.recognised_by, label_words()
    features = [opened.review.features[name] for name in rows["id"]]
    frame = pandas.DataFrame(
        {
            "id": rows["id"],
            **{f"table_{name}": named[name] for name in named.columns},
            "label": ["–" if one.label is None else words[one.label] for one in features],
            **({"reviewed": [_reviewed_label(one) for one in features]} if opened.changes.corrected else {}),
            "score": rows["score"],
            "status": [tr(STATUSES[one.status]) for one in features],
            **{name: [getattr(one, name) for one in features] for name in ("reason", "note", "reviewer")},
        }
    )
    return frame.iloc[opened.order]


def _reviewed_label(one: Feature) -> str:
    """The label as the review leaves it, where it was judged; else empty."""
    label = one.reviewed_label
    return "" if label is None or not one.is_judged else label_words()[label]


def _table(at: Labelling) -> None:
    everything = _frame(at)
    frame = _filtered(at, everything)
    listed(at.run).put(frozenset(frame["id"]) if len(frame) < len(everything) else None)
    if len(frame) > LISTED:
        st.caption(tr("The first {listed:,} of {count:,} rows are listed.").format(listed=LISTED, count=len(frame)))
        frame = frame.head(LISTED)
    names = frame["id"].tolist()
    hidden = [name for name in at.ticked if name not in names]
    if hidden:
        st.caption(tr("Selected, but not among the rows that are listed: {names}.").format(names=", ".join(hidden[:8])))
    ticked, left = [name for name in at.ticked if name in names], left_selected(at.run)

    def chosen(rows: list[str]) -> None:
        rows = meant(rows, ticked, left.get())
        left.clear()
        st.session_state[ticked_key(at.run)] = rows
        at.selection.choose(rows[-1], "table") if rows else at.selection.clear()

    config: dict[str, object] = {
        "id": st.column_config.TextColumn(
            tr("Row"), width="small", help=tr("Row of the table, from 0 for the first.")
        ),
        **{f"table_{name}": str(name) for name in at.opened.labelled.named.columns},
        **{f"table_{name}": number_column(name, 6) for name in at.opened.labelled.coordinates if _is_degrees(at, name)},
        "label": tr("Label"), "reviewed": tr("Reviewed label"),
        "score": number_column("Held-out score", 2, "By a model that was not trained on the row."),
        "status": tr("Status"), "reason": tr("Reason"), "note": tr("Note"), "reviewer": tr("Reviewer"),
    }  # fmt: skip
    show_rows(
        frame, names, ticked, chosen, key=f"label-table-{at.run}", several=True,
        column_config=config, height=320, alt="Table of the labelled rows",
    )  # fmt: skip
    if told := selection_words(at, ticked):
        st.caption(plain(told))
    show_problem(at, "rows")


def _is_degrees(at: Labelling, name: str) -> bool:
    """Whether coordinates are degrees, which are shown with as many digits each."""
    values = at.opened.labelled.named[name]
    return bool(values.dtype.kind == "f" and values.abs().max() <= MOST_DEGREES)


def _filtered(at: Labelling, frame: DataFrame) -> DataFrame:
    from core.review.labels import STATUSES

    counts, words = at.opened.counts, label_words()
    number = {one: int((frame["label"] == words[one]).sum()) for one in words}
    units = tr("Units are counted as they are after the review: parts of a split row one by one, merged rows as one. A "
               "changed or drawn unit whose label was marked counts by its label.")
    with st.container(horizontal=True, gap="medium"):
        status = st.pills(
            tr("Filter by status"), [name for name, number in counts.items() if number], selection_mode="multi",
            key=f"label-status-{at.run}", format_func=lambda name: f"{tr(STATUSES[name])} ({counts[name]:,})",
            help=units if at.opened.changes.done else None,
        )  # fmt: skip
        label = st.pills(
            tr("Filter by label"), [True, False], selection_mode="multi", key=f"label-label-{at.run}",
            format_func=lambda one: f"{words[one]} ({number[one]:,})",
        )  # fmt: skip
    if status:
        frame = frame[frame["status"].isin([tr(STATUSES[name]) for name in status])]
    return frame[frame["label"].isin([words[one] for one in label])] if label else frame


def _files(at: Labelling) -> None:
    """Files of the reviewed labels, prepared when they are asked for."""
    from core.review.label_files import export_labels

    folder = folder_of(at.run, ("labels", at.review.number, at.opened.labelled.scored_by))
    prepared = Slot(f"label-prepared-{at.run}", at.review.number)
    if st.button(tr("Prepare reviewed files"), key=f"label-files-{at.run}"):
        with guard(), st.spinner(tr("Writing the files")):
            export_labels(at.opened, folder)
    if folder.is_dir():
        prepared.put(at.review.number)
        offer(folder, TITLES, at.run)
    elif prepared.get() != at.review.number:
        st.caption(tr("The review was edited since its files were prepared. Prepare them again to download them."))


def _again(at: Labelling, again: Callable[[Path, str], None]) -> None:
    """The corrected table as the page's next table."""
    from core.raster.folder import make_folder
    from core.review.corrected import CAUTION, origin_of
    from core.review.label_files import write_corrected

    changed = bool(at.opened.changes)
    pressed = st.button(
        tr("Open the corrected data for validation"), disabled=not changed, key=f"label-again-{at.run}",
        help=tr("Saves a copy with the corrections and opens it in the form of this page, with the settings of "
                "this run. Press Validate models there."),
    )  # fmt: skip
    told = [tr(CAUTION), *map(tr, at.opened.changes.done.attributes)]
    st.caption(" ".join(told) if changed else tr("Not available yet: nothing was corrected."))
    if pressed:
        with guard():
            folder = folder_of(at.run, ("corrected", at.review.number))
            make_folder(folder)
            again(write_corrected(at.opened, folder), origin_of(at.opened, at.opened.labelled.origin))
