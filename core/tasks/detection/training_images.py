"""What the training images of a detector look like, kept beside its weights."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from core.learning.loop import ProgressCallback, tell_nobody
from core.learning.measure_training import Images, measure
from core.learning.training_distance import STATISTICS
from core.tasks.detection.data import divide
from core.tasks.detection.runtime import open_detector

if TYPE_CHECKING:
    from core.learning.config import Data
    from core.learning.store import StoredModel


def keep_statistics(model: StoredModel, data: Data, folder: Path, told: ProgressCallback = tell_nobody) -> StoredModel:
    """Measure the images that a detector was fitted to and chosen on, and keep that in its folder and its card.

    Parameters
    ----------
    data
        The division that it was trained with.
    folder
        Folder that the description's images and labels lie in.

    Raises
    ------
    InputError
        When images are missing, too few or too small.
    """
    from core.tasks.detection.card import rewrite

    spec = model.spec
    parts = divide(data, folder, len(spec.bands), spec.ground_distance, spec.classes)
    fitting, tuning = (Images(part.images, part.valid) for part in parts)
    measure(spec, fitting, tuning, open_detector(model).encode, told).write(model.folder / STATISTICS)
    rewrite(model)
    return model
