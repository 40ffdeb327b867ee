"""Reviews by command: the same log as the page writes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import geopandas
import numpy as np
import pytest

from core.cli.main import main
from core.runs.store import Store
from tests.factories import keep, made_run


@pytest.fixture
def run(store: Store, tmp_path: Path) -> str:
    probability = np.zeros((40, 50))
    probability[4:10, 5:15] = 0.9
    probability[20:24, 30:35] = 0.8
    return str(keep(store, made_run(tmp_path / "made", probability, "without CRS")).id)


def review(*arguments: object) -> int:
    return main(["review", *(str(one) for one in arguments)])


def told(capsys: pytest.CaptureFixture[str]) -> Any:
    return json.loads(capsys.readouterr().out)


def outline(folder: Path, left: int, top: int, right: int, bottom: int) -> Path:
    ring = [[left, top], [right, top], [right, bottom], [left, bottom], [left, top]]
    path = folder / f"outline{left}.geojson"
    path.write_text(json.dumps({"type": "Polygon", "coordinates": [ring]}), encoding="utf-8")
    return path


def test_a_review_from_its_first_mark_to_the_reference(
    run: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert review("show", run, "--threshold", 0.6) == 0
    first, second = [one["id"] for one in told(capsys)["features"]]
    by = ("--reviewer", "Anna")

    assert review("mark", run[:8], first, "--correct", *by, "--threshold", 0.6) == 0
    assert review("mark", run, second, "--wrong", *by, "--reason", "a road") == 0
    assert review("draw", run, "--outline", outline(tmp_path, 40, 2, 44, 6), *by) == 0
    assert review("split", run, first, "--outline", outline(tmp_path, 5, 4, 9, 10), *by) == 0
    assert review("undo", run, *by) == 0
    assert review("redo", run, *by) == 0
    assert review("merge", run, f"{first}a", f"{first}b", *by) == 0
    capsys.readouterr()
    assert review("show", run) == 0
    now = told(capsys)
    assert now["view"]["threshold"] == 0.6
    assert now["counts"] == {"unreviewed": 0, "confirmed": 0, "rejected": 1, "edited": 1, "added": 1}
    assert sorted(one["area_px"] for one in now["features"]) == [16, 20, 60]
    assert now["totals"]["landslides_overlap_px"] == 0

    (drawn,) = [one["id"] for one in now["features"] if one["status"] == "added"]
    assert review("draw", run, "--outline", outline(tmp_path, 42, 2, 46, 6), *by) == 0
    (over,) = told(capsys)["overlaps"]
    assert (over["overlaps"], over["share"]) == (drawn, 0.5)
    assert review("show", run) == 0
    assert told(capsys)["totals"]["landslides_overlap_px"] == 8
    assert review("undo", run, *by) == 0
    capsys.readouterr()

    assert review("reference", run, "--out", tmp_path / "reference.gpkg") == 2
    assert "was searched" in capsys.readouterr().err
    assert review("searched", run, *by) == 0
    assert review("reference", run, "--out", tmp_path / "reference.gpkg") == 0
    assert len(geopandas.read_file(tmp_path / "reference.gpkg")) == 2
    capsys.readouterr()
    assert review("export", run, "--out", tmp_path / "out") == 0
    assert told(capsys)["finished"]
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        "reviewed.gpkg", "reviewed.geojson", "reviewed.csv", "reviewed.shp.zip", "reviewed_fields.csv",
        "review_log.csv", "review.json",
    }  # fmt: skip


def test_a_deletion_keeps_its_reason(run: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert review("show", run) == 0
    first, _ = [one["id"] for one in told(capsys)["features"]]
    assert review("delete", run, first, "--reviewer", "Anna", "--reason", "found twice", "--note", "see L2") == 0
    capsys.readouterr()
    assert review("export", run, "--out", tmp_path / "out") == 0
    said = told(capsys)
    assert said["deleted"] == 1
    assert said["about"]["reviewers"] == "Anna"
    log = (tmp_path / "out" / "review_log.csv").read_text(encoding="utf-8")
    assert review("restore", run, first, "--reviewer", "Ben") == 0
    assert told(capsys)["words"] == f"{first} restored"
    assert review("show", run) == 0
    (back,) = [one for one in told(capsys)["features"] if one["id"] == first]
    assert (back["status"], back["note"]) == ("unreviewed", "")
    assert review("restore", run, first, "--reviewer", "Ben") == 2
    assert f"{first} is not deleted" in capsys.readouterr().err
    assert "found twice" in log
    assert "see L2" in log


def test_a_review_offers_the_settings_of_what_can_be_reviewed(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        review("show", "--help")
    offered = capsys.readouterr().out
    assert "--threshold" in offered
    assert "--confidence" in offered
    assert "--station" not in offered


def test_what_cannot_be_done_ends_with_status_2_and_says_why(
    run: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    by, square = ("--reviewer", "Anna"), outline(tmp_path, 0, 0, 4, 4)
    (tmp_path / "two.geojson").write_text('{"type": "FeatureCollection", "features": []}', encoding="utf-8")
    (tmp_path / "text.geojson").write_text("no json", encoding="utf-8")
    (tmp_path / "point.geojson").write_text('{"type": "Point", "coordinates": [1, 2]}', encoding="utf-8")
    for arguments, words in (
        (("mark", run, "L999", "--correct", *by), "There is no L999"),
        (("mark", "f" * 12, "L999", "--correct", *by), "No run"),
        (("merge", run, "L999", *by), "two or more features"),
        (("reshape", run, "L999", "--outline", square, *by), "There is no L999"),
        (("draw", run, "--outline", tmp_path / "two.geojson", *by), "exactly one polygon"),
        (("draw", run, "--outline", tmp_path / "text.geojson", *by), "not a readable GeoJSON file"),
        (("draw", run, "--outline", tmp_path / "point.geojson", *by), "not a polygon"),
        (("draw", run, "--outline", outline(tmp_path, 60, 60, 64, 64), *by), "outside the image"),
        (("undo", run, *by), "nothing to undo"),
        (("patches", run, "--out", tmp_path / "patches"), "missing or has changed"),
    ):
        assert review(*arguments) == 2
        assert words in capsys.readouterr().err
