"""The form that asks for a run: model, bands and how the scene is brought to the model."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeVar

import streamlit as st

from core.runs.kinds import kind_of
from core.wording import tied
from ui import resources
from ui.choices import words_of
from ui.feedback import plain
from ui.messages import tr, tr_noop
from ui.task import bands, models, press
from ui.task.legend import show_legend

if TYPE_CHECKING:
    from pathlib import Path

    from streamlit.delta_generator import DeltaGenerator

    from core.learning.fit import Fitting
    from core.learning.store import StoredModel
    from core.raster.scene import Scene
    from core.runs.records import Order, SceneRecord
    from ui.task.task import Drawn, TaskPage

STRETCHES = {
    "auto": tr_noop("Automatic"),
    "none": tr_noop("Original values"),
    "2,98": tr_noop("Rescale 2–98 % of each band"),
    "1,99": tr_noop("Rescale 1–99 % of each band"),
}

RESAMPLES = {"auto": tr_noop("Resample to the model's pixel size"), "none": tr_noop("Keep")}

R = TypeVar("R")
"""Request of a task: a dataclass with model, bands, stretch, resample, area and options."""


@dataclass(frozen=True)
class Earlier:
    """What another run asked, to begin with.

    Attributes
    ----------
    request
        Its request.
    scene_id, area
        The scene that it was about, and the GeoJSON outline drawn on it; None when it took all.
    """

    request: Any
    scene_id: str
    area: Mapping[str, Any] | None


@dataclass(frozen=True)
class Asked:
    """What was asked when the form's button was pressed.

    Attributes
    ----------
    order
        Makes the order for what is drawn on the map.
    beside
        Place beside the button, for what keeps it from acting.
    """

    order: Callable[[Drawn], Order]
    beside: DeltaGenerator


def named() -> str | None:
    """The id of the run whose settings the address asks for: ``?prefill=``, in older addresses ``?like=``."""
    return st.query_params.get("prefill") or st.query_params.get("like")


def prefill() -> Earlier | None:
    """What the run asked that ``?prefill=`` names, or else the run that is open; None for none, or one of another kind.

    So the form beside an open run tells of that run's model. A run that was scored or fused afterwards asked what the
    one asked that it is derived from. Only ``?prefill=`` also brings the drawn area along.
    """
    from core.jobs.perform import request_of

    asked = named()
    identity = asked or st.query_params.get("run")
    if not identity:
        return None
    run = resources.store().run(identity)
    scene = run.subject.dataset_id
    while (kind := kind_of(run)) is not None and kind.primary and not kind.first and run.parents:
        run = resources.store().run(run.parents[0])
    if kind is None or not kind.first:
        return None
    return Earlier(request_of(run), scene, run.parameters.get("area") if asked else None)


def same_area(record: SceneRecord, before: Earlier | None, task: TaskPage) -> Drawn:
    """The area of an earlier run of the scene, unless the user wants another; asked where nothing is drawn."""
    if before is None or before.area is None or before.scene_id != record.id:
        return None
    same = st.checkbox(
        tr(task.again), True, key=f"same-area-{named()}",
        help=tr("The earlier run covered only a drawn part of the image. Clear this box to process the whole image."),
    )  # fmt: skip
    return before.area if same else None


def choose_model(
    task: str,
    scene: Scene,
    before: Earlier | None,
    title: Callable[[StoredModel], str],
    explained: str,
    button: str,
) -> Fitting | None:
    """Let the user choose a model that fits the scene, the best fit first; None, with the words why, without any.

    Parameters
    ----------
    task
        Name of the task.
    before
        Run to begin with; its model is offered wherever it can be used.
    title
        How a model is called in the list.
    explained
        What the list's scores mean.
    button
        Words of the button that cannot be pressed without a model.
    """
    from core.learning.fit import Fit, fittings

    found = fittings(task, scene)
    if not found:
        st.info(tr("No {task} model is installed. Train one with `python -m core {task} train`.").format(task=task))
        return None
    wanted = "" if before is None else before.request.model
    known = next((one for one in found if one.model.spec.name == wanted), None)
    usual = models.offer(found, title)
    if not usual.offered:
        models.refuse(button, tr("No {task} model fits {name}.").format(task=task, name=scene.name), found, title)
        return None
    if wanted and known is None:
        st.caption(plain(tr("The earlier run's model ({wanted}) is no longer installed.").format(wanted=wanted)))
    elif known is not None and known.fit is Fit.UNUSABLE:
        st.caption(
            plain(tr("The earlier run's model, {title}, does not fit this image.").format(title=title(known.model)))
        )
    key = f"all-models-{task}-{scene.digest[:12]}"
    insisted = bool(st.session_state.get(key)) or (known in usual.left_out and known.fit is Fit.DISTANT)
    offer = models.offer(found, title, all_able=True) if insisted else usual
    chosen = offer.select(tr("Model"), key="model", wanted=wanted, explained=f"{explained} {models.SCORES}")
    offer.tell_score(chosen)
    usual.tell_left_out(tr_noop("this image"), key if any(one.fit is Fit.DISTANT for one in usual.left_out) else "")
    return chosen


def show_limits(model: StoredModel, more: str = "", failures: str = "", drawn: str = "") -> None:
    """Say what the model is for and where it fails, with its whole card one click away.

    Parameters
    ----------
    more
        A sentence after its first limit.
    failures
        File of the card's picture of the model's worst errors.
    drawn
        What is drawn on the picture, in a sentence.
    """
    st.caption(plain(tr("Trained on: {sensor}.").format(sensor=model.spec.sensor)))
    if model.spec.limits:
        told = tr("**Limits.** {limits} {more}").format(limits=plain(model.spec.limits[0]), more=more)
        st.caption(tied(told))
    with st.popover(tr("Model card"), width="stretch"):
        # The picture is a file beside the card; Markdown here has no folder to find it in.
        lines, picture = model.card.splitlines(), model.folder / failures
        at = next((number for number, line in enumerate(lines) if failures and failures in line), len(lines))
        st.markdown("\n".join(lines[:at]))
        if failures and picture.exists():
            _picture(picture, drawn)
        st.markdown("\n".join(lines[at + 1 :]))


def _picture(path: Path, drawn: str) -> None:
    """The model's worst errors, with what their colours mean."""
    from core.plots.colours import legend

    key, words = legend("outcome"), tr("Validation images with the model's largest errors.")
    assert key is not None  # noqa: S101  the layer has one
    show_legend(key)
    st.image(path.read_bytes(), caption=f"{words} {drawn}".strip(), alt=words,
             output_format="PNG" if path.suffix == ".png" else "JPEG")  # fmt: skip


