"""What a trajectory is made of, and whether readings can say it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from core.errors import InputError
from core.series.kinematics import DAY
from core.series.monitoring import Times
from core.wording import agree, count

Shape = Literal["logarithmic", "exponential"]

YEAR = 365.25

SPARE = 3
"""Readings more than parameters, at least."""

AFTER = 5
"""Readings after the beginning of a relaxation, at least."""

MOST_STEPS = 20

WRITTEN = re.compile(r"\d{4}-\d{2}-\d{2}")

FIRST, LAST = np.datetime64("1700-01-01", "D"), np.datetime64("2250-12-31", "D")
"""Days that nanoseconds of 64 bits can count."""

@dataclass(frozen=True)
class Relaxation:
    """Movement that begins at a date and fades.

    Attributes
    ----------
    begin
        ISO 8601.
    shape
        ``"logarithmic"``, a log(1 + t/T), which never ends; ``"exponential"``, a (1 - exp(-t/T)), which comes to rest.
    days
        T; 0 to find it by the fit.
    """

    begin: str
    shape: Shape = "logarithmic"
    days: float = 0.0

    def __post_init__(self) -> None:
        if self.shape not in ("logarithmic", "exponential") or not 0 <= self.days < 1e6:
            raise InputError("A relaxation must be logarithmic or exponential and have a time of 0 days or more.",
                             remedy="Choose another.")  # fmt: skip


@dataclass(frozen=True)
class TrajectoryPlan:
    """What a trajectory is made of.

    Attributes
    ----------
    degree
        Of the trend, 1 to 3.
    annual, semiannual
        Whether there are waves of a year and of half a year.
    steps
        ISO 8601 of sudden jumps; the reading at such a time counts as after it.
    relaxation
        Movement that fades, from a date on.
    excluded
        Spans of ISO 8601 whose readings do not count, both ends included.
    """

    degree: int = 1
    annual: bool = False
    semiannual: bool = False
    steps: tuple[str, ...] = ()
    relaxation: Relaxation | None = None
    excluded: tuple[tuple[str, str], ...] = ()

    def __post_init__(self) -> None:
        if not 1 <= self.degree <= 3:
            raise InputError(f"A trend of degree {self.degree} cannot be fitted.", remedy="Choose 1 to 3.")
        if len(self.steps) > MOST_STEPS or len(self.excluded) > MOST_STEPS:
            raise InputError(f"There are more than {MOST_STEPS} steps or excluded spans.", remedy="Enter fewer.")


def time_of(text: str, what: str) -> np.datetime64:
    """A time that was written as ISO 8601.

    Raises
    ------
    InputError
        When it is none; it is called `what`.
    """
    if not text.strip():
        raise InputError(f"A {what} is missing.", remedy="Write it as YYYY-MM-DD.")
    wrong = InputError(f"{text[:40]!r} is not a valid {what}.", remedy="Write it as YYYY-MM-DD.")
    if not WRITTEN.match(text.strip()):
        raise wrong  # numpy also takes "today"
    try:
        day, time = np.datetime64(text.strip(), "D"), np.datetime64(text.strip(), "ns")
    except ValueError as error:
        raise wrong from error
    if not FIRST <= day <= LAST:
        raise wrong
    return time


def counted(times: Times, excluded: Sequence[tuple[str, str]]) -> NDArray[np.bool_]:
    """Which readings lie in no excluded span; a span that ends on a day includes all of it."""
    used = np.ones(len(times), np.bool_)
    for begin, end in excluded:
        first, last = time_of(begin, "date"), time_of(end, "date")
        if len(end.strip()) <= len("YYYY-MM-DD"):
            last = last + DAY - np.timedelta64(1, "ns")
        if last < first:
            raise InputError(f"The excluded span {begin} to {end} ends before it begins.", remedy="Swap the two dates.")
        used &= ~((times >= first) & (times <= last))
    return used


def check_plan(times: Times, used: NDArray[np.bool_], plan: TrajectoryPlan) -> None:
    """Refuse what the readings cannot say."""
    own = times[used]
    span = float((own[-1] - own[0]) / DAY)
    longest = 1.0 if plan.annual else 0.5 if plan.semiannual else 0.0
    if span < longest * YEAR:
        raise InputError(
            f"A wave of {count(longest, 'year', form='g')} cannot be fitted to {span / YEAR:.2f} years.",
            "It could not be separated from the trend.", "Leave it out.",
        )  # fmt: skip
    for text in plan.steps:
        at = time_of(text, "date of a step")
        if not (own < at).any() or not (own >= at).any():
            raise InputError(f"The step of {text} has no readings before or after it.", remedy="Choose another date.")
    if plan.relaxation is not None:
        at = time_of(plan.relaxation.begin, "date of a relaxation")
        if (own > at).sum() < AFTER or not (own <= at).any():
            raise InputError(
                f"A relaxation from {plan.relaxation.begin} needs readings before and {AFTER} after that date.",
                remedy="Choose another date.",
            )  # fmt: skip
    terms = plan.degree + 1 + 2 * (plan.annual + plan.semiannual) + len(plan.steps) + 2 * (plan.relaxation is not None)
    if used.sum() < terms + SPARE:
        readings = f"{count(int(used.sum()), 'reading')} {agree(int(used.sum()), 'is', 'are')} used"
        raise InputError(f"{readings}; {terms + SPARE} are needed for {count(terms, 'parameter')}.",
                         remedy="Leave terms out, or exclude fewer readings.")  # fmt: skip
