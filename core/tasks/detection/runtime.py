"""Running a trained detector on batches of windows in PyTorch, one of each model in a process."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import NDArray

from core.learning.encoder import encoding
from core.learning.runtime import default_threads, use_threads
from core.tasks.detection.families.base import build_detector

if TYPE_CHECKING:
    from core.learning.store import StoredModel
    from core.tasks.detection.families.base import Detected, Detector

OUTLINED = 0.5
"""Probability from which a pixel belongs to a landslide's outline."""

MOST_OPEN = 4
"""Detectors that a process keeps at hand."""

_OPENING = threading.Lock()
_open: dict[tuple[Path, str, int], DetectorRuntime] = {}


@dataclass(frozen=True)
class Found:
    """What was found in one window, the surest first.

    Attributes
    ----------
    corners
        (count, 4) float32: left, top, right, bottom in pixels of the window as the network saw it.
    scores
        (count,) float32 between 0 and 1.
    classes
        (count,) int16.
    masks
        (count, height, width) bool, of detectors that give outlines; None of the others.
    """

    corners: NDArray[np.float32]
    scores: NDArray[np.float32]
    classes: NDArray[np.int16]
    masks: NDArray[np.bool_] | None = None


class DetectorRuntime:
    """A detector ready to work, on the accelerator when there is one.

    Parameters
    ----------
    detector
        With its weights.
    threads
        Threads of one inference on the CPU.

    Attributes
    ----------
    lock
        To be held by whoever hooks the detector or asks it for gradients.
    """

    def __init__(self, detector: Detector, threads: int) -> None:
        import torch

        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.detector = detector.eval()
        self.detector.to(self.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.threads = threads
        self.lock = threading.RLock()
        self.name = f"torch {torch.__version__} ({self.device.type})"

    @property
    def has_masks(self) -> bool:
        """Whether outlines are given beside boxes."""
        return self.detector.has_masks

    def encode(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        """Feature maps (batch, channels, rows, columns) of the encoder of normalised windows; see `Detector`."""
        with self.lock:
            return encoding(self.detector, self.detector.encode)(batch)

    def detect(self, batch: NDArray[np.float32], min_confidence: float, max_detections: int) -> list[Found]:
        """Boxes of each window of a batch.

        Parameters
        ----------
        batch
            (batch, bands, height, width) float32, normalised.
        floor, limit
            Least score, and most boxes of a window.
        """
        import torch

        with self.lock, torch.inference_mode():
            use_threads(self.threads)
            images = torch.from_numpy(np.ascontiguousarray(batch))
            images = images.to(self.device, memory_format=torch.channels_last)
            return [_found(one) for one in self.detector.detect(images, min_confidence, max_detections)]


def _found(detected: Detected) -> Found:
    def array(tensor: Any, kind: type[np.generic]) -> NDArray[Any]:  # noqa: ANN401
        return np.asarray(tensor.cpu().numpy().astype(kind))

    masks = None if detected.masks is None else array(detected.masks >= OUTLINED, np.bool_)
    return Found(
        array(detected.boxes.float(), np.float32).reshape(-1, 4),
        array(detected.scores.float(), np.float32),
        array(detected.labels, np.int16),
        masks,
    )


def open_detector(model: StoredModel, threads: int | None = None) -> DetectorRuntime:
    """Runtime of a stored detector, kept for later calls.

    Parameters
    ----------
    model
        Model whose weights are checked and read.
    threads
        Threads of one inference; by default the cores this process may use.

    Raises
    ------
    ModelError
        When weights are missing, altered or do not fit.
    """
    key = model.folder, model.identity, threads or default_threads()
    # Sessions are threads of one process: the second to ask waits for the first.
    with _OPENING:
        runtime = _open.pop(key, None)
        if runtime is None:
            runtime = DetectorRuntime(cast("Detector", model.load_network(build_detector)), key[-1])
        _open[key] = runtime  # the last used stands last
        while len(_open) > MOST_OPEN:
            del _open[next(iter(_open))]
    return runtime
