"""A tile ends in time, whatever is read for it, and finds what was read when it is asked for again."""

from __future__ import annotations

import threading
from pathlib import Path

import anyio
import numpy as np
import pytest
import rasterio
from affine import Affine
from anyio import CapacityLimiter
from rasterio.crs import CRS
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.testclient import TestClient

from core.runs.store import Store
from core.serve import background, cuts, tiles
from core.serve import routes as server
from core.serve.background import Deadline, Shared, Unfinished
from core.serve.routes import routes

AT_ONCE = Deadline(0.0)


def test_slow_work_is_done_once_and_kept() -> None:
    shared, gate, begun = Shared(2), threading.Event(), []

    def work() -> str:
        begun.append(1)
        gate.wait()
        return "done"

    for _ in range(3):
        with pytest.raises(Unfinished):
            shared.get("key", work, AT_ONCE)
    gate.set()
    assert shared.get("key", work, Deadline(60)) == "done"
    assert begun == [1]


def test_work_that_failed_is_told_and_tried_anew() -> None:
    shared, fails = Shared(2), [True]

    def work() -> str:
        if fails.pop() if fails else False:
            raise ZeroDivisionError
        return "done"

    with pytest.raises(ZeroDivisionError):
        shared.get("key", work, Deadline(60))
    assert shared.get("key", work, Deadline(60)) == "done"


def test_the_longest_unused_goes_first() -> None:
    shared, made = Shared(2), []
    for key in ("a", "b", "a", "c", "a", "b"):
        shared.get(key, lambda key=key: made.append(key), Deadline(60))
    assert made == ["a", "b", "c", "b"]


def test_work_that_would_not_be_kept_any_more_is_not_begun(monkeypatch: pytest.MonkeyPatch) -> None:
    """So many others came while it waited for its turn that it gave way to them."""
    monkeypatch.setattr(background, "AT_ONCE", threading.Semaphore(0))
    shared, made = Shared(1), []
    for key in ("first", "second"):
        with pytest.raises(Unfinished):
            shared.get(key, lambda key=key: made.append(key), AT_ONCE)

    background.AT_ONCE.release(2)
    shared.get("second", lambda: made.append("again"), Deadline(60))
    for thread in [one for one in threading.enumerate() if one.name == "tiles"]:
        thread.join(60)

    assert made == ["second"]


@pytest.fixture
def large(home: Path) -> str:
    """Id of a scene that is larger than what is kept of one, without overviews."""
    side = cuts.REDUCED + 200
    path = home.parent / "large.tif"
    with rasterio.open(
        path, "w", driver="GTiff", width=side, height=side, count=1, dtype="uint8", crs=CRS.from_epsg(32633),
        transform=Affine(10, 0, 500_000, 0, -10, 5_200_000),
    ) as file:  # fmt: skip
        file.write(np.full((1, side, side), 90, np.uint8))
    return Store(home).add_scene(path, "Large").id


def test_a_tile_that_is_not_ready_says_when_to_ask_again(large: str, monkeypatch: pytest.MonkeyPatch) -> None:
    client, gate, whole = TestClient(Starlette(routes=routes())), threading.Event(), cuts._whole

    def slow(*given: object) -> cuts.Piece:
        gate.wait()
        return whole(*given)

    monkeypatch.setattr(cuts, "_whole", slow)
    monkeypatch.setattr(cuts, "MOST_BYTES", 0)
    monkeypatch.setattr(cuts, "_REDUCED", Shared(4))
    monkeypatch.setattr(tiles, "Deadline", lambda: Deadline(2.0))
    address = f"/tiles/scene/{large}/10/554/360.png"
    late = client.get(address)
    assert late.status_code == 503
    assert int(late.headers["retry-after"]) > 0
    assert late.headers["cache-control"] == "no-store"
    gate.set()
    while (again := client.get(address)).status_code == 503:
        pass
    assert again.status_code == 200


def test_the_reduced_raster_shows_what_the_whole_one_does(large: str, monkeypatch: pytest.MonkeyPatch) -> None:
    client, address = TestClient(Starlette(routes=routes())), f"/tiles/scene/{large}/10/554/360.png"
    direct = client.get(address).content
    monkeypatch.setattr(cuts, "MOST_BYTES", 0)
    assert client.get(address).content == direct


def test_a_tile_does_not_wait_for_its_turn_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "_LIMITER", CapacityLimiter(1))
    monkeypatch.setattr(server, "WAIT", 0.01)

    async def busy() -> int:
        server._LIMITER.acquire_on_behalf_of_nowait("another tile")  # has the only place
        request = Request({"type": "http", "method": "GET", "path": "/", "headers": [], "query_string": b""})
        handler = server._answering(lambda _: server._tile(request, '"etag"', lambda: b""))
        return (await handler(request)).status_code

    assert anyio.run(busy) == 503
