"""How long tiles take at every zoom, twenty at a time, for scenes of one and four bands.

Start it by ``python -m benchmarks.tiles``.

Asks a server on 127.0.0.1 that the script starts. The slowest tile tells whether any of them stops the others.
"""

from __future__ import annotations

import argparse
import math
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import rasterio
from affine import Affine

LONGITUDE, LATITUDE = 13.4, 47.2
"""Where the scenes lie, degrees."""


def scene(path: Path, bands: int, side: int) -> Path:
    """A raster of noise of 10 m, without overviews."""
    rng = np.random.default_rng(0)
    with rasterio.open(
        path, "w", driver="GTiff", width=side, height=side, count=bands, dtype="uint8", crs="EPSG:32633", tiled=True,
        transform=Affine(10, 0, 378_000, 0, -10, 5_230_000), compress="deflate",
    ) as file:  # fmt: skip
        for row in range(0, side, 512):
            rows = min(512, side - row)
            window = rasterio.windows.Window(0, row, side, rows)
            file.write(rng.integers(0, 255, (bands, rows, side), dtype=np.uint8), window=window)
    return path


def tiles(zoom: int, side: int, most: int) -> list[tuple[int, int]]:
    """Columns and rows of tiles that show the scene at a zoom."""
    def at(longitude: float, latitude: float) -> tuple[int, int]:
        turn = math.radians(latitude)
        n = 2**zoom
        return int((longitude + 180) / 360 * n), int((1 - math.asinh(math.tan(turn)) / math.pi) / 2 * n)

    reach = side * 10 / 111_000
    left, top = at(LONGITUDE, LATITUDE)
    right, bottom = at(LONGITUDE + reach / 0.68, LATITUDE - reach)
    found = [(x, y) for x in range(left, right + 1) for y in range(top, bottom + 1)]
    return found[:: max(1, len(found) // most)][:most]


def main() -> None:
    """Make the scenes, start a server, ask for the tiles and tell the times."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tiles", type=int, default=1000, help="how many are asked for in all")
    parser.add_argument("--at-once", type=int, default=20)
    parser.add_argument("--side", type=int, default=4000, help="pixels of a side of the scenes")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        os.environ["SLIDELENS_HOME"] = str(folder / "home")
        from core.runs.store import default_store

        store = default_store()
        records = {
            f"{bands} bands": store.add_scene(scene(folder / f"{bands}.tif", bands, asked.side), f"{bands} bands")
            for bands in (1, 4)
        }
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        server = subprocess.Popen(
            [
                sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(port),
                "--server.headless", "true",
            ],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            _await(port)
            addresses = []
            for record in records.values():
                for zoom in range(0, 19):
                    for x, y in tiles(zoom, asked.side, max(1, asked.tiles // (19 * 2))):
                        tile = f"tiles/scene/{record.id}/{zoom}/{x}/{y}.png{'' if zoom % 2 else '?bands=1'}"
                        addresses.append((zoom, f"http://127.0.0.1:{port}/{tile}"))
            addresses = (addresses * (asked.tiles // len(addresses) + 1))[: asked.tiles]
            np.random.default_rng(1).shuffle(order := np.arange(len(addresses)))
            _seconds(addresses[0][1])  # the first imports what reads rasters
            began = time.perf_counter()
            with ThreadPoolExecutor(asked.at_once) as pool:
                took = list(pool.map(lambda i: (addresses[i][0], _seconds(addresses[i][1])), order))
            seconds = np.array([one for _, one in took])
            print(f"{len(took)} tiles, {asked.at_once} at a time, {time.perf_counter() - began:.1f} s in all")
            middle, most = np.median(seconds), np.percentile(seconds, 95)
            print(f"median {middle:.2f} s, p95 {most:.2f} s, slowest {seconds.max():.2f} s")
            late = np.flatnonzero(seconds > 1.0)
            if len(late):
                print(f"{len(late)} above 1 s; of the order in which they were asked for, {late.min()} to {late.max()}")
            for zoom in sorted({zoom for zoom, _ in took}):
                at = [one for z, one in took if z == zoom]
                print(f"  zoom {zoom:2d}: {len(at):4d} tiles, slowest {max(at):.2f} s")
        finally:
            began = time.perf_counter()
            server.terminate()
            server.wait(60)
            print(f"the server ended {time.perf_counter() - began:.1f} s after SIGTERM")


def _await(port: int) -> None:
    for _ in range(600):
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=5).close()
            return
        except OSError:
            time.sleep(0.1)
    raise SystemExit("The server did not start.")


def _seconds(address: str) -> float:
    began = time.perf_counter()
    try:
        with urllib.request.urlopen(address, timeout=120) as answer:  # noqa: S310
            answer.read()
    except OSError as error:
        print(address, error)
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
