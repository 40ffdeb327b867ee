"""What a result was computed with is written down with it."""

from __future__ import annotations

import numpy as np

from core.runs.provenance import environment, now, this_process


def test_a_result_names_the_versions_and_the_machine_it_was_computed_with() -> None:
    content = environment()

    assert content["versions"]["numpy"] == np.__version__
    assert content["machine"]["cores"] >= 1
    assert now().endswith("+00:00")


def test_a_process_has_one_name() -> None:
    host, process, began = this_process().rsplit(":", 2)

    assert host
    assert int(process) > 0
    assert int(began) > 1_000_000_000
    assert this_process() == this_process()
