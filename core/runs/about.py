"""Metadata of an exported file: the run, model, view, date and licence that it comes from."""

from __future__ import annotations

from typing import Any

import core
from core.raster.files import one_line
from core.runs.result import GridResult, RunResult
from core.runs.view import texts_of


def about(result: RunResult, view: Any = None) -> dict[str, str]:  # noqa: ANN401  of its task
    """Metadata of a file of a run, as short texts by name.

    Parameters
    ----------
    view
        What was chosen after the run, each value as ``view_…``; None for files that do not depend on it.
    """
    record = result.provenance
    scene = record.get("scene") or record.get("table") or {}
    metres = isinstance(result, GridResult) and result.grid.in_metres
    values = {} if view is None else texts_of(view, in_metres=metres)
    told = {
        "run": result.id,
        "kind": result.kind,
        "data": result.subject.name,
        "model": result.model,
        **{f"view_{name}": value for name, value in values.items()},
        "date": str(record.get("finished") or ""),
        "licence": str(scene.get("licence") or "not stated"),
        "citation": str(scene.get("citation") or ""),
        "areas": result.grid.assumption if isinstance(result, GridResult) else "",
        "synthetic": "yes" if scene.get("synthetic") else "",
        "software": f"SlideLens {core.__version__}",
    }
    return {name: one_line(text) for name, text in told.items() if text}
