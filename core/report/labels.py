"""What people said of the labels that a run learnt from."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from core.report.label_map import label_map
from core.report.parts import Column, Items, Notice, Paragraph, Part, Table
from core.report.words import moment
from core.review.corrected import cautions
from core.review.label_files import label_table
from core.review.label_words import labels_words
from core.review.labels import STATUSES, open_labels
from core.review.log import last_number
from core.wording import cell_text

if TYPE_CHECKING:
    from core.review.labels import OpenedLabels
    from core.review.state import Feature
    from core.runs.records import Run
    from core.runs.store import Store

MOST_NAMED = 2
"""Columns of the table, beside its number, by which a row is recognised; a page holds no more."""

UNITS = (
    "The list counts the units after the review: the parts of a split row one by one, merged rows as one, deleted rows "
    "not at all."
)

LISTED = 40
"""Rows in the table: of those that were reviewed the ones that the model contradicts most."""


def labels_of(store: Store, run: Run, view: object = None) -> OpenedLabels | None:
    """The review of the labels of a run; None where none was started.

    Raises
    ------
    LandslideError
        When the table or a file of the run is gone, or the log is of a newer version.
    """
    return open_labels(store, run, view) if last_number(store, run.id) else None


def labels_part(opened: OpenedLabels | None) -> Part | None:
    """How far the review of labels is, who made it, and the reviewed rows; nothing where there is none."""
    if opened is None:
        return None
    log = opened.review.log
    people = ", ".join(sorted({one.reviewer for one in log}))
    last = datetime.fromtimestamp(log[-1].created, UTC)
    lead = Paragraph(labels_words(opened), lead=True)
    said = Paragraph(
        f"Reviewed by {people}. Last edit: {moment(last)}. The scores of this run are those of the labels as they "
        "were loaded, without these corrections."
    )
    counted = Items(tuple(f"{STATUSES[name]}: {number:,}" for name, number in opened.counts.items() if number))
    table, done = _table(opened), opened.changes.done
    changed = [Paragraph(UNITS)] if done else []
    gone = list(opened.review.deleted)
    more = [f"and {len(gone) - LISTED:,} more"] if len(gone) > LISTED else []
    deleted = [Items((*(_deleted(opened, name) for name in gone[:LISTED]), *more), "Deleted")] if gone else []
    listed = [] if table is None else [row[0] for row in table.rows]
    drawn = label_map(opened, [*listed, *gone[:LISTED]])
    return Part("labels", "Review of the labels", (
        lead, said, *changed, counted, *(one for one in (drawn, table) if one is not None), *deleted,
        Notice("Before the corrected data are used", cautions(opened), "note"),
    ))  # fmt: skip


def _deleted(opened: OpenedLabels, name: str) -> str:
    """A deleted row with what it is recognised by, who deleted it when, and why."""
    one, known = opened.review.deleted[name], []
    if name in opened.positions:
        row = opened.labelled.named.iloc[opened.positions[name]]
        known = [f"{column} {cell_text(row[column], 10)}" for column in _recognised(opened)]
    label = {True: "labelled: landslide", False: "labelled: no landslide", None: ""}[one.label]
    when = "" if one.reviewed is None else f", {moment(datetime.fromtimestamp(one.reviewed, UTC))}"
    about = ", ".join(text for text in (*known, label) if text)
    told = (f"{name} ({about}): deleted by {one.reviewer}{when}", one.reason, one.note)
    return "; ".join(text for text in told if text)


def _recognised(opened: OpenedLabels) -> list[str]:
    """Columns by which a row is recognised in a table, without its coordinates."""
    where = opened.labelled.coordinates
    return [str(name) for name in opened.labelled.named.columns if name not in where][:MOST_NAMED]


def _table(opened: OpenedLabels) -> Table | None:
    import pandas

    rows = label_table(opened).iloc[opened.order]
    rows = rows[rows["status"] != "unreviewed"]
    if not len(rows):
        return None
    words = {0: "no landslide", 1: "landslide"}

    def label(value: object) -> str:
        return "–" if pandas.isna(value) else words[int(value)]  # type: ignore[call-overload]

    named = _recognised(opened)
    cells = [
        (row["id"], *(cell_text(row[f"table_{name}"], 10) for name in named), label(row["label"]),
         label(row["label_reviewed"]), _status(opened.review.features[row["id"]]),
         "–" if row["score"] != row["score"] else f"{row['score']:.2f}",
         row["reviewer"], "; ".join(text for text in (row["reason"], row["note"]) if isinstance(text, str) and text))
        for row in rows.head(LISTED).to_dict("records")
    ]  # fmt: skip
    heads = (
        Column("Row"), *(Column(name) for name in named), Column("Label"), Column("Reviewed label"),
        Column("Status"), Column("Held-out score", True), Column("Reviewer"), Column("Reason and note"),
    )  # fmt: skip
    which = "Reviewed rows" if len(rows) <= LISTED else f"{LISTED} of {len(rows):,} reviewed rows"
    caption = f"{which}, those first whose score contradicts the label most. Score: {opened.labelled.scored_by}"
    return Table(caption, heads, tuple(cells))


def _status(one: Feature) -> str:
    """What the review says of a unit, with what became of its outline."""
    changed = STATUSES[one.origin] if one.origin not in ("model", one.status) and not one.made_of else ""
    return "; ".join(text for text in (STATUSES[one.status], changed, one.made_of) if text)
