"""How far a tile lies from the images that a model was trained on.

A network answers for any image, also for colours, textures and pixel sizes that it never learned from, and nothing in
the answer shows it. So what the training images look like is kept beside the weights: band statistics and statistics of
the encoder's features of each tile (`core.learning.tile_statistics`), the latter reduced to principal components and
what these leave over. A tile's distance is that of Mahalanobis from the training tiles. From a limit on, chosen on the
tuning part, it lies outside the area that the model is applicable to.

References
----------
Lee, K., Lee, K., Lee, H., Shin, J. (2018). A simple unified framework for detecting out-of-distribution samples and
adversarial attacks. NeurIPS. arXiv:1807.03888
Meyer, H., Pebesma, E. (2021). Predicting into unknown space? Estimating the area of applicability of spatial prediction
models. Methods in Ecology and Evolution 12. doi:10.1111/2041-210X.13650
Ledoit, O., Wolf, M. (2004). A well-conditioned estimator for large-dimensional covariance matrices. Journal of
Multivariate Analysis 88. doi:10.1016/S0047-259X(03)00096-4
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from core.errors import ModelError

if TYPE_CHECKING:
    from core.learning.store import StoredModel

STATISTICS = "training_statistics.safetensors"
"""File in a model's folder that holds what its training images look like."""

LARGEST = 1_000_000
"""Bytes of the largest such file that is read."""

COMPONENTS = 16
"""Principal components that the encoder's statistics are reduced to."""

LIMIT = 0.95
"""Share of the tuning tiles that lie within the limit."""

QUANTILES = np.linspace(0.0, 1.0, 201)
"""At which the distances of the training tiles are kept."""

LEAST_SPREAD = 1e-3
"""Smallest spread that a number is divided by: what hardly varied in training is not blown up without bound."""

UNLIKE = "Unlike the training images:"
"""Beginning of the note of a run on a scene that its model does not know the like of."""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class TrainingStatistics:
    """What the training images of a model look like, tile by tile.

    Attributes
    ----------
    weights_sha256
        Digest of the weights whose encoder was asked.
    tile
        Side of a tile in pixels of the model's input.
    fitted, tuned
        How many tiles the distance was fitted to, and how many chose the limits, altered ones among them.
    limit
        Distance from which a tile is unlike the training images.
    share_limit
        Share of tiles beyond the limit above which a whole scene is.
    encoder_centre, encoder_scale
        (channels,) mean and spread of the encoder's statistics.
    components
        (components, channels) their principal components.
    centre, scale
        (numbers,) mean and spread of what describes a tile.
    root
        (numbers, numbers) root of the inverse of the shrunk covariance.
    distances
        Distances of the fitted tiles at `QUANTILES`.
    """

    weights_sha256: str
    tile: int
    fitted: int
    tuned: int
    limit: float
    share_limit: float
    encoder_centre: Floats
    encoder_scale: Floats
    components: Floats
    centre: Floats
    scale: Floats
    root: Floats
    distances: Floats

    @classmethod
    def fit(cls, bands: Floats, encoder: Floats, *, weights_sha256: str, tile: int) -> TrainingStatistics:
        """Fit the distance to training tiles; the limits are still to be chosen with `with_limits`.

        Parameters
        ----------
        bands, encoder
            (tiles, numbers) of `core.learning.tile_statistics`.
        """
        from sklearn.covariance import LedoitWolf

        encoder_centre, encoder_scale, components = _principal(encoder)
        described = _described(bands, encoder, encoder_centre, encoder_scale, components)
        centre, scale = described.mean(axis=0), np.maximum(described.std(axis=0), LEAST_SPREAD)
        covariance = LedoitWolf(assume_centered=True).fit((described - centre) / scale).covariance_
        root = np.linalg.cholesky(np.linalg.inv(covariance))
        made = cls(
            weights_sha256, tile, len(bands), 0, np.inf, 1.0, encoder_centre, encoder_scale, components, centre, scale,
            root, np.zeros(len(QUANTILES)),
        )  # fmt: skip
        # As it is read again: what is kept in single precision gives the distances that the limits are chosen by.
        made = made._with(**{name: _single(getattr(made, name)) for name in ARRAYS})
        return made._with(distances=_single(np.quantile(made.distance(bands, encoder), QUANTILES)))

    def with_limits(self, limit: float, share_limit: float, tuned: int) -> TrainingStatistics:
        """The same with the limits chosen on so many tuning tiles."""
        return self._with(limit=float(limit), share_limit=float(share_limit), tuned=tuned)

    def _with(self, **changes: Any) -> TrainingStatistics:  # noqa: ANN401  the fields of this class
        from dataclasses import replace

        return replace(self, **changes)

    def distance(self, bands: Floats, encoder: Floats) -> Floats:
        """Mahalanobis distances (tiles,) from the training tiles.

        Parameters
        ----------
        bands, encoder
            (tiles, numbers) as of `fit`.
        """
        described = _described(bands, encoder, self.encoder_centre, self.encoder_scale, self.components)
        standard = (described - self.centre) / self.scale
        found: Floats = np.sqrt(((standard @ self.root) ** 2).sum(axis=1))
        return found

    def percentile(self, distances: Floats) -> Floats:
        """Per cent of the fitted tiles that lie nearer than each distance."""
        return np.interp(distances, self.distances, 100 * QUANTILES)

    def write(self, path: Path) -> None:
        """Keep it in a file, whole or not at all."""
        from safetensors.numpy import save_file

        values = {name: getattr(self, name).astype(np.float32) for name in ARRAYS}
        about = {name: getattr(self, name) for name in PLAIN}
        aside = path.with_suffix(f".{os.getpid()}.part")
        save_file(values, aside, metadata={"about": json.dumps(about)})
        aside.replace(path)


