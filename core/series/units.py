"""Units as headings say them, and signs that a column changes its unit on the way."""

from __future__ import annotations

import re
import unicodedata

import numpy as np

from core.series.columns import MM_PER, Columns, Components, QuestionError
from core.series.monitoring import UNITS, Quantity, Values

_BEFORE, _AFTER = r"(?:^|[_ (\[/,\-])", r"(?:$|[)\]_ ,])"

_LENGTHS: tuple[tuple[str, float], ...] = (
    (r"mm|millimet\w*|milímet\w*|毫米", 1.0), (r"cm|centimet\w*|zentimet\w*|centímet\w*|厘米", 10.0),
    (r"m|met(?:er|re|ro|ri)s?|mètres?|米", 1000.0), (r"(?<! )in|inch|inches", 25.4), (r"ft|feet|foot", 304.8),
)  # fmt: skip

_OTHERS: dict[Quantity, tuple[tuple[str, float, float], ...]] = {
    "rain": ((r"(?<! )in|inch|inches", 25.4, 0.0), (r"cm", 10.0, 0.0), (r"(?<=[(\[])m", 1000.0, 0.0)),
    "level": ((r"ft|feet", 0.3048, 0.0), (r"cm", 0.01, 0.0), (r"mm", 0.001, 0.0)),
    "groundwater": ((r"ft|feet", 0.3048, 0.0), (r"cm", 0.01, 0.0), (r"mm", 0.001, 0.0)),
    "discharge": ((r"cfs|ft3/?s|ft³/s", 0.028316846592, 0.0), (r"l/s", 0.001, 0.0), (r"m3/h|m³/h", 1 / 3600, 0.0),
                  (r"m3/d|m³/d", 1 / 86_400, 0.0)),
    "temperature": ((r"°? ?f|degf|fahrenheit", 5 / 9, -160 / 9), (r"k|kelvin", 1.0, -273.15)),
}  # fmt: skip
"""By quantity: how a heading says another unit than that of `UNITS`, its factor, and what is added then."""

_OURS: dict[Quantity, str] = {
    "rain": "mm", "level": r"m|masl|meters?|metres?", "groundwater": r"m|masl|meters?|metres?",
    "discharge": r"m3/?s|m3 s-1|cms|cumecs", "temperature": r"°? ?c|degc|celsius",
}  # fmt: skip

JUMPS = (10.0, 25.4, 100.0, 1000.0)
"""Ratios of units that are mixed up."""


def _says(heading: str, unit: str) -> bool:
    plain = unicodedata.normalize("NFKC", heading).lower()
    return re.search(f"{_BEFORE}(?:{unit}){_AFTER}", plain) is not None


def length_in(heading: str) -> float | None:
    """Millimetres in the unit of length that a heading names; None where it names none.

    Examples
    --------
    >>> length_in("disp (cm)")
    10.0
    """
    return next((factor for unit, factor in _LENGTHS if _says(heading, unit)), None)


def lengths_of(columns: Columns) -> dict[str, float]:
    """Millimetres in the unit of each column of displacement, position or reference.

    A unit that is chosen holds for all; otherwise each heading says its own, and a reference without one has that of
    the stations.

    Raises
    ------
    QuestionError
        When neither the choice nor the headings say it.
    """
    moved = columns.displacements or tuple(name for one in columns.components for name in one.columns)
    of_reference = _columns_of(columns.reference)
    if columns.unit:
        return dict.fromkeys((*moved, *of_reference), MM_PER[columns.unit])
    said = {name: length_in(name) for name in (*moved, *of_reference)}
    unknown = next((name for name in moved if said[name] is None), None)
    units = {said[name] for name in moved}
    found = {name: factor if factor is not None else said[moved[0]] for name, factor in said.items()}
    unsaid = any(said[name] is None for name in of_reference) and len(units) > 1
    if unknown is not None or unsaid:
        raise QuestionError(
            "unit", f"The unit of {unknown or of_reference[0]} is unknown.",
            "Velocities and thresholds depend on the unit.", "Name it (--unit mm, cm or m).",
        )  # fmt: skip
    return {name: factor for name, factor in found.items() if factor is not None}


def _columns_of(reference: str | Components | None) -> tuple[str, ...]:
    if reference is None:
        return ()
    return (reference,) if isinstance(reference, str) else reference.columns


def in_our_unit(values: Values, quantity: Quantity, column: str, notes: list[str]) -> Values:
    """Values of a driver in the unit of `core.series.monitoring.UNITS`, by its heading.

    `notes` receives that they change, or that the heading names no unit.
    """
    for unit, factor, added in _OTHERS.get(quantity, ()):
        if _says(column, unit):
            more = f" and {added:+.4g}" if added else ""
            notes.append(f"{column} was converted to {UNITS[quantity]} (times {factor:.6g}{more}), according to its "
                         "heading.")
            return values * factor + added
    if quantity in _OURS and not _says(column, _OURS[quantity]):
        notes.append(f"{column} is assumed to be in {UNITS[quantity]}: its heading names no unit.")
    return values


def warn_of_mixed_units(values: Values, name: str, notes: list[str]) -> None:
    """Note where a series jumps by a ratio of units, ten at a time or 25.4, and stays there.

    Parameters
    ----------
    values
        ``(n,)``, in the order of their times; NaN where unknown.
    """
    known = np.abs(values[np.isfinite(values)])
    if len(known) < 10:
        return
    with np.errstate(divide="ignore", invalid="ignore"):
        ratios = known[1:] / known[:-1]
        ratios = np.where(ratios < 1, 1 / ratios, ratios)
    for at in np.flatnonzero(ratios > min(JUMPS) * 0.9)[:1_000] + 1:
        near = min(JUMPS, key=lambda one: abs(np.log(ratios[at - 1] / one)))
        before, after = known[max(at - 5, 0) : at], known[at : at + 5]
        steady = len(before) >= 3 and len(after) >= 3 and all(
            one.max() < 1.5 * max(one.min(), 1e-12) for one in (before, after)
        )  # fmt: skip
        if steady and abs(ratios[at - 1] / near - 1) < 0.1:
            notes.append(
                f"{name} jumps by a factor of about {near:g} at value {at + 1:,} of {len(known):,}: its unit may "
                "change there. Nothing was changed."
            )
            return
