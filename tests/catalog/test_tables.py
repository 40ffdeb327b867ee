"""Tables of the open-data catalogue: what is offered, under which terms, and that they come as published."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from core.catalog.tables import fetch_table, hourly_rain, open_tables
from core.errors import InputError


def test_tables_are_listed_without_fetching_with_licence_citation_and_caution() -> None:
    assert {one.data_set.id for one in open_tables("series")} == {"salmon_falls_gps", "egms_insar", "amsterdam_insar"}
    assert {one.data_set.id for one in open_tables("drivers")} == {"seattle_rain"}
    assert len({one.id for one in open_tables()}) == len(open_tables()) == 9
    assert not open_tables("cells")
    for one in open_tables():
        assert one.path is None
        assert one.data_set.licence
        assert one.data_set.citation
        assert one.data_set.caution
    egms = next(one for one in open_tables() if one.id == "egms-ustica-vertical")
    assert "Copernicus" in egms.data_set.licence
    assert "Copernicus Land Monitoring Service" in egms.data_set.citation


def test_an_unknown_table_is_named_in_the_message() -> None:
    with pytest.raises(InputError, match="no table named 'atlantis'.*salmon-falls"):
        fetch_table("atlantis")


def test_hourly_rain_in_hundredths_of_an_inch_becomes_mm(tmp_path: Path) -> None:
    path = tmp_path / "K.txt"
    path.write_text("032010072423004\n032010072424000\n032010072501100\n")

    table = hourly_rain(path)

    assert table["time"].astype(str).tolist() == ["2010-07-24 23:00:00", "2010-07-25 00:00:00", "2010-07-25 01:00:00"]
    assert table["rain_mm"].tolist() == [1.016, 0.0, 25.4]


@pytest.mark.realdata
def test_open_tables_come_as_published(shared_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLIDELENS_DATA_MIRROR", str(shared_data / "open"))
    found = {one.id: fetch_table(one.id, tmp_path).path for one in open_tables()}

    slope = pd.read_csv(found["salmon-falls"])
    # the same files, joined by other hands
    known = pd.read_csv(shared_data / "salmon_falls_gps" / "daily_merged.csv")
    assert list(slope.columns)[: len(known.columns)] == list(known.columns)
    places = slope[["BLKM_latitude", "BLKM_longitude"]].drop_duplicates()
    assert places.to_numpy().tolist() == [[42.613135, -114.890553]]  # as the head of its file says
    assert slope["date"].equals(known["date"])
    for name in known.columns[1:]:
        assert np.array_equal(slope[name].isna(), known[name].isna()), name
        difference = slope[name] - known[name]  # mm or m³/s, from another origin
        assert np.nanmax(np.abs(difference - difference.dropna().iloc[0])) < 0.02, name
    assert len(pd.read_csv(found["amsterdam-points"])) == 2500
    assert found["egms-ustica-ascending"].stat().st_size == 3_694_363
    rain = pd.read_csv(found["seattle-rain-ksea"])
    assert rain["time"].iloc[0].startswith("2010-07-24")
    assert len(rain) == 12_529  # its rows, with 5,997 hundredths of an inch
    assert rain["rain_mm"].sum() == pytest.approx(5_997 * 0.254)
