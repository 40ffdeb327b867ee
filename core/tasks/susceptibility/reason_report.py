"""Why a model says what it says, as the reports of maps and of validations tell it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from core.report.make import explanations_of
from core.report.parts import Column, Content, Heading, Paragraph, Part, Pictures, Table
from core.report.pictures import picture
from core.report.words import percent
from core.tasks.susceptibility.map_figure import contribution_chart
from core.tasks.susceptibility.models import title_of
from core.wording import count

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from core.runs.records import Run
    from core.runs.store import Store

Reason = tuple[str, dict[str, Any]]
"""Sentence and record of an explanation."""

MOST_EXPLAINED = 6


def reasons_of(store: Store, run: Run) -> Iterator[tuple[str, dict[str, Any]]]:
    """Sentence and record of each explanation; that of one cell with the contributions to it, as ``effects``."""
    import pandas

    from core.tasks.susceptibility.run_explanation import CONTRIBUTIONS, read_table

    for one in explanations_of(store, run)[:MOST_EXPLAINED]:
        stored = one.artifact("explanation")
        if stored is not None and stored.path.is_file():
            record = json.loads(stored.path.read_text(encoding="utf-8"))
            values = one.artifact(CONTRIBUTIONS)
            if record.get("target") == "cell" and values is not None and values.path.is_file():
                found, _ = read_table(pandas.read_parquet(values.path), record)
                record["effects"] = dict(zip(found.factors, found.values[0].tolist(), strict=True))
            yield str(record.get("sentence", "")), record


def reasons_part(reasons: Sequence[Reason], rows: NDArray[np.int64] | None = None) -> Part:
    """What the explanations of a run found.

    Parameters
    ----------
    reasons
        As `reasons_of` gives them.
    rows
        Row of the table of each row of the design matrix; None for a map.
    """
    shown: list[Content] = []
    for sentence, record in reasons:
        shown += [Heading(_asked(record, rows)), Paragraph(sentence)]
        if record.get("effects"):
            drawn = contribution_chart(record["effects"], str(record.get("scale", "")), signed=True)
            caption = "Contribution of each factor to this cell (SHAP values). Red-orange: raised it. Blue: lowered it."
            shown.append(Pictures((picture(drawn, "Factor contributions to one cell", caption),)))
        elif record.get("importance"):
            drawn = contribution_chart(record["importance"], str(record.get("scale", "")))
            caption = "Mean absolute contribution of each factor (SHAP values)."
            told = record.get("faithfulness")
            if told:
                caption += (
                    " Replacing factors in order of their contribution changes the model output "
                    f"{told['guided_area'] / max(told['random_area'], 1e-12):.2f} times as much as replacing them in "
                    "random order."
                )
            shown.append(Pictures((picture(drawn, "Factor contributions", caption),)))
            shown += _rules(record)
    if not shown:
        shown.append(Paragraph("No explanation was requested."))
    else:
        shown.insert(0, Paragraph("Contributions divide the model output for a cell among its factors. "
                                  "They show what the model reacted to, not the cause of a slope "
                                  "failure."))  # fmt: skip
    return Part("why", "Explanation of the model", tuple(shown))


def _rules(record: dict[str, Any]) -> list[Content]:
    """The model's simple twin."""
    twin = record.get("twin")
    if not twin or twin["fidelity"] is None:
        return []
    heads = (Column("Condition"), Column(f"Model output ({record.get('scale')})", number=True),
             Column("Share of cells", number=True))  # fmt: skip
    rows = tuple((one["rule"], f"{one['says']:+.2f}", percent(one["share"])) for one in twin["rules"])
    told = (
        f"A tree of at most four levels approximates the model: R² {twin['fidelity']:.2f} on "
        f"{count(twin['held_back'], 'cell')} not used to fit the tree. It illustrates the model and does not replace "
        "it."
    )
    return [Paragraph(told), Table("Approximate rules of the model", heads, rows)]


def _asked(record: dict[str, Any], rows: NDArray[np.int64] | None) -> str:
    cell = f"for the cell at row {record.get('row')}, column {record.get('column')}"
    if rows is not None and record.get("target") == "cell":
        cell = f"for row R{rows[int(record['row'])]}"
    where = {"model": f"over {count(record.get('cells', 0), 'cell')}", "area": "on the map", "cell": cell}
    return f"{title_of(str(record.get('model')))} {where.get(str(record.get('target')), '')}"
