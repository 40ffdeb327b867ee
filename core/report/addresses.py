"""Addresses of a run that are passed on: the page as it is seen, and its tiles for desktop GIS programs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import numpy as np

from core.errors import InputError
from core.plots.colours import legend
from core.plots.layers import TileLayer
from core.raster.located import degrees_of
from core.runs.kinds import find_task, tasks
from core.runs.result import GridResult, RunResult
from core.runs.view import Option, options_of

if TYPE_CHECKING:
    from core.raster.grid import Grid
    from core.runs.records import Run


MERCATOR_LATITUDE = 85.05
"""Degrees of latitude at which Web Mercator ends."""

def query_of(view: Any) -> dict[str, str]:  # noqa: ANN401  of its task
    """What a view adds to the address of a page, by key; numbers whole, or the page would open at other pixels."""
    if view is None:
        return {}
    values = {one.address: getattr(view, one.name) for one in options_of(type(view))}
    return {name: f"{value!r}" if isinstance(value, float) else str(value) for name, value in values.items()}


def view_of_query(run: Run, result: RunResult, query: Mapping[str, str]) -> Any:  # noqa: ANN401  of its task
    """The view that an address names, where it names nothing what the run's page begins with; None without any.

    Raises
    ------
    InputError
        When a value is no number, out of range or unknown.
    """
    declared = find_task(run.task).view
    if declared is None:
        return None
    view = declared.load()
    given = {one.name: _given(one, query[one.address]) for one in options_of(view) if one.address in query}
    return replace(view.default(result), **given)


def _given(option: Option, text: str) -> float | str:
    if option.kind is str:
        return text
    try:
        number: float = option.kind(text)
    except ValueError:
        raise InputError(
            f"{option.address} in the address is not a number.", remedy="Open the page without it."
        ) from None
    return number


def page_address(run: Run, server: str, query: Mapping[str, str]) -> str:
    """Where a run opens as it is seen.

    Parameters
    ----------
    server
        Address of the app, with its base path and without a slash at its end.
    query
        See `query_of`.
    """
    given = {name: value for name, value in query.items() if value}
    return f"{server}/{run.task}?{urlencode({'run': run.id, **given}, safe=',')}"


def _within_mercator(grid: Grid) -> bool:
    """Whether all of a grid lies where Web Mercator reaches."""
    if grid.crs is None:
        return False
    rows, columns = (part.ravel() for part in np.meshgrid(*(np.linspace(0, side, 9) for side in grid.shape)))
    t = grid.transform
    x, y = t.a * columns + t.b * rows + t.c, t.d * columns + t.e * rows + t.f
    latitudes, _ = degrees_of(x, y, grid.crs.to_wkt())
    return bool(np.isfinite(latitudes).all() and np.abs(latitudes).max() <= MERCATOR_LATITUDE)


def tile_addresses(run: Run, result: RunResult, server: str, threshold: float | None = None) -> dict[str, str]:
    """Addresses of the tiles of a run's image and rasters, by the name of the layer, with ``{z}``, ``{x}`` and ``{y}``.

    Only of layers whose colours need no more than a threshold, and of runs whose map is in Web Mercator, which programs
    take such tiles for: others, such as scenes near a pole, have none.

    Parameters
    ----------
    server
        As for `page_address`.
    threshold
        From which something counts as found; the half when None.
    """
    task = tasks().get(run.task)
    if task is None or task.layers is None or not isinstance(result, GridResult):
        return {}
    if not _within_mercator(result.grid):
        return {}
    rasters = {one.role for one in run.artifacts if one.path.suffix == ".tif"}
    painted = {
        name: layer
        for name, layer in task.layers.load().items()
        if isinstance(layer, TileLayer) and set(layer.artifacts) <= rasters
        and (layer.resampling == "bilinear" or legend(name) is not None)
    }  # fmt: skip
    asked = "" if threshold is None else f"?threshold={threshold:.4g}"
    scene = run.input("scene").dataset_id
    image = {"scene": f"{server}/tiles/scene/{scene}/{{z}}/{{x}}/{{y}}.png"} if scene else {}
    return image | {
        name: f"{server}/tiles/run/{run.id}/{name}/{{z}}/{{x}}/{{y}}.png{asked if legend(name) is not None else ''}"
        for name in painted
    }
