"""Corrections of stations that people chose, each recorded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Literal

import numpy as np

from core.errors import InputError
from core.series.finding import Finding, Part
from core.series.monitoring import Monitoring, Station, Values
from core.series.stations import moved
from core.series.words import signed
from core.wording import agree, count

Kind = Literal["remove", "shift"]


@dataclass(frozen=True)
class Correction:
    """A correction of one station.

    Attributes
    ----------
    what
        ``"remove"``: values from `begin` to `end` count as not measured. ``"shift"``: `size` is taken from all values
        from `begin` on, as at a step; up to `end` where one is given.
    station
        Name of the station.
    begin, end
        ISO 8601, both included; `end` may be empty for a shift.
    size
        Of a shift, mm.
    part
        Component that is shifted, from which the distance is then made anew; empty for the displacement.
    reason
        Why, for the record.
    """

    what: Kind
    station: str
    begin: str
    end: str = ""
    size: float = 0.0
    part: Part = ""
    reason: str = ""


def correction_of(finding: Finding) -> Correction | None:
    """What would correct a finding: outliers and stuck readings are removed, steps taken away; None for others."""
    record = finding.to_json()
    if finding.what in ("outlier", "stuck"):
        return Correction("remove", finding.station, record["begin"], record["end"], reason=finding.text)
    if finding.what == "step":
        return Correction("shift", finding.station, record["end"], "", finding.size, finding.part, finding.text)
    return None


def apply_corrections(monitoring: Monitoring, corrections: Sequence[Correction]) -> Monitoring:
    """Correct stations as people chose, and record each correction with the number of values it changed.

    Parameters
    ----------
    corrections
        Applied in their order.

    Raises
    ------
    InputError
        When a correction names no station or component that there is, no time, or a time at which there is no row.
    """
    stations = {one.name: one for one in monitoring.stations}
    records = []
    for one in corrections:
        station = monitoring.station(one.station)  # refuses what there is not
        stations[station.name], changed = _corrected(stations[station.name], one)
        records.append({**asdict(one), "values": changed})
    notes = tuple(f"{one['station']}: {_told(one)}" for one in records)
    return replace(
        monitoring, stations=tuple(stations[one.name] for one in monitoring.stations),
        notes=(*monitoring.notes, *notes), corrections=(*monitoring.corrections, *records),
    )  # fmt: skip


def _told(record: dict[str, object]) -> str:
    number, begin = int(str(record["values"])), record["begin"]
    values, were = count(number, "value"), agree(number, "was", "were")
    if record["what"] == "remove":
        return f"{values} from {begin} to {record['end'] or begin} {were} removed as requested."
    part = f" of {record['part']}" if record["part"] else ""
    size = signed(-float(str(record["size"])), "+.4g")
    return f"{values}{part} from {begin} on {were} shifted by {size} mm as requested."


def _corrected(station: Station, one: Correction) -> tuple[Station, int]:
    """A station with one correction, and how many known values that changes."""
    begin = _time(one.begin)
    if one.what == "remove":
        end = _time(one.end) if one.end else begin
    else:
        end = _time(one.end) if one.end else station.times[-1]
    at = (station.times >= begin) & (station.times <= end)
    changed = int(np.isfinite(station.displacements[at]).sum())
    if not at.any():
        raise InputError(
            f"{station.name} has no row from {one.begin} to {one.end or 'its end'} to correct.",
            remedy="Choose another time.",
        )  # fmt: skip
    if one.what == "remove":
        parts = {what: np.where(at, np.nan, values) for what, values in station.components.items()}
        return _remade(station, parts, np.where(at, np.nan, station.displacements)), changed
    if not np.isfinite(one.size):
        raise InputError(f"The shift of {station.name} is not a number.", remedy="Enter a shift in mm.")
    if not one.part and station.components:
        raise InputError(
            f"A shift of {station.name} needs a component.", "The distance from its first position has no direction.",
            f"Choose one of {', '.join(station.components)}.",
        )  # fmt: skip
    if not one.part:
        return replace(station, displacements=station.displacements - np.where(at, one.size, 0.0)), changed
    if one.part not in station.components:
        known = ", ".join(station.components) or "none"
        raise InputError(f"{station.name} has no component {one.part!r}.", remedy=f"Its components: {known}.")
    parts = dict(station.components)
    parts[one.part] = np.where(at, parts[one.part] - one.size, parts[one.part])
    return _remade(station, parts, station.displacements), changed


def _remade(station: Station, parts: dict[str, Values], values: Values) -> Station:
    """A station with other components, its displacement their distance where it has any."""
    if not parts:
        return replace(station, displacements=values)
    components, distance = moved(parts)
    return replace(station, components=components, displacements=distance)


def _time(text: str) -> np.datetime64:
    try:
        time = np.datetime64(text, "ns")
    except ValueError as error:
        raise InputError(f"{text[:40]!r} is not a date.", remedy="Write it as YYYY-MM-DD.") from error
    if np.isnat(time):
        raise InputError("The correction has no date.", remedy="Enter one as YYYY-MM-DD.")
    return time
