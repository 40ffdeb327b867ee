"""Every model of susceptibility on the real cells of southern Ecuador, by random and by spatial folds.

``python -m benchmarks.susceptibility FOLDER [--repeats 5]``, FOLDER holding ``ecuador_lsl/lsl.csv``. The protocol is
that of the published figures: ``KMeans(5, init="random", n_init=1)`` on x and y, AUROC as the mean over folds and
repeats.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

from core.series.table import read_table_untrusted
from core.tasks.susceptibility.cells import Columns, cells_of
from core.tasks.susceptibility.models import NAMES, title_of
from core.tasks.susceptibility.validate import Plan, validate

COLUMNS = Columns("lslpts", ("slope", "cplan", "cprof", "elev", "log10_carea"), (), "x", "y", "EPSG:32717")


def main() -> None:
    """Validate all models and print the table of RESULTS.md."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--repeats", type=int, default=5)
    asked = parser.parse_args()
    cells = cells_of(read_table_untrusted(asked.folder / "ecuador_lsl" / "lsl.csv"), COLUMNS)
    began = time.perf_counter()
    found = validate(cells, Plan(NAMES, ("random", "spatial"), repeats=asked.repeats))
    seconds = time.perf_counter() - began
    print("| model | random | spatial (95 %) | spread | fitted on | Brier | less logistic regression | p | CPU-s |")
    print("|---|---|---|---|---|---|---|---|---|")
    for name in NAMES:
        one, other = (found.scores[scheme][name] for scheme in ("random", "spatial"))
        apart = other.p_value == other.p_value
        against = f"{other.difference:+.3f} | {other.p_value:.2f}" if apart else "– | –"
        spatial = f"{other.auroc:.3f} ({other.auroc_low:.3f}–{other.auroc_high:.3f}) | {other.auroc_sd:.3f}"
        print(
            f"| {title_of(name)} | {one.auroc:.3f} | {spatial} | {other.auroc_fitted:.3f} | {other.brier:.3f} | "
            f"{against} | {one.seconds + other.seconds:.1f} |"
        )
    print(f"{seconds:.0f} s in all, {asked.repeats} repeats of 5 folds, both ways")


if __name__ == "__main__":
    main()
