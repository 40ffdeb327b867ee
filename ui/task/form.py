"""The form that asks for a run: model, bands and how the scene is brought to the model."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeVar

import streamlit as st

from core.errors import BandError
from core.runs.kinds import kind_of
from ui import resources
from ui.feedback import plain, show_error

if TYPE_CHECKING:
    from pathlib import Path

    from core.learning.store import StoredModel
    from core.raster.scene import Scene
    from core.runs.records import SceneRecord
    from ui.task.task import Drawn, TaskPage

STRETCHES = {
    "auto": "Automatic",
    "none": "Values as they are",
    "2,98": "2–98 % of each band",
    "1,99": "1–99 % of each band",
}

RESAMPLES = {"auto": "Resample to the model's", "none": "Keep"}

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
        task.again, True, key=f"same-area-{named()}",
        help="The run that this one begins with took only a drawn part of the scene. Without the tick all is taken.",
    )  # fmt: skip
    return before.area if same else None


def choose_model(
    task: str, scene: Scene, before: Earlier | None, title: Callable[[StoredModel], str], explained: str
) -> StoredModel | None:
    """Let the user choose a model, that which fits the scene best first; None, with the words why, without any.

    Parameters
    ----------
    task
        Name of the task.
    before
        Run to begin with.
    title
        How a model stands in the list.
    explained
        What the list's numbers mean.
    """
    from core.learning.preprocessing import fit_of
    from core.learning.store import list_models

    ranked = sorted(list_models(task), key=lambda model: fit_of(model.spec, scene))
    models = {model.spec.name: model for model in ranked}
    if not models:
        st.info(f"No {task} model is installed. Train one with `python -m core {task} train`.")
        return None
    wanted = "" if before is None else before.request.model
    if wanted and wanted not in models:
        st.caption(plain(f"The model {wanted} of the earlier run is no longer installed."))
    first = list(models).index(wanted) if wanted in models else 0
    name = st.selectbox(
        "Model", list(models), key=f"model-{ranked[0].spec.name}-{first}", index=first,
        format_func=lambda name: title(models[name]), help=explained,
    )  # fmt: skip
    return models[name]


def show_limits(model: StoredModel, more: str = "", failures: str = "") -> None:
    """Say what the model is for and where it fails, with its whole card one click away.

    Parameters
    ----------
    more
        A sentence after its first limit.
    failures
        File of the card's picture of the model's worst errors.
    """
    st.caption(plain(f"Trained on: {model.spec.sensor}."))
    if model.spec.limits:
        st.caption(f"**Limits.** {plain(model.spec.limits[0])} {more}")
    with st.popover("Model card", width="stretch"):
        # The picture is a file beside the card; Markdown here has no folder to find it in.
        st.markdown("\n".join(line for line in model.card.splitlines() if not failures or failures not in line))
        picture = model.folder / failures
        if failures and picture.exists():
            _picture(picture)


def _picture(path: Path) -> None:
    words = "The worst validation images of the model"
    st.image(path.read_bytes(), caption=words, alt=words, output_format="PNG" if path.suffix == ".png" else "JPEG")


def ask(scene: Scene, model: StoredModel, begin: R, button: str, more: Callable[[], Any]) -> R | None:
    """Show the form, or why the model cannot be used on the scene; the request when its button was pressed.

    It is of all of the scene, whatever part an earlier run took: the part is drawn on the map, or chosen beside it.

    Parameters
    ----------
    scene, model
        What is to be looked at, by what.
    begin
        Request with whose choices the form begins; what the form does not show is taken from it as it is.
    button
        Words of its button.
    more
        Shows what only this task asks for, in the form's last part, and returns the request's options.
    """
    asked: Any = begin
    guess = _guess(scene, model)
    if guess is None:
        _refuse(scene, model, button)
        return None
    resources.jobs().prepare()  # a worker starts while the user looks at the form
    if asked.bands and len(asked.bands) == len(guess) and max(asked.bands) <= len(scene.bands):
        guess = asked.bands
    stretches = {**STRETCHES, asked.stretch: STRETCHES.get(asked.stretch, f"{asked.stretch} % of each band")}
    with st.form("ask", border=False):
        pressed = st.form_submit_button(button, type="primary", width="stretch")
        beside = st.container()  # what keeps the button from acting is said where it was pressed
        if None in guess:
            beside.info(plain(f"{_unnamed(scene, model)} Choose the bands below."))
        with st.expander("Bands, values and accuracy", expanded=None in guess):
            bands = _bands(scene, model, guess)
            stretch = st.selectbox(
                "Values", list(stretches), list(stretches).index(asked.stretch), format_func=stretches.__getitem__,
                help="Automatic stretches scenes that are not 8-bit to the model's values, and says so.",
            )  # fmt: skip
            resample = st.selectbox(
                "Pixel size", list(RESAMPLES), list(RESAMPLES).index(asked.resample),
                format_func=RESAMPLES.__getitem__,
            )  # fmt: skip
            options = more()
    if not pressed:
        return None
    known = tuple(band for band in bands if band is not None)
    if len(known) < len(bands):
        with beside:
            remedy = f"Choose one each for {', '.join(model.spec.bands)}."
            show_error(BandError("Not every band is chosen.", remedy=remedy))
        return None
    changes = {"bands": known, "stretch": stretch, "resample": resample, "options": options, "area": None}
    made: R = replace(asked, model=model.spec.name, **changes)
    return made


def show_unasked(parts: list[str]) -> None:
    """Say what the form takes from an earlier run without asking."""
    if parts:
        st.caption(plain(f"As in the earlier run: {', '.join(parts)}."))


Bands = tuple[int | None, ...]
"""Band numbers for the model; None where the file does not tell and the user must."""


def _guess(scene: Scene, model: StoredModel) -> Bands | None:
    """Bands for the model, None each where the file does not tell; None when it cannot be run on the scene."""
    from core.learning.preprocessing import why_unusable
    from core.raster.scene import guess_bands

    if why_unusable(model.spec, scene) is not None:
        return None
    try:
        return guess_bands(scene, model.spec.bands)
    except BandError:
        return (None,) * len(model.spec.bands)


def _refuse(scene: Scene, model: StoredModel, button: str) -> None:
    """Show the button as one that cannot be pressed, and the reason with it."""
    from core.learning.preprocessing import why_unusable

    st.button(button, type="primary", width="stretch", disabled=True)
    reason = why_unusable(model.spec, scene)
    if reason is not None:
        show_error(reason)


def _unnamed(scene: Scene, model: StoredModel) -> str:
    """Which of the model's bands the file does not name."""
    from core.raster.scene import guess_bands

    try:
        guess_bands(scene, model.spec.bands)
    except BandError as error:
        return error.what
    return ""  # an earlier run's bands were of another number


def _bands(scene: Scene, model: StoredModel, guess: Bands) -> Bands:
    numbers = [band.index for band in scene.bands]
    names = {band.index: f"{band.index} · {band.name}".removesuffix(" · ") for band in scene.bands}
    return tuple(
        st.selectbox(f"Band for {role}", numbers, index=None if number is None else numbers.index(number),
                     format_func=names.__getitem__, key=f"band-{role}-{scene.digest[:12]}")
        for role, number in zip(model.spec.bands, guess, strict=True)
    )  # fmt: skip
