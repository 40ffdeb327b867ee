"""Runs that stand on a mapping tell of its scene and model, and stand on nothing else."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core.errors import InputError
from core.runs.standing import check_mapping, standing_on
from tests.factories import made_run


def test_what_stands_on_a_mapping_is_about_its_scene_and_model(tmp_path: Path) -> None:
    known = {"scene": {"synthetic": True}, "model": {"name": "made"}, "seconds": 3}
    parent = replace(made_run(tmp_path / "run", np.full((3, 4), 0.5)), provenance=known)

    made = standing_on(parent, "change", "a" * 32, tmp_path, {"change": "change.tif"}, {"said": 1})

    assert (made.grid, made.scene_digest, made.parents) == (parent.grid, parent.scene_digest, (parent.id,))
    assert made.provenance["scene"] == {"synthetic": True}
    assert made.provenance["model"] == {"name": "made"}
    assert made.provenance["said"] == 1
    assert "seconds" not in made.provenance
    assert made.metrics() == {}


def test_what_is_no_mapping_is_refused(tmp_path: Path) -> None:
    parent = made_run(tmp_path / "run", np.full((3, 4), 0.5))

    check_mapping(parent)
    with pytest.raises(InputError, match="of kind explanation"):
        check_mapping(replace(parent, kind="explanation"))
