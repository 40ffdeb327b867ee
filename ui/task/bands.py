"""Which bands of the scene a model is given; the picture on the map follows what is chosen, before anything is run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import streamlit as st

from core.errors import BandError, LandslideError
from core.raster.bands import are_guessed
from core.raster.scene import guess_bands
from ui import resources
from ui.feedback import plain
from ui.messages import tr
from ui.state import Slot

if TYPE_CHECKING:
    from core.learning.spec import ModelSpec
    from core.raster.band_orders import BandOrder
    from core.raster.scene import Scene
    from core.runs.records import Run, SceneRecord

Bands = tuple[int | None, ...]
"""Band numbers for the model; None where the file does not tell and the user must."""

COLOURS = ("red", "green", "blue")

EACH = "each"
"""Choice of no order: each band is chosen by itself."""


def are_named(scene: Scene, spec: ModelSpec) -> bool:
    """Whether the file says which of its bands are the model's."""
    return not are_guessed(scene) and _guess(scene, spec) is not None


def choose_order(scene: Scene, spec: ModelSpec, begin: Sequence[int] | None) -> Bands:
    """Say that the file does not name the bands, and let the user choose their order, or each of them.

    Until they are chosen the button below cannot be pressed.

    Parameters
    ----------
    begin
        Bands to begin with; None for those that are guessed, where a guess can be made.
    """
    from core.raster.band_orders import orders_for

    orders = orders_for(len(scene.bands), spec.bands)
    guess = _guess(scene, spec)
    note = st.container()
    if not orders:
        note.info(_unnamed(scene, spec, orders, guess))
        return _show(scene, spec, _choose_each(scene, spec, begin or guess))
    first = _first(orders, spec, begin, guess)
    options = [*range(len(orders)), EACH]
    guessed = first if begin is None and guess is not None else None
    guess_words = tr("{order} (guess)")
    words = {
        number: f"{guess_words.format(order=order.title) if number == guessed else order.title} · {order.detail}"
        for number, order in enumerate(orders)
    } | {EACH: tr("Choose each band")}
    chosen = st.selectbox(
        tr("Band order"), options, None if first is None else options.index(first), format_func=words.__getitem__,
        placeholder=tr("Choose a band order"), key=f"band-order-{scene.digest[:12]}-{'-'.join(spec.bands)}-{begin}",
    )  # fmt: skip
    note.info(_unnamed(scene, spec, orders, guess, sure=chosen is not None and chosen != guessed))
    if chosen is None:
        return _show(scene, spec, (None,) * len(spec.bands))
    if chosen == EACH:
        return _show(scene, spec, _choose_each(scene, spec, begin or guess))
    order = orders[chosen]
    return _show(scene, spec, order.bands_for(spec.bands) or (), order.bands_for(COLOURS))


def choose_named(scene: Scene, spec: ModelSpec, begin: Sequence[int] | None) -> Bands:
    """Let the user take other bands than those that the file names."""
    with st.expander(tr("Bands")):
        return _show(scene, spec, _choose_each(scene, spec, begin or _guess(scene, spec)))


def as_asked(scene: Scene, spec: ModelSpec, bands: tuple[int, ...]) -> tuple[int, ...] | None:
    """Bands as a request holds them: None where they are those that are told or guessed anyway.

    A guess that was left as it is stays one, and the run says so.
    """
    return None if bands == _guess(scene, spec) else bands


def shown_of(scene: Scene) -> tuple[int, ...] | None:
    """Bands of a scene that the map is to show, as chosen in the form; None for its natural colours."""
    return _shown(scene).get()


def shown_before(record: SceneRecord) -> tuple[int, ...] | None:
    """Bands of the earlier scene that the map is to show: those of the scene where neither file names its bands."""
    bands = shown_of(record.scene)
    if bands is None or not record.before:
        return None
    try:
        earlier = resources.store().scene_record(record.before).scene
        guess_bands(earlier, COLOURS)
    except BandError:
        pass  # it does not name them
    except LandslideError:
        return None  # it is gone, which the page says where it is needed
    else:
        if not are_guessed(earlier):
            return None
    return bands if len(earlier.bands) == len(record.scene.bands) else None


