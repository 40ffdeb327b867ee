"""Time and memory of contributions of factors over a million cells, beside what the usual ways take.

Run ``python -m benchmarks.shap_tables``. Each way is measured in a process of its own, one after the other.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.mapping_memory import in_new_process, peak
from benchmarks.results import record

FACTORS = tuple(f"factor_{number}" for number in range(1, 13))
FOREST = "random forest, 100 trees"
BOOSTED = ("boosted, 200 × depth 4", "boosted, 150 × depth 2")
AIM_BOOSTED, AIM_FOREST, ALIKE = 0.3, 5.0, 1e-4
COMPARED = 20_000
"""Cells of which the contributions of both ways are kept and compared, and on which shap is timed."""


def cells(count: int, seed: int) -> Any:  # a DataFrame, which the parent does not import
    """Factors of cells, in single precision as rasters hold them."""
    import numpy as np
    import pandas as pd

    return pd.DataFrame(np.random.default_rng(seed).random((count, len(FACTORS)), dtype=np.float32), columns=FACTORS)


def fitted(name: str) -> Any:
    """A model fitted on 2,000 cells: of the class settings of the name."""
    import numpy as np
    from sklearn.ensemble import RandomForestClassifier
    from xgboost import XGBClassifier

    known = cells(2_000, 1).to_numpy()
    noise = np.random.default_rng(2).normal(0, 0.2, len(known))
    slide = known[:, 0] + known[:, 1] * known[:, 2] + 0.3 * np.sin(6 * known[:, 3]) + noise > 1
    if name == BOOSTED[0]:
        model = XGBClassifier(n_estimators=200, max_depth=4, n_jobs=0, random_state=0)
    elif name == BOOSTED[1]:  # as this program fits it
        model = XGBClassifier(
            n_estimators=150, max_depth=2, learning_rate=0.05, subsample=0.8, colsample_bytree=0.8, reg_lambda=1.0,
            n_jobs=0, random_state=0, tree_method="hist",
        )  # fmt: skip
    else:
        model = RandomForestClassifier(100, min_samples_leaf=10, random_state=0)
    return model.fit(known, slide)


def ours(folder: Path, name: str, count: int, block: int) -> tuple[float, float, float, float, str]:
    """Seconds to begin and of all cells, MB after the first block and at the peak, and the method.

    To begin is to open the trees and to compare both ways. Contributions of the first cells are left in the folder.
    """
    import numpy as np

    from core.explain.trees import tree_explainer

    model, rows = fitted(name), cells(count, 3)
    tree_explainer(model, np.asarray, FACTORS, FACTORS, rows.iloc[:10])  # whatever is compiled once
    first, method, after_first = [], "", 0.0
    started = time.perf_counter()
    explainer = tree_explainer(model, np.asarray, FACTORS, FACTORS, rows)
    begun = time.perf_counter() - started
    for start in range(0, count, block):
        found = explainer.explain(rows.iloc[start : start + block])
        if start < COMPARED:
            first.append(found.values)
        after_first, method = after_first or peak(), found.method
    seconds = time.perf_counter() - started - begun
    np.concatenate(first)[:COMPARED].astype(np.float64).tofile(folder / "ours")
    return begun, seconds, after_first, peak(), method


def bare(folder: Path, name: str, count: int) -> float:
    """Seconds of the usual way on an array in memory."""
    import numpy as np

    model, rows = fitted(name), cells(count, 3).to_numpy()
    if hasattr(model, "get_booster"):
        from xgboost import DMatrix

        booster = model.get_booster()
        started = time.perf_counter()
        found = booster.predict(DMatrix(rows), pred_contribs=True)[:, :-1]
    else:
        import shap

        started = time.perf_counter()
        way = shap.TreeExplainer(model, feature_perturbation="tree_path_dependent")
        found = np.asarray(way.shap_values(rows, check_additivity=False))[..., 1]
    seconds = time.perf_counter() - started
    found[:COMPARED].astype(np.float64).tofile(folder / "bare")
    return seconds


def difference(folder: Path) -> float:
    """Largest difference of the contributions that both ways left."""
    import numpy as np

    return float(np.abs(np.fromfile(folder / "ours") - np.fromfile(folder / "bare")).max())


def _judged(name: str, usual: float, here: float) -> tuple[bool, str]:
    """Whether the aim is met, and by how much."""
    if name == FOREST:
        return usual >= AIM_FOREST * here, f"{usual / here:.1f} times as fast"
    return here <= AIM_BOOSTED * usual, f"{here / usual:.3f} of it"


def main() -> None:
    """Measure and record."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cells", type=int, default=1_000_000)
    parser.add_argument("--block", type=int, default=262_144, help="cells explained at once, of a map 512 × 512")
    arguments = parser.parse_args()
    figures = {}
    with tempfile.TemporaryDirectory() as where:
        folder = Path(where)
        for name in (*BOOSTED, FOREST):
            count = COMPARED if name == FOREST else arguments.cells
            usual = in_new_process(bare, folder, name, count)
            begun, seconds, first, highest, method = in_new_process(ours, folder, name, count, arguments.block)
            apart = in_new_process(difference, folder)
            met, told = _judged(name, usual, begun + seconds)
            figures[f"{name}, {count:,} cells"] = (
                f"usual way {usual:.1f} s, here {begun:.1f} s to begin + {seconds:.1f} s: {told}; largest difference "
                f"{apart:.1e}; {highest:.0f} MB at the peak, {first:.0f} MB after the first block; {method} "
                f"({'met' if met and apart <= ALIKE else 'missed'})"
            )
        begun, seconds, first, highest, _ = in_new_process(ours, folder, FOREST, arguments.cells, arguments.block)
        per_cell = usual / COMPARED / ((begun + seconds) / arguments.cells)
        figures[f"{FOREST}, {arguments.cells:,} cells"] = (
            f"here {begun:.1f} s to begin + {seconds:.1f} s: by the cell {per_cell:.1f} times as fast as the usual way "
            f"on {COMPARED:,}; {highest:.0f} MB at the peak, {first:.0f} MB after the first block"
        )
    record(
        "Contributions of factors",
        "SHAP values of 12 factors, path-dependent. The usual way: XGBoost's `predict(pred_contribs=True)` on an array "
        "in memory, or `shap.TreeExplainer`. Here: block by block, with the comparison of both ways on 200 rows and "
        f"the check that contributions add up. Aims: at most {AIM_BOOSTED} of XGBoost's time, {AIM_FOREST:g} times as "
        f"fast as shap, equal to {ALIKE:g} on the first {COMPARED:,} cells, and memory that stays after the first "
        "block. Both ways may use all cores.",
        figures, ("numpy", "scikit-learn", "xgboost", "shap", "woodelf-explainer"),
    )  # fmt: skip


if __name__ == "__main__":
    main()
