"""What a validation says: which model ranks best, whether that means anything, and the curves behind it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from core.learning.roc import RocCurve, roc_curve
from core.tasks.susceptibility.folds import TITLES
from core.tasks.susceptibility.map_result import SusceptibilityMap
from core.tasks.susceptibility.models import ANCHOR, title_of
from core.tasks.susceptibility.result import CELLS, SusceptibilityResult
from core.wording import agree, count, within

if TYPE_CHECKING:
    import pandas as pd

SURE = 0.05
"""Probability by chance below which a difference is called significant, before as many are compared."""


@dataclass(frozen=True)
class Verdict:
    """What the comparison of the models comes to, in sentences.

    Attributes
    ----------
    lead
        The one sentence to read.
    others
        What has to be known with it.
    """

    lead: str
    others: tuple[str, ...]


def table_of_scores(result: SusceptibilityResult) -> pd.DataFrame:
    """One row a model and scheme: ``model``, ``scheme`` and the scores by name."""
    import pandas as pd

    rows: list[dict[str, Any]] = [
        {"model": model, "scheme": scheme, **{name: value for name, value in scores.items() if name != "counts"}}
        for model, schemes in result.scores.items()
        for scheme, scores in schemes.items()
    ]
    return pd.DataFrame(rows)


def best(result: SusceptibilityResult, scheme: str) -> str:
    """The model of the highest AUROC."""
    return max(result.models, key=lambda model: result.of(model, scheme, "auroc"))


def better(result: SusceptibilityResult, scheme: str) -> tuple[str, ...]:
    """Models that are significantly better than logistic regression, corrected for how many are compared (Holm)."""
    return tuple(one for one in _differing(result, scheme) if result.of(one, scheme, "difference") > 0)


def worse(result: SusceptibilityResult, scheme: str) -> tuple[str, ...]:
    """Models that are significantly worse than logistic regression, corrected in the same way."""
    return tuple(one for one in _differing(result, scheme) if result.of(one, scheme, "difference") < 0)


def _differing(result: SusceptibilityResult, scheme: str) -> list[str]:
    others = [one for one in result.models if one != ANCHOR]
    values = sorted((result.of(one, scheme, "p_value"), one) for one in others)
    found = []
    for place, (value, model) in enumerate(values):
        if not value <= SURE / (len(values) - place):
            break
        found.append(model)
    return found


def judging_scheme(result: SusceptibilityResult) -> str:
    """The way of dividing that a run is judged by: spatial folds where there are any."""
    spatial = ("spatial", "blocks", "group", "date")
    return next((one for one in spatial if one in result.schemes), result.schemes[0])


def verdict(result: SusceptibilityResult) -> Verdict:
    """What the comparison comes to, of a map what the map comes to: judged by spatial folds where there are any."""
    said = _verdict(result)
    if not isinstance(result, SusceptibilityMap):
        return Verdict(said.lead, (*said.others, _balance(result)))
    model, scheme = result.mapped[0], judging_scheme(result)
    lead = (
        f"{title_of(model)}: AUROC {result.of(model, scheme, 'auroc'):.3f} "
        f"({interval(result, model, scheme)}) on "
        f"{within(TITLES[scheme])}."  # type: ignore[index]
    )
    ranks = result.ranks
    if len(ranks):
        lead += (
            f" The 10 % of the area with the highest index holds {100 * np.mean(ranks <= 0.1):.0f} % of the "
            f"{count(len(ranks), 'landslide')}, each ranked by models that were not trained on it (chance: 10 %)."
        )
    outside = result.outside
    others = said.others if best(result, scheme) == model else (said.lead, *said.others)
    if outside:
        unlike = (
            f"{100 * outside:.1f} % of the mapped area is unlike the cells that the model was trained on: the index "
            "there is extrapolated."
        )
        others = (unlike, *others)
    return Verdict(lead, others)


def _verdict(result: SusceptibilityResult) -> Verdict:
    scheme = judging_scheme(result)
    first = best(result, scheme)
    lead = (
        f"{title_of(first)} has the highest AUROC on "
        f"{within(TITLES[scheme])}: "  # type: ignore[index]
        f"{result.of(first, scheme, 'auroc'):.3f} ({interval(result, first, scheme)})."
    )
    others = []
    if ANCHOR in result.models and len(result.models) > 1:
        ahead, behind = better(result, scheme), worse(result, scheme)
        others.append(
            f"Significantly better than logistic regression: {', '.join(map(title_of, ahead))}."
            if ahead
            else "No model is significantly better than logistic regression (paired DeLong test, Holm correction)."
        )
        if behind:
            on = within(TITLES[scheme].split(" (")[0])  # type: ignore[index]
            others.append(f"Significantly worse than logistic regression on {on}: {', '.join(map(title_of, behind))}.")
    if "random" in result.schemes and scheme != "random":
        drop = result.of(first, "random", "auroc") - result.of(first, scheme, "auroc")
        others.append(
            f"{title_of(first)} on random folds: AUROC {result.of(first, 'random', 'auroc'):.3f}, {abs(drop):.3f} "
            f"{'higher' if drop >= 0 else 'lower'}. Neighbouring cells are similar, and random folds test the model on "
            "neighbours of its training cells."
        )
    elif scheme == "random":
        others.append(
            "Random folds test the model on neighbours of its training cells: its performance elsewhere is not known. "
            "Give coordinates for spatial folds."
        )
    return Verdict(lead, tuple(others))


def _balance(result: SusceptibilityResult) -> str:
    """How many cells of a table are landslides, and what follows for its index; a map has a note of its own."""
    share = result.landslides / result.count
    slides = agree(result.landslides, "is a landslide", "are landslides")
    return (
        f"{result.landslides:,} of {result.count:,} cells ({100 * share:.0f} %) {slides}. Unless this is their share "
        "in the area, the result is an index that ranks places, not a probability."
    )


def interval(result: SusceptibilityResult, model: str, scheme: str) -> str:
    """The 95 % interval of a model's AUROC, or that it is not known: a fold with one cell of a class has none."""
    low, high = (result.of(model, scheme, f"auroc_{end}") for end in ("low", "high"))
    return "interval unknown: too few cells" if low != low else f"{low:.3f} to {high:.3f}"


def settings_table(result: SusceptibilityResult, scheme: str) -> pd.DataFrame:
    """Settings that most fits of each model chose, one a row; empty without tuning."""
    import pandas as pd

    chosen = {model: result.scores[model][scheme].get("settings", {}) for model in result.models}
    rows = [(title_of(model), name, str(value)) for model, ours in chosen.items() for name, value in ours.items()]
    return pd.DataFrame(rows, columns=["Model", "Setting", "Value"])


def curves(result: SusceptibilityResult, scheme: str) -> dict[str, RocCurve]:
    """ROC curves by model of the first repeat: each cell scored by a model that had not seen its fold.

    Raises
    ------
    StorageError
        When the design matrix is gone.
    """
    table = cells_table(result)
    slide = table["landslide"].to_numpy(bool)
    found = {}
    for model in result.models:
        score = table[f"score:{scheme}:{model}"].to_numpy(float)
        known: NDArray[np.bool_] = np.isfinite(score)
        found[model] = roc_curve(slide[known], score[known])
    return found


def cells_table(result: SusceptibilityResult) -> pd.DataFrame:
    """The design matrix of a run; see `core.tasks.susceptibility.validate.table_of`.

    Raises
    ------
    StorageError
        When it is gone.
    """
    import pandas as pd

    return pd.read_parquet(result.artifact(CELLS))
