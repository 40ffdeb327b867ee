"""Which models fit a scene, which do not, and why: by bands, kind of values and size of a pixel."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum

import numpy as np

from core.errors import BandError, InputError
from core.learning.preprocessing import AERIAL, scale_for
from core.learning.spec import ModelSpec
from core.learning.store import StoredModel, list_models
from core.raster.scene import Scene, guess_bands

LARGE = 512
"""Side in pixels from which an image of unknown ground distance is taken for an aerial one."""

NAMED_AT_MOST = 6
"""Models that an error names as a remedy."""


class Fit(IntEnum):
    """How well a model fits a scene, the best first."""

    SUITED = 0
    """The scene has the model's bands, and one of its pixels shows about what the model was trained on."""
    USABLE = 1
    """The scene has the model's bands; its pixels are finer or coarser than those the model was trained on."""
    ADJUSTABLE = 2
    """It runs once the user says which of the scene's bands it is to be given: the scene does not say."""
    DISTANT = 3
    """One pixel shows so much more or less than those the model was trained on that nothing good can be expected."""
    UNUSABLE = 4
    """The model cannot be run on the scene; `why_unusable` says why."""


@dataclass(frozen=True)
class Fitting:
    """A model and how well it fits a scene.

    Attributes
    ----------
    model, fit
        The model, and how well it fits.
    why
        What keeps it from being used as it is, or from being suited; None where nothing does.
    runs
        Whether it runs without a choice of the user's.
    """

    model: StoredModel
    fit: Fit
    why: InputError | None
    runs: bool


def fittings(
    task: str, scene: Scene, assigned: Mapping[tuple[str, ...], Sequence[int]] | None = None
) -> tuple[Fitting, ...]:
    """All models of a task, those that fit a scene best first.

    Models that fit equally well stand as `core.learning.validation.by_validation` orders them: scores decide only among
    models that were validated on the same data.

    Parameters
    ----------
    assigned
        Bands of the scene for models of these roles, where the user has said which they are.
    """
    known = assigned or {}
    made = [fitting(model, scene, known.get(model.spec.bands)) for model in list_models(task)]
    return tuple(sorted(made, key=lambda one: one.fit))


def fitting(model: StoredModel, scene: Scene, bands: Sequence[int] | None = None) -> Fitting:
    """How well one model fits a scene, and what speaks against it."""
    spec = model.spec
    fit = fit_of(spec, scene, bands)
    told = bands is not None or _unassigned(spec, scene) is None
    runs = fit <= Fit.USABLE or (fit is Fit.DISTANT and spec.ground_distance is None and told)
    return Fitting(model, fit, _against(spec, scene, fit), runs)


def choose_offered(found: Iterable[Fitting], *, as_they_are: bool = False) -> tuple[list[Fitting], list[Fitting]]:
    """Divide models into those that are offered for a scene and those that are left out, each with its reason.

    Models that are distant are offered only where none fits better.

    Parameters
    ----------
    as_they_are
        Whether only models are offered that run without a choice of the user's.
    """
    able = [one for one in found if one.fit is not Fit.UNUSABLE and (one.runs or not as_they_are)]
    offered = [one for one in able if one.fit is not Fit.DISTANT] or able
    chosen = {one.model.spec.name for one in offered}
    return offered, [one for one in found if one.model.spec.name not in chosen]


def fit_of(spec: ModelSpec, scene: Scene, bands: Sequence[int] | None = None) -> Fit:
    """How well a model fits a scene, by the bands of both, the kind of values and the size of a pixel.

    Parameters
    ----------
    bands
        Bands of the scene that the model is to be given; None where they are to be told from their names.
    """
    if why_unusable(spec, scene, bands) is not None:
        return Fit.UNUSABLE
    if _far(spec, scene) is not None:
        return Fit.DISTANT
    if bands is None and _unassigned(spec, scene) is not None:
        return Fit.ADJUSTABLE
    return Fit.SUITED if _pixels_suit(spec, scene) else Fit.USABLE


def suits(spec: ModelSpec, scene: Scene) -> bool:
    """Whether a model is one to begin with for a scene: it reads the scene's bands at about the scene's pixel size."""
    return fit_of(spec, scene) is Fit.SUITED


def why_unusable(spec: ModelSpec, scene: Scene, bands: Sequence[int] | None = None) -> InputError | None:
    """Why a model cannot be run on a scene, whatever is chosen; None when it can."""
    if bands is None and (lacking := _lacking(spec, scene)) is not None:
        return lacking
    if spec.value_range[0] < 0 and np.dtype(scene.dtype).kind == "u":
        return InputError(
            f"{scene.name} holds unsigned values ({scene.dtype}); {spec.title} reads {', '.join(spec.bands)}, which "
            "can be negative.",
            "An image does not hold such a quantity.",
            "Choose a model for images, or a file with signed values.",
        )
    return None


