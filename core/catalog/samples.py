"""The samples that ship with SlideLens. All are synthetic and say so wherever they appear."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from core.errors import InputError

FOLDER = Path(__file__).resolve().parents[2] / "data" / "samples"
LICENCE = "CC0-1.0"
SERIES_CITATION = "SlideLens synthetic series, computed by data/samples/make_series.py. No real place."
CITATION = "SlideLens synthetic valley, computed by data/samples/make_valley.py. No real place."


@dataclass(frozen=True)
class Sample:
    """A scene that ships with SlideLens.

    Attributes
    ----------
    id
        Stable name, for addresses and the command line.
    title
        For people; says that it is synthetic.
    shows
        One sentence about what is in it.
    path
        GeoTIFF in a projected CRS, EPSG:32632.
    synthetic
        Whether it was computed rather than observed.
    licence, citation
        Shown before use.
    reference
        Inventory of the landslides that show here as GeoPackage, or None where none do.
    dem
        Elevation in metres on the same grid.
    before
        Id of the sample of the same place before the event, or empty.
    holds
        ``"image"`` in colours, or ``"velocity"`` along a line of sight, mm/year.
    """

    id: str
    title: str
    shows: str
    path: Path
    synthetic: bool = True
    licence: str = LICENCE
    citation: str = CITATION
    reference: Path | None = None
    dem: Path | None = None
    before: str = ""
    holds: Literal["image", "velocity"] = "image"

    @property
    def files(self) -> tuple[Path, ...]:
        """All files that belong to the sample."""
        return tuple(path for path in (self.path, self.reference, self.dem) if path is not None)


@dataclass(frozen=True)
class SampleTable:
    """A table that ships with SlideLens.

    Attributes
    ----------
    id, title, shows
        As of a `Sample`.
    path
        CSV.
    synthetic, licence, citation
        As of a `Sample`.
    holds
        ``"cells"`` with labels, or ``"series"`` of a monitored slope or of InSAR points.
    """

    id: str
    title: str
    shows: str
    path: Path
    synthetic: bool = True
    licence: str = LICENCE
    citation: str = CITATION
    holds: Literal["cells", "series"] = "cells"


_TABLES = (
    SampleTable(
        id="valley-cells",
        title="Cells of the mountain valley (synthetic)",
        shows="240 cells in the 80 landslides of the synthetic valley and 240 elsewhere, with elevation, slope, its "
        "direction and relief.",
        path=FOLDER / "valley_cells.csv",
    ),
    SampleTable(
        id="reservoir-slide",
        title="Reservoir landslide (synthetic)",
        shows="12 years of monthly displacement of three stations on a landslide that moves in steps, with rain and "
        "reservoir level.",
        path=FOLDER / "reservoir_slide.csv",
        citation=SERIES_CITATION,
        holds="series",
    ),
    SampleTable(
        id="failure-slide",
        title="Acceleration to failure (synthetic)",
        shows="97 days of an extensometer, read every six hours, on a slope that fails on day 100, and a stable point.",
        path=FOLDER / "failure_slide.csv",
        citation=SERIES_CITATION,
        holds="series",
    ),
    SampleTable(
        id="valley-points",
        title="InSAR points of the mountain valley (synthetic)",
        shows="900 points of the synthetic valley on 73 dates over 2.4 years along the line of sight of a radar "
        "satellite, half of them on moving ground.",
        path=FOLDER / "valley_points.csv",
        citation=SERIES_CITATION,
        holds="series",
    ),
)

_SAMPLES = (
    Sample(
        id="valley-after",
        title="Mountain valley after the event (synthetic)",
        shows="A forested valley with 80 fresh landslides, and ploughed parcels, gravel bars, clear-cuts "
        "and pale crags that look much like them.",
        path=FOLDER / "valley_after.tif",
        reference=FOLDER / "valley_inventory.gpkg",
        dem=FOLDER / "valley_dem.tif",
        before="valley-before",
    ),
    Sample(
        id="valley-before",
        title="Mountain valley before the event (synthetic)",
        shows="The same valley some weeks earlier, with overgrown scars only: whatever is found here is a "
        "false alarm.",
        path=FOLDER / "valley_before.tif",
        dem=FOLDER / "valley_dem.tif",
    ),
    Sample(
        id="valley-velocity",
        title="Radar velocity of the mountain valley (synthetic)",
        shows="How fast the ground of the same valley moves towards a radar satellite or away from it (mm/year, "
        "negative away), with noise, and with gaps in forest, on water and where the radar cannot look. 22 slow-moving "
        "landslides show; more move across the line of sight or under forest and do not.",
        path=FOLDER / "valley_velocity.tif",
        reference=FOLDER / "valley_moving.gpkg",
        dem=FOLDER / "valley_dem.tif",
        holds="velocity",
    ),
)


def samples() -> tuple[Sample, ...]:
    """List the samples, the one to start with first."""
    return _SAMPLES


def sample(identity: str) -> Sample:
    """Return one sample whose files are in place.

    Parameters
    ----------
    identity
        Its `Sample.id`.

    Raises
    ------
    InputError
        When there is no such sample, or its files are missing from this installation.
    """
    for candidate in _SAMPLES:
        if candidate.id == identity:
            break
    else:
        known = ", ".join(item.id for item in _SAMPLES)
        raise InputError(f"There is no sample named {identity!r}.", remedy=f"The samples are {known}.")
    missing = [path.name for path in candidate.files if not path.is_file()]
    if missing:
        raise InputError(
            f"The sample {candidate.title!r} is incomplete: data/samples lacks {', '.join(missing)}.",
            remedy="Restore it from the repository, or run python data/samples/make_valley.py.",
        )
    return candidate


def sample_tables(holds: Literal["cells", "series", "drivers"] = "cells") -> tuple[SampleTable, ...]:
    """List the tables that hold cells or series, the one to start with first; none holds drivers alone."""
    return tuple(one for one in _TABLES if one.holds == holds)


def sample_table(identity: str) -> SampleTable:
    """Return one table whose file is in place.

    Raises
    ------
    InputError
        When there is no such table, or its file is missing from this installation.
    """
    found = next((one for one in _TABLES if one.id == identity), None)
    if found is None or not found.path.is_file():
        known = ", ".join(one.id for one in _TABLES)
        raise InputError(f"There is no sample table named {identity!r}.", remedy=f"The sample tables are {known}.")
    return found
