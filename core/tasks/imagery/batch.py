"""Ordering the runs of a batch of images: one request, asked of each image."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from core.batch.batches import Batch, Refused, change, copied, without
from core.errors import InputError, LandslideError
from core.learning.fit import check_fits
from core.learning.store import find_model
from core.tasks.imagery.inputs import PIXEL_SIZE, inputs_of, with_pixel_size
from core.wording import count

if TYPE_CHECKING:
    from core.runs.records import Order, Run, SceneRecord
    from core.runs.store import Store


def scenes_of(store: Store, batch: Batch) -> tuple[list[SceneRecord], list[tuple[str, Refused]]]:
    """The images of a batch, and those that can no longer be opened, each by its id with the reason."""
    found, gone = [], []
    for identity in batch.datasets:
        try:
            found.append(store.scene_record(identity))
        except LandslideError as error:
            gone.append((identity, Refused(f"image {identity[:8]}", str(error))))
    return found, gone


def check_image(order: Order, record: SceneRecord) -> None:
    """Refuse an image that the model of an order cannot be run on, before anything is queued.

    Raises
    ------
    LandslideError
        See `core.learning.fit.check_fits`.
    """
    bands = order.parameters.get("bands")
    if bands and max(bands) > len(record.scene.bands):
        raise InputError(
            f"{record.scene.name} has {count(len(record.scene.bands), 'band')}; band {max(bands)} was chosen.",
            remedy="Run images with different bands as a separate batch.",
        )
    model = find_model(order.task, order.model)
    check_fits(order.task, model, record.scene, bands, order.parameters.get("resample", "auto"))


def begin(
    store: Store, batch: Batch, order: Order, name: str = "", pixel_size: float | None = None
) -> tuple[Batch, list[Order]]:
    """The orders of a batch: what is asked of one image, asked of each; images that the model does not fit are refused.

    Parameters
    ----------
    order
        Of any of its images.
    name
        What to call the batch.
    pixel_size
        Metres from pixel to pixel of images without a coordinate system; None where not known.

    Returns
    -------
    The batch as it was begun, another one where this one had been begun before, and the orders.

    Raises
    ------
    InputError
        When no image is left.
    """
    records, refused = scenes_of(store, batch)
    fitting = []
    for record in records:
        try:
            check_image(order, _sized(record, pixel_size))
        except LandslideError as error:
            refused.append((record.id, Refused(record.scene.name, str(error))))
        else:
            fitting.append(record)
    if not fitting:
        raise InputError("The model fits none of the images.", refused[0][1].why, "Choose another model.")
    narrowed = without(batch, refused)
    begun = copied(store, batch)
    begun = change(store, begun, name=name or None, datasets=narrowed.datasets, refused=narrowed.refused)
    return begun, list(orders(begun, order, fitting, pixel_size))


def orders(
    batch: Batch, order: Order, records: Iterable[SceneRecord], pixel_size: float | None = None
) -> Iterator[Order]:
    """What is asked of one image, asked of each of some images.

    Parameters
    ----------
    pixel_size
        See `begin`; the others say themselves how large their pixels are.
    """
    for record in records:
        size = _sized(record, pixel_size).scene.grid.pixel_size
        parameters = {**order.parameters, PIXEL_SIZE: size}
        yield replace(order, inputs=inputs_of(record), parameters=parameters, batch=batch.id, name="")


def _sized(record: SceneRecord, pixel_size: float | None) -> SceneRecord:
    return with_pixel_size(record, pixel_size if record.scene.grid.crs is None else None)


def stated_size(runs: Iterable[Run]) -> float | None:
    """The pixel size that was stated for the images of a batch without a coordinate system; None where none was."""
    return next((run.parameters[PIXEL_SIZE] for run in runs if run.parameters.get(PIXEL_SIZE) is not None), None)
