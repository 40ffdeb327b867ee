"""Tables of open data that users may fetch: monitored slopes, InSAR points and rain, pinned to a commit and a digest.

Some come in several files, or in columns of fixed width: they are put into one CSV, values and dates unchanged but for
their units.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from core.catalog.fetch import Progress, open_data_folder
from core.catalog.open_data import DataSet, data_sets, fetch_known
from core.raster.write import atomic_path

if TYPE_CHECKING:
    from pandas import DataFrame, Series

Holds = Literal["cells", "series", "drivers"]

NOT_MEASURED = -9999
"""What NOAA writes where rain was not measured."""


@dataclass(frozen=True)
class OpenTable:
    """A table of the catalogue.

    Attributes
    ----------
    id
        Stable name, for addresses.
    title, shows
        For people.
    holds
        ``"series"`` of a monitored slope or of InSAR points, or ``"drivers"``: rain or levels alone.
    data_set
        Where it comes from; holds licence, citation and caution.
    path
        The table; None before it is fetched.
    """

    id: str
    title: str
    shows: str
    holds: Holds
    data_set: DataSet
    path: Path | None = None


@dataclass(frozen=True)
class _Source:
    """A table, the files it is made of, and how."""

    data_set: str
    title: str
    shows: str
    holds: Holds
    wanted: tuple[str, ...]
    make: Callable[[Mapping[str, Path], Path], Path]


def _as_published(files: Mapping[str, Path], folder: Path) -> Path:
    del folder
    (path,) = files.values()
    return path


def _salmon_falls(files: Mapping[str, Path], folder: Path) -> Path:
    return _written(folder / "salmon_falls.csv", lambda: salmon_falls(files))


def _seattle(files: Mapping[str, Path], folder: Path) -> Path:
    (path,) = files.values()
    return _written(folder / f"seattle_{path.stem}.csv", lambda: hourly_rain(path))


def _written(path: Path, made: Callable[[], DataFrame]) -> Path:
    if not path.is_file():
        with atomic_path(path) as aside:
            made().to_csv(aside, index=False)
    return path


def salmon_falls(files: Mapping[str, Path]) -> DataFrame:
    """Stations, rain and discharge of Salmon Falls side by side, a row a day from the first position to the last.

    Parameters
    ----------
    files
        The published files by name.

    Returns
    -------
    pandas.DataFrame
        ``date``; for each station ``NAME_n_mm``, ``NAME_e_mm`` and ``NAME_u_mm``; ``rain_mm_castleford`` and
        ``creek_discharge_m3s_usgs``, NaN where not measured; ``NAME_latitude`` and ``NAME_longitude``.
    """
    import pandas as pd

    from core.series.pbo import placed_table_of, read_positions
    from core.series.table import read_table_untrusted

    positions = placed_table_of([read_positions(path) for name, path in sorted(files.items()) if ".pbo." in name])
    table = positions.set_index("date")
    days = pd.date_range(table.index.min(), table.index.max(), name="date")
    rain = read_table_untrusted(files["NOAA_Castleford (1).txt"])
    creek = read_table_untrusted(files["creek_usgs.txt"])
    places = [one for one in table if str(one).endswith(("_latitude", "_longitude"))]
    where = table[places].iloc[0]
    table = table.drop(columns=places).reindex(days)
    inches = rain["PRCP"].where(rain["PRCP"] != NOT_MEASURED)
    table["rain_mm_castleford"] = _by_day(rain["DATE"], inches * 25.4, "%Y%m%d").reindex(days)
    discharge = _by_day(creek["datetime"], creek["cfs"] * 0.028316846592, "%m/%d/%Y")
    table["creek_discharge_m3s_usgs"] = discharge.reindex(days)
    return table.round(3).assign(**where.round(6)).reset_index()


def _by_day(days: Series, values: Series, form: str) -> Series:
    import pandas as pd

    found = pd.Series(values.to_numpy(float), pd.to_datetime(days.astype(str), format=form))
    return found.groupby(level=0).mean()


def hourly_rain(path: Path) -> DataFrame:
    """Hourly rain of a station in the layout of landslides-thresholds, as ``time`` and ``rain_mm``."""
    import pandas as pd

    from core.series.fixed_rain import HOURLY, read_fixed_rain

    rain = read_fixed_rain(path, HOURLY, [])
    return pd.DataFrame({"time": rain.times, "rain_mm": rain.values.round(4)})


_GPS = ("BASE (1)", "BLKM", "BLKS", "BLOK", "MIDB (1)", "NTOE", "STOE")
_EGMS = "InSAR points of Ustica"

_OPEN = {
    "salmon-falls": _Source(
        "salmon_falls_gps", "Salmon Falls landslide, Idaho: GPS, rainfall, discharge",
        "Daily positions of seven stations (BASE on stable ground), with rainfall and discharge, from January 2017 "
        "to June 2018.",
        "series", (*(f"{one}.pbo.nam08.csv" for one in _GPS), "NOAA_Castleford (1).txt", "creek_usgs.txt"),
        _salmon_falls,
    ),
    "egms-ustica-vertical": _Source(
        "egms_insar", f"{_EGMS}, vertical (EGMS level 3)",
        "522 cells of 100 m on 304 dates from 2020 to 2024: vertical displacement, positive up.",
        "series", ("EGMS_L3_E45N17_100km_U_2020_2024_1.zip",), _as_published,
    ),
    "egms-ustica-east": _Source(
        "egms_insar", f"{_EGMS}, east (EGMS level 3)",
        "The same cells: horizontal displacement, positive to the east.",
        "series", ("EGMS_L3_E45N17_100km_E_2020_2024_1.zip",), _as_published,
    ),
    "egms-ustica-ascending": _Source(
        "egms_insar", f"{_EGMS}, line of sight, ascending (EGMS level 2b)",
        "11,759 points on 207 dates from 2020 to 2024, along the line of sight of one track.",
        "series", ("EGMS_L2b_117_0227_IW2_VV_2020_2024_1.zip",), _as_published,
    ),
    "amsterdam-points": _Source(
        "amsterdam_insar", "InSAR points of Amsterdam",
        "2,500 points on 11 dates of 2016, in metres, in the layout of Delft University of Technology.",
        "series", ("example.csv",), _as_published,
    ),
    **{
        f"seattle-rain-{station.lower()}": _Source(
            "seattle_rain", f"Hourly rainfall, {place}", "Hourly rainfall in mm, from July 2010 to December 2011.",
            "drivers", (f"{station}_t.txt",), _seattle,
        )
        for station, place in (
            ("KSEA", "Seattle-Tacoma airport"), ("KBFI", "Boeing Field, Seattle"),
            ("KPAE", "Paine Field, Everett"), ("KTIW", "Tacoma Narrows"),
        )
    },
}  # fmt: skip


@lru_cache(maxsize=1)
def _all() -> tuple[OpenTable, ...]:
    sets = data_sets()
    return tuple(
        OpenTable(identity, one.title, one.shows, one.holds, sets[one.data_set]) for identity, one in _OPEN.items()
    )


def open_tables(holds: Holds | None = None) -> tuple[OpenTable, ...]:
    """The tables that can be fetched, without their files; those that hold one thing, or all."""
    return tuple(one for one in _all() if holds in (None, one.holds))


def fetch_table(identity: str, folder: Path | None = None, progress: Progress | None = None) -> OpenTable:
    """Fetch a table, or find it where it was fetched before.

    Parameters
    ----------
    folder
        Cache; by default ``open_data`` under ``SLIDELENS_HOME``.
    progress
        Called with bytes done and bytes in all. May raise to stop.

    Raises
    ------
    InputError
        When there is none of that name.
    FetchError
        When a file cannot be had, or is not the published one.
    StorageError
        When the cache cannot be written.
    """
    cache = folder or open_data_folder()
    known, files = fetch_known(_OPEN, identity, "table", cache, progress)
    found = next(one for one in open_tables() if one.id == identity)
    return replace(found, path=known.make(files, cache))
