"""Choosing a model: those that fit the scene are offered, the others stand folded below, each with its reason."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import streamlit as st

from core.errors import InputError
from ui.feedback import plain, show_error
from ui.messages import tr, tr_noop

if TYPE_CHECKING:
    from core.learning.fit import Fitting
    from core.learning.store import StoredModel

SCORES = "Scores on different data sets cannot be compared; models are ranked by score only within one data set."


@dataclass(frozen=True)
class Offer:
    """Models for a scene.

    Attributes
    ----------
    offered, left_out
        Those that can be chosen, the best fit first, and those that cannot.
    title
        Gives the name of a model in lists, without its score.
    """

    offered: Sequence[Fitting]
    left_out: Sequence[Fitting]
    title: Callable[[StoredModel], str]

    def select(self, label: str, *, key: str, wanted: str = "", explained: str = "") -> Fitting:
        """Let the user choose one of the models; there must be one.

        Parameters
        ----------
        label, explained
            What is chosen, and what else is to be known.
        wanted
            Name of the model to begin with; the one that fits best where it is not offered.
        """
        models = {one.model.spec.name: one for one in self.offered}
        first = list(models).index(wanted) if wanted in models else 0
        name = st.selectbox(
            label, list(models), first, key=f"{key}-{'-'.join(models)}-{first}", help=explained or None,
            format_func=lambda name: self._words(models[name].model),
        )  # fmt: skip
        return models[name]

    def _words(self, model: StoredModel) -> str:
        """A model in the list: its score with its name, and on what where the list is of several data sets."""
        from core.learning.validation import validation_of

        known = validation_of(model.spec)
        if known is None:
            return self.title(model)
        where = f" ({known.data_set or tr('data not recorded')})" if self._several else ""
        return f"{known.text} · {self.title(model)}{where}"

    def tell_score(self, chosen: Fitting) -> None:
        """Say what the chosen model scored and on what, and how the scene's pixels differ from those it learnt on."""
        from core.learning.fit import Fit
        from core.learning.validation import validation_of

        known = validation_of(chosen.model.spec)
        parts = [
            tr("No validation scores yet.")
            if known is None
            else tr("{text} on {scored_on}.").format(text=known.text, scored_on=known.scored_on)
        ]
        if self._several:
            parts.append(SCORES)
        if chosen.fit is Fit.USABLE and chosen.why is not None:
            parts.append(chosen.why.what)
        st.caption(plain(" ".join(parts)))
        if chosen.fit is Fit.DISTANT and chosen.why is not None:
            far = chosen.model.spec.ground_distance is not None
            kept = tr(" It can only be used at the image's own pixel size.") if far else ""
            st.warning(plain(f"{chosen.why.what} {chosen.why.why}{kept}"))

    @property
    def _several(self) -> bool:
        """Whether the list holds scores on several data sets."""
        from core.learning.validation import data_set_of, validation_of

        specs = [one.model.spec for one in self.offered]
        return len({data_set_of(spec) for spec in specs if validation_of(spec) is not None}) > 1

    def tell_left_out(self, noun: str, insist: str = "") -> None:
        """One folded line that counts the models that do not fit, and tells the reason of each.

        Parameters
        ----------
        noun
            What they do not fit, such as ``"this scene"``.
        insist
            Key of a switch below them that offers those for other pixel sizes all the same; no switch when empty.
        """
        if not self.left_out:
            return
        number = len(self.left_out)
        words = tr("{count} model does not fit {noun}") if number == 1 else tr("{count} models do not fit {noun}")
        with st.expander(words.format(count=number, noun=tr(noun))):
            st.markdown("\n".join(f"- **{plain(self.title(one.model))}.** {reason(one)}" for one in self.left_out))
            if insist:
                st.toggle(tr("Include models for other pixel sizes"), key=insist)


def offer(
    found: Sequence[Fitting], title: Callable[[StoredModel], str], *, as_they_are: bool = False, all_able: bool = False
) -> Offer:
    """What can be chosen of the models that there are.

    Parameters
    ----------
    as_they_are
        Whether only those are offered that run without a choice of the user's.
    all_able
        Whether those for images of another pixel size are offered as well.
    """
    from core.learning.fit import Fit, choose_offered

    if all_able:
        able = [one for one in found if one.fit is not Fit.UNUSABLE]
        return Offer(able, [one for one in found if one.fit is Fit.UNUSABLE], title)
    return Offer(*choose_offered(found, as_they_are=as_they_are), title)


def reason(one: Fitting) -> str:
    """Why a model is not offered, as Markdown."""
    return "" if one.why is None else plain(" ".join(part for part in (one.why.what, one.why.why) if part))


def refuse(button: str, what: str, found: Sequence[Fitting], title: Callable[[StoredModel], str]) -> None:
    """Show the button as one that cannot be pressed, and beside it why: no model fits.

    Parameters
    ----------
    button
        Words of the button.
    what
        That no model fits, in a sentence.
    """
    st.button(button, type="primary", width="stretch", disabled=True)
    reasons = {one.why.what for one in found if one.why is not None}
    remedies = list(dict.fromkeys(one.why.remedy for one in found if one.why is not None and one.why.remedy))
    why = reasons.pop() if len(reasons) == 1 else ""
    show_error(InputError(what, why, remedies[0] if remedies else ""))
    if not why:
        Offer((), found, title).tell_left_out(tr_noop("this image"))
