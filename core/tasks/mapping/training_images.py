"""What the training images of a mapping model look like, kept beside its weights."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from core.learning.encoder import encoder_maps, encoding
from core.learning.loop import ProgressCallback, tell_nobody
from core.learning.measure_training import Images, measure
from core.learning.segmentation import network_of
from core.learning.training_distance import STATISTICS
from core.tasks.mapping.train import divide

if TYPE_CHECKING:
    from core.learning.config import Data
    from core.learning.store import StoredModel


def keep_statistics(model: StoredModel, data: Data, folder: Path, told: ProgressCallback = tell_nobody) -> StoredModel:
    """Measure the images that a model was fitted to and chosen on, and keep that in its folder and its card.

    Parameters
    ----------
    data
        The division that it was trained with.
    folder
        Folder that the description's image folders lie in.

    Raises
    ------
    InputError
        When images are missing, too few or too small.
    """
    from core.tasks.mapping.card import rewrite

    # As users bring them: what training reduced before, the network reduces now.
    parts = divide(replace(data, reduce=1, tile=0), folder)
    network = model.load_network(network_of)
    encode = encoding(network, partial(encoder_maps, network))
    fitting, tuning = Images(parts.fitting.images), Images(parts.tuning.images)
    measure(model.spec, fitting, tuning, encode, told).write(model.folder / STATISTICS)
    rewrite(model)
    return model
