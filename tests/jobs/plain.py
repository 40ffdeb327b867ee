"""A result without a raster, so that hundreds of runs cost nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from core.runs.records import Order
from core.runs.store import Store

ORDER = Order("mapping", "mapping", {"batch": 4}, scene="valley")


@dataclass(frozen=True)
class Plain:
    """What a task computed, whatever it was."""

    folder: Path
    artifacts: Mapping[str, str] = field(default_factory=dict)
    scene: str = "valley"
    scene_digest: str = "5" * 64
    provenance: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    numbers: Mapping[str, float] = field(default_factory=dict)
    content: Mapping[str, Any] = field(default_factory=dict)

    def metrics(self) -> dict[str, float]:
        return dict(self.numbers)

    def to_json(self) -> dict[str, Any]:
        return dict(self.content)


def begun(store: Store, order: Order = ORDER) -> str:
    """A run that works."""
    return store.begin(order, server="tests", worker="tests")


def written(store: Store, identity: str, **contents: str) -> Plain:
    """A result in the work folder of a run, with a file for each role."""
    folder = store.work_folder(identity)
    folder.mkdir(parents=True, exist_ok=True)
    for role, content in contents.items():
        (folder / f"{role}.json").write_text(content, encoding="utf-8")
    return Plain(folder, {role: f"{role}.json" for role in contents})


def done(store: Store, order: Order = ORDER, **contents: str) -> str:
    """A finished run with a file for each role."""
    identity = begun(store, order)
    store.finish(identity, written(store, identity, **contents))
    return identity


def kept_files(store: Store) -> list[str]:
    """What the artifact files of a store hold."""
    return sorted(path.read_text(encoding="utf-8") for path in (store.home / "artifacts").glob("*/*"))
