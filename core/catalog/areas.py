"""Areas for maps of susceptibility: an elevation model, factors and an inventory that belong together.

One ships and is synthetic; the others are open data that may be fetched, pinned to a commit and a digest each.
"""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from core.catalog.fetch import Progress, open_data_folder
from core.catalog.open_data import data_sets, fetch_known
from core.catalog.r_data import read_data_frame
from core.catalog.samples import CITATION, FOLDER, LICENCE
from core.errors import InputError
from core.raster.resample import Kind
from core.raster.write import atomic_path

if TYPE_CHECKING:
    from pandas import DataFrame

LSL_COLUMNS = ("x", "y", "lslpts", "slope", "cplan", "cprof", "elev", "log10_carea")


@dataclass(frozen=True)
class AreaLayer:
    """A file of an area.

    Attributes
    ----------
    role
        ``"dem"``, ``"factor"`` or ``"inventory"``.
    name
        What it is called.
    path
        The file.
    kind
        Of a factor, how its values are to be taken.
    """

    role: Literal["dem", "factor", "inventory"]
    name: str
    path: Path
    kind: Kind = "continuous"


@dataclass(frozen=True)
class Area:
    """Files that belong together.

    Attributes
    ----------
    id
        Stable name, for addresses.
    title, shows
        For people.
    layers
        Its files; none before they are fetched.
    synthetic
        Whether they were computed rather than observed.
    licence, citation, caution
        Shown before use.
    """

    id: str
    title: str
    shows: str
    layers: tuple[AreaLayer, ...] = ()
    synthetic: bool = False
    licence: str = ""
    citation: str = ""
    caution: str = ""


def sample_areas() -> tuple[Area, ...]:
    """The areas that ship."""
    factors: tuple[tuple[str, Kind], ...] = (
        ("lithology", "category"), ("land_cover", "category"), ("ndvi", "continuous"), ("rainfall", "continuous"),
        ("road_distance", "continuous"),
    )  # fmt: skip
    layers = (
        AreaLayer("dem", "Mountain valley, elevation (synthetic)", FOLDER / "valley_dem.tif"),
        AreaLayer("inventory", "Mountain valley, landslides (synthetic)", FOLDER / "valley_inventory.gpkg"),
        *(AreaLayer("factor", name, FOLDER / f"valley_{name}.tif", kind) for name, kind in factors),
    )
    return (
        Area(
            "valley",
            "Mountain valley (synthetic)",
            "Elevation at 10 m, 80 landslides, lithology, land cover, NDVI, rainfall and distance to roads of the "
            "synthetic valley. Its landslides were placed by slope, hollows, elevation and aspect; lithology, "
            "rainfall and roads had no influence.",
            layers, synthetic=True, licence=LICENCE, citation=CITATION,
        ),
    )  # fmt: skip


def sample_area(identity: str) -> Area:
    """An area that ships, with its files in place.

    Raises
    ------
    InputError
        When there is none of that name, or its files are missing from this installation.
    """
    found = next((one for one in sample_areas() if one.id == identity), None)
    if found is None:
        known = ", ".join(one.id for one in sample_areas())
        raise InputError(f"No sample area named {identity!r}.", remedy=f"Available sample areas: {known}.")
    missing = [layer.path.name for layer in found.layers if not layer.path.is_file()]
    if missing:
        raise InputError(
            f"The sample {found.title!r} is incomplete: data/samples lacks {', '.join(missing)}.",
            remedy="Restore the files from the repository, or run python data/samples/make_factors.py.",
        )
    return found


@dataclass(frozen=True)
class _Open:
    """An area of the catalogue and how its files become layers."""

    data_set: str
    shows: str
    layers: Callable[[dict[str, Path], Path], tuple[AreaLayer, ...]]
    wanted: tuple[str, ...] = field(default=())


def _ecuador(files: dict[str, Path], folder: Path) -> tuple[AreaLayer, ...]:
    points = folder / "ecuador_lsl_points.csv"
    if not points.is_file():
        with atomic_path(points) as aside:
            read_lsl(files["lsl.rda"]).to_csv(aside, index=False)
    return (
        AreaLayer("dem", "Southern Ecuador, terrain", files["ta.tif"]),
        AreaLayer("inventory", "Southern Ecuador, landslide and non-landslide points", points),
    )


def _andes(files: dict[str, Path], folder: Path) -> tuple[AreaLayer, ...]:
    outlines = folder / "andes_debris_flows.zip"
    if not outlines.is_file():
        with atomic_path(outlines) as aside, zipfile.ZipFile(aside, "w", zipfile.ZIP_DEFLATED) as archive:
            for ending in ("shp", "shx", "dbf", "prj"):
                archive.write(files[f"dflow_runout_ply.{ending}"], f"dflow_runout_ply.{ending}")
    return (
        AreaLayer("dem", "Andes, elevation model at 12.5 m", files["elev_12_5m.tif"]),
        AreaLayer("inventory", "Andes, debris flows", outlines),
    )


_OPEN = {
    "ecuador-lsl": _Open(
        "ecuador_lsl",
        "350 landslide and non-landslide points and a terrain raster at 10 m (EPSG:32717), widely used in courses "
        "and papers.",
        _ecuador, ("lsl.rda", "ta.tif"),
    ),
    "andes-debris-flows": _Open(
        "andes_debris_flows",
        "An elevation model and the outlines of six debris flows: too few for meaningful scores, enough to try the "
        "workflow from outlines to a map.",
        _andes, ("elev_12_5m.tif", *(f"dflow_runout_ply.{ending}" for ending in ("shp", "shx", "dbf", "prj"))),
    ),
}  # fmt: skip


@lru_cache(maxsize=1)
def open_areas() -> tuple[Area, ...]:
    """The areas that can be fetched, without their files."""
    sets = data_sets()
    return tuple(
        Area(
            identity, sets[one.data_set].title, one.shows, (), licence=sets[one.data_set].licence,
            citation=sets[one.data_set].citation, caution=sets[one.data_set].caution,
        )
        for identity, one in _OPEN.items()
    )  # fmt: skip


def fetch_area(identity: str, folder: Path | None = None, progress: Progress | None = None) -> Area:
    """Fetch an area, or find it where it was fetched before.

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
    from dataclasses import replace

    cache = folder or open_data_folder()
    known, files = fetch_known(_OPEN, identity, "area", cache, progress)
    area = next(one for one in open_areas() if one.id == identity)
    return replace(area, layers=known.layers(files, cache))


def read_lsl(path: Path) -> DataFrame:
    """The labelled points of southern Ecuador from their file of R data.

    Returns
    -------
    pandas.DataFrame
        `LSL_COLUMNS`, ``lslpts`` as ``TRUE`` or ``FALSE``.

    Raises
    ------
    UnsafeFileError, InputError
        When the file is too large, damaged, or holds something else.
    """
    return read_data_frame(path, "lsl", LSL_COLUMNS)
