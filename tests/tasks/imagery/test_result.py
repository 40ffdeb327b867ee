"""Runs that are derived from a run on an image tell of its scene and model, and stand on nothing else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from affine import Affine

from core.errors import InputError
from core.jobs.perform import Job
from core.raster.grid import Grid
from core.runs.records import Order
from core.runs.store import Store
from core.tasks.imagery.result import ImageResult, derived, image_inputs
from core.tasks.mapping.result import MappingResult
from tests.factories import UTM, keep, made_run

KNOWN = {"scene": {"synthetic": True}, "model": {"name": "made"}, "seconds": 3}


@pytest.fixture
def parent(tmp_path: Path, quick_store: Store) -> MappingResult:
    """A mapping in the store."""
    made = made_run(tmp_path / "run", np.full((3, 4), 0.5))
    return keep(quick_store, replace(made, provenance=KNOWN, inputs=image_inputs("valley", "5" * 64)))


@pytest.fixture
def begin(quick_store: Store) -> Callable[..., Job]:
    """Return what begins a run of a kind that is derived from others."""

    def begin_it(kind: str, *parents: str) -> Job:
        order = Order("mapping", kind, {}, model="made", parents=parents)
        return Job(quick_store, quick_store.run(quick_store.begin(order, server="tests", worker="tests")))

    return begin_it


def test_a_derived_run_is_about_the_scene_and_model_of_its_parent(
    parent: MappingResult, begin: Callable[..., Job]
) -> None:
    job = begin("change", parent.id)

    made = derived(job, parent, {"change": "change.tif"}, {"said": 1}, notes=("Mind this.",))

    assert (made.id, made.kind, made.folder, made.parents) == (job.run.id, "change", job.folder, (parent.id,))
    assert (made.grid, made.inputs, made.model) == (parent.grid, parent.inputs, "made")
    assert (made.scene, made.scene_digest) == ("valley", "5" * 64)
    assert (made.artifacts, made.notes) == ({"change": "change.tif"}, ("Mind this.",))
    assert made.provenance["scene"] == {"synthetic": True}
    assert made.provenance["model"] == {"name": "made"}
    assert made.provenance["said"] == 1
    assert made.provenance["finished"]
    assert made.provenance["versions"]["numpy"] == np.__version__
    assert "seconds" not in made.provenance
    assert made.metrics() == {}


def test_a_derived_run_may_have_a_grid_a_model_and_numbers_of_its_own(
    parent: MappingResult, begin: Callable[..., Job]
) -> None:
    part = Grid(2, 2, Affine(10, 0, 500_010, 0, -10, 5_200_000), UTM)

    made = derived(begin("outlines", parent.id), parent, {}, {}, grid=part, numbers={"landslides": 2.0}, model="other")

    assert (made.grid, made.model, made.metrics()) == (part, "other", {"landslides": 2.0})
    assert made.inputs == parent.inputs


def test_a_derived_run_is_read_back_as_it_was_kept(
    parent: MappingResult, begin: Callable[..., Job], quick_store: Store
) -> None:
    job = begin("change", parent.id)
    (job.folder / "change.tif").write_bytes(parent.artifact("probability").read_bytes())
    made = derived(job, parent, {"change": "change.tif"}, {"said": 1}, numbers={"gained": 0.25, "lost": float("nan")})

    quick_store.finish(job.run.id, made)
    kept = quick_store.result(job.run.id, ImageResult)

    assert type(kept) is ImageResult
    assert (kept.grid, kept.inputs, kept.parents, kept.model) == (made.grid, made.inputs, made.parents, "made")
    assert kept.provenance == made.provenance
    assert kept.metrics()["gained"] == 0.25
    assert np.isnan(kept.metrics()["lost"])


def test_what_is_no_mapping_is_refused(
    parent: MappingResult, begin: Callable[..., Job], quick_store: Store
) -> None:
    job = begin("explanation", parent.id)
    quick_store.finish(job.run.id, derived(job, parent, {}, {}))
    following = begin("outlines", job.run.id)

    assert job.parent(MappingResult).id == parent.id
    for ask in (lambda: quick_store.result(job.run.id, MappingResult), lambda: following.parent(MappingResult)):
        with pytest.raises(InputError, match=f"{job.run.id[:8]} cannot be used for this: it is “Explanation”"):
            ask()


def test_the_threshold_of_a_run_is_the_models_own_else_a_half(parent: MappingResult) -> None:
    assert replace(parent, provenance={"model": {"threshold": 0.3}}).threshold == 0.3
    assert replace(parent, provenance={"model": {"name": "made"}}).threshold == 0.5
    assert replace(parent, provenance={}).threshold == 0.5