def check_fits(
    task: str, model: StoredModel, scene: Scene, bands: Sequence[int] | None = None, resample: str = "auto"
) -> None:
    """Refuse a model that cannot be run on a scene before anything is computed, and name those that can.

    Parameters
    ----------
    bands, resample
        What the user has chosen; see `core.learning.preprocessing.preprocess`.

    Raises
    ------
    InputError
        When the scene lacks what the model reads, does not say which of its bands are the model's, or has pixels that
        are not resampled to the model's.
    """
    one = fitting(model, scene, bands)
    if one.why is None or one.runs:
        return
    if one.fit is not Fit.UNUSABLE and bands is None and (unnamed := _unassigned(model.spec, scene)) is not None:
        raise unnamed
    if one.fit is Fit.DISTANT and resample == "none":
        return
    names = [other.model.spec.name for other in fittings(task, scene) if other.fit <= Fit.ADJUSTABLE]
    remedy = f"Models for this image: {', '.join(names[:NAMED_AT_MOST])}." if names else one.why.remedy
    if names and one.fit is Fit.DISTANT:
        remedy += " To use this model anyway, keep the image's pixel size (--resample none)."
    raise type(one.why)(one.why.what, one.why.why, remedy)


def _against(spec: ModelSpec, scene: Scene, fit: Fit) -> InputError | None:
    """What speaks against a model at a fit; None for one that is suited."""
    if fit is Fit.UNUSABLE:
        return why_unusable(spec, scene) or why_unusable(spec, scene, ())
    if fit is Fit.DISTANT:
        return _far(spec, scene)
    if fit is Fit.ADJUSTABLE:
        return _unassigned(spec, scene)
    return _another_distance(spec, scene) if fit is Fit.USABLE else None


def _lacking(spec: ModelSpec, scene: Scene) -> InputError | None:
    """That a scene has not the bands of a model: too few, or such as say that they are something else."""
    if len(scene.bands) < len(set(spec.bands)):
        return _unassigned(spec, scene)
    missing = [role for role in spec.bands if not _is_known(scene, role)]
    unknown = [band for band in scene.bands if band.role == "other"]
    if len(unknown) >= len(set(missing)):
        return None  # what a band shows is not known, so it may be what is missing
    present = ", ".join(band.name for band in scene.bands[:8])
    return BandError(
        f"{scene.name} has no {' and no '.join(dict.fromkeys(missing))}: its bands are {present}.",
        f"{spec.title} reads {', '.join(spec.bands)}.",
        "Choose a model for these bands, or an image that has the bands the model reads.",
    )


def _is_known(scene: Scene, role: str) -> bool:
    try:
        guess_bands(scene, (role,))
    except BandError:
        return False
    return True


def _unassigned(spec: ModelSpec, scene: Scene) -> BandError | None:
    """What keeps a scene's bands from being told; None when they can be."""
    try:
        guess_bands(scene, spec.bands)
    except BandError as error:
        return error
    return None


def _far(spec: ModelSpec, scene: Scene) -> InputError | None:
    """That one pixel of a scene shows far more or less than those of the model's training images; None otherwise."""
    distance = scene.grid.ground_distance()
    if spec.ground_distance is None and distance is not None and distance >= AERIAL:
        return InputError(
            f"The image has {distance:.3g} m per pixel; {spec.title} was trained on much finer images ({spec.sensor}).",
            "The features it was trained on are not visible at this pixel size.",
            "Choose a model for such images.",
        )
    try:
        scale_for(scene, spec, "auto")
    except InputError as error:
        return error
    return None


def _another_distance(spec: ModelSpec, scene: Scene) -> InputError:
    """That one pixel of a scene shows another area than those of the model's training images, or may do so."""
    distance = scene.grid.ground_distance()
    trained = f"{spec.title} was trained on {spec.sensor}"
    if spec.ground_distance is not None:
        trained = f"{spec.title} was trained at {spec.ground_distance:g} m per pixel"
    if distance is None:
        return InputError(f"The pixel size of the image is unknown; {trained}.")
    return InputError(f"The image has {distance:.3g} m per pixel; {trained}, so the image is resampled for it.")


def _pixels_suit(spec: ModelSpec, scene: Scene) -> bool:
    """Whether one pixel of a scene shows about what one of the model's training images did.

    A model of a known ground distance suits scenes of up to four times more or less; one of varying distance was
    trained on aerial images and suits scenes finer than two metres. A scene whose distance is unknown is taken for
    aerial when it is large.
    """
    distance = scene.grid.ground_distance()
    aerial = min(scene.grid.shape) >= LARGE if distance is None else distance < AERIAL
    if spec.ground_distance is None:
        return aerial
    return not aerial and (distance is None or 0.25 <= distance / spec.ground_distance <= 4)
