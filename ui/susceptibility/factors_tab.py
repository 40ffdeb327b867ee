"""Looking at factors: how landslides prefer their classes, how they are spread, and which of them say the same."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import streamlit as st

from ui.choices import words_of
from ui.feedback import plain
from ui.messages import tr

if TYPE_CHECKING:
    from numpy import bool_
    from numpy.typing import NDArray
    from pandas import DataFrame

    from core.tasks.susceptibility.factor_analysis import Alone
    from core.tasks.susceptibility.factors import Factors
    from core.tasks.susceptibility.result import SusceptibilityResult
    from ui.susceptibility.results import Shown

NEAR_CHANCE = 0.05
"""Distance of an AUROC from 0.5 below which the direction of a factor is not said."""

CHART = {"displaylogo": False, "modeBarButtonsToRemove": ["lasso2d", "select2d"]}


@dataclass(frozen=True)
class _Looked:
    """What was found of the factors of a run."""

    factors: DataFrame
    landslide: NDArray[bool_]
    kinds: Factors
    classes: DataFrame
    association: DataFrame
    inflation: dict[str, float]
    advice: tuple[str, ...]


@st.cache_resource(max_entries=8, show_spinner="Analysing the factors")
def _looked(run: str, _result: SusceptibilityResult) -> _Looked:
    del run
    from core.tasks.susceptibility.factor_analysis import advice, association, class_table, vif
    from core.tasks.susceptibility.factors import kinds_of
    from core.tasks.susceptibility.findings import cells_table

    table = cells_table(_result)
    factors, slide = table[list(_result.factors)], table["landslide"].to_numpy(bool)
    kinds = kinds_of(_result.factors, _result.categorical, _result.circular)
    return _Looked(
        factors, slide, kinds, class_table(factors, slide, kinds), association(factors, kinds), vif(factors, kinds),
        advice(factors, slide, kinds),
    )  # fmt: skip


def show(view: Shown) -> None:
    """The tab."""
    from core.tasks.susceptibility.binning import kind_of_factor
    from core.tasks.susceptibility.factor_analysis import alone
    from core.tasks.susceptibility.factor_plots import (
        WEIGHTS,
        association_figure,
        distribution_figure,
        inflation_figure,
        weights_figure,
    )
    from core.wording import factor_words

    result = view.result
    found = _looked(result.id, result)
    row = st.columns(2)
    factor = row[0].selectbox(tr("Factor"), result.factors, key=f"look-{result.id}", format_func=factor_words)
    weight = row[1].selectbox(tr("Class weight"), list(WEIGHTS), key=f"weight-{result.id}",
                              format_func=words_of(WEIGHTS))  # fmt: skip
    kind = kind_of_factor(factor, found.kinds)
    left, right = st.columns(2, gap="medium")
    rows = found.classes[found.classes["factor"] == factor]
    left.plotly_chart(weights_figure(rows, weight), key=f"weights-{result.id}-{factor}", config=CHART)
    values = found.factors[factor].to_numpy()
    figure = distribution_figure(values, found.landslide, kind, factor_words(factor))
    right.plotly_chart(figure, key=f"spread-{result.id}-{factor}", config=CHART)
    st.markdown(_alone(alone(values, found.landslide, kind)))
    st.caption(
        tr("Based on the {count:,} training cells. Bars above the line: landslides are more frequent in "
        "this class than on average.").format(count=len(found.landslide))
        + (" " + tr("Contrast is shown with its 95 % interval.") if weight == "contrast" else "")
    )
    if found.advice:
        st.warning("\n".join(f"- {plain(one)}" for one in found.advice))
    else:
        st.markdown(tr("No two factors are nearly redundant: no correlation above 0.7, no variance inflation factor "
                    "above 10."))
    left, right = st.columns([3, 2], gap="medium")
    wide = left.container(key=f"scrolled-association-{result.id}")  # on a phone, its numbers would lie on each other
    wide.plotly_chart(association_figure(found.association), key=f"association-{result.id}", config=CHART)
    right.plotly_chart(inflation_figure(found.inflation), key=f"inflation-{result.id}", config=CHART)
    st.caption(
        tr("First chart: correlation of quantities, Cramér's V of classes, correlation ratio of both, Mardia's "
        "correlation of "
        "directions. Second chart: how much correlation with other factors inflates the variance of a factor's effect.")
    )


def _alone(found: Alone) -> str:
    """How well the chosen factor by itself tells landslides apart."""
    said = f"This factor alone ranks the cells with an AUROC of {found.auroc:.2f} (0.5 is chance, 1 is perfect)"
    if math.isnan(found.cramers_v):
        told = f"landslides occur at {found.points} values"
        if abs(found.auroc - 0.5) < NEAR_CHANCE:
            told = f"{'no' if f'{found.auroc:.2f}' == '0.50' else 'hardly'} better than chance"
        return f"{said}: {told}."
    return tr(
        "{said}, using frequency ratios from the same cells. Cramér's V with landslides: {cramers_v:.2f}."
    ).format(said=said, cramers_v=found.cramers_v)
