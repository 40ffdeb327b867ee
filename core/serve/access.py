"""Who may see what: the one gate that every route passes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from starlette.requests import Request


@dataclass(frozen=True)
class Resource:
    """What a request asks for.

    Parameters
    ----------
    kind
        Sort of thing.
    id
        Its 32 hexadecimal digits, or the name of an asset. A map is what a page shows: rasters of scenes and runs.
    """

    kind: Literal["scene", "run", "batch", "asset", "map"]
    id: str


def authorize(request: Request, resource: Resource) -> None:
    """Let a request pass, or raise `PermissionError`.

    There are no roles yet, so every request passes. Routes call this before they look anything up, so that
    roles need to be added in this place only.

    Raises
    ------
    PermissionError
        When the person asking may not see the resource.
    """
    del request, resource