def ask(
    scene: Scene,
    chosen: Fitting,
    begin: R,
    button: str,
    more: Callable[[], Any],
    order: Callable[[R, Drawn], Order],
) -> Asked | None:
    """Show the form; what was asked when its button was pressed.

    It is of all of the scene, whatever part an earlier run took: the part is drawn on the map, or chosen beside it.

    Parameters
    ----------
    scene, chosen
        What is to be looked at, by what.
    begin
        Request with whose choices the form begins; what the form does not show is taken from it as it is.
    button
        Words of its button.
    more
        Shows what only this task asks for, in the form's last part, and returns the request's options.
    order
        Makes the order of a request and of what is drawn on the map.
    """
    asked: Any = begin
    spec = chosen.model.spec
    resources.jobs().prepare()  # a worker starts while the user looks at the form
    usable = asked.bands and len(asked.bands) == len(spec.bands) and max(asked.bands) <= len(scene.bands)
    first = asked.bands if usable else None
    named = bands.are_named(scene, spec)
    taken = () if named else bands.choose_order(scene, spec, first)
    with st.form("ask", border=False, enter_to_submit=False):
        pressed = press.button(button, scene.digest, disabled=None in taken)
        beside = st.container()  # what keeps the button from acting is said where it was pressed
        with st.expander(tr("Processing options")):
            stretch, resample = _values(asked, chosen)
            options = more()
    with press.refusing(button, scene.digest):
        if named:
            taken = bands.choose_named(scene, spec, first)
        known = tuple(band for band in taken if band is not None)
        complete = len(known) == len(taken)
        given = bands.as_asked(scene, spec, known) if complete else None
    if not pressed:
        return None
    if not complete:  # what is completed later does not start a run by itself
        press.held(button, scene.digest).forget()
        return None
    changes = {
        "bands": given, "stretch": stretch, "resample": resample, "options": options, "area": None,
        "pixel_size": scene.grid.pixel_size,
    }  # fmt: skip
    made: R = replace(asked, model=spec.name, **changes)
    return Asked(lambda drawn: order(made, drawn), beside)


def _values(asked: Any, chosen: Fitting) -> tuple[str, str]:  # noqa: ANN401  the request of the task
    """Ask how values are stretched, and pixels resampled."""
    from core.learning.fit import Fit

    stretches = dict(STRETCHES)
    if asked.stretch not in stretches:
        stretches[asked.stretch] = tr("Rescale {range} % of each band").format(
            range=asked.stretch.replace(",", "–")
        )
    stretch = st.selectbox(
        tr("Pixel values"), list(stretches), list(stretches).index(asked.stretch), format_func=words_of(stretches),
        help=tr("Automatic rescales images that are not 8-bit to the model's range and notes it in the result."),
    )  # fmt: skip
    far = chosen.fit is Fit.DISTANT and chosen.model.spec.ground_distance is not None
    resamples = [name for name in RESAMPLES if name == "none" or not far]
    resample = st.selectbox(
        tr("Pixel size"), resamples, resamples.index(asked.resample) if asked.resample in resamples else 0,
        format_func=words_of(RESAMPLES), key=f"resample-{len(resamples)}-{asked.resample}",
    )  # fmt: skip
    return stretch, resample


def show_unasked(parts: list[str]) -> None:
    """Say what the form takes from an earlier run without asking."""
    if parts:
        st.caption(plain(tr("Kept from the earlier run: {list}.").format(list=', '.join(parts))))
