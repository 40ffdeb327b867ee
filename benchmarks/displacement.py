"""Walk-forward forecasts of real GPS stations, and how long all models take on a series of 500 steps.

``python -m benchmarks.displacement FOLDER [--horizons 1,7,14,30] [--stations BLKM,STOE]``, FOLDER holding
``salmon_falls_gps/daily_merged.csv``. Displacement is the horizontal distance from the mean of the first ten known
days, relative to BASE; the last 60 % of the series are the test part. ``--speed`` times a synthetic series instead.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np

from core.series.columns import Columns, Components
from core.series.monitoring import RegularSeries
from core.series.read import monitoring_of
from core.series.regular import regular_of
from core.series.table import read_table_untrusted
from core.tasks.displacement.evaluate import Evaluation, Judged, evaluate
from core.tasks.displacement.forecasters import NAMES, title_of
from core.tasks.displacement.plan import Plan

STEPS = 500


def salmon_falls(folder: Path, station: str) -> RegularSeries:
    """A station on daily steps, with rain and the discharge of the creek."""
    columns = Columns(
        "date", components=(Components(station, f"{station}_n_mm", f"{station}_e_mm"),),
        reference=Components("BASE", "BASE_n_mm", "BASE_e_mm"), rain=("rain_mm_castleford",),
        discharge=("creek_discharge_m3s_usgs",), unit="mm",
    )  # fmt: skip
    frame = read_table_untrusted(folder / "salmon_falls_gps" / "daily_merged.csv")
    return regular_of(monitoring_of(frame, columns), station, "D")


def made(steps: int = STEPS, seed: int = 0) -> RegularSeries:
    """A slope that is driven by the rain of ten days and by the season, measured each day with an error of 1 mm."""
    random = np.random.default_rng(seed)
    rain = np.where(random.random(steps) < 0.3, random.gamma(0.8, 12.0, steps), 0.0)
    level = 165 + 5 * np.sin(2 * np.pi * np.arange(steps) / 365.25) + random.normal(0, 0.1, steps)
    wet = np.convolve(rain, np.ones(10))[:steps] / 10
    moved = np.cumsum(0.05 + 0.03 * wet) + random.normal(0, 1.0, steps)
    times = np.datetime64("2020-01-01", "ns") + np.arange(steps) * np.timedelta64(1, "D")
    return RegularSeries(
        "made", "D", times, moved, np.zeros(steps, np.bool_), {"rain": rain, "level": level},
        {"rain": "rain", "level": "level"},
    )  # fmt: skip


def table_of(found: Evaluation) -> str:
    """Scores of all models as a table of Markdown."""
    lines = [
        "| model | RMSE, mm | MASE | R² increments | R² cumulative | skill over no change | over the best simple | DM p | 90 % held (n) | training RMSE | s |",  # noqa: E501
        "|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for name, one in found.models.items():
        lines.append(f"| {title_of(name)}{_marks(found, name)} | {_row(found, one)} |")
    return "\n".join(lines)


def _marks(found: Evaluation, name: str) -> str:
    marks = [what for what, which in (("chosen", found.chosen), ("best simple", found.best_simple),
                                      ("best on test", found.best_on_test)) if which == name]  # fmt: skip
    return f" ({', '.join(marks)})" if marks else ""


def _row(found: Evaluation, one: Judged) -> str:
    held = f"{one.coverage.share:.0%} ({one.coverage.n})" if one.coverage.n else "–"
    p_value = "–" if one.against is None else f"{one.against.p_value:.2f}"
    skill = [one.skill.get(name, np.nan) for name in ("no_change", found.best_simple)]
    return (
        f"{one.scores.rmse:.2f} | {one.scores.mase:.2f} | {one.scores.r2_increment:.2f} | "
        f"{one.scores.r2_cumulative:.3f} | {skill[0]:+.2f} | {skill[1]:+.2f} | {p_value} | {held} | "
        f"{one.training.rmse:.2f} | {one.seconds:.1f}"
    )


def main() -> None:
    """Print the tables of RESULTS.md."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--horizons", default="1,7,14,30")
    parser.add_argument("--stations", default="BLKM,STOE")
    parser.add_argument("--models", default=",".join(NAMES))
    parser.add_argument("--speed", action="store_true")
    asked = parser.parse_args()
    models = tuple(asked.models.split(","))
    series = [made()] if asked.speed else [salmon_falls(asked.folder, one) for one in asked.stations.split(",")]
    for one in series:
        for horizon in (1,) if asked.speed else map(int, asked.horizons.split(",")):
            began = time.perf_counter()
            found = evaluate(one, Plan(horizon, 0.3 if asked.speed else 0.6, models))
            scored = int(found.problem.usable[found.parts.test].sum())
            print(f"\n{one.name}, {horizon} steps ahead, {len(one)} steps, {scored} forecasts scored, "
                  f"{time.perf_counter() - began:.1f} s\n\n{table_of(found)}")  # fmt: skip
            for name, why in found.left_out.items():
                print(f"{name} left out: {why}")


if __name__ == "__main__":
    main()
