"""Sizes and ages as people write them."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from core.errors import InputError

SIZE = re.compile(r"([0-9]+(?:\.[0-9]+)?) ?([kmgt]?i?b)", re.IGNORECASE)
AGE = re.compile(r"([0-9]{1,6})([hdw])")
DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(T[0-9]{2}:[0-9]{2}(:[0-9]{2})?(Z|[+-][0-9]{2}:[0-9]{2})?)?")
HOURS = {"h": 1, "d": 24, "w": 7 * 24}
UNITS = {
    "b": 1, "kb": 10**3, "mb": 10**6, "gb": 10**9, "tb": 10**12,
    "kib": 2**10, "mib": 2**20, "gib": 2**30, "tib": 2**40,
}  # fmt: skip


def octets(text: str) -> int:
    """Bytes of a size such as 20GB, 500 MB or 1.5TiB.

    Raises
    ------
    InputError
        When it is no size, or has no unit.
    """
    found = SIZE.fullmatch(text)
    factor = UNITS.get(found[2].lower()) if found else None
    if found is None or factor is None:
        raise InputError(f"{text!r} is not a size.", remedy="Write it as 20GB, 500MB or 1.5TiB.")
    return round(float(found[1]) * factor)


def before(text: str, now: datetime | None = None) -> datetime:
    """The time that an age such as 30d, 12h or 4w goes back to, or a date such as 2026-01-31 (UTC unless it says).

    Parameters
    ----------
    now
        What ages are counted from; the present when None.

    Raises
    ------
    InputError
        When it is neither, or lies in the future.
    """
    now = now or datetime.now(UTC)
    age = AGE.fullmatch(text)
    try:
        if age:
            return now - timedelta(hours=int(age[1]) * HOURS[age[2]])
        found = datetime.fromisoformat(text) if DATE.fullmatch(text) else None
    except (ValueError, OverflowError):
        found = None
    if found is None:
        raise InputError(
            f"{text!r} is neither an age nor a date.", remedy="Write it as 30d, 12h, 4w or 2026-01-31."
        )
    found = found if found.tzinfo else found.replace(tzinfo=UTC)
    if found > now:
        raise InputError(f"{text} is in the future.", "Everything is older than that.", "Check the year.")
    return found


def words(size: int) -> str:
    """A size for people, in powers of ten: 1.2 GB."""
    for unit, factor in (("TB", 10**12), ("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if size >= factor:
            return f"{size / factor:.1f} {unit}"
    return f"{size} B"
