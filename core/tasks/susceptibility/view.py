"""What only chooses what of a validation is looked at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.errors import InputError
from core.runs.view import chosen
from core.tasks.susceptibility.models import ANCHOR

if TYPE_CHECKING:
    from core.tasks.susceptibility.result import SusceptibilityResult


@dataclass(frozen=True)
class Choice:
    """Which division and which model are looked at more closely.

    Attributes
    ----------
    scheme
        Way of dividing.
    model
        Name of the model.
    """

    scheme: str = chosen("way of dividing that curves are shown of", address="scheme", default="")
    model: str = chosen("model whose counts are shown", address="shown", default="")

    @classmethod
    def default(cls, result: SusceptibilityResult) -> Choice:
        """Spatial folds where there are any, and logistic regression where it was asked for."""
        scheme = "spatial" if "spatial" in result.schemes else result.schemes[0]
        return cls(scheme, ANCHOR if ANCHOR in result.models else result.models[0])

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