def shown_by(run: Run) -> tuple[int, ...] | None:
    """Bands that show a scene as a finished run took them; None for its natural colours."""
    from core.tasks.imagery.inputs import bands_of

    bands = bands_of(resources.store(), run)
    return None if bands is None else _picture(*bands)


def _shown(scene: Scene) -> Slot[tuple[int, ...] | None]:
    return Slot(f"shown-bands-{scene.digest[:16]}", None)


def _show(scene: Scene, spec: ModelSpec, bands: Bands, picture: tuple[int, ...] | None = None) -> Bands:
    """Have the map show a scene in the colours of the chosen bands."""
    known = tuple(band for band in bands if band is not None)
    if picture is None and len(known) == len(bands):
        picture = _picture(spec.bands, known)
    _shown(scene).put(picture)
    return bands


def _picture(roles: Sequence[str], bands: Sequence[int]) -> tuple[int, ...] | None:
    """Three bands for red, green and blue, of those of a model; None where it does not read these."""
    known = dict(zip(roles, bands, strict=False))
    return tuple(known[colour] for colour in COLOURS) if all(colour in known for colour in COLOURS) else None


def _guess(scene: Scene, spec: ModelSpec) -> tuple[int, ...] | None:
    try:
        return guess_bands(scene, spec.bands)
    except BandError:
        return None


def _unnamed(
    scene: Scene, spec: ModelSpec, orders: Sequence[BandOrder], guess: tuple[int, ...] | None, *, sure: bool = False
) -> str:
    """What the file does not say of its bands, and what the user is to do; who is sure has done it already."""
    number = len(scene.bands)
    named = any(band.name != f"band {band.index}" for band in scene.bands)
    if number == 1 and not named:
        return plain(
            tr("The file does not state what its band shows. If it is {bands}, select it to continue.").format(
                bands=spec.bands[0]
            )
        )
    what = tr("The file does not name its {number} bands.").format(number=number)
    if named:
        try:
            guess_bands(scene, spec.bands)
        except BandError as error:
            what = error.what
    if sure:
        return plain(tr("{what} The map uses the order chosen here.").format(what=what))
    if guess is not None:
        taken = next((order.title for order in orders if order.bands_for(spec.bands) == guess), "This order")
        return plain(
            tr("{what} {taken} is guessed from the number of bands: check the colours on the map of the image.").format(
                what=what, taken=taken
            )
        )
    remedy = tr("Choose one for each of {list}.").format(list=', '.join(spec.bands))
    if orders:
        remedy = tr("Choose a band order to continue; the map follows it.")
    return plain(f"{what} {remedy}")


def _first(
    orders: Sequence[BandOrder], spec: ModelSpec, begin: Sequence[int] | None, guess: tuple[int, ...] | None
) -> int | str | None:
    """Which order the control begins with; None for none."""
    wanted = guess if begin is None else tuple(begin)
    if wanted is None:
        return None
    return next((n for n, order in enumerate(orders) if order.bands_for(spec.bands) == wanted), EACH)


def _choose_each(scene: Scene, spec: ModelSpec, begin: Sequence[int] | None) -> Bands:
    numbers = [band.index for band in scene.bands]
    names = {band.index: f"{band.index} · {band.name}".removesuffix(" · ") for band in scene.bands}
    known: Bands = (None,) * len(spec.bands) if begin is None else tuple(begin)
    return tuple(
        st.selectbox(
            tr("Band for {role}").format(role=role),
            numbers,
            index=None if number is None else numbers.index(number),
            format_func=names.__getitem__,
            key=f"band-{role}-{scene.digest[:12]}-{number}",
        )
        for role, number in zip(spec.bands, known, strict=True)
    )
