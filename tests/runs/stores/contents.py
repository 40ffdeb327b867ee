"""The contents of a store as plain values for JSON, recorded with one version and compared with another.

They are read through commands and HTTP addresses, and through the code where neither gives them.
"""

from __future__ import annotations

import hashlib
import io
import json
import math
import re
from collections import Counter
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import numpy as np
from PIL import Image
from sqlalchemy import JSON, MetaData, Table, insert, select
from starlette.applications import Starlette
from starlette.testclient import TestClient

from core.cli.main import main as command_line
from core.serve.routes import routes
from tests.runs.stores import adapters

LAYERS = ("probability", "uncertainty", "mask", "truth", "outcome", "change", "cam", "attribution")
REPORTED = ("photo.png", "A file that is gone")
"""Names of scenes of which one run of each kind is reported as well: without a coordinate system, and deleted."""

SIDE = 8
"""Blocks to a side in which the colours of a tile are averaged."""

SCHEME = re.compile(r"^[^_]+_[^_]+_(?P<what>.+)_[0-9a-f]{8}(?P<ending>\.[a-z.]+)$")
"""Names of files that leave: data, task, what it is, run."""

EARLIER = re.compile(r"^.*-[0-9a-f]{8}-(?P<what>.+?)(?P<ending>\.[a-z.]+)$")
"""The same in the version that the store was recorded with, of which the address named only some so."""


def role_of(name: str) -> str:
    """What a file is and its ending, by its name of today or of then: how files are called has changed since."""
    folder, _, last = name.rpartition("/")
    found = SCHEME.match(last) or EARLIER.match(last)
    plain = last if found is None else f"{found['what']}{found['ending']}"
    plain = plain.replace("truth.", "reference.")  # its role, by which the file was called
    return f"{folder}/{plain.replace('-', '_')}" if folder else plain.replace("-", "_")


def command(*arguments: object) -> tuple[int, str]:
    """Status and output of ``python -m core runs …``."""
    with redirect_stdout(io.StringIO()) as output:
        status = command_line(["runs", *map(str, arguments)])
    return status, output.getvalue()


def command_json(*arguments: object) -> Any:
    """JSON that a command prints."""
    status, text = command(*arguments)
    assert status == 0, (arguments, text)
    return json.loads(text)


def client() -> TestClient:
    """Client of the HTTP routes."""
    return TestClient(Starlette(routes=routes()))


def shown(run: str) -> dict[str, Any]:
    """Output of ``runs show`` without what describes the program."""
    content: dict[str, Any] = command_json("show", run)
    return {key: value for key, value in content.items() if key not in ("slidelens", "digests")}


def with_roles(told: Any) -> Any:
    """Output of ``runs show`` with what each file is in place of its name; see `role_of`."""
    if isinstance(told, list):
        return [with_roles(one) for one in told]
    if not isinstance(told, dict):
        return told
    return {
        key: role_of(one) if key == "file" and isinstance(one, str) else with_roles(one) for key, one in told.items()
    }


def with_roles_sent(sent: dict[str, Any]) -> dict[str, Any]:
    """Files as a browser gets them, each with what it is in place of its name."""
    named = re.compile(r'filename="([^"]+)"')
    found = {}
    for role, one in sent.items():
        name = named.search(one["disposition"] or "")
        words = one["disposition"] if name is None else f"attachment: {role_of(name[1])}"
        found[role] = {**one, "disposition": words}
    return found


def files(browser: TestClient, run: dict[str, Any]) -> dict[str, Any]:
    """The files of a run as a browser gets them, by role."""
    found = {}
    for artifact in run["artifacts"]:
        answer = browser.get(f"/artifacts/{run['run']['id']}/{artifact['role']}")
        found[artifact["role"]] = {
            "status": answer.status_code, "bytes": len(answer.content),
            "sha256": hashlib.sha256(answer.content).hexdigest(), "type": answer.headers["content-type"],
            "disposition": answer.headers.get("content-disposition"),
        }  # fmt: skip
    return found


def bundle(browser: TestClient, run: str) -> dict[str, Any]:
    """The zip of a run: digests of its files, and the manifest."""
    answer = browser.get(f"/runs/{run}.zip")
    if answer.status_code != 200:
        return {"status": answer.status_code}
    with ZipFile(io.BytesIO(answer.content)) as archive:
        manifest = json.loads(archive.read("manifest.json"))
        names = sorted(set(archive.namelist()) - {"manifest.json"})
        digests = {name: hashlib.sha256(archive.read(name)).hexdigest() for name in names}
    return {"status": 200, "files": digests, "manifest of": manifest["run"]["id"]}


def tile(browser: TestClient, address: str) -> str:
    """Mean colours of the blocks of a tile, red, green, blue and alpha, as hexadecimal digits; empty without a tile."""
    answer = browser.get(address)
    if answer.status_code != 200:
        return ""
    image = np.asarray(Image.open(io.BytesIO(answer.content)).convert("RGBA"), dtype=float)
    step = image.shape[0] // SIDE
    means = image.reshape(SIDE, step, SIDE, step, 4).mean(axis=(1, 3))
    return np.rint(means).astype(np.uint8).tobytes().hex()


def export(run: str, folder: Path) -> dict[str, Any]:
    """File names and numbers that ``runs export`` writes, or its exit status when it refuses."""
    status, _ = command("export", run, "--out", folder)
    if status:
        return {"status": status}
    metrics = next((path for path in folder.iterdir() if role_of(path.name) == "metrics.json"), None)
    content = {} if metrics is None else json.loads(metrics.read_text("utf-8"))
    return {
        "status": 0,
        "files": sorted(path.name for path in folder.iterdir()),
        "metrics": {key: value for key, value in content.items() if key not in ("provenance", "notes")},
    }


