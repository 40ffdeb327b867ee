"""What comes of work that is no map: numbers, a few files, and where they came from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Outcome:
    """What an evaluation or a training leaves in the store; see `core.runs.records.Result`.

    Attributes
    ----------
    folder, artifacts
        Where its files lie, and their names by role.
    numbers
        Numbers by which runs are compared.
    provenance, notes
        Where all of it came from, and sentences that users must see.
    scene, scene_digest
        Empty: it is not about one scene.
    """

    folder: Path
    artifacts: Mapping[str, str] = field(default_factory=dict)
    numbers: Mapping[str, float] = field(default_factory=dict)
    provenance: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    scene: str = ""
    scene_digest: str = ""

    def metrics(self) -> dict[str, float]:
        """See `numbers`."""
        return dict(self.numbers)

    def to_json(self) -> dict[str, Any]:
        """Nothing beyond what the store keeps of every run."""
        return {}
