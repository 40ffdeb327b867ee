"""Addresses that the browser fetches beside the pages.

Nothing heavy is imported when the server starts: rasterio comes with the first tile.
"""

from __future__ import annotations

import hashlib
import logging
import re
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TYPE_CHECKING

from anyio import CapacityLimiter, fail_after, to_thread
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import BaseRoute, Route

from core import __version__
from core.errors import InputError, LandslideError
from core.serve.access import Resource, authorize
from core.serve.artifacts import SAFE_HEADERS, download, download_zip, saved_as
from core.serve.assets import asset
from core.serve.background import Unfinished
from core.serve.layers import Layer, LayerKind, Unknown, checked_id, checked_painting, found_in

if TYPE_CHECKING:
    from core.serve.shown import ShownMap

_LOG = logging.getLogger(__name__)
_UNCHANGING = "private, max-age=31536000, immutable"

_RENDERER = "5"
"""Part of every tile's ETag: raise it when tiles are painted differently."""

_PICTURES = CapacityLimiter(1)
"""Pictures of whole maps take longer, and wait for each other alone."""

_BUNDLES = CapacityLimiter(2)
"""Files are made for zips while somebody waits; other downloads must not wait behind them."""

WAIT = 20.0
"""Most seconds that a tile waits for its turn among others, and then takes."""

RETRY_AFTER = 2
"""Seconds after which a tile that was not ready in time may be asked for again."""

Handler = Callable[[Request], Awaitable[Response]]

_LIMITER = CapacityLimiter(4)
"""Tiles are cut on the processor: more at once would only make each of them later, and the pages wait."""


def _refusal(status: int, error: str) -> JSONResponse:
    return JSONResponse({"error": error}, status, headers={"Cache-Control": "no-store", **SAFE_HEADERS})


def _answering(handler: Handler) -> Handler:
    """Turn errors meant for users into plain answers; others stay bugs and are logged by the server."""

    async def answer(request: Request) -> Response:
        try:
            return await handler(request)
        except Unknown as error:
            return _refusal(404, str(error))
        except PermissionError:
            return _refusal(403, "You do not have access to this.")
        except (Unfinished, TimeoutError):
            headers = {"Retry-After": str(RETRY_AFTER), "Cache-Control": "no-store", **SAFE_HEADERS}
            return JSONResponse({"error": "This is still being prepared. Try again in a moment."}, 503, headers)
        except InputError as error:
            return _refusal(400, str(error))
        except LandslideError as error:
            _LOG.exception("The answer to %s failed", request.url.path)
            return _refusal(500, str(error))

    return answer


def _id(request: Request, name: str = "id") -> str:
    return checked_id(str(request.path_params[name]))


def _number(request: Request, name: str) -> int:
    text = str(request.path_params[name])
    if not re.fullmatch(r"-?[0-9]{1,10}", text):
        raise InputError("A tile address consists of three whole numbers: zoom, column and row.")
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
    with fail_after(WAIT):  # for its turn: what has begun ends by itself in time
        image = await to_thread.run_sync(render, limiter=_LIMITER)
    return Response(image, media_type="image/png", headers=headers)


def _render(layer: Layer, z: int, x: int, y: int) -> bytes:
    from core.runs.store import default_store
    from core.serve.tiles import TileAddress, tile

    return tile(layer, default_store(), TileAddress(z, x, y))


async def _layer_tile(request: Request, layer: Layer) -> Response:
    authorize(request, layer.resource)
    z, x, y = (_number(request, name) for name in "zxy")
    return await _tile(request, _etag(layer, z, x, y), partial(_render, layer, z, x, y))


async def scene_tile_route(request: Request) -> Response:
    """``/tiles/scene/{id}/{z}/{x}/{y}.png?bands=1,2,3&stretch=2,98``: the image itself; see `core.serve.looks`."""
    return await _layer_tile(request, Layer.of_dataset("scene", _id(request), dict(request.query_params)))


async def terrain_tile_route(request: Request, kind: LayerKind) -> Response:
    """``/tiles/slope/{id}/{z}/{x}/{y}.png?bands=1``: the ground in light and shade, its slope or its aspect."""
    return await _layer_tile(request, Layer.of_dataset(kind, _id(request), dict(request.query_params)))


async def run_tile_route(request: Request) -> Response:
    """``/tiles/run/{id}/{layer}/{z}/{x}/{y}.png?threshold=0.5``: what a run found; see `checked_painting`."""
    name, painting = str(request.path_params["layer"]), checked_painting(dict(request.query_params))
    return await _layer_tile(request, Layer("run", _id(request), name, painting=painting))


