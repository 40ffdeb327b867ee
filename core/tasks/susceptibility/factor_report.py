"""The factors in a report: which tell landslides apart, and which say the same."""

from __future__ import annotations

import math
from collections.abc import Mapping

from core.report.parts import Column, Content, Items, Paragraph, Part, Table
from core.report.words import score
from core.tasks.susceptibility.binning import kind_of_factor
from core.tasks.susceptibility.factor_analysis import advice, class_table, single_auroc, vif
from core.tasks.susceptibility.factors import kinds_of
from core.tasks.susceptibility.findings import cells_table
from core.tasks.susceptibility.result import SusceptibilityResult
from core.wording import factor_words, with_minus_signs

MEANING = (
    "AUROC alone: how well the factor by itself ranks the cells, in whichever direction. For categorical factors and "
    "directions it is based on frequency ratios of the same cells, so it is somewhat too high."
)


def factors_part(result: SusceptibilityResult, unknown: Mapping[str, float] | None = None) -> Part:
    """Table of the factors, strongest first, and what is advised.

    Parameters
    ----------
    unknown
        Of a map, the share of the grid where each factor is unknown; None leaves the column out.
    """
    cells = cells_table(result)
    factors, slide = cells[list(result.factors)], cells["landslide"].to_numpy(bool)
    kinds = kinds_of(result.factors, result.categorical, result.circular)
    classes, inflation = class_table(factors, slide, kinds), vif(factors, kinds)
    alone = {
        name: single_auroc(factors[name].to_numpy(), slide, kind_of_factor(name, kinds)) for name in result.factors
    }
    rows = []
    for name in sorted(result.factors, key=alone.__getitem__, reverse=True):
        ours = classes[classes["factor"] == name]
        top = ours.iloc[int(ours["frequency_ratio"].fillna(0).to_numpy().argmax())]
        rows.append((
            factor_words(name), *(() if unknown is None else (f"{100 * unknown.get(name, 0.0):.1f} %",)),
            score(alone[name]), _inflation(inflation.get(name)),
            f"{with_minus_signs(str(top['class']))} ({top['frequency_ratio']:.2f})",
        ))  # fmt: skip
    columns = (
        Column("Factor"), *(() if unknown is None else (Column("Missing", number=True),)),
        Column("AUROC alone", number=True), Column("Variance inflation", number=True),
        Column("Class with the highest frequency ratio"),
    )  # fmt: skip
    contents: list[Content] = [Table("Factors, strongest first", columns, tuple(rows)), Paragraph(MEANING)]
    said = advice(factors, slide, kinds)
    return Part("factors", "Factors", (*contents, *((Items(said),) if said else ())))


def _inflation(value: float | None) -> str:
    return "–" if value is None else "infinite" if math.isinf(value) else f"{value:.1f}"
