"""The form that asks for a run: model, bands and how the scene is brought to the model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import streamlit as st

from core.errors import BandError
from ui import resources
from ui.feedback import plain, show_error

if TYPE_CHECKING:
    from core.learning.store import StoredModel
    from core.raster.scene import Scene
    from core.runs.mapping import Request
    from core.runs.records import SceneRecord

STRETCHES = {
    "auto": "Automatic",
    "none": "Values as they are",
    "2,98": "2–98 % of each band",
    "1,99": "1–99 % of each band",
}

RESAMPLES = {"auto": "Bring to the model's", "none": "Leave as it is"}


def _title(model: StoredModel) -> str:
    score = model.spec.scores.get("validation", {}).get("f1")
    return f"{score:.2f} · {model.spec.title}" if score is not None else model.spec.title


@dataclass(frozen=True)
class Earlier:
    """What another run asked, to begin with.

    Attributes
    ----------
    request
        Its request.
    scene_id, area
        The scene that it mapped, and the GeoJSON outline drawn on it; None when it mapped all.
    """

    request: Request
    scene_id: str
    area: Mapping[str, Any] | None


def like() -> Earlier | None:
    """What the run asked that ``?like=`` names, or else the run that is open; None for none, or one that is no map.

    So the form beside an open run tells of that run's model. A run that was scored afterwards asked what the one asked
    that it stands on. Only ``?like=`` also brings the drawn area along.
    """
    named = st.query_params.get("like")
    identity = named or st.query_params.get("run")
    if not identity:
        return None
    from core.runs.mapping import request_from

    run = resources.store().run(identity)
    scene = run.scene_id
    while run.kind == "scored" and run.parents:
        run = resources.store().run(run.parents[0])
    if (run.task, run.kind) != ("mapping", "mapping"):
        return None
    return Earlier(request_from(run.parameters), scene, run.parameters["area"] if named else None)


def same_area(record: SceneRecord, before: Earlier | None) -> Mapping[str, Any] | None:
    """The area that an earlier run of the scene mapped, unless the user wants another; asked where nothing is drawn."""
    if before is None or before.area is None or before.scene_id != record.id:
        return None
    same = st.checkbox(
        "Map the same drawn area again", True, key=f"same-area-{st.query_params['like']}",
        help="The run that this one begins with mapped only a drawn part of the scene. Without the tick all is mapped.",
    )  # fmt: skip
    return before.area if same else None


def choose_model(scene: Scene, before: Earlier | None = None) -> StoredModel | None:
    """Let the user choose a mapping model, those first that suit the scene; None, with the words why, without any.

    Parameters
    ----------
    before
        Run to begin with.
    """
    from core.learning.bridge import suits
    from core.learning.store import list_models

    ranked = sorted(list_models("mapping"), key=lambda model: not suits(model.spec, scene))
    models = {model.spec.name: model for model in ranked}
    if not models:
        st.info("No mapping model is installed. Train one with `python -m core mapping train`.")
        return None
    wanted = "" if before is None else before.request.model
    if wanted and wanted not in models:
        st.caption(plain(f"The model {wanted} of the earlier run is no longer installed."))
    first = list(models).index(wanted) if wanted in models else 0
    name = st.selectbox(
        "Model", list(models), key=f"model-{ranked[0].spec.name}-{first}", index=first,
        format_func=lambda name: _title(models[name]),
        help="The number is F1 on validation images: 1 is perfect agreement with the reference. On those of "
        "the satellite models the colour index reaches 0.49.",
    )  # fmt: skip
    return models[name]


def show_limits(model: StoredModel) -> None:
    """Say what the model is for and where it fails, with its whole card one click away."""
    st.caption(plain(f"Trained on: {model.spec.sensor}."))
    if model.spec.limits:
        st.caption(f"**Limits.** {plain(model.spec.limits[0])} {_false_alarms(model)}")
    with st.popover("Model card", width="stretch"):
        _show_card(model)


def _false_alarms(model: StoredModel) -> str:
    rate = model.spec.scores.get("quiet_valley", {}).get("false_alarm_m2_per_km2")
    if rate is None:
        return ""
    return f"On the synthetic valley before its event it maps {rate:,.0f} m² of false alarms per km²."


def _show_card(model: StoredModel) -> None:
    from core.mapping.card import FAILURES

    # The picture is a file beside the card; Markdown here has no folder to find it in.
    text = "\n".join(line for line in model.card.splitlines() if FAILURES not in line)
    st.markdown(text)
    picture = model.folder / FAILURES
    if picture.exists():
        words = "The worst validation images of the model"
        st.image(picture.read_bytes(), caption=words, alt=words)


def ask(scene: Scene, model: StoredModel, before: Earlier | None = None) -> Request | None:
    """Show the form, or why the model cannot map the scene; the request when its button was pressed.

    Parameters
    ----------
    scene
        Scene to be mapped.
    model
        Model chosen.
    before
        Run with whose choices the form begins; what the form does not show is taken from it as it is.
    """
    from core.runs.mapping import Request

    guess = _guess(scene, model)
    if guess is None:
        return None
    resources.jobs().prepare()  # a worker starts while the user looks at the form
    begin = Request(model.spec.name) if before is None else before.request
    if begin.bands and len(begin.bands) == len(guess) and max(begin.bands) <= len(scene.bands):
        guess = begin.bands
    stretches = {**STRETCHES, begin.stretch: STRETCHES.get(begin.stretch, f"{begin.stretch} % of each band")}
    with st.form("ask", border=False):
        pressed = st.form_submit_button("Map landslides", type="primary", width="stretch")
        with st.expander("Bands, values and accuracy", expanded=None in guess):
            bands = _bands(scene, model, guess)
            stretch = st.selectbox(
                "Values", list(stretches), list(stretches).index(begin.stretch), format_func=stretches.__getitem__,
                help="Automatic stretches scenes that are not 8-bit to the model's values, and says so.",
            )  # fmt: skip
            resample = st.selectbox(
                "Ground distance", list(RESAMPLES), list(RESAMPLES).index(begin.resample),
                format_func=RESAMPLES.__getitem__,
            )  # fmt: skip
            turned = st.toggle(
                "Average eight turns", begin.options.turned,
                help="Test-time augmentation: eight times slower, a little better, gives an uncertainty raster.",
            )
            _show_unasked(begin)
    if not pressed:
        return None
    known = tuple(band for band in bands if band is not None)
    if len(known) < len(bands):
        raise BandError("Not every band is chosen.", remedy=f"Choose one each for {', '.join(model.spec.bands)}.")
    return replace(
        begin, model=model.spec.name, bands=known, stretch=stretch, resample=resample,
        options=replace(begin.options, turned=turned),
    )  # fmt: skip


def _show_unasked(request: Request) -> None:
    """Say what the form takes from an earlier run without asking, as far as it is not what it would be anyway."""
    from core.runs.mapping import Request

    usual, parts = Request(request.model), []
    if request.options.overlap != usual.options.overlap:
        parts.append(f"windows overlap by {request.options.overlap:.0%}")
    if request.options.batch is not None:
        parts.append(f"{request.options.batch} windows at a time")
    if request.engine != usual.engine:
        parts.append(f"computed by {request.engine}")
    if parts:
        st.caption(plain(f"As in the earlier run: {', '.join(parts)}."))


Bands = tuple[int | None, ...]
"""Band numbers for the model; None where the file does not tell and the user must."""


def _guess(scene: Scene, model: StoredModel) -> Bands | None:
    """Bands for the model; None, with the words why, when the scene has too few."""
    from core.raster.scene import guess_bands

    try:
        return guess_bands(scene, model.spec.bands)
    except BandError as error:
        if len(scene.bands) < len(set(model.spec.bands)):
            show_error(error)
            return None
        st.info(plain(f"{error.what} Choose the bands below."))
        return (None,) * len(model.spec.bands)


def _bands(scene: Scene, model: StoredModel, guess: Bands) -> Bands:
    numbers = [band.index for band in scene.bands]
    names = {band.index: f"{band.index} · {band.name}".removesuffix(" · ") for band in scene.bands}
    return tuple(
        st.selectbox(f"Band for {role}", numbers, index=None if number is None else numbers.index(number),
                     format_func=names.__getitem__, key=f"band-{role}-{scene.digest[:12]}")
        for role, number in zip(model.spec.bands, guess, strict=True)
    )  # fmt: skip
