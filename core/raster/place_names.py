"""Short names of places on a grid: a landslide is called after its place, so that its name outlives the threshold."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from core.errors import InputError

if TYPE_CHECKING:
    from core.raster.grid import Grid

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Digits of base 32 without letters that are taken for others (I, L, O) or make words (U)."""

PREFIX = "L"
"""Begins the name of a landslide."""


def place_names(pixels: ArrayLike, grid: Grid, prefix: str = PREFIX) -> NDArray[np.object_]:
    """Name pixels of a grid.

    Parameters
    ----------
    pixels
        (places,) flat indices, row by row; those beyond the grid are moved to its first or last pixel.
    grid
        The grid; names are as long as its last pixel needs.
    prefix
        First letters of each name, at least one, so that no table program takes a name for a number.

    Returns
    -------
    ndarray of str (places,)
        Such as ``"L0M3Q"``. Equal for equal pixels, different for others.
    """
    total = grid.height * grid.width
    rest = np.clip(np.asarray(pixels, dtype=np.int64), 0, total - 1)
    digits = max(1, -(-int(total - 1).bit_length() // 5))
    letters = np.array(list(ALPHABET))
    names = np.full(rest.shape, prefix, dtype=object)
    for place in range(digits - 1, -1, -1):
        names = names + letters[(rest >> (5 * place)) & 31].astype(object)
    return np.asarray(names, dtype=object)


def repeats(pixels: NDArray[np.integer]) -> NDArray[np.int64]:
    """(places,) how often the pixel of each place occurred before it."""
    order = np.argsort(pixels, kind="stable")
    first = np.flatnonzero(np.diff(pixels[order], prepend=-1))
    before = np.empty(len(pixels), dtype=np.int64)
    before[order] = np.arange(len(pixels)) - np.repeat(first, np.diff(first, append=len(pixels)))
    return before


def row_named(names: Iterable[str], asked: str, what: str, among: str, remedy: str) -> int:
    """Row of a table by its id, or by its number in the table, from 1.

    Parameters
    ----------
    names
        (rows,) the ids.
    asked
        An id in capitals or small letters, or a whole number.
    what, among, remedy
        What a row is, what was looked through, and what to do, for the message.

    Raises
    ------
    InputError
        When there is no such row.
    """
    wanted, known = asked.strip().upper(), [str(name).upper() for name in names]
    if wanted in known:
        return known.index(wanted)
    if wanted.isascii() and wanted.isdecimal() and len(wanted) < 10 and 1 <= int(wanted) <= len(known):
        return int(wanted) - 1
    raise InputError(f"There is no {what} {asked.strip()[:40]}.", among, remedy)
