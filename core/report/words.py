"""Numbers and times as people write them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import datetime

from core.wording import area, moment

__all__ = (
    "UNKNOWN", "area", "moment", "moment_of", "of_hundred", "percent", "score", "sentences",
    "why_undefined",
)  # fmt: skip

UNKNOWN = "not recorded"


def percent(share: float) -> str:
    """A share as a percentage with two digits that mean something.

    Examples
    --------
    >>> percent(0.0314), percent(0.00042), percent(0.52), percent(0.0), percent(1e-9)
    ('3.1 %', '0.042 %', '52 %', '0 %', 'less than 0.001 %')
    """
    if math.isnan(share):
        return "undefined"
    value = 100 * share
    if value == 0 or value >= 9.95:
        return f"{value:.0f} %"
    if value < 0.001:
        return "less than 0.001 %"
    digits = 1 if value >= 0.995 else 1 - math.floor(math.log10(value))
    return f"{value:.{digits}f} %"


def of_hundred(share: float) -> str:
    """How many of a hundred, never rounding to none or all what is not.

    Examples
    --------
    >>> of_hundred(0.574), of_hundred(0.0), of_hundred(0.002), of_hundred(0.998), of_hundred(1.0)
    ('57', 'none', 'fewer than 1', 'more than 99', 'all')
    """
    if share <= 0:
        return "none"
    if share >= 1:
        return "all"
    if share < 0.005:
        return "fewer than 1"
    return "more than 99" if share > 0.995 else f"{100 * share:.0f}"


def score(value: float) -> str:
    """A score with three decimals, or that it is undefined."""
    return "undefined" if math.isnan(value) else f"{value:.3f}"


def why_undefined(scores: Mapping[str, float], what: str, found: int, known: int) -> str:
    """Which scores stand as a dash, and why; empty when none does.

    Parameters
    ----------
    scores
        Values by title, NaN where undefined.
    what
        What is counted, such as "pixel" or "detection".
    found
        How many of them were found where the reference says something.
    known
        How many of the reference's landslides, or their pixels, lie where the model looked.

    Examples
    --------
    >>> why_undefined({"Precision": math.nan, "Recall": 0.0}, "detection", 0, 3)
    'Undefined (–): Precision, because no detection was found in the compared area.'
    >>> why_undefined({"Precision": 0.5}, "detection", 2, 3)
    ''
    """
    names = [title for title, value in scores.items() if math.isnan(value)]
    if not names:
        return ""
    reasons = []
    if not found:
        reasons.append(f"no {what} was found in the compared area")
    if not known:
        reasons.append("the reference holds no landslide in the area processed")
    return f"Undefined (–): {', '.join(names)}, because {' and '.join(reasons or ['their denominator is zero'])}."


def moment_of(text: object) -> str:
    """A recorded ISO 8601 time as it is said, or what is recorded when it is none."""
    try:
        return moment(datetime.fromisoformat(str(text)))
    except ValueError:
        return str(text) if text else UNKNOWN


def sentences(text: str) -> str:
    """Text that begins with a capital and ends with a full stop."""
    return f"{text[:1].upper()}{text[1:]}{'' if text.endswith('.') else '.'}"
