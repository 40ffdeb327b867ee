"""The cells that models learn from: those of landslides, and others drawn where there is none.

The raster of factors is gone through once in strips. Each cell that may be drawn is given a random number, and those
with the smallest are taken: every one is as likely as the others, whatever the size of the grid.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from rasterio.windows import Window

from core.errors import InputError
from core.raster.progress import Cancel, ProgressCallback, ignore, never, stop_if
from core.tasks.susceptibility.factors import kinds_of
from core.tasks.susceptibility.landslides import STRIP, Landslides, buffer_cells
from core.wording import agree, count

if TYPE_CHECKING:
    import pandas as pd

    from core.raster.scene import Scene
    from core.tasks.susceptibility.factors import Factors

Numbers = NDArray[np.int64]

LARGEST_BUFFER = 512
"""Cells that a buffer may reach."""

BACKGROUND = 20_000
"""Cells drawn of the whole area, for ranks and charts."""


@dataclass(frozen=True)
class SamplingPlan:
    """How cells are drawn.

    Attributes
    ----------
    ratio
        Cells without a landslide to each with one.
    buffer
        Metres around landslides in which none are drawn.
    slope_at_least
        Degrees of slope below which none are drawn: flat ground makes an easy opposite, and scores look better than
        they are where it matters. 0 draws everywhere.
    most
        Cells with a landslide at most; of more, as many are drawn.
    seed
        Of all drawing.
    guided
        Whether cells without a landslide are drawn only where the information value of the factors is below its median
        over the area: an easy opposite, with which scores are higher.
    """

    ratio: float = 1.0
    buffer: float = 0.0
    slope_at_least: float = 0.0
    most: int = 20_000
    seed: int = 0
    guided: bool = False

    def check(self, factors: Factors) -> None:
        """Refuse what cannot be drawn.

        Raises
        ------
        InputError
            When a number is out of range, or a limit of slope is set without the factor slope.
        """
        if not 0.1 <= self.ratio <= 100:
            raise InputError(f"The ratio of cells without to cells with a landslide, {self.ratio:g}, is out of range.",
                             remedy="Choose 0.1 to 100 (--ratio).")  # fmt: skip
        if self.buffer < 0 or not 0 <= self.slope_at_least < 90 or self.most < 10:
            raise InputError(
                "A sampling limit is out of range.",
                remedy="Choose a buffer of 0 m or more, a slope of 0 to 90° and at least 10 cells.",
            )
        if self.slope_at_least and "slope" not in factors.quantities:
            raise InputError("A minimum slope is set, but slope is not a factor.",
                             remedy="Add the terrain factor slope, or remove the limit.")  # fmt: skip


@dataclass(frozen=True)
class Sample:
    """Cells of a raster of factors.

    Attributes
    ----------
    cells
        (cells,) number of each on the grid, with a landslide first.
    landslide
        (cells,) whether there is one.
    number
        (cells,) number of the landslide, from 0; -1 without one.
    background
        Cells drawn of the whole area.
    notes
        How they were drawn, and what was left out.
    """

    cells: Numbers
    landslide: NDArray[np.bool_]
    number: Numbers
    background: Numbers
    notes: tuple[str, ...]


@dataclass
class _Drawn:
    """Cells with the smallest random numbers so far."""

    most: int
    cells: Numbers = field(default_factory=lambda: np.empty(0, np.int64))
    keys: NDArray[np.float64] = field(default_factory=lambda: np.empty(0))
    offered: int = 0

    def offer(self, cells: Numbers, rng: np.random.Generator) -> None:
        self.offered += len(cells)
        keys = rng.random(len(cells))
        cells, keys = np.concatenate([self.cells, cells]), np.concatenate([self.keys, keys])
        if len(cells) > self.most:
            kept = np.argpartition(keys, self.most - 1)[: self.most] if self.most else np.empty(0, np.intp)
            cells, keys = cells[kept], keys[kept]
        self.cells, self.keys = cells, keys


@dataclass(frozen=True)
class _Guide:
    """Tells where the information value of the factors is low.

    Attributes
    ----------
    model
        Fitted on cells with a landslide against cells of the whole area.
    threshold
        Median over the area of what it says.
    """

    model: Any
    threshold: float
    names: tuple[str, ...]
    factors: Factors

    @classmethod
    def fit(cls, scene: Scene, first: Sample, factors: Factors, seed: int) -> _Guide:
        import pandas as pd

        from core.tasks.susceptibility.models import pipeline_of

        names = tuple(band.name for band in scene.bands)
        with_one = frame_of(values_at(scene, first.cells[first.landslide]), names, factors)
        area = frame_of(values_at(scene, first.background), names, factors)
        slide = np.arange(len(with_one) + len(area)) < len(with_one)
        kinds = kinds_of(names, factors.classes, factors.circular)
        model = pipeline_of("information_value", kinds, seed).fit(pd.concat([with_one, area], ignore_index=True), slide)
        return cls(model, float(np.median(model.predict_proba(area)[:, 1])), names, factors)

    def low(self, values: NDArray[np.float32], free: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """(rows, width) which of the free cells lie where it is low; `values` are (bands, rows, width)."""
        found = np.zeros_like(free)
        if free.any():
            said = self.model.predict_proba(frame_of(values[:, free].T, self.names, self.factors))[:, 1]
            found[free] = said <= self.threshold
        return found


def draw(
    scene: Scene,
    slides: Landslides,
    with_one: tuple[Numbers, Numbers],
    plan: SamplingPlan,
    factors: Factors,
    progress: ProgressCallback = ignore,
    cancel: Cancel = never,
) -> Sample:
    """Draw the cells that models learn from, guided by the information value where that is asked for; see `_draw`."""
    first = _draw(scene, slides, with_one, plan, factors, None, progress, cancel)
    if not plan.guided or slides.absences is not None:
        return first
    guide = _Guide.fit(scene, first, factors, plan.seed)
    return _draw(scene, slides, with_one, plan, factors, guide, progress, cancel)


def _draw(
    scene: Scene,
    slides: Landslides,
    with_one: tuple[Numbers, Numbers],
    plan: SamplingPlan,
    factors: Factors,
    guide: _Guide | None,
    progress: ProgressCallback,
    cancel: Cancel,
) -> Sample:
    """Draw the cells that models learn from.

    Parameters
    ----------
    scene
        The raster of factors.
    with_one
        Cells of landslides and the number of each, from `Landslides.cells`.
    factors
        Names of the factors by kind, in any order; bands are found by their descriptions.
    guide
        Tells where cells without a landslide are drawn; None for everywhere.

    Raises
    ------
    InputError
        When no cell of a landslide has all factors, or none is left to draw.
    RunCancelled
        When asked to stop.
    """
    plan.check(factors)
    cells, number, notes = _first_of_each(*with_one)
    given = None if slides.absences is None else np.unique(_cells_at(slides.absences, scene.grid.width))
    width, height = scene.grid.width, scene.grid.height
    known_slides, known_given = np.zeros(len(cells), np.bool_), np.zeros(0 if given is None else len(given), np.bool_)
    others = _Drawn(math.ceil(plan.ratio * min(len(cells), plan.most)))
    background = _Drawn(BACKGROUND)
    rngs = [np.random.default_rng([plan.seed, number]) for number in (1, 2, 3)]
    reach = buffer_cells(plan.buffer, scene.grid) if plan.buffer else 0
    if reach > LARGEST_BUFFER:
        raise InputError(
            f"A buffer of {plan.buffer:,.0f} m spans {reach:,} cells; the limit is {LARGEST_BUFFER}.",
            remedy="Choose a smaller buffer, or larger cells.",
        )
    names = [band.name for band in scene.bands]
    with scene.reader() as reader:
        for first in range(0, height, STRIP):
            stop_if(cancel)
            progress(first, height)
            end = min(first + STRIP, height)
            patch = reader.read(tuple(range(1, len(names) + 1)), Window(0, first, width, end - first))
            complete = np.isfinite(patch.values).all(axis=0)
            flat, offset = complete.ravel(), first * width
            _mark(known_slides, cells, flat, offset)
            if given is not None:
                _mark(known_given, given, (complete & ~slides.mask(first, end)).ravel(), offset)
            background.offer(np.flatnonzero(flat).astype(np.int64) + offset, rngs[0])
            if given is None:
                free = complete & ~_near(slides, first, end, reach, plan.buffer, scene)
                learnt = with_one[0][(with_one[0] >= offset) & (with_one[0] < offset + flat.size)] - offset
                free[np.divmod(learnt, width)] = False
                if plan.slope_at_least:
                    free &= patch.values[names.index("slope")] >= plan.slope_at_least
                if guide is not None:
                    free = guide.low(patch.values.astype(np.float32, copy=False), free)
                others.offer(np.flatnonzero(free.ravel()).astype(np.int64) + offset, rngs[1])
    progress(height, height)
    if not known_slides.all():
        notes.append(f"{count(int((~known_slides).sum()), 'landslide cell')} lacking the value of a factor: left out.")
    cells, number = cells[known_slides], number[known_slides]
    if not len(cells):
        raise InputError("No landslide cell has values for all factors.", "No model can be trained.",
                         "Check that the rasters cover the landslides.")  # fmt: skip
    cells, number = _at_most(cells, number, plan.most, rngs[2], notes)
    if given is not None:
        without = np.setdiff1d(given[known_given], with_one[0])
        if lost := len(given) - len(without):
            lack = agree(lost, "lacks a factor or contains a landslide", "lack a factor or contain a landslide")
            they = agree(lost, "it was", "they were")
            notes.append(
                f"{lost:,} of the {count(len(given), 'cell')} marked as without a landslide {lack}; {they} left out."
            )
        notes.append(f"The cells without a landslide ({len(without):,}) are those given in the inventory.")
    else:
        wanted = math.ceil(plan.ratio * len(cells))
        without = others.cells[np.argsort(others.keys)][:wanted]
        notes.append(_told(plan, len(without), others.offered))
        if len(without) < wanted:
            were = agree(len(without), "was", "were")
            notes.append(f"Only {len(without):,} of {count(wanted, 'cell')} without a landslide {were} available.")
    if not len(without):
        raise InputError(
            "No cells without a landslide are available.", "Models need cells with and without a landslide.",
            "Choose a smaller buffer or minimum slope." if given is None
            else "Check the label column (--label), or omit it to have cells drawn at random.",
        )  # fmt: skip
    all_cells = np.concatenate([cells, without])
    slide = np.arange(len(all_cells)) < len(cells)
    numbers = np.concatenate([number, np.full(len(without), -1)])
    return Sample(all_cells, slide, numbers, np.sort(background.cells), tuple(notes))


def _first_of_each(cells: Numbers, number: Numbers) -> tuple[Numbers, Numbers, list[str]]:
    """Each cell once: what lies in the same cell cannot be told apart."""
    found, first = np.unique(cells, return_index=True)
    notes = []
    if len(found) < len(cells):
        shared = count(len(cells) - len(found), "landslide")
        notes.append(f"{shared} in the same cell as another: each cell counts once.")
    return found, number[first], notes


def _mark(known: NDArray[np.bool_], cells: Numbers, complete: NDArray[np.bool_], offset: int) -> None:
    """Note which of ascending cells are complete, of those in a strip."""
    begin, end = np.searchsorted(cells, [offset, offset + len(complete)])
    known[begin:end] = complete[cells[begin:end] - offset]


def _near(
    slides: Landslides, first: int, end: int, reach: int, metres: float, scene: Scene
) -> NDArray[np.bool_]:
    """(rows, width) whether a landslide is in a cell or within a distance of it."""
    if not reach:
        return slides.mask(first, end)
    from scipy.ndimage import distance_transform_edt

    above, below = max(0, first - reach), min(scene.grid.height, end + reach)
    mask = slides.mask(above, below)
    if not mask.any():
        return mask[first - above : end - above]
    side = scene.grid.ground_distance() or 1.0
    t = scene.grid.transform
    across, down = math.hypot(t.a, t.d), math.hypot(t.b, t.e)
    middle = math.sqrt(across * down)
    far = distance_transform_edt(~mask, sampling=(side * down / middle, side * across / middle))
    return np.asarray(far[first - above : end - above] <= metres)


def _at_most(
    cells: Numbers, number: Numbers, most: int, rng: np.random.Generator, notes: list[str]
) -> tuple[Numbers, Numbers]:
    if len(cells) <= most:
        return cells, number
    notes.append(f"{most:,} of {len(cells):,} landslide cells {agree(most, 'was', 'were')} drawn.")
    kept = np.sort(rng.permutation(len(cells))[:most])
    return cells[kept], number[kept]


def _told(plan: SamplingPlan, drawn: int, offered: int) -> str:
    where = []
    if plan.buffer:
        where.append(f"more than {plan.buffer:,.0f} m from any landslide")
    if plan.slope_at_least:
        where.append(f"where the slope is at least {plan.slope_at_least:g}°")
    if plan.guided:
        where.append("where the information value of the factors is below its median over the area")
    limits = f" {' and '.join(where)}" if where else ""
    easy = (
        " Such cells are easy to tell from landslides, and they were selected using all landslides, including those "
        "used for testing: scores are higher than with cells drawn everywhere and cannot be compared with them."
    )
    return (
        f"{count(drawn, 'cell')} without a landslide {agree(drawn, 'was', 'were')} drawn at random (seed {plan.seed}) "
        f"from the {offered:,} landslide-free cells{limits} that have values for all factors. Landslides may have "
        f"occurred there without being recorded.{easy if plan.guided else ''}"
    )


def _cells_at(at: NDArray[np.float64], width: int) -> Numbers:
    column, row = np.floor(at).astype(np.int64).T
    return np.asarray(row * width + column, dtype=np.int64)


def values_at(scene: Scene, cells: Numbers) -> NDArray[np.float32]:
    """Values of all bands in some cells.

    Parameters
    ----------
    cells
        Numbers of cells, in any order.

    Returns
    -------
    ndarray (cells, bands)
        NaN where unknown.
    """
    width, height = scene.grid.width, scene.grid.height
    order = np.argsort(cells, kind="stable")
    ascending = cells[order]
    found = np.full((len(cells), len(scene.bands)), np.nan, np.float32)
    bands = tuple(range(1, len(scene.bands) + 1))
    with scene.reader() as reader:
        for first in range(0, height, STRIP):
            end = min(first + STRIP, height)
            begin, stop = np.searchsorted(ascending, [first * width, end * width])
            if begin == stop:
                continue
            row, column = np.divmod(ascending[begin:stop], width)
            top, bottom = int(row.min()), int(row.max()) + 1
            patch = reader.read(bands, Window(0, top, width, bottom - top))
            found[order[begin:stop]] = patch.values[:, row - top, column].T
    return found


def frame_of(values: NDArray[np.float32], names: tuple[str, ...], factors: Factors) -> pd.DataFrame:
    """Values of factors as models take them.

    Parameters
    ----------
    values
        (cells, factors), all known.
    names
        Their names, in the order of the columns.

    Returns
    -------
    pandas.DataFrame
        float64, and text for classes: the whole number that stands for each.
    """
    import pandas as pd

    made: dict[str, object] = {}
    for at, name in enumerate(names):
        column = values[:, at]
        if name not in factors.classes:
            made[name] = column.astype(np.float64)
            continue
        known, inverse = np.unique(column + np.float32(0), return_inverse=True)  # one zero, not two
        words = np.array([f"{one:.0f}" if float(one).is_integer() else f"{one:g}" for one in known], dtype=object)
        made[name] = words[inverse.ravel()]
    return pd.DataFrame(made)
