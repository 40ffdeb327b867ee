"""What people corrected in what a run found."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from core.report.content import GridReport
from core.report.parts import Column, Content, Items, Notice, Paragraph, Part, Table
from core.report.places import places
from core.report.words import area, moment
from core.review.found import can_be_reviewed, open_review
from core.review.inventory import inventory
from core.review.log import last_number
from core.review.state import STATUSES, judged
from core.wording import count

if TYPE_CHECKING:
    from core.review.found import Opened
    from core.runs.records import Run
    from core.runs.store import Store

LISTED = 40
"""Features in the table: the first of those that were reviewed."""


def review_of(store: Store, run: Run) -> Opened | None:
    """The review of a run; None where none was started.

    Raises
    ------
    StorageError
        When a file of the run is gone, or the log is of a newer version.
    """
    if not can_be_reviewed(run):
        return None
    from core.review.found import reviewed_run

    known = reviewed_run(store, run)
    return open_review(store, known) if last_number(store, known.id) else None


def judgements(content: GridReport) -> dict[str, str]:
    """What reviewers said of each of the model's own features, by id; empty where there is no review."""
    return {} if content.review is None else judged(content.review.review.log)


def reviewed(content: GridReport) -> Part | None:
    """How far the review is, who made it, and its features; nothing where there is none."""
    opened = content.review
    if opened is None:
        return None
    review, noun = opened.review, opened.found.noun
    people = sorted({one.reviewer for one in review.log})
    last = datetime.fromtimestamp(review.log[-1].created, UTC)
    total = len(review.features)
    done = total - review.counts["unreviewed"]
    lead = f"{done:,} of {count(total, noun, opened.found.several)} reviewed by {', '.join(people)}."
    shown: list[Content] = [Paragraph(lead, lead=True), Paragraph(f"Last edit: {moment(last)}.")]
    counted = [f"{STATUSES[name]}: {number:,}" for name, number in review.counts.items() if number]
    if review.deleted:
        counted.append(f"deleted: {len(review.deleted):,}")
    shown.append(Items(tuple(counted), "By status"))
    if not review.finished:
        text = "Unreviewed items count as neither correct nor wrong."
        if not review.examined:
            text += f" Nobody has confirmed that the whole area was searched for missed {opened.found.several}."
        shown.append(Notice("Review incomplete", text, "note"))
    table = _table(opened)
    if table is not None:
        shown.append(table)
    shown.append(Paragraph("The review did not change the model's own result, which the other sections describe."))
    return Part("review", "Review", tuple(shown))


def _table(opened: Opened) -> Table | None:
    frame = inventory(opened)
    frame = frame[frame["status"] != "unreviewed"]
    if not len(frame):
        return None
    listed = frame.head(LISTED)
    where, columns = places(listed)
    known = opened.found.grid.in_metres
    sizes = listed["area_m2" if known else "area_px"]
    rows = [
        (row["id"], STATUSES[row["status"]], area(float(size), georeferenced=known), row["reviewer"],
         "; ".join(text for text in (row["reason"], row["note"]) if text), *place)
        for row, size, place in zip(listed.drop(columns="geometry").to_dict("records"), sizes, where, strict=True)
    ]  # fmt: skip
    heads = (Column("ID"), Column("Status"), Column("Area", True), Column("Reviewer"), Column("Reason and note"))
    which = "All reviewed items"
    if len(frame) > LISTED:
        which = f"First {LISTED} of {len(frame):,} reviewed items"
    return Table(f"{which}, with a point inside each", (*heads, *columns), tuple(rows))
