"""Addresses that the browser fetches beside the pages.

Nothing heavy is imported when the server starts: rasterio and rio-tiler come with the first tile.
"""

from __future__ import annotations

import hashlib
import logging
import math
import re
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from anyio import CapacityLimiter, to_thread
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import BaseRoute, Route

from core import __version__
from core.errors import InputError, LandslideError
from core.runs.kinds import tasks
from core.serve.access import Resource, authorize
from core.serve.artifacts import SAFE_HEADERS, download, download_zip
from core.serve.assets import asset

if TYPE_CHECKING:
    from core.plots.layers import TileLayer

_LOG = logging.getLogger(__name__)
_ID = re.compile(r"[0-9a-f]{32}")
_BANDS = re.compile(r"[1-9][0-9]{0,3}(,[1-9][0-9]{0,3}){0,2}")
_UNCHANGING = "private, max-age=31536000, immutable"

_RENDERER = "2"
"""Part of every tile's ETag: raise it when tiles are painted differently."""

T = TypeVar("T")
Handler = Callable[[Request], Awaitable[Response]]

_LIMITER = CapacityLimiter(4)
"""Tiles are cut on the processor: more at once would only make each of them later, and the pages wait."""


def _refusal(status: int, error: str) -> JSONResponse:
    return JSONResponse({"error": error}, status, headers={"Cache-Control": "no-store", **SAFE_HEADERS})


class _Unknown(Exception):
    """What the address names does not exist."""


def _answering(handler: Handler) -> Handler:
    """Turn errors meant for users into plain answers; others stay bugs and are logged by the server."""

    async def answer(request: Request) -> Response:
        try:
            return await handler(request)
        except _Unknown as error:
            return _refusal(404, str(error))
        except PermissionError:
            return _refusal(403, "You may not see this.")
        except InputError as error:
            return _refusal(400, str(error))
        except LandslideError as error:
            _LOG.exception("The answer to %s failed", request.url.path)
            return _refusal(500, str(error))

    return answer


def _id(request: Request, name: str = "id") -> str:
    text = str(request.path_params[name])
    if not _ID.fullmatch(text):
        raise InputError("The address holds no valid id.", remedy="An id is 32 digits from 0–9 and a–f.")
    return text


def _threshold(request: Request) -> float:
    text = request.query_params.get("threshold", "0.5")
    try:
        threshold = float(text)
    except ValueError:
        threshold = math.nan
    if not 0.0 <= threshold <= 1.0:
        raise InputError("The threshold is not a number from 0 to 1.")
    return threshold


def _bands(request: Request) -> tuple[int, ...] | None:
    text = request.query_params.get("bands")
    if text is None:
        return None
    if not _BANDS.fullmatch(text):
        raise InputError(
            "Bands are not given as one or three numbers.", remedy="Write, for example, bands=3,2,1."
        )
    return tuple(int(band) for band in text.split(","))


def _number(request: Request, name: str) -> int:
    text = str(request.path_params[name])
    if not re.fullmatch(r"-?[0-9]{1,10}", text):
        raise InputError("A tile is named by three whole numbers: zoom, column and row.")
    return int(text)


def _etag(*parts: object) -> str:
    return (
        '"'
        + hashlib.sha256("|".join(str(part) for part in (_RENDERER, *parts)).encode()).hexdigest()[:32]
        + '"'
    )


async def _tile(request: Request, etag: str, render: Callable[[], bytes]) -> Response:
    headers = {"Cache-Control": _UNCHANGING, "ETag": etag, "X-Content-Type-Options": "nosniff"}
    if request.headers.get("if-none-match") == etag:
        return Response(status_code=304, headers=headers)
    image = await to_thread.run_sync(render, limiter=_LIMITER)
    return Response(image, media_type="image/png", headers=headers)


def _render_scene(scene_id: str, bands: tuple[int, ...] | None, z: int, x: int, y: int) -> bytes:
    from core.runs.store import default_store
    from core.serve.tiles import TileAddress, natural_bands, scene_tile

    scene = _found(partial(default_store().scene_record, scene_id)).scene
    if bands is None:
        bands = natural_bands(scene)
    return scene_tile(scene, bands, TileAddress(z, x, y))


