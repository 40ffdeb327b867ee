"""What people corrected in what a run found."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from core.figures.judged import Judged
from core.raster.files import one_line
from core.report.content import GridReport
from core.report.parts import Column, Content, Items, Notice, Paragraph, Part, Table
from core.report.places import places
from core.report.words import moment
from core.review.found import can_be_reviewed, open_review
from core.review.inventory import inventory
from core.review.log import last_number
from core.review.replay import judged, judged_by_name
from core.review.state import GONE, STATUSES
from core.review.totals import corrected_words, totals_words
from core.runs.view import texts_of
from core.wording import agree, count, setting_words

if TYPE_CHECKING:
    from collections.abc import Mapping

    from shapely.geometry.base import BaseGeometry

    from core.review.found import Opened, Progress
    from core.review.state import Feature
    from core.runs.records import Run
    from core.runs.store import Store

SEARCHED = "Reviewers confirmed that the whole area was searched for landslides that the model missed."

LISTED = 40
"""Features in the table: the largest of those that were reviewed."""


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


def judgement_words(content: GridReport) -> dict[str, str]:
    """The same with the names of what a feature was split into, or merged with."""
    return {} if content.review is None else judged_by_name(content.review.review.log)


OF_THE_MODEL = ", as the model found them before the review"
"""Said of a table of the model's features that also gives what reviewers decided."""


def judged_outlines(content: GridReport) -> Judged:
    """What reviewers decided, to be drawn over a map of the run; empty where there is no review."""
    if content.review is None:
        return Judged()
    review = content.review.review
    by_status = {name: [one.outline for one in review.features.values() if one.status == name] for name in STATUSES}
    # What was merged has its own mark on a map of the model's outlines: that of what became of it.
    parts: dict[str, list[BaseGeometry]] = {"edited": [], "rejected": []}
    for name, words in judgements(content).items():
        became = {one.status for one in review.features.values() if name in one.parents and one.id != name}
        if name in content.review.features and words == GONE["merge"] and became:
            parts["rejected" if became == {"rejected"} else "edited"].append(content.review.features[name].outline)
    deleted = [one.outline for one in review.deleted.values() if one.origin != "added"]  # those were never the model's
    return Judged(
        correct=by_status["confirmed"] + by_status["edited"] + parts["edited"],
        wrong=by_status["rejected"] + deleted + parts["rejected"],
        added=by_status["added"],
    )


def marks_words(content: GridReport) -> str:
    """For the caption of a map with `judged_outlines`: that what was merged has several marks."""
    merged = GONE["merge"] in judgements(content).values()
    return " Marks: what reviewers decided." + (" Each part of a merged outline has its own mark." if merged else "")


def review_in_brief(content: GridReport, view: object) -> list[Paragraph]:
    """For a summary: how much was reviewed, what came of it, and that the other numbers do not follow it.

    Parameters
    ----------
    view
        What the report is made at, which a review that began earlier may differ from.
    """
    opened = content.review
    if opened is None:
        return []
    found = opened.found
    progress = opened.progress
    if not progress.reviewed and not progress.added:
        return []
    began = f" The review began at {settings_of(opened)}; its numbers are of these settings."
    return [Paragraph(
        f"{progress.reviewed:,} of {count(progress.total, found.noun, found.several)} "
        f"{agree(progress.reviewed, 'has', 'have')} been reviewed{_counted(progress)}."
        f"{'' if opened.view == view else began} {totals_words(opened)}{_and(corrected_words(opened))}"
        f"{_and(SEARCHED if opened.review.examined else '')} Except where the review is named, numbers and areas are "
        "the model's own, without these corrections."
    )]  # fmt: skip


def _and(sentence: str) -> str:
    return f" {sentence}" if sentence else ""


def _counted(progress: Progress) -> str:
    """What came of a review, after the number of what was reviewed."""
    said = ", ".join(f"{words} {number:,}" for words, number in progress.judged.items())
    added = f"{progress.added:,} {agree(progress.added, 'was', 'were')} added by reviewers"
    return f"{f': {said}' if said else ''}{f'; {added}' if progress.added else ''}"


