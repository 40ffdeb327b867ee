"""Which layer explains a model best: the deletion test of every layer and method over a number of places.

A class activation map can be made at any layer of a network, and layers differ in how well the map proves itself. What
is measured here once for a model is kept with it, so that explanations begin at the layer that held best.

References
----------
Petsiuk, V., Das, A., Saenko, K. (2018). RISE. BMVC. arXiv:1806.07421 (deletion)
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from core.errors import InputError, ModelError
from core.explain.cam import Activations, activations_of, scaled
from core.explain.faithfulness import Deletion, deletions_of
from core.explain.layers import LayerChoice
from core.explain.methods import HIRES_CAM, Method
from core.explain.target import Score
from core.learning.protocols import ExplainedNetwork

SHARE, TRIALS, SEED = 0.2, 3, 0
"""Share of an image that is masked, random places that its fall is compared with, and their seed."""


@dataclass(frozen=True)
class Place:
    """An image and the score of one place in it.

    Attributes
    ----------
    inputs
        Normalised image (1, bands, height, width), float32.
    score
        What is explained.
    """

    inputs: Tensor
    score: Score


@dataclass(frozen=True)
class LayerTest:
    """How far the score fell when what a layer marks was masked, over all places.

    Attributes
    ----------
    method, layer
        Names.
    title
        The layer's name for people.
    drop, drop_random
        Mean fall of the score, in units of a logit, where the highest share of the map was masked, and where as many
        pixels at random places were.
    margin, spread
        Mean and standard deviation over the places of the one less the other. A place at which the layer marks nothing
        counts as 0.
    held
        Places at which masking what is marked lowered the score, and more than masking random places did.
    """

    method: str
    layer: str
    title: str
    drop: float
    drop_random: float
    margin: float
    spread: float
    held: int


@dataclass(frozen=True)
class LayerTests:
    """The tests of a model, with what they were made on.

    Attributes
    ----------
    places
        Number of places.
    share, trials, seed
        See `core.explain.faithfulness.deletion_of`.
    tests
        One for each method and layer, the largest margin first.
    data, command
        Where the places come from, and what measured them, for people.
    """

    places: int
    tests: tuple[LayerTest, ...]
    share: float = SHARE
    trials: int = TRIALS
    seed: int = SEED
    data: str = ""
    command: str = ""

    @property
    def best(self) -> LayerTest:
        """The method and layer to begin with: what held at most places.

        Of several that did, HiResCAM, which marks only what the place itself took and nothing for merely looking alike;
        of those the layer with the largest margin.
        """
        return min(self.tests, key=lambda test: (-test.held, test.method != HIRES_CAM, -test.margin))

    def layers(self, method: str) -> list[str]:
        """Names of the layers of a method: those that held at most places first, of equal ones the largest margin."""
        own = (test for test in self.tests if test.method == method)
        return [test.layer for test in sorted(own, key=lambda test: (-test.held, -test.margin))]

    def to_spec(self) -> dict[str, Any]:
        """As it stands in the description of a model."""
        return {
            "data": self.data, "command": self.command, "places": self.places, "share": self.share,
            "trials": self.trials, "seed": self.seed, "tests": [asdict(test) for test in self.tests],
        }  # fmt: skip


def layer_tests_in(description: Mapping[str, Any]) -> LayerTests | None:
    """The tests in the description of a model; None where they were not made.

    Raises
    ------
    ModelError
        When they are not as this version writes them.
    """
    if not description.get("tests"):
        return None
    rest = {name: value for name, value in description.items() if name != "tests"}
    try:
        return LayerTests(tests=tuple(LayerTest(**test) for test in description["tests"]), **rest)
    except TypeError as error:
        raise ModelError(
            "The layer tests in the model's description cannot be read.", str(error),
            "Run the tests again, or update SlideLens.",
        ) from error  # fmt: skip


def measure_layers(
    network: ExplainedNetwork,
    places: Iterable[Place],
    methods: Sequence[Method[Any, Any]],
    layers: Sequence[LayerChoice],
    told: Callable[[int], None] = lambda done: None,
) -> LayerTests:
    """Test every layer by every method at each place.

    Parameters
    ----------
    network
        Evaluated and left in evaluation mode; hold the model's lock, for hooks are on it meanwhile.
    methods
        Those that ask at a layer.
    layers
        Layers that may be asked.
    told
        Called with the number of places that are done.

    Raises
    ------
    InputError
        When there is no place.
    """
    pairs = [(method, layer) for method in methods for layer in layers]
    found: list[list[Deletion | None]] = []
    for place in places:
        held = activations_of(network, place.score, place.inputs, [layer.name for layer in layers])
        maps = [_map(held, place.inputs, method, layer) for method, layer in pairs]
        shown = [one for one in maps if one.any()]
        tested = iter(deletions_of(network, place.score, place.inputs, shown, share=SHARE, trials=TRIALS, seed=SEED))
        found.append([next(tested) if one.any() else None for one in maps])
        told(len(found))
    if not found:
        raise InputError(
            "No layer can be tested: the model finds nothing in these images.", remedy="Use images with landslides."
        )
    tests = [_summary(*pair, column) for pair, column in zip(pairs, zip(*found, strict=True), strict=True)]
    return LayerTests(len(found), tuple(sorted(tests, key=lambda test: -test.margin)))


def _map(held: Activations, inputs: Tensor, method: Method[Any, Any], layer: LayerChoice) -> NDArray[np.float32]:
    """What the method shows at the layer, as its own function gives it."""
    cells = held.cells(layer.name, local=method.name == HIRES_CAM)
    return scaled(cells if method.signed else np.maximum(cells, 0), inputs)


def _summary(method: Method[Any, Any], layer: LayerChoice, tested: Sequence[Deletion | None]) -> LayerTest:
    drops, randoms = (
        np.array([0.0 if one is None else getattr(one, name) for one in tested]) for name in ("drop_top", "drop_random")
    )
    margins = drops - randoms
    drop, random, margin, spread = (
        round(float(value), 3) for value in (drops.mean(), randoms.mean(), margins.mean(), margins.std())
    )
    held = sum(one is not None and one.faithful for one in tested)
    return LayerTest(method.name, layer.name, layer.title, drop, random, margin, spread, held)
