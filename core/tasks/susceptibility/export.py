"""Taking a validation away: scores, design matrix and provenance, as files that other programs open."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.raster.folder import make_folder, write_json
from core.raster.write import atomic_path
from core.tasks.susceptibility.factor_analysis import association, class_table
from core.tasks.susceptibility.factors import kinds_of
from core.tasks.susceptibility.findings import cells_table, table_of_scores, verdict
from core.tasks.susceptibility.result import SusceptibilityResult
from core.tasks.susceptibility.view import Choice

if TYPE_CHECKING:
    from core.runs.records import Run
    from core.runs.store import Store

OWN_FILES = ("scores.csv", "cells.csv", "metrics.json", "factor_classes.csv", "factor_association.csv")
"""What an export holds: an earlier one in the same folder leaves none of it beside the new."""


def metrics_of(result: SusceptibilityResult) -> dict[str, Any]:
    """Scores, what they come to, notes and provenance as plain values for JSON."""
    said = verdict(result)
    return {
        "run": result.id,
        "table": result.subject.name,
        "cells": result.count,
        "landslides": result.landslides,
        "factors": list(result.factors),
        "categorical": list(result.categorical),
        "verdict": [said.lead, *said.others],
        "models": result.scores,
        "notes": list(result.notes),
        "provenance": dict(result.provenance),
    }


def export_run(result: SusceptibilityResult, folder: Path) -> dict[str, Any]:
    """Write everything of a run into a folder, made when missing; files of the same names are replaced.

    Raises
    ------
    LandslideError
        When a file is gone or the disk is full.
    """
    make_folder(folder)
    for name in OWN_FILES:
        (folder / name).unlink(missing_ok=True)
    cells = cells_table(result)
    factors, slide = cells[list(result.factors)], cells["landslide"].to_numpy(bool)
    kinds = kinds_of(result.factors, result.categorical, result.circular)
    tables = {
        "scores.csv": table_of_scores(result), "cells.csv": cells,
        "factor_classes.csv": class_table(factors, slide, kinds),
        "factor_association.csv": association(factors, kinds).reset_index(names="factor"),
    }  # fmt: skip
    for name, frame in tables.items():
        with atomic_path(folder / name) as aside:
            frame.to_csv(aside, index=False)
    content = metrics_of(result)
    write_json(content, folder / "metrics.json")
    return content


def export_stored(store: Store, run: Run, view: Choice | None, folder: Path) -> dict[str, Any]:
    """Write everything of a stored run into a folder; see `core.runs.kinds.Task`."""
    from core.tasks.susceptibility.map_export import export_map
    from core.tasks.susceptibility.map_result import SusceptibilityMap

    if run.kind == "validation":
        return export_run(store.result(run.id, SusceptibilityResult), folder)
    result = store.result(run.id, SusceptibilityMap)
    return export_map(store, result, view or Choice.default(result), folder)
