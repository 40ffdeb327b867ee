"""Files of MintPy are read in the process of the tests, where a process of their own is not what is tested."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from core.series.insar import mintpy
from core.series.insar.extract import Question, answer


@pytest.fixture
def read_here(monkeypatch: pytest.MonkeyPatch) -> Callable[[Question, Path], None]:
    monkeypatch.setattr(mintpy, "read_apart", answer)
    return answer
