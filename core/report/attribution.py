"""The map that a stored explanation holds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.explain.attribution import EXPLANATION, Attribution, read_attribution

if TYPE_CHECKING:
    from core.runs.result import GridResult


def attribution_of(explanation: GridResult) -> Attribution:
    """Read the map of a finished explanation.

    Raises
    ------
    StorageError
        When its raster is gone.
    """
    return read_attribution(explanation.artifact(EXPLANATION), explanation.grid, explanation.provenance)
