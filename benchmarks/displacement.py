"""Walk-forward forecasts of real GPS stations, and how long all models take on a series of 500 steps.

``python -m benchmarks.displacement FOLDER [--horizons 1,7,14,30] [--stations BLKM,STOE]``, FOLDER holding
``salmon_falls_gps/daily_merged.csv``. Displacement is the horizontal distance from the mean of the first ten known
days, relative to BASE; the last 60 % of the series are the test part. ``--speed`` times a synthetic series instead, and
``--points`` the command ``points`` on 100,000 InSAR points of 150 dates.
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


def summary(by_horizon: dict[int, Evaluation]) -> str:
    """A row a model, a column a horizon: RMSE in mm, skill over the best simple forecast with p, and what was held."""
    heads = " | ".join("1 day" if one == 1 else f"{one} days" for one in by_horizon)
    lines = [f"| model | {heads} |", "|---" * (len(by_horizon) + 1) + "|"]
    names = [name for name in NAMES if any(name in one.models for one in by_horizon.values())]
    lines += [f"| {title_of(name)} | " + " | ".join(_cell(one, name) for one in by_horizon.values()) + " |"
              for name in names]  # fmt: skip
    lines.append("| forecasts scored | " + " | ".join(
        f"{int(one.problem.usable[one.parts.test].sum())}" for one in by_horizon.values()) + " |")  # fmt: skip
    return "\n".join(lines)


def _cell(found: Evaluation, name: str) -> str:
    if name not in found.models:
        return "–"
    one = found.models[name]
    told = f"{one.scores.rmse:.2f}"
    if name != found.best_simple and one.against is not None:
        chance = "–" if np.isnan(one.against.p_value) else f"{one.against.p_value:.2f}"
        told += f" ({one.skill.get(found.best_simple, np.nan):+.2f}, p {chance})"
    if one.coverage.n:
        told += f", {one.coverage.share:.0%}"
    marks = "".join(mark for mark, which in ((" ◆", found.chosen), (" ○", found.best_simple)) if which == name)
    return told + marks


def points(count: int = 100_000, dates: int = 150) -> None:
    """Time ``points`` on a table of made points, in a process of its own, and print seconds and memory."""
    import subprocess
    import sys
    import tempfile

    import pandas as pd

    random = np.random.default_rng(0)
    days = pd.date_range("2019-01-03", periods=dates, freq="12D")
    velocity = random.normal(0, 5, count)
    values = velocity[:, None] * np.arange(dates) * 12 / 365.25 + random.normal(0, 2, (count, dates))
    table = pd.DataFrame(values.round(1), columns=days.strftime("%Y%m%d"))
    for name, low, size in (("northing", 1.7e6, 30_000), ("easting", 4.5e6, 30_000)):
        table.insert(0, name, low + random.random(count) * size)
    table.insert(0, "pid", [f"p{number}" for number in range(count)])
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "points.csv"
        table.to_csv(path, index=False)
        asked = ["displacement", "points", str(path), "--out", folder, "--no-store"]
        script = (
            "import resource, sys, time; began = time.perf_counter(); from core.cli.main import main; "
            f"code = main({asked!r}); print(f'{{time.perf_counter() - began:.1f}} s, '"
            "f'{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB'); sys.exit(code)"
        )
        subprocess.run([sys.executable, "-c", script], check=True)


def main() -> None:
    """Print the tables of RESULTS.md."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--horizons", default="1,7,14,30")
    parser.add_argument("--stations", default="BLKM,STOE")
    parser.add_argument("--models", default=",".join(NAMES))
    parser.add_argument("--speed", action="store_true")
    parser.add_argument("--points", action="store_true")
    parser.add_argument("--full", action="store_true", help="all scores, a table for each station and horizon")
    asked = parser.parse_args()
    if asked.points:
        points()
        return
    models = tuple(asked.models.split(","))
    series = [made()] if asked.speed else [salmon_falls(asked.folder, one) for one in asked.stations.split(",")]
    for one in series:
        by_horizon: dict[int, Evaluation] = {}
        for horizon in (1,) if asked.speed else map(int, asked.horizons.split(",")):
            began = time.perf_counter()
            found = evaluate(one, Plan(horizon, 0.3 if asked.speed else 0.6, models))
            by_horizon[horizon] = found
            scored = int(found.problem.usable[found.parts.test].sum())
            print(f"\n{one.name}, {horizon} steps ahead, {len(one)} steps, {scored} forecasts scored, "
                  f"{time.perf_counter() - began:.1f} s")  # fmt: skip
            if asked.full or asked.speed:
                print(f"\n{table_of(found)}")
            for name, why in found.left_out.items():
                print(f"{name} left out: {why}")
        if not asked.speed:
            print(f"\n{one.name}: RMSE in mm (skill over the best simple forecast, p), held by 90 % intervals\n\n"
                  f"{summary(by_horizon)}")  # fmt: skip


if __name__ == "__main__":
    main()
