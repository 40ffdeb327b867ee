"""Ways to divide cells into folds, of which one at a time is kept from a model and then foretold by it."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from core.errors import InputError
from core.tasks.susceptibility.cells import Cells
from core.wording import count

Scheme = Literal["random", "spatial", "blocks", "group", "date"]

SCHEMES: tuple[Scheme, ...] = get_args(Scheme)

TITLES: dict[Scheme, str] = {
    "random": "Random folds",
    "spatial": "Spatial folds (k-means of the coordinates)",
    "blocks": "Spatial folds (square blocks)",
    "group": "Areas left out one at a time",
    "date": "Events left out one at a time",
}

BLOCKS_PER_FOLD = 4
"""Square blocks of which a fold is made, on average."""

MOST_GROUPS = 100
"""Areas or events that are left out one at a time."""

Fold = NDArray[np.intp]
"""(cells,) number of the fold of each cell, from 0."""


def check_scheme(scheme: str, cells: Cells, folds: int) -> None:
    """Refuse a way to divide cells that these cells do not allow.

    Raises
    ------
    InputError
        When the scheme is not known, or the cells lack what it needs.
    """
    if scheme not in SCHEMES:
        raise InputError(f"Unknown validation scheme {scheme!r}.", remedy=f"Choose from {', '.join(SCHEMES)}.")
    if scheme in ("spatial", "blocks") and cells.places is None:
        raise InputError(
            f"The validation scheme {scheme!r} needs coordinates, but no coordinate columns are named.",
            "Neighbouring cells are similar; only spatially separate folds show whether a model works elsewhere.",
            "Name the columns (--x and --y), or use random folds only.",
        )
    if scheme in ("group", "date"):
        if scheme not in cells.groups:
            raise InputError(f"The validation scheme {scheme!r} needs a column.", remedy=f"Name it (--{scheme}).")
        number = len(set(cells.groups[scheme]))
        if not 2 <= number <= MOST_GROUPS:
            raise InputError(
                f"The column for the validation scheme {scheme!r} holds {count(number, 'value')}; it must hold 2 to "
                f"{MOST_GROUPS}.",
                remedy="Choose another column.",
            )
        return
    if not 2 <= folds <= len(cells.landslide):
        raise InputError(
            f"{count(len(cells.landslide), 'cell')} cannot be divided into {count(folds, 'fold')}.",
            remedy=f"Choose 2 to {len(cells.landslide):,} folds.",
        )
    if folds > min(cells.landslide.sum(), (~cells.landslide).sum()):
        raise InputError(
            f"A class has fewer cells than the number of folds ({folds}).",
            "Most folds would hold a single class and could not be scored.",
            "Choose fewer folds.",
        )


def repeats_of(scheme: Scheme, repeats: int) -> int:
    """How often a scheme is repeated: leaving out named groups is the same each time."""
    return 1 if scheme in ("group", "date") else repeats


def folds_of(scheme: Scheme, cells: Cells, folds: int) -> int:
    """How many folds a scheme has: named groups are as many as there are."""
    return len(set(cells.groups[scheme])) if scheme in ("group", "date") else folds


def strictest(schemes: Collection[Scheme]) -> Scheme:
    """Of ways to divide cells, the spatial one where there is any, else the first."""
    return next((one for one in ("spatial", "blocks") if one in schemes), next(iter(schemes)))


def divide(scheme: Scheme, cells: Cells, folds: int, seed: int) -> Fold:
    """Divide cells into folds.

    Parameters
    ----------
    folds
        How many; named groups are as many as there are.
    seed
        The same seed gives the same folds.

    Notes
    -----
    ``spatial`` is one start of k-means from random cells (``KMeans(folds, init="random", n_init=1)``), the protocol of
    Brenning 2012, doi:10.1109/IGARSS.2012.6352393: different seeds give different partitions, though not independent
    ones. ``blocks`` are squares of a grid that is shifted at random, dealt out to the folds in a random order.
    """
    count = len(cells.landslide)
    if scheme == "random":
        fold = np.empty(count, dtype=np.intp)
        fold[np.random.default_rng(seed).permutation(count)] = np.arange(count) % folds
        return fold
    if scheme in ("group", "date"):
        return np.unique(cells.groups[scheme], return_inverse=True)[1].astype(np.intp)
    assert cells.places is not None  # noqa: S101  as `check_scheme` saw to
    if scheme == "spatial":
        from sklearn.cluster import KMeans

        return np.asarray(
            KMeans(folds, init="random", n_init=1, random_state=seed).fit_predict(cells.places), dtype=np.intp
        )
    return _blocks(cells.places, folds, np.random.default_rng(seed))


def _blocks(places: NDArray[np.float64], folds: int, rng: np.random.Generator) -> Fold:
    span = np.maximum(np.ptp(places, axis=0), 1e-9)
    side = math.sqrt(float(span.prod()) / (BLOCKS_PER_FOLD * folds))
    side = max(side, float(span.max()) / 1_000)
    at = np.floor((places - places.min(axis=0) + rng.random(2) * side) / side).astype(np.int64)
    _, block = np.unique(at, axis=0, return_inverse=True)
    block = block.ravel()
    dealt = rng.permutation(int(block.max()) + 1) % folds
    return np.asarray(dealt[block], dtype=np.intp)


def check_schemes(schemes: Sequence[str], cells: Cells, folds: int) -> None:
    """Refuse the first scheme that these cells do not allow; see `check_scheme`."""
    if not schemes:
        raise InputError("No validation scheme was chosen.", remedy=f"Choose from {', '.join(SCHEMES)}.")
    for scheme in schemes:
        check_scheme(scheme, cells, folds)
