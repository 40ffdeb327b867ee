"""Methods of explanation: what each is called, what it can be asked about, and what its colours mean.

`core.explain.regions` holds those for pixels and outlines, `core.explain.boxes` those for boxes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from core.errors import InputError
from core.explain.faithfulness import Deletion
from core.explain.layers import LayerChoice
from core.wording import within

N = TypeVar("N")
T = TypeVar("T")

GRAD_CAM = "grad-cam"
HIRES_CAM = "hires-cam"
OCCLUSION = "occlusion"
D_RISE = "d-rise"

TITLES = {GRAD_CAM: "Grad-CAM", HIRES_CAM: "HiResCAM", OCCLUSION: "Occlusion", D_RISE: "D-RISE"}
"""All methods with their titles, in the order in which they are offered."""

_WRITTEN = {name.replace("-", ""): name for name in TITLES}


def method_name(text: str) -> str:
    """Name of a method however it is written: ``"Grad-CAM"``, ``"gradcam"``.

    Raises
    ------
    InputError
        When there is no such method.
    """
    name = _WRITTEN.get(text.lower().replace("-", ""))
    if name is None:
        raise InputError(f"There is no method {text!r}.", remedy=f"Choose one of {', '.join(TITLES)}.")
    return name


@dataclass(frozen=True)
class Method(Generic[N, T]):
    """A way to explain, for one kind of target.

    Attributes
    ----------
    name
        As in records and commands.
    attribute
        ``(network, inputs, target, layer)`` to a map (height, width) float32 in [−1, 1] whose largest magnitude is 1;
        all zero when there is no answer.
    layered
        Whether it asks at a layer. Such methods need gradients and take a moment; the others try the network on many
        altered images.
    shows
        A clause that says what its colours mean.
    signed
        Whether places that lowered the score are shown too, below zero; else the map was cut at zero.
    """

    name: str
    attribute: Callable[[N, Tensor, T, str], NDArray[np.float32]]
    layered: bool
    shows: str
    signed: bool = True

    @property
    def title(self) -> str:
        """Its name for people."""
        return TITLES[self.name]


def find_method(methods: Mapping[str, Method[N, T]], text: str) -> Method[N, T]:
    """A method for a kind of target, by its name however it is written.

    Raises
    ------
    InputError
        When there is no such method, or it cannot be asked about such a target.
    """
    name = method_name(text)
    if name not in methods:
        raise InputError(
            "D-RISE explains boxes only.",
            "It measures how reliably a similar box is found again; a pixel or an outline is not a box.",
            f"Choose one of {', '.join(methods)}.",
        )
    return methods[name]


REACTED = "The picture shows what the model reacted to"
"""Begins the last sentence on every map, also in notes of earlier versions, which ended it otherwise."""

LIMITATION = f"{REACTED}, not the cause of the landslide"
"""What every sentence on a map ends with, before the layer in brackets."""


def sentence(method: Method[N, T], layer: LayerChoice | None, deletion: Deletion | None = None) -> str:
    """Say what a map shows and what it does not, and how faithful it proved.

    Parameters
    ----------
    layer
        The layer that was asked; None for a method that asks none.
    deletion
        The deletion test of the map, when it was made.
    """
    told = [f"{method.shows}."]
    if deletion is not None:
        told.append(deletion.verdict)
    details = f" ({_details(layer)})" if layer is not None else ""
    told.append(f"{LIMITATION}{details}.")
    return " ".join(told)


def _details(layer: LayerChoice) -> str:
    """The layer within brackets, so without any of its own."""
    words = layer.title.replace(" (", ", ").replace(")", "")
    return f"layer: {within(words)}"
