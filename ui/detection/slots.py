"""Parts of the page that stand on further modules: explanations, outlines by a mapping model, fused detectors.

A part that is not there is not shown. Each part has a module beside this one with ``show(view)``; a module may also
have ``layers(result)``, tiles or outlines that lie on the map with the boxes.
"""

from __future__ import annotations

from functools import lru_cache
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING

from ui.feedback import guard

if TYPE_CHECKING:
    from types import ModuleType

    from core.tasks.detection.result import DetectionResult
    from ui.detection.view import View
    from ui.map_layers import Outlines, Tiles

PARTS = ("why", "outline", "fuse")


@lru_cache(maxsize=8)
def there(part: str) -> bool:
    """Whether a part is there."""
    return find_spec(f"ui.detection.{part}") is not None


def _module(part: str) -> ModuleType:
    return import_module(f"ui.detection.{part}")


def show(part: str, view: View) -> None:
    """Show a part, if it is there."""
    if there(part):
        with guard():
            _module(part).show(view)


def layers(result: DetectionResult) -> list[Tiles | Outlines]:
    """What the parts lay on the map."""
    over: list[Tiles | Outlines] = []
    for part in PARTS:
        if there(part) and hasattr(_module(part), "layers"):
            with guard():
                over.extend(_module(part).layers(result))
    return over