def report(run: str, path: Path) -> dict[str, Any]:
    """Exit status of ``runs report``, and how many pictures the report holds."""
    status, _ = command("report", run, "--out", path)
    text = path.read_text("utf-8") if status == 0 else ""
    return {"status": status, "names the run": run in text or run[:8] in text, "pictures": text.count("<img ")}


def rows(url: str) -> dict[str, list[dict[str, Any]]]:
    """All rows of all tables, but for alembic's own."""
    engine, metadata = adapters.engine_of(url), MetaData()
    metadata.reflect(engine)
    with engine.connect() as connection:
        found = {
            name: [dict(row) for row in connection.execute(select(table).order_by(*table.primary_key)).mappings()]
            for name, table in metadata.tables.items()
            if name != "alembic_version"
        }
    engine.dispose()
    return found


def copy_rows(source: str, target: str) -> None:
    """Copy all rows of a database into another one of the same revision, row by row."""
    found, engine, metadata = rows(source), adapters.engine_of(target), MetaData()
    metadata.reflect(engine)
    with engine.begin() as connection:
        for table in metadata.sorted_tables:
            for row in found.get(table.name, ()):
                connection.execute(insert(_plain(table)).values(row))
    engine.dispose()


def _plain(table: Table) -> Table:
    """A table that stores a missing value as NULL, not as the JSON value null."""
    for column in table.columns:
        if isinstance(column.type, JSON):
            column.type.none_as_null = True
    return table


def gather(folder: Path) -> dict[str, Any]:
    """All contents of the store in ``SLIDELENS_HOME``; exports are written into a folder."""
    store, browser = adapters.default_store(), client()
    listed = command_json("list", "--json", "--limit", 1000)
    kinds = {one["run"]["id"]: one["run"] for one in listed}
    content: dict[str, Any] = {"listed": list(kinds), "runs": {}, "tiles": {}, "scenes": adapters.scenes(store)}
    for identity, run in kinds.items():
        told = shown(identity)
        found: dict[str, Any] = {"shown": told, "files": files(browser, told), "bundle": bundle(browser, identity)}
        if run["status"] == "done":
            found["export"] = export(identity, folder / identity)
            found["findings"] = findings(store, run)
        content["runs"][identity] = found
    for identity, run in kinds.items():
        if run["status"] == "done" and run["scene"]["id"] in content["scenes"]:
            place = adapters.tile_place(store, run["scene"]["id"])
            for address in [f"/tiles/run/{identity}/{layer}/{place}.png?threshold=0.4" for layer in LAYERS]:
                if seen := tile(browser, address):
                    content["tiles"][address] = seen
    for identity in content["scenes"]:
        address = f"/tiles/scene/{identity}/{adapters.tile_place(store, identity)}.png"
        content["tiles"][address] = tile(browser, address)
    content["compared"] = compared(store, kinds)
    return plain(content)


def compared(store: Any, kinds: dict[str, Any]) -> dict[str, Any]:
    """Comparison of the two mappings of each change, and of each fused detection with that of the image."""
    found = {}
    for run in kinds.values():
        if run["kind"] not in ("change", "fused") or run["status"] != "done":
            continue
        is_change = run["kind"] == "change"
        pair = run["parents"] if is_change else (run["id"], run["parents"][0])
        compare = adapters.mappings_compared if is_change else adapters.detections_compared
        found[" ".join(pair)] = compare(*(adapters.result_of(store, one) for one in pair))
    return found


def reports(folder: Path) -> dict[str, Any]:
    """Write reports of finished runs, one of each kind and those of `REPORTED`."""
    found: dict[str, Any] = {}
    listed = command_json("list", "--json", "--limit", 1000)
    told: Counter[tuple[str, str, bool]] = Counter()
    for run in (one["run"] for one in listed):
        kind = run["task"], run["kind"], run["scene"]["name"] in REPORTED
        if run["status"] == "done" and not told[kind]:
            told[kind] += 1
            found[run["id"]] = report(run["id"], folder / f"{run['id']}.html")
    return found


def prune(home: Path) -> dict[str, Any]:
    """Prune everything that may be removed, and list what is left."""
    status, _ = command("prune", "--older-than", "0h", "--orphans")
    left = command_json("list", "--json", "--limit", 1000)
    kept = ("artifacts", "files", "exports")
    names = (path.relative_to(home).as_posix() for name in kept for path in (home / name).rglob("*") if path.is_file())
    return {
        "status": status, "runs": [one["run"]["id"] for one in left], "files": sorted(names),
        "scenes": sorted(adapters.scenes(adapters.default_store())),
    }  # fmt: skip


def plain(content: Any) -> Any:
    """Content as JSON holds it; numbers that are none become null."""
    if isinstance(content, dict):
        return {str(key): plain(value) for key, value in content.items()}
    if isinstance(content, list | tuple):
        return [plain(value) for value in content]
    if isinstance(content, float | np.floating):
        return float(content) if math.isfinite(content) else None
    return content


def findings(store: Any, run: dict[str, Any]) -> dict[str, Any] | None:
    """Findings of a finished run at the default choice of its page; None for kinds without findings."""
    if (run["task"], run["kind"]) in (("mapping", "mapping"), ("mapping", "scored")):
        known = adapters.scenes(store).get(run["scene"]["id"])
        dem = store.scene_record(run["scene"]["id"]).dem if known else None
        return adapters.mapped(adapters.result_of(store, run["id"]), dem)
    if (run["task"], run["kind"]) in (("detection", "detection"), ("detection", "scored"), ("detection", "fused")):
        return adapters.detected(adapters.result_of(store, run["id"]))
    return None
