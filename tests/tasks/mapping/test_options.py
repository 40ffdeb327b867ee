"""What a user may choose about inference."""

from __future__ import annotations

from typing import Any

import pytest

from core.errors import InputError
from core.tasks.mapping.options import Options


@pytest.mark.parametrize(
    "options", [{"overlap": -0.1}, {"overlap": 1.0}, {"overlap": float("nan")}, {"batch": 0}, {"batch": 1000}]
)
def test_options_out_of_range_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(InputError, match="is not between"):
        Options(**options)
