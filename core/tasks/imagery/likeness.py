"""In words, how a scene compares with the images that its model was trained on, and what these were measured by."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.errors import ModelError
from core.learning.training_distance import LIMIT, statistics_of
from core.tasks.imagery.result import ImageResult
from core.wording import agree

if TYPE_CHECKING:
    from core.learning.store import StoredModel


def is_unlike(result: ImageResult) -> bool:
    """Whether more of the scene is unlike the training images than of any part of those that chose the limit."""
    record = result.training_distance
    return bool(record.get("measured")) and float(record["share_beyond"]) > float(record["share_limit"])


def likeness_words(result: ImageResult) -> str:
    """One or two sentences: how far the scene is from the training images, or that and why it was not measured."""
    record = result.training_distance
    if not record:
        return "Distance from the training images: not measured in this run."
    if not record["measured"]:
        return f"Distance from the training images: not measured. {record['why']}"
    tiles, share, percentile = int(record["tiles"]), float(record["share_beyond"]), float(record["median_percentile"])
    beyond = round(share * tiles)
    nearer = "farther than all" if percentile >= 100 else f"farther than {percentile:.0f} %"
    if tiles == 1:
        limit = "exceeds" if beyond else "does not exceed"
        return (
            f"Distance from the training images: {result.place} is a single tile (the part of an image that the model "
            f"reads at once), {nearer} of the training tiles; it "
            f"{limit} the limit."
        )
    return (
        f"Distance from the training images: the median tile (a part that the model reads at once) of {result.place} "
        f"is {nearer} of the training tiles; "
        f"{beyond:,} of {tiles:,} tiles ({100 * share:.0f} %) {agree(beyond, 'exceeds', 'exceed')} the limit."
    )


def training_images_words(model: StoredModel) -> str:
    """A line of a model's card: what its training images were measured by, or that they were not."""
    try:
        found = statistics_of(model)
    except ModelError as error:
        return f"- Distance of an image from the training images: not measured. {error}"
    return (
        f"- Distance of an image from the training images: measured on tiles of {found.tile} px against "
        f"{found.fitted:,} tiles of the fitting set; limit {found.limit:.2f}, which {100 * LIMIT:.0f} % of "
        f"{found.tuned:,} "
        "tiles of the tuning set do not exceed (half of all tiles altered in light, noise, compression or pixel size); "
        f"a warning is given if more than {100 * found.share_limit:.0f} % of an image's tiles exceed the limit"
    )