ARRAYS = ("encoder_centre", "encoder_scale", "components", "centre", "scale", "root", "distances")
PLAIN = tuple(one.name for one in fields(TrainingStatistics) if one.name not in ARRAYS)


def _single(values: Floats) -> Floats:
    return values.astype(np.float32).astype(np.float64)


def _principal(encoder: Floats) -> tuple[Floats, Floats, Floats]:
    """Mean, spread and principal components of an encoder's statistics."""
    count, channels = encoder.shape
    centre, spread = encoder.mean(axis=0), encoder.std(axis=0)
    # A channel that was silent in training counts little, not without bound, when it speaks.
    scale = np.maximum(spread, max(LEAST_SPREAD, 0.01 * float(spread.mean()) if channels else 0.0))
    kept = min(COMPONENTS, channels, count - 1)
    if not kept:
        return centre, scale, np.zeros((0, channels))
    _, _, directions = np.linalg.svd((encoder - centre) / scale, full_matrices=False)
    return centre, scale, directions[:kept]


def _described(bands: Floats, encoder: Floats, centre: Floats, scale: Floats, components: Floats) -> Floats:
    """All numbers of each tile: of the bands, the components, and how much of the encoder's these leave over."""
    if not len(components):
        return bands
    standard = (encoder - centre) / scale
    placed = standard @ components.T
    left = ((standard - placed @ components) ** 2).mean(axis=1, keepdims=True)
    return np.concatenate([bands, placed, np.log(left + 1e-9)], axis=1)


def statistics_of(model: StoredModel) -> TrainingStatistics:
    """What the training images of a stored model look like.

    Raises
    ------
    ModelError
        When that was never measured, or with other weights, or the file is damaged.
    """
    path, name = model.folder / STATISTICS, model.spec.name
    if not path.is_file():
        raise ModelError(f"The model {name} has no statistics of its training images.")
    try:
        statistics = _read(path)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelError(f"The training statistics of the model {name} cannot be read.", str(error)) from error
    if statistics.weights_sha256 != model.spec.weights_sha256:
        raise ModelError(f"The training statistics of the model {name} belong to other weights than it has now.")
    return statistics


def _read(path: Path) -> TrainingStatistics:
    from safetensors import SafetensorError, safe_open

    if path.stat().st_size > LARGEST:
        raise ValueError(f"{path.name} is larger than {LARGEST:,} bytes")
    try:
        with safe_open(path, framework="numpy") as file:
            about = json.loads((file.metadata() or {})["about"])
            values = {name: file.get_tensor(name).astype(np.float64) for name in ARRAYS}
    except SafetensorError as error:
        raise ValueError(str(error)) from error
    read = TrainingStatistics(**{name: about[name] for name in PLAIN}, **values)
    _check(read)
    return read


def _check(read: TrainingStatistics) -> None:
    """Refuse what cannot be a distance.

    Raises
    ------
    ValueError
        When shapes do not go together or a number is not finite or positive.
    """
    channels, numbers = len(read.encoder_centre), len(read.centre)
    shapes = {
        "encoder_scale": (channels,), "scale": (numbers,), "root": (numbers, numbers), "distances": QUANTILES.shape,
        "components": (len(read.components), channels),
    }  # fmt: skip
    wrong = [name for name, shape in shapes.items() if getattr(read, name).shape != shape]
    wrong += [name for name in ARRAYS if not np.isfinite(getattr(read, name)).all()]
    wrong += [name for name in ("tile", "limit", "share_limit") if not 0 < float(getattr(read, name)) < np.inf]
    if wrong:
        raise ValueError(f"its {wrong[0]} does not match")
