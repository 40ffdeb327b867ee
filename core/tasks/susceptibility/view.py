"""What only chooses what of a run is looked at, and how its index is divided into classes."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

from core.errors import InputError
from core.runs.view import chosen
from core.tasks.susceptibility.models import ANCHOR

if TYPE_CHECKING:
    from core.tasks.susceptibility.result import SusceptibilityResult

Method = Literal["jenks", "quantile", "equal", "deviation", "landslides", "given"]

METHODS: dict[Method, str] = {
    "jenks": "Natural breaks (Jenks)",
    "quantile": "Equal areas (quantiles)",
    "equal": "Equal intervals",
    "deviation": "Standard deviations",
    "landslides": "Shares of the landslides",
    "given": "Custom breaks",
}
"""Ways to divide an index into classes, for people."""


@dataclass(frozen=True)
class Choice:
    """Which division and which model are looked at more closely, and how the index is divided into classes.

    Attributes
    ----------
    scheme
        Way of dividing cells for a test.
    model
        Name of the model.
    classes
        How a map's index is divided into classes.
    breaks
        Inner breaks between 0 and 1, ascending and separated by commas, for classes of one's own.
    cutoff
        Index from which on a cell counts as foretold; negative for that of the largest Youden's J of tested cells.
    """

    scheme: str = chosen("validation scheme for the curves", address="scheme", default="")
    model: str = chosen("model to show", address="shown", default="")
    classes: Method = chosen("classification of the index", address="classes", default="jenks")
    breaks: str = chosen("inner breaks for --classes given, such as 0.2,0.4,0.6,0.8", address="breaks", default="")
    cutoff: float = chosen(
        "index at or above which a cell counts as predicted landslide", address="cutoff", default=-1.0
    )

    def __post_init__(self) -> None:
        if self.classes not in get_args(Method):
            raise InputError(f"Unknown classification {self.classes!r}.", remedy=f"Choose from {', '.join(METHODS)}.")
        if self.cutoff > 1 or math.isnan(self.cutoff):
            raise InputError(f"The cut-off {self.cutoff:g} is not between 0 and 1.")
        self.given_breaks()

    @classmethod
    def default(cls, result: SusceptibilityResult) -> Choice:
        """Spatial folds where there are any, and the model that is mapped, else logistic regression."""
        scheme = "spatial" if "spatial" in result.schemes else result.schemes[0]
        mapped = getattr(result, "mapped", ())
        return cls(scheme, mapped[0] if mapped else ANCHOR if ANCHOR in result.models else result.models[0])

    def checked(self, result: SusceptibilityResult) -> Choice:
        """The choice, if the run has both.

        Raises
        ------
        InputError
            When it lacks one.
        """
        for kind, name, known in (("validation", self.scheme, result.schemes), ("model", self.model, result.models)):
            if name not in known:
                raise InputError(f"This run has no {kind} {name!r}.", remedy=f"It has {', '.join(known)}.")
        return self

    def given_breaks(self) -> tuple[float, ...]:
        """Inner breaks of classes of one's own; none where none are given.

        Raises
        ------
        InputError
            When they are no ascending numbers between 0 and 1.
        """
        if not self.breaks.strip():
            return ()
        try:
            found = tuple(float(one) for one in self.breaks.split(","))
        except ValueError:
            found = (math.nan,)
        ascending = all(low < high for low, high in zip((0.0, *found), (*found, 1.0), strict=True))
        if not ascending or len(found) > MOST_BREAKS:
            raise InputError(
                f"{self.breaks[:40]!r} are not valid class breaks.",
                remedy=f"Give up to {MOST_BREAKS} increasing numbers between 0 and 1, such as 0.2,0.4,0.6,0.8.",
            )
        return found


MOST_BREAKS = 8
