"""Calls into the code from the checks of an old store: when a function is renamed, it is adapted here only."""

from __future__ import annotations

import hashlib
import math
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np


def engine_of(url: str) -> Any:
    """A plain connection pool of a database, without anything of the store."""
    from sqlalchemy import create_engine

    return create_engine(url.replace("postgresql://", "postgresql+pg8000://"))


def default_store() -> Any:
    """The store of ``SLIDELENS_HOME``, brought up to date."""
    from core.runs.store import default_store

    return default_store()


def make_tables(url: str, revision: str) -> None:
    """Make the tables of a revision in an empty database."""
    from core.runs.database import migrate

    engine = engine_of(url)
    migrate(engine, revision)
    engine.dispose()


def result_of(store: Any, run: str) -> Any:
    """Result of a finished run of mapping or detection."""
    return store.result(run)


def mapped(result: Any, dem: Path | None) -> dict[str, Any]:
    """Findings of a mapping at the default choice of its page."""
    from core.tasks.mapping.findings import default_choice, find, score

    choice = default_choice(result, result.threshold)
    found, scores = find(result, choice, dem), score(result, choice.threshold)
    return {
        "choice": asdict(choice),
        "landslides": found.count,
        "area": float(found.areas.sum()),
        "share": found.share,
        "columns": sorted(found.polygons.columns),
        "bounds": list(found.polygons.total_bounds) if found.count else None,
        "scores": None if scores is None else scores.model.scores(),
        "baseline": None if scores is None or scores.baseline is None else scores.baseline.scores(),
    }


def detected(result: Any) -> dict[str, Any]:
    """Findings of a detection at the default choice of its page."""
    from core.tasks.detection.findings import default_choice, find

    choice = default_choice(result)
    found = find(result, choice)
    return {
        "choice": asdict(choice),
        "boxes": found.count,
        "of any confidence": len(found.everything),
        "corners": found.boxes.corners.astype(float).tolist()[:5],
        "confidences": found.boxes.scores.astype(float).tolist()[:5],
        "columns": sorted(found.table.columns),
        "outlines": found.outlines is not None,
        "reference": None if found.reference_boxes is None else len(found.reference_boxes),
        "scores": None if found.scores is None else found.scores.to_json(),
    }


def mappings_compared(before: Any, after: Any) -> dict[str, Any]:
    """New polygons and mean difference between two mappings."""
    from core.tasks.mapping.change import compare
    from core.tasks.mapping.findings import default_choice

    change = compare(before, after, default_choice(after, after.threshold))
    return {"new": len(change.new), "mean": float(np.nanmean(change.difference))}


def detections_compared(first: Any, second: Any) -> dict[str, Any]:
    """How many boxes two detections share."""
    from core.tasks.detection.agreement import shared
    from core.tasks.detection.findings import default_choice, find

    both = shared(find(first, default_choice(first)), find(second, default_choice(second)))
    return {"both": len(both.both), "first": len(both.only_first), "second": len(both.only_second)}


def scenes(store: Any) -> dict[str, dict[str, Any]]:
    """All scenes whose raster is there, by id."""
    return {one.id: _scene(store.scene_record(one.id)) for one in store.scenes()}


def _scene(record: Any) -> dict[str, Any]:
    scene = record.scene
    return {
        "name": scene.name, "origin": record.origin, "before": record.before, "digest": scene.digest,
        "reference": _digest(record.reference), "elevation": _digest(record.dem), "synthetic": scene.synthetic,
        "licence": scene.licence, "citation": scene.citation, "georeferenced": scene.grid.is_georeferenced,
        "size": [scene.grid.width, scene.grid.height], "bands": [band.name for band in scene.bands],
    }  # fmt: skip


def series(store: Any, identity: str) -> dict[str, Any]:
    """A monitoring table."""
    record = store.dataset(identity)
    return {"name": record.name, "origin": record.origin, "digest": _digest(record.path)}


def tile_place(store: Any, scene: str) -> str:
    """Zoom, column and row of a tile in the middle of a scene."""
    from core.serve.coordinates import map_bounds, native_zoom

    grid = store.scene_record(scene).scene.grid
    (south, west), (north, east) = map_bounds(grid)
    if not grid.is_georeferenced:
        return "0/0/0"
    zoom = native_zoom(grid)
    latitude = math.radians((south + north) / 2)
    column = int(((west + east) / 2 + 180) / 360 * 2**zoom)
    row = int((1 - math.asinh(math.tan(latitude)) / math.pi) / 2 * 2**zoom)
    return f"{zoom}/{column}/{row}"


def _digest(path: Path | None) -> str | None:
    return None if path is None else hashlib.sha256(path.read_bytes()).hexdigest()
