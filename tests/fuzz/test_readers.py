"""Damaged files of every kind: a right result or an error meant for users; `benchmarks.fuzz` goes on longer."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

import pytest

from benchmarks.fuzz import READERS, attempt, samples, tries


@pytest.mark.parametrize("suffix", READERS)
def test_whole_files_are_read_by_every_reader(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"whole{suffix}"
    (tmp_path / "made").mkdir()
    path.write_bytes(samples(tmp_path / "made")[suffix])

    assert {reader.__name__: attempt(reader, path) for reader in READERS[suffix]} == {
        reader.__name__: "read" for reader in READERS[suffix]
    }


@pytest.mark.timeout(300)
@pytest.mark.parametrize("seed", [11, 12])
def test_damaged_files_end_in_a_result_or_an_error_for_users(tmp_path: Path, seed: int) -> None:
    (tmp_path / "made").mkdir()
    bad = []
    for number, (suffix, reader, content) in enumerate(islice(tries(seed, tmp_path / "made"), 300)):
        path = tmp_path / f"{number}{suffix}"
        path.write_bytes(content)
        if (ended := attempt(reader, path)) not in ("read", "refused"):
            bad.append((path.name, reader.__name__, ended))
        path.unlink()
    assert not bad
