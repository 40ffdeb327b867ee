"""Taking a run away: series, forecasts, scores and charts as files that other programs open."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.errors import InputError
from core.raster.folder import make_folder, write_json
from core.raster.write import atomic_path
from core.tasks.displacement.findings import ahead_table, forecasts_of, measured_of, series_of, table_of_scores, verdict
from core.tasks.displacement.result import ForecastResult
from core.tasks.displacement.view import Look

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from core.runs.records import Run
    from core.runs.store import Store
    from core.tasks.displacement.acknowledge import Acknowledged

TITLES = {
    "scores.csv": "Scores of all models (CSV)", "forecasts.csv": "All forecasts with their intervals (CSV)",
    "ahead.csv": "Forecasts beyond the end of the series (CSV)", "series.csv": "Series at regular time steps (CSV)",
    "measured.csv": "Measurements (CSV)", "features.csv": "Relation of each feature to the movement (CSV)",
    "levels.csv": "Log of levels (CSV)", "metrics.json": "Scores, notes and provenance (JSON)",
    "displacement.png": "Displacement and drivers (PNG)", "forecast.png": "Forecasts (PNG)",
    "warning.png": "Velocity and inverse velocity (PNG)", "charts.html": "Interactive charts, work offline (HTML)",
}  # fmt: skip

FILES = tuple(TITLES)
"""What an export holds: an earlier one in the same folder leaves none of it beside the new."""


def metrics_of(result: ForecastResult) -> dict[str, Any]:
    """Scores, what they come to, notes and provenance as plain values for JSON."""
    told = {name: verdict(result, name) for name in result.names}
    return {
        "run": result.id,
        "table": result.subject.name,
        "horizon": result.horizon,
        "test_share": result.test_share,
        "stations": result.stations,
        "verdict": {name: [one.lead, *one.others] for name, one in told.items()},
        "corrections": list(result.corrections),
        "notes": list(result.notes),
        "provenance": dict(result.provenance),
    }


def forecast_columns(frame: pd.DataFrame) -> pd.DataFrame:
    """Forecasts with their units in the headings."""
    units = {name: f"{name}_mm" for name in ("forecast", "low", "high", "measured")}
    return frame.rename(columns=units)


def features_table(result: ForecastResult) -> pd.DataFrame:
    """How each feature goes with the movement on the training part, a row a station and feature."""
    import pandas as pd

    rows = [{"station": name, **row} for name in result.names for row in result.stations[name].get("features", [])]
    return pd.DataFrame(rows)


def export_run(
    result: ForecastResult, look: Look, folder: Path, said: Mapping[tuple[str, int], Acknowledged] | None = None
) -> dict[str, Any]:
    """Write everything of a run into a folder, made when missing; files of the same names are replaced.

    Parameters
    ----------
    said
        What was said of changes of level at the station that is looked at; see
        `core.tasks.displacement.acknowledge.acknowledged`.

    Raises
    ------
    LandslideError
        When a file is gone or the disk is full.
    """
    from core.tasks.displacement.figure import draw_forecast, draw_series, draw_warning
    from core.tasks.displacement.warning import log_table, warning_of

    look = look.checked(result)
    make_folder(folder)
    for name in FILES:
        (folder / name).unlink(missing_ok=True)
    series, forecasts = series_of(result), forecasts_of(result)
    tables = {
        "scores.csv": table_of_scores(result), "forecasts.csv": forecast_columns(forecasts),
        "ahead.csv": ahead_table(result),
        "series.csv": series.rename(columns={"displacement": "displacement_mm"}),
        "measured.csv": measured_of(result).rename(columns={"displacement": "displacement_mm"}),
    }  # fmt: skip
    features = features_table(result)
    if not features.empty:
        tables["features.csv"] = features
    drawn: dict[str, Figure] = {}
    try:
        warning = warning_of(measured_of(result), look)
    except InputError:
        pass  # too few readings for a velocity, as the page says too
    else:
        tables["levels.csv"], drawn["warning.png"] = log_table(warning, said), draw_warning(warning)
    for name, frame in tables.items():
        with atomic_path(folder / name) as aside:
            frame.to_csv(aside, index=False)
    drawn |= {
        "displacement.png": draw_series(series, result.drivers, result.names),
        "forecast.png": draw_forecast(forecasts, series, look.station, look.model,
                                      str(result.stations[look.station]["best_simple"])),
    }  # fmt: skip
    for name, figure in drawn.items():
        with atomic_path(folder / name) as aside:
            figure.savefig(aside, format="png")
    write_charts(result, look, series, forecasts, folder / "charts.html")
    content = metrics_of(result)
    write_json(content, folder / "metrics.json")
    return content


def write_charts(
    result: ForecastResult, look: Look, series: pd.DataFrame, forecasts: pd.DataFrame, path: Path
) -> None:
    """Write the charts of the page as one HTML file that needs no network: forecasts of a station, and all stations."""
    from html import escape

    from core.tasks.displacement.plots import forecast_figure, series_figure, station_colours
    from core.tasks.displacement.warning import DISCLAIMER

    simple = str(result.stations[look.station]["best_simple"])
    own, ours = (one[one["station"] == look.station] for one in (series, forecasts))
    charts = (
        forecast_figure(ours, own, look.model, simple),
        series_figure(series, result.drivers, result.names, station_colours(result.names)),
    )
    parts = [one.to_html(full_html=False, include_plotlyjs=not number, div_id=f"chart-{number}")
             for number, one in enumerate(charts)]  # fmt: skip
    title = escape(f"{result.subject.name}: {look.station}")
    with atomic_path(path) as aside:
        aside.write_text(
            f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{title}</title></head>\n'
            f'<body style="font-family: sans-serif"><h1>{title}</h1>\n{"".join(parts)}\n'
            f"<p>{DISCLAIMER}</p></body></html>\n",
            encoding="utf-8",
        )


def export_stored(store: Store, run: Run, view: Look | None, folder: Path) -> dict[str, Any]:
    """Write everything of a stored run into a folder; see `core.runs.kinds.Task`."""
    from core.tasks.displacement.acknowledge import acknowledged
    from core.tasks.displacement.points_export import export_points
    from core.tasks.displacement.points_result import PointsResult

    found = store.result(run.id)
    if isinstance(found, PointsResult):
        return export_points(found, folder)
    result = store.result(run.id, ForecastResult)
    look = (view or Look.default(result)).checked(result)
    return export_run(result, look, folder, acknowledged(store, run.id, look.station))
