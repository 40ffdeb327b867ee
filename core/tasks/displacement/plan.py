"""How models are evaluated: what is asked for, and the models as it asks for them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from core.errors import InputError
from core.raster.progress import Cancel, never
from core.tasks.displacement import decomposed, tuning
from core.tasks.displacement.decomposed import Decomposition
from core.tasks.displacement.forecasters import FIRST, Forecaster, check_models
from core.tasks.displacement.intervals import Intervals
from core.tasks.displacement.recursive import recursive
from core.tasks.displacement.simple import SIMPLE
from core.tasks.displacement.tuning import MOST_TRIALS, Tuning
from core.tasks.displacement.walk_forward import model_of


@dataclass(frozen=True)
class Plan:
    """How models are evaluated.

    Attributes
    ----------
    horizon
        Steps ahead.
    test_share
        Share of the series, its end, that is for the test.
    models
        Names; the simple forecasts are always added.
    refit
        Origins between two fits; 0 for ten fits over the test part.
    window
        Steps of the past that are learnt from (sliding); 0 for all of it (expanding).
    known_future
        Drivers whose future is known up to the target.
    intervals
        ``"adaptive"`` or ``"split"``; see `core.tasks.displacement.intervals`.
    seed
        Of all models.
    strategy
        Whether models are fitted for the horizon (``"direct"``), or for one step and asked again and again
        (``"recursive"``).
    decomposition
        What of the past is carried on as it was, so that models forecast the rest; see
        `core.tasks.displacement.decomposed`.
    tuning, trials
        How the settings of models are chosen before each fit, on its own past, and of how many; see
        `core.tasks.displacement.tuning`.
    features
        How many of the most informative features a model is given at each fit, by its own past; 0 for all.
    """

    horizon: int = 1
    test_share: float = 0.3
    models: tuple[str, ...] = FIRST
    refit: int = 0
    window: int = 0
    known_future: tuple[str, ...] = ()
    intervals: Intervals = "adaptive"
    seed: int = 0
    strategy: Literal["direct", "recursive"] = "direct"
    decomposition: Decomposition = "none"
    tuning: Tuning = "none"
    trials: int = 10
    features: int = 0

    def __post_init__(self) -> None:
        check_models(self.models)
        for name, value, least, most in (
            ("refit", self.refit, 0, 100_000), ("window", self.window, 0, 10_000_000),
            ("seed", self.seed, 0, 2**31 - 1), ("features", self.features, 0, 1_000),
            ("trials", self.trials, 1, MOST_TRIALS),
        ):  # fmt: skip
            if not least <= value <= most:
                raise InputError(f"{name} is {value}.", remedy=f"Choose {least} to {most:,} (--{name}).")
        if self.horizon < 1:
            raise InputError(f"A horizon of {self.horizon} steps is not valid.", remedy="Choose 1 or more (--horizon).")
        for what, said, known in (
            ("intervals", self.intervals, ("adaptive", "split")), ("strategy", self.strategy, ("direct", "recursive")),
            ("decomposition", self.decomposition, tuple(decomposed.TITLES)),
            ("tuning", self.tuning, tuple(tuning.TITLES)),
        ):  # fmt: skip
            if said not in known:
                raise InputError(f"Unknown {what} {said!r}.", remedy=f"Choose from {', '.join(known)} (--{what}).")

    @property
    def all_models(self) -> tuple[str, ...]:
        """The simple forecasts, and the models that were named."""
        return (*SIMPLE, *(one for one in self.models if one not in SIMPLE))


def model_for(plan: Plan, name: str, cancel: Cancel = never) -> Forecaster:
    """A model as a plan asks for it: tuned, decomposed, a step at a time.

    Raises
    ------
    InputError
        When there is none of that name.
    """
    model = model_of(name)
    if plan.features and model.family == "features":
        model = replace(model, settings={**model.settings, "features": plan.features})
    made = decomposed.decomposed(tuning.tuned(model, plan.tuning, plan.trials, cancel), plan.decomposition)
    return recursive(made) if plan.strategy == "recursive" and plan.horizon > 1 else made
