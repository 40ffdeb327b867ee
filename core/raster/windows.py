"""Windows over a raster of any size, and their seamless recombination in memory that does not grow with it.

A plan lays equal windows with overlap over the whole raster. Any rectangle of the output (a region) can be computed
by itself from the windows that touch it, always added in the same order, so that a region's values do not depend
on what else is computed.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

Scalar = TypeVar("Scalar", bound=np.generic)

STEP = 32
"""Sides of a network's input are multiples of this: the stride of its deepest features."""


@dataclass(frozen=True)
class Region:
    """A rectangle of pixels: first row and column, height and width."""

    row: int
    column: int
    height: int
    width: int

    @property
    def end_row(self) -> int:
        """Row after the last."""
        return self.row + self.height

    @property
    def end_column(self) -> int:
        """Column after the last."""
        return self.column + self.width

    def touches(self, other: Region) -> bool:
        """Whether the two share a pixel."""
        return (
            self.row < other.end_row
            and other.row < self.end_row
            and self.column < other.end_column
            and other.column < self.end_column
        )

    def intersection(self, other: Region) -> Region:
        """The pixels in both; empty (height or width 0) when they do not touch."""
        row, column = max(self.row, other.row), max(self.column, other.column)
        height = max(0, min(self.end_row, other.end_row) - row)
        width = max(0, min(self.end_column, other.end_column) - column)
        return Region(row, column, height, width)


def _starts(length: int, window: int, stride: int) -> tuple[int, ...]:
    if length <= window:
        return (0,)
    return (*range(0, length - window, stride), length - window)


def _reaching(starts: tuple[int, ...], length: int, first: int, end: int) -> tuple[int, ...]:
    """Of ascending starts of windows of a length, those of which some part lies between first and end."""
    return starts[bisect_right(starts, first - length) : bisect_left(starts, end)] if first < end else ()


def _ramp(window: int, overlap: int) -> NDArray[np.float32]:
    """Weight along one axis: 1 inside, falling smoothly (raised cosine) over the overlap, never 0."""
    distance = np.minimum(np.arange(window), np.arange(window)[::-1]) + 0.5
    return (0.5 - 0.5 * np.cos(np.pi * np.clip(distance / max(overlap, 1), 0, 1)) + 1e-3).astype(np.float32)


@dataclass(frozen=True)
class WindowPlan:
    """Where the windows lie.

    Attributes
    ----------
    height, width
        Size of the raster in pixels.
    window_height, window_width
        Size of every window in pixels of the raster; larger than the raster where that is small, the rest being
        padding.
    network_height, network_width
        Size at which the network sees a window, multiples of 32. Differs from the former when the raster's ground
        distance is not the model's.
    overlap
        Share of a window that neighbours have in common, 0 to 0.9.
    """

    height: int
    width: int
    window_height: int
    window_width: int
    network_height: int
    network_width: int
    overlap: float

    @classmethod
    def over(
        cls, height: int, width: int, tile: int, overlap: float = 0.25, scale: float = 1.0, step: int = STEP
    ) -> WindowPlan:
        """Plan windows for a raster.

        Parameters
        ----------
        height, width
            Size of the raster in pixels.
        tile
            Side of the network's input in pixels, a multiple of `step`.
        overlap
            Share of a window that neighbours have in common.
        scale
            Pixels of the network per pixel of the raster: ground distance of the raster over that of the model.
        step
            What sides of the network's input are multiples of.
        """

        def side(length: int) -> tuple[int, int]:
            network = max(step, min(tile, step * int(np.ceil(length * scale / step - 1e-9))))
            return max(1, round(network / scale)), network

        window_height, network_height = side(height)
        window_width, network_width = side(width)
        return cls(height, width, window_height, window_width, network_height, network_width, overlap)

    @cached_property
    def rows(self) -> tuple[int, ...]:
        """First rows of the windows, ascending."""
        return _starts(self.height, self.window_height, max(1, round(self.window_height * (1 - self.overlap))))

    @cached_property
    def columns(self) -> tuple[int, ...]:
        """First columns of the windows, ascending."""
        return _starts(self.width, self.window_width, max(1, round(self.window_width * (1 - self.overlap))))

    @property
    def whole(self) -> Region:
        """The whole raster as a region."""
        return Region(0, 0, self.height, self.width)

    def window(self, row: int, column: int) -> Region:
        """The window that starts at a row and column, which may reach past the raster."""
        return Region(row, column, self.window_height, self.window_width)

    def touching(self, region: Region) -> tuple[Region, ...]:
        """Windows that share a pixel with the region, row by row."""
        rows = _reaching(self.rows, self.window_height, region.row, region.end_row)
        columns = _reaching(self.columns, self.window_width, region.column, region.end_column)
        return tuple(self.window(row, column) for row in rows for column in columns)

    @cached_property
    def row_weight(self) -> NDArray[np.float32]:
        """Weight of a window's rows."""
        return _ramp(self.window_height, round(self.window_height * self.overlap))

    @cached_property
    def column_weight(self) -> NDArray[np.float32]:
        """Weight of a window's columns."""
        return _ramp(self.window_width, round(self.window_width * self.overlap))

    @cached_property
    def row_total(self) -> NDArray[np.float32]:
        """Sum of the weights of all windows on each row; windows form a grid, so weights separate."""
        return _total(self.height, self.rows, self.row_weight)

    @cached_property
    def column_total(self) -> NDArray[np.float32]:
        """Sum of the weights of all windows on each column."""
        return _total(self.width, self.columns, self.column_weight)


