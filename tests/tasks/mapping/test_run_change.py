"""The difference of two runs is kept, found again, and may be computed by a worker."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core.errors import InputError
from core.jobs.perform import perform
from core.runs.store import Store
from core.tasks.mapping.result import MappingResult
from core.tasks.mapping.run_change import difference_here, known_difference, order_difference, said
from tests.factories import keep, made_run


@pytest.fixture
def pair(tmp_path: Path, store: Store) -> tuple[MappingResult, MappingResult]:
    return (
        keep(store, made_run(tmp_path / "a", np.full((5, 6), 0.25))),
        keep(store, made_run(tmp_path / "b", np.full((5, 6), 0.75))),
    )


def test_a_difference_is_found_again_and_only_in_its_direction(
    store: Store, pair: tuple[MappingResult, MappingResult]
) -> None:
    one, other = pair
    assert known_difference(store, one.id, other.id) is None

    made = difference_here(store, one, other)

    known = known_difference(store, one.id, other.id)
    assert known is not None
    assert (known.id, known.kind, known.parents) == (made, "change", (one.id, other.id))
    assert known_difference(store, other.id, one.id) is None
    numbers = said(store, known)
    assert numbers is not None
    # Codes 64 and 190 of 254; all 30 pixels pass 0.5 upwards.
    assert numbers["mean_absolute"] == pytest.approx((190 - 64) / 254)
    assert (numbers["gained"], numbers["lost"], numbers["changed_share"]) == (30, 0, 1.0)


def test_a_worker_computes_the_same(store: Store, pair: tuple[MappingResult, MappingResult]) -> None:
    here = store.run(difference_here(store, *pair))
    ordered = store.order(order_difference(*pair))
    assert store.run(ordered).active

    perform(store, ordered, worker="tests")

    there = store.run(ordered)
    assert there.status == "done"
    assert there.artifacts[0].digest == here.artifacts[0].digest
    assert said(store, there) == said(store, here)


def test_a_difference_under_way_is_known(store: Store, pair: tuple[MappingResult, MappingResult]) -> None:
    ordered = store.order(order_difference(*pair))

    known = known_difference(store, pair[0].id, pair[1].id)
    assert known is not None
    assert known.id == ordered

    store.cancel(ordered)
    assert known_difference(store, pair[0].id, pair[1].id) is None


def test_what_has_no_probability_has_no_difference(store: Store, pair: tuple[MappingResult, MappingResult]) -> None:
    with pytest.raises(InputError, match="itself"):
        order_difference(pair[0], pair[0])
    why, before = keep(store, replace(pair[1], kind="explanation"), parents=(pair[1].id,)), store.count()
    with pytest.raises(InputError, match="cannot be used for this: it is “Explanation"):
        difference_here(store, pair[0], why)
    assert store.count() == before
