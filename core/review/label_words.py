"""What a review of labels comes to, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.review.labels import JUDGED
from core.wording import count

if TYPE_CHECKING:
    from collections.abc import Sequence

    from core.review.labels import OpenedLabels
    from core.review.state import Feature


def labels_words(opened: OpenedLabels) -> str:
    """What the review of labels comes to, in a sentence or two.

    Rows are those of the validated data, each counted once: by its label, or by what was done to its outline. Labels of
    units with another outline are counted after them, one by one.
    """
    judged = [one for one in opened.review.features.values() if one.status in JUDGED]
    rows, others = ([one for one in judged if (one.origin == "model") is own] for own in (True, False))
    done = opened.changes.done.words
    told = f"{opened.reviewed:,} of {count(len(opened.features), 'row')} reviewed"
    own = f": {_judged_words(rows)}" if rows or not done else ""
    changed = f" Changed and drawn units: {_judged_words(others)}." if others else ""
    return f"{told}{own}.{f' {done}.' if done else ''}{changed}"


def _judged_words(judged: Sequence[Feature]) -> str:
    """How many labels are correct and how many are wrong, and in which way."""
    wrong = [one.label for one in judged if one.status == "rejected"]
    parts = [
        f"{number:,} from {words}"
        for number, words in (
            (sum(label is True for label in wrong), "landslide to no landslide"),
            (sum(label is False for label in wrong), "no landslide to landslide"),
        )
        if number
    ]  # fmt: skip
    told = f" ({', '.join(parts)})" if parts else ""
    return f"{count(len(judged) - len(wrong), 'label')} correct, {len(wrong):,} wrong{told}"
