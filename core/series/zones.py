"""Zones that times name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from core.errors import InputError
from core.series.monitoring import Times
from core.wording import agree

if TYPE_CHECKING:
    from pandas import Series

UTC = ("Z", "UTC", "GMT")


class ZoneError(InputError):
    """Times name zones that cannot be brought together."""


def in_one_zone(times: Times, zones: Series[Any], column: str, notes: list[str]) -> tuple[Times, str]:
    """Times without zones: as they stand where all name one, in UTC where they name several offsets from it.

    Parameters
    ----------
    times
        ``(n,)``, NaT where unknown.
    zones
        ``(n,)`` text: an offset such as ``+02:00``, or a name; missing where a time names none.
    column
        For messages.
    notes
        Receives which zone it is, or which there were.

    Returns
    -------
    tuple
        Times, and the zone they are in; empty where none is named.

    Raises
    ------
    ZoneError
        When only some times name a zone, or several are known by names alone.
    """
    known = ~np.isnat(times)
    named = zones[known].dropna()
    if named.empty:
        return times, ""
    if len(named) < int(known.sum()):
        raise ZoneError(
            f"Only {len(named):,} of {int(known.sum()):,} times of {column} {agree(len(named), 'names', 'name')} a "
            "time zone.",
            "The others may be off by hours.", "Write all times in one time zone.",
        )  # fmt: skip
    found = sorted({"UTC" if str(one).upper() in UTC else str(one) for one in set(named)})
    if len(found) == 1:
        notes.append(f"Times are in the time zone {found[0]}, as stated in {column}.")
        return times, found[0]
    if any(one != "UTC" and one[0] not in "+-" for one in found):
        raise ZoneError(
            f"Times of {column} name {len(found)} time zones: {', '.join(found[:4])}.",
            "Zone names are ambiguous; times could be off by hours.",
            "Write all times in one time zone, or with their offset, such as +02:00.",
        )  # fmt: skip
    seconds = zones.map(_offset, na_action="ignore").astype("float64").fillna(0).to_numpy(np.float64)
    notes.append(f"Times of {column} name {len(found)} time zones ({', '.join(found[:4])}) and were converted to UTC.")
    return times - np.round(seconds).astype("timedelta64[s]"), "UTC"


def _offset(zone: str) -> float:
    """Seconds that an offset is ahead of UTC."""
    if zone[0] not in "+-":
        return 0.0
    digits = zone[1:].replace(":", "")
    return (-1 if zone[0] == "-" else 1) * (int(digits[:2]) * 3600 + int(digits[2:] or 0) * 60)