def settings_of(opened: Opened) -> str:
    """The settings with which a review began, in words; those that are zero did nothing."""
    texts = texts_of(opened.view, in_metres=opened.found.grid.in_metres)
    used = {name: (value, texts[name]) for name, value in opened.view_values.items() if value and name in texts}
    shares = {name for name, (value, _) in used.items() if isinstance(value, float) and value < 1}
    return ", ".join(
        f"{setting_words(name)} {f'{value:.2f}' if name in shares else setting_words(text)}"
        for name, (value, text) in used.items()
    )


def reviewed(content: GridReport) -> Part | None:
    """How far the review is, who made it, and its features; nothing where there is none."""
    opened = content.review
    if opened is None:
        return None
    review, noun = opened.review, opened.found.noun
    people = sorted({one.reviewer for one in review.log})
    last = datetime.fromtimestamp(review.log[-1].created, UTC)
    progress = opened.progress
    found = count(progress.total, noun, opened.found.several)
    lead = f"{progress.reviewed:,} of {found} reviewed by {', '.join(people)}."
    began = (
        f"The review began with what the model found at {settings_of(opened)}. This section is about these outlines, "
        f"with the changes that reviewers made. Last edit: {moment(last)}."
    )
    shown: list[Content] = [
        Paragraph(lead, lead=True), Paragraph(f"{totals_words(opened)}{_and(corrected_words(opened))}"),
        Paragraph(began),
    ]
    counted = [f"{words}: {number:,}" for words, number in progress.judged.items()]
    left = progress.total - progress.reviewed
    counted += [f"{STATUSES['unreviewed']}: {left:,}"] if left else []
    shown.append(Items(tuple(counted), "What the model found, by status"))
    if progress.added:
        added = count(progress.added, noun, opened.found.several)
        shown.append(Paragraph(f"Reviewers added {added}."))
    if review.examined:
        shown.append(Paragraph(SEARCHED))
    if not review.finished:
        text = "Unreviewed items count as neither correct nor wrong."
        if not review.examined:
            text += " Nobody has confirmed that the whole area was searched for missed landslides."
        shown.append(Notice("Review incomplete", text, "note"))
    table = _table(opened)
    if table is not None:
        shown.append(table)
    if review.deleted:
        gone = [_deleted(one) for one in review.deleted.values()]
        more = f"; and {len(gone) - LISTED:,} more" if len(gone) > LISTED else ""
        shown.append(Paragraph(f"Deleted from the inventory: {'; '.join(gone[:LISTED])}{more}."))
    shown.append(Paragraph("The review did not change the model's own result."))
    return Part("review", "Review", tuple(shown))


def _deleted(feature: Feature) -> str:
    """A deleted feature with its reviewer and why it was deleted."""
    own = "drawn by a reviewer" if feature.origin == "added" else ""
    by = f"deleted by {feature.reviewer}" if own and feature.reviewer else feature.reviewer
    told = ", ".join(one_line(text) for text in (own, by, feature.reason, feature.note) if text)
    return f"{feature.id} ({told})" if told else feature.id


def _status(opened: Opened, row: Mapping[Any, Any]) -> str:
    one = opened.review.features[row["id"]]
    return ", ".join(part for part in (STATUSES[row["status"]], one.made_of) if part)


def _table(opened: Opened) -> Table | None:
    frame = inventory(opened)
    frame = frame[frame["status"] != "unreviewed"]
    if not len(frame):
        return None
    known = opened.found.grid.in_metres
    size_name = "area_m2" if known else "area_px"
    listed = frame.sort_values(size_name, ascending=False, kind="stable").head(LISTED)
    where, columns = places(listed)
    sizes = listed[size_name]
    rows = [
        (row["id"], _status(opened, row), f"{size:,.0f}", row["reviewer"],
         "; ".join(text for text in (row["reason"], row["note"]) if text), *place)
        for row, size, place in zip(listed.drop(columns="geometry").to_dict("records"), sizes, where, strict=True)
    ]  # fmt: skip
    size_head = Column(f"Area, {'m²' if known else 'px'}", True)
    heads = (Column("ID"), Column("Status"), size_head, Column("Reviewer"), Column("Reason and note"))
    which = "Reviewed items in the inventory, the largest first"
    if len(frame) > LISTED:
        which = f"The {LISTED} largest of {len(frame):,} reviewed items in the inventory"
    return Table(f"{which}, each with the coordinates of a point inside it", (*heads, *columns), tuple(rows))
