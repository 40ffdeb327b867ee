"""A comparison is kept as a run of its own."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from core.errors import StorageError
from core.mapping.change import compare
from core.mapping.findings import Choice
from core.raster import write
from core.raster.scene import Scene
from core.runs.compare import compare_runs
from core.runs.provenance import environment, now
from core.runs.store import Store
from tests.factories import keep, made_run


def test_a_change_names_the_runs_it_compares_and_holds_their_difference(tmp_path: Path, store: Store) -> None:
    before = keep(store, made_run(tmp_path / "a", np.full((5, 6), 0.25)))
    after = keep(store, made_run(tmp_path / "b", np.full((5, 6), 0.75)))

    run = compare_runs(store, before, after, compare(before, after, Choice(0.5)))

    stored = store.mapping(run.id)
    assert (stored.kind, stored.parents) == ("change", (before.id, after.id))
    assert stored.grid == after.grid
    with Scene.open(stored.artifact("change")).reader() as reader:
        # Codes 190 and 64, each rounded half to even.
        assert set(reader.read((1,)).values.ravel().tolist()) == {190 - 64}


def test_a_change_that_cannot_be_written_leaves_nothing(
    tmp_path: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = keep(store, made_run(tmp_path / "a", np.full((5, 6), 0.25)))
    change = compare(run, run, Choice(0.5))

    def full(_: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(write, "_flush", full)

    with pytest.raises(StorageError):
        compare_runs(store, run, run, change)
    assert [kept.id for kept in store.runs()] == [run.id]
    assert list((store.home / "work").iterdir()) == []


def test_a_result_names_the_versions_and_the_machine_it_was_computed_with() -> None:
    content = environment()

    assert content["versions"]["numpy"] == np.__version__
    assert content["machine"]["cores"] >= 1
    assert now().endswith("+00:00")