def _total(length: int, starts: Iterable[int], weight: NDArray[np.float32]) -> NDArray[np.float32]:
    total = np.zeros(length, dtype=np.float32)
    for start in starts:
        part = total[start : start + len(weight)]
        part += weight[: len(part)]
    return total


def pad_to(values: NDArray[Scalar], height: int, width: int) -> NDArray[Scalar]:
    """Extend the last two axes below and to the right by reflection, also past the array's own size."""
    missing = [(0, 0)] * (values.ndim - 2) + [(0, height - values.shape[-2]), (0, width - values.shape[-1])]
    return np.pad(values, missing, mode="reflect") if any(after for _, after in missing) else values


def blend(
    plan: WindowPlan, region: Region, predictions: Iterable[tuple[Region, NDArray[np.float32]]], channels: int = 1
) -> Iterator[tuple[Region, NDArray[np.float32]]]:
    """Recombine window predictions into finished strips of a region, from top to bottom.

    Parameters
    ----------
    plan
        The windows.
    region
        The part of the raster that is wanted, within it.
    predictions
        For each window of ``plan.touching(region)``, in that order, its values (channels, window_height,
        window_width), finite everywhere.
    channels
        Number of channels.

    Yields
    ------
    Strips of the region, which together cover it once, with values (channels, height, width). At any time only one
    row of windows is in memory.
    """
    strip = np.zeros((channels, plan.window_height, region.width), dtype=np.float32)
    top = region.row
    columns = plan.column_total[region.column : region.end_column]
    weight = plan.row_weight[:, None] * plan.column_weight[None, :]
    starts = [row for row in plan.rows if row < region.end_row and row + plan.window_height > region.row]
    for index, (_, group) in enumerate(groupby(predictions, key=lambda item: item[0].row)):
        for window, values in group:
            shared = window.intersection(region)
            inside = (
                slice(shared.row - window.row, shared.end_row - window.row),
                slice(shared.column - window.column, shared.end_column - window.column),
            )
            target = strip[
                :,
                shared.row - top : shared.end_row - top,
                shared.column - region.column : shared.end_column - region.column,
            ]
            target += (values * weight)[:, inside[0], inside[1]]
        following = starts[index + 1] if index + 1 < len(starts) else region.end_row
        finished = min(max(following, region.row), region.end_row) - top
        if finished > 0:
            rows = plan.row_total[top : top + finished]
            total = rows[:, None] * columns[None, :]
            yield Region(top, region.column, finished, region.width), strip[:, :finished] / total
            strip = np.concatenate([strip[:, finished:], np.zeros_like(strip[:, :finished])], axis=1)
            top += finished


def column_bands(region: Region, widest: int = 8192) -> tuple[Region, ...]:
    """Divide a region into side-by-side bands, so that memory is bounded in width as well."""
    starts = range(region.column, region.end_column, widest)
    return tuple(
        Region(region.row, start, region.height, min(widest, region.end_column - start)) for start in starts
    )
