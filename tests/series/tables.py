"""Tables as text, read as the store reads them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from core.series.columns import Columns
from core.series.guess import guess_columns
from core.series.heads import read_series_table
from core.series.monitoring import Monitoring
from core.series.read import monitoring_of

if TYPE_CHECKING:
    from pandas import DataFrame

NOW = datetime(2026, 1, 1)


def days(count: int) -> list[str]:
    return [str(date(2020, 1, 1) + timedelta(days=day)) for day in range(count)]


def frame_of(folder: Path, head: str, rows: Sequence[object]) -> DataFrame:
    file = folder / "slope.csv"
    file.write_text("\n".join([head, *map(str, rows)]) + "\n", encoding="utf-8")
    return read_series_table(file)


def read(folder: Path, head: str, rows: Sequence[object], columns: Columns | None = None) -> Monitoring:
    frame = frame_of(folder, head, rows)
    return monitoring_of(frame, columns or guess_columns(frame), "slope.csv", now=NOW)