def _render_run(run_id: str, layer: str, threshold: float, z: int, x: int, y: int) -> bytes:
    from core.runs.store import default_store
    from core.serve.tiles import TileAddress, run_tile

    task, files = _found(partial(default_store().files_of, run_id))
    return run_tile(run_id, layers_of(task), files, layer, TileAddress(z, x, y), threshold)


def layers_of(task: str) -> Mapping[str, TileLayer]:
    """How the rasters of runs of a task are painted; nothing for a task without a map."""
    declared = tasks().get(task)
    layers: Mapping[str, TileLayer] = {} if declared is None or declared.layers is None else declared.layers.load()
    return layers


def _found(sample_pixel: Callable[[], T]) -> T:
    """Tell what the store does not know (404) from what cannot be done with it (400)."""
    try:
        return sample_pixel()
    except InputError as error:
        raise _Unknown(str(error)) from error


async def scene_tile_route(request: Request) -> Response:
    """``/tiles/scene/{id}/{z}/{x}/{y}.png?bands=1,2,3``: the image itself."""
    scene_id = _id(request)
    authorize(request, Resource("scene", scene_id))
    bands = _bands(request)
    z, x, y = (_number(request, name) for name in "zxy")
    render = partial(_render_scene, scene_id, bands, z, x, y)
    return await _tile(request, _etag("scene", scene_id, bands, z, x, y), render)


async def run_tile_route(request: Request) -> Response:
    """``/tiles/run/{id}/{layer}/{z}/{x}/{y}.png?threshold=0.5``: what a run found."""
    run_id = _id(request)
    authorize(request, Resource("run", run_id))
    layer = str(request.path_params["layer"])
    threshold = _threshold(request)
    z, x, y = (_number(request, name) for name in "zxy")
    render = partial(_render_run, run_id, layer, threshold, z, x, y)
    return await _tile(request, _etag("run", run_id, layer, threshold, z, x, y), render)


async def artifact_route(request: Request) -> Response:
    """``/artifacts/{run_id}/{name}``: a file of a run, to be saved."""
    run_id = _id(request, "run_id")
    authorize(request, Resource("run", run_id))

    def find() -> FileResponse:
        from core.runs.store import default_store

        role = str(request.path_params["name"])
        artifact = default_store().artifact(run_id, role)
        return download(artifact.path, artifact.download_name, artifact.media_type, lasting=not artifact.derived)

    return await to_thread.run_sync(partial(_found, find))


async def bundle_route(request: Request) -> Response:
    """``/runs/{run_id}.zip``: all files of a run with a manifest, to be saved."""
    run_id = _id(request, "run_id")
    authorize(request, Resource("run", run_id))

    def find() -> StreamingResponse:
        from core.report.bundle import bundle, bundle_name
        from core.runs.store import default_store

        store = default_store()
        return download_zip(bundle(store, run_id), bundle_name(store.run(run_id)))

    return await to_thread.run_sync(partial(_found, find))


async def asset_route(request: Request) -> Response:
    """``/assets/{name}``: a script, style sheet or image of the map."""
    name = str(request.path_params["name"])
    authorize(request, Resource("asset", name))
    file = _found(partial(asset, name))
    headers = {"Cache-Control": "public, max-age=86400", "X-Content-Type-Options": "nosniff"}
    return FileResponse(file.path, media_type=file.media_type, headers=headers)


async def health_route(request: Request) -> Response:
    """``/health``: says that the server answers, for containers and proxies."""
    del request
    return JSONResponse({"status": "ok", "version": __version__}, headers={"Cache-Control": "no-store"})


def routes(base_path: str = "") -> list[BaseRoute]:
    """Every route, below a base path.

    Parameters
    ----------
    base_path
        ``server.baseUrlPath`` of Streamlit, with or without slashes around it. Streamlit prefixes only its
        own routes with it.
    """
    inner = base_path.strip("/")
    base = f"/{inner}" if inner else ""
    handlers: list[tuple[str, Handler]] = [
        ("/tiles/scene/{id}/{z}/{x}/{y}.png", scene_tile_route),
        ("/tiles/run/{id}/{layer}/{z}/{x}/{y}.png", run_tile_route),
        ("/artifacts/{run_id}/{name}", artifact_route),
        ("/runs/{run_id}.zip", bundle_route),
        ("/assets/{name:path}", asset_route),
        ("/health", health_route),
    ]
    return [Route(base + path, _answering(handler), methods=["GET"]) for path, handler in handlers]
