"""A result without a raster, so that hundreds of runs cost nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from core.runs.records import Order
from core.runs.result import RunResult
from core.runs.store import Store
from core.tasks.imagery.result import image_inputs

ORDER = Order("mapping", "mapping", {"model": "red", "batch": 4}, image_inputs("valley"))


@dataclass(frozen=True, kw_only=True)
class Plain(RunResult):
    """What a task computed, whatever it was."""

    content: Mapping[str, Any] = field(default_factory=dict)

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
    files = {role: f"{role}.json" for role in contents}
    inputs = tuple(replace(one, digest="5" * 64) for one in store.run(identity).inputs)
    return Plain(id=identity, kind="mapping", folder=folder, artifacts=files, inputs=inputs)


def done(store: Store, order: Order = ORDER, **contents: str) -> str:
    """A finished run with a file for each role."""
    identity = begun(store, order)
    store.finish(identity, written(store, identity, **contents))
    return identity


def kept_files(store: Store) -> list[str]:
    """What the artifact files of a store hold."""
    return sorted(path.read_text(encoding="utf-8") for path in (store.home / "artifacts").glob("*/*"))
