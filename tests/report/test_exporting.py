"""Files that are made for a zip: once for each view, few of them kept, and nothing written on the run."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from core.report import exporting
from core.report.addresses import tile_addresses
from core.report.exporting import prepared, prepared_report
from core.runs.records import Order
from core.runs.store import Store
from core.tasks.mapping.view import Choice
from tests.factories import Affine, keep, made_run


@pytest.fixture
def run(store: Store, tmp_path: Path) -> str:
    probability = np.zeros((30, 40))
    probability[4:14, 5:25] = 0.9
    return str(keep(store, made_run(tmp_path / "made", probability)).id)


def folders(store: Store, run: str) -> list[Path]:
    return sorted((store.home / "exports" / run).glob("zip-*"))


def test_a_view_is_made_once_and_another_beside_it(store: Store, run: str) -> None:
    first = prepared(store, store.run(run), Choice(0.5))
    assert prepared(store, store.run(run), Choice(0.5)) == first
    assert prepared(store, store.run(run), Choice(0.95)) != first
    assert len(folders(store, run)) == 2


def test_what_comes_to_stand_on_the_run_is_seen(store: Store, run: str) -> None:
    first = prepared(store, store.run(run), Choice(0.5))
    child = store.order(Order("mapping", "change", {}, parents=(run,)))
    assert store.claim(child, server="tests", worker="tests")
    assert prepared(store, store.run(run), Choice(0.5)) == first, "it is not done yet"
    made = store.result(run)
    store.finish(child, made)
    assert prepared(store, store.run(run), Choice(0.5)) != first


def test_few_are_kept_and_none_that_may_be_read_at_this_moment(
    store: Store, run: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exporting, "MOST_PREPARED", 2)
    for threshold in (0.1, 0.2, 0.3, 0.4):
        prepared(store, store.run(run), Choice(threshold))
    assert len(folders(store, run)) == 4
    for folder in folders(store, run):
        os.utime(folder, (0, 0))
    latest = next(iter(prepared(store, store.run(run), Choice(0.4)).values())).parent
    assert len(folders(store, run)) == 2
    assert latest in folders(store, run)


def test_who_saves_a_run_writes_no_report_on_it(store: Store, run: str) -> None:
    made = prepared_report(store, store.run(run), Choice(0.5))
    assert [path.suffix for path in made.values()] == [".html", ".pdf"]
    assert "0.50" in next(iter(made.values())).read_text("utf-8")
    assert store.run(run).artifact("report") is None


@pytest.mark.parametrize(("north", "known"), [(5_200_000, True), (9_900_000, False)])
def test_tiles_are_named_where_other_programs_place_them(
    store: Store, tmp_path: Path, north: float, known: bool
) -> None:
    placed = Affine(10, 0, 500_000, 0, -10, north)  # 47° and 89° north
    made = keep(store, made_run(tmp_path / "made", np.full((30, 40), 0.5), transform=placed))
    assert bool(tile_addresses(store.run(made.id), made, "https://example.org")) == known