def _picture(identity: str, query: dict[str, str], allowed: Callable[[Resource], None]) -> tuple[bytes, str]:
    from core.runs.store import default_store
    from core.serve.pictures import asked_for, picture
    from core.serve.shown import known

    shown = known(identity)
    for raster in shown.rasters:
        if raster.layer is not None:
            allowed(raster.layer.resource)
    image = picture(shown, asked_for(query, shown), default_store())
    return image, _picture_name(shown)


def _picture_name(shown: ShownMap) -> str:
    """Name of a picture: of the run that is shown, or of the scene alone."""
    from core.report.names import named, safe
    from core.runs.store import default_store

    runs = (one.layer.id for one in shown.rasters if one.layer is not None and one.layer.kind == "run")
    identity = next(runs, None)
    if identity is None:
        return f"{safe(shown.title) or 'scene'}_map.png"
    return named(default_store().run(identity), "map", ".png")


async def picture_route(request: Request) -> Response:
    """``/maps/{id}.png?left=…&layers=t0:1,v0:1``: the map of a page as it is seen, to be saved."""
    identity = _id(request)
    authorize(request, Resource("map", identity))
    work = partial(_picture, identity, dict(request.query_params), partial(authorize, request))
    with fail_after(WAIT):
        image, name = await to_thread.run_sync(work, limiter=_PICTURES)
    return Response(image, media_type="image/png", headers={**saved_as(name), "Cache-Control": "no-store"})


async def artifact_route(request: Request) -> Response:
    """``/artifacts/{run_id}/{name}``: a file of a run, to be saved."""
    run_id = _id(request, "run_id")
    authorize(request, Resource("run", run_id))

    def find() -> FileResponse:
        from core.report.names import named
        from core.runs.store import default_store

        store, role = default_store(), str(request.path_params["name"])
        artifact = store.artifact(run_id, role)
        name = named(store.run(run_id), role, artifact.path.suffix)
        return download(artifact.path, name, artifact.media_type, lasting=not artifact.derived)

    return await to_thread.run_sync(partial(found_in, find))


async def bundle_route(request: Request) -> Response:
    """``/runs/{run_id}.zip?threshold=0.5``: all files of a run with a manifest, at a view of its page, to be saved."""
    run_id = _id(request, "run_id")
    authorize(request, Resource("run", run_id))

    def find() -> StreamingResponse:
        from core.report.addresses import view_of_query
        from core.report.bundle import bundle, bundle_name
        from core.runs.kinds import is_primary
        from core.runs.store import default_store

        store, query = default_store(), dict(request.query_params)
        run = store.run(run_id)
        at_a_view = bool(query) and is_primary(run) and run.status == "done"
        view = view_of_query(run, store.result(run_id), query) if at_a_view else None
        return download_zip(bundle(store, run_id, view), bundle_name(run))

    with fail_after(WAIT):  # for its turn: what has begun ends by itself
        return await to_thread.run_sync(partial(found_in, find), limiter=_BUNDLES)


async def batch_route(request: Request) -> Response:
    """``/batches/{id}.zip?threshold=0.5``: all runs of a batch at a view, with its table and report, to be saved."""
    identity = _id(request)
    authorize(request, Resource("batch", identity))

    def find() -> StreamingResponse:
        from core.batch.batches import find as find_batch
        from core.batch.batches import runs_of
        from core.batch.bundle import bundle, bundle_name
        from core.report.addresses import view_of_query
        from core.runs.store import default_store

        store, query = default_store(), dict(request.query_params)
        batch = find_batch(store, identity)
        run = next(iter(runs_of(store, batch)), None)
        view = partial(view_of_query, run, query=query) if query and run is not None else None
        return download_zip(bundle(store, batch, view), bundle_name(store, batch))

    with fail_after(WAIT):
        return await to_thread.run_sync(partial(found_in, find), limiter=_BUNDLES)


async def asset_route(request: Request) -> Response:
    """``/assets/{name}``: a script, style sheet or image of the map."""
    name = str(request.path_params["name"])
    authorize(request, Resource("asset", name))
    file = found_in(partial(asset, name))
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
        ("/tiles/hillshade/{id}/{z}/{x}/{y}.png", partial(terrain_tile_route, kind="hillshade")),
        ("/tiles/slope/{id}/{z}/{x}/{y}.png", partial(terrain_tile_route, kind="slope")),
        ("/tiles/aspect/{id}/{z}/{x}/{y}.png", partial(terrain_tile_route, kind="aspect")),
        ("/tiles/run/{id}/{layer}/{z}/{x}/{y}.png", run_tile_route),
        ("/maps/{id}.png", picture_route),
        ("/artifacts/{run_id}/{name}", artifact_route),
        ("/runs/{run_id}.zip", bundle_route),
        ("/batches/{id}.zip", batch_route),
        ("/assets/{name:path}", asset_route),
        ("/health", health_route),
    ]
    return [Route(base + path, _answering(handler), methods=["GET"]) for path, handler in handlers]
