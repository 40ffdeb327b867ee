"""Where explanations of a model begin: at what held best when its layers were tested, see `layer_tests`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from core.explain.layer_tests import layer_tests_in
from core.explain.methods import find_method
from core.tasks.imagery.explanation import ExplanationRequest, methods_for

if TYPE_CHECKING:
    from core.explain.layers import LayerChoice
    from core.learning.spec import ModelSpec

UNTESTED = "The layers of this model have not been tested; the deepest layer with an effect was used."


def first_method(spec: ModelSpec, otherwise: str) -> str:
    """The method that held best when the model was tested; another where it was not."""
    tests = layer_tests_in(spec.explanation)
    return otherwise if tests is None else tests.best.method


def ordered_layers(spec: ModelSpec, method: str, layers: Sequence[LayerChoice]) -> list[LayerChoice]:
    """Layers in the order in which they are tried: those that were tested, the best first, and then the others.

    Parameters
    ----------
    layers
        In the order in which they are tried where nothing was tested.
    """
    tests = layer_tests_in(spec.explanation)
    tested = {} if tests is None else {name: place for place, name in enumerate(tests.layers(method))}
    return sorted(layers, key=lambda layer: tested.get(layer.name, len(tested)))


def cautions(spec: ModelSpec, request: ExplanationRequest) -> tuple[str, ...]:
    """What must be said beside a map whose layer was neither named nor tested; nothing otherwise."""
    layered = find_method(methods_for(type(request.target)), request.method).layered
    untested = layered and not request.layer and layer_tests_in(spec.explanation) is None
    return (UNTESTED,) if untested else ()
