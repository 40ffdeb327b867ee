"""Trends for other programs."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.toy.result import Trends
from tests.toy.view import Choice

if TYPE_CHECKING:
    from core.runs.records import Run
    from core.runs.store import Store


def export_stored(store: Store, run: Run, view: Choice | None, folder: Path) -> dict[str, Any]:
    """Write the columns that the slider shows, and what they are of."""
    result = store.result(run.id, Trends)
    choice = view or Choice.default(result)
    with (folder / "trends.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["column", "mean", "slope"])
        writer.writerows([one.column, one.mean, one.slope] for one in choice.shown(result))
    content = {"run": run.id, "table": run.subject.name, "least_trend": choice.least_trend}
    (folder / "summary.json").write_text(json.dumps(content), encoding="utf-8")
    return content
