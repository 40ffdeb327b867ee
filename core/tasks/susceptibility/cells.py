"""Labelled cells: a table whose rows are places with and without a landslide, checked and made ready for models."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from core.errors import InputError
from core.tasks.susceptibility.coordinates import places_in_metres
from core.tasks.susceptibility.factor_columns import read_factors
from core.tasks.susceptibility.factors import Factors, check_names, kinds_of
from core.wording import agree, count

if TYPE_CHECKING:
    import pandas as pd

FEWEST = 10
"""Cells of each class without which nothing can be validated."""

_YES = frozenset({"true", "yes", "y", "t", "1", "1.0", "landslide", "slide"})
_NO = frozenset({"false", "no", "n", "f", "0", "0.0", "none", "no landslide", "non-landslide", "nonslide"})


@dataclass(frozen=True)
class Columns:
    """Which columns of a table are what.

    Attributes
    ----------
    target
        Says of each cell whether there is a landslide.
    factors
        What models learn from.
    categorical
        Those of the factors that are classes, whatever their values look like.
    x, y
        Coordinates; empty for none.
    crs
        Coordinate system of them, such as ``"EPSG:32717"``; empty where it is not known.
    group, date
        Area that each cell is in, and event that it belongs to, for leaving out one at a time; empty for none.
    positive
        Value of the target that stands for a landslide; empty where that is plain.
    swap_xy
        Whether the columns of `x` and `y` are taken for each other.
    circular
        Those of the factors that are directions: degrees clockwise from north, -1 for flat ground.
    """

    target: str
    factors: tuple[str, ...]
    categorical: tuple[str, ...] = ()
    x: str = ""
    y: str = ""
    crs: str = ""
    group: str = ""
    date: str = ""
    positive: str = ""
    swap_xy: bool = False
    circular: tuple[str, ...] = ()


@dataclass(frozen=True)
class Cells:
    """Cells that are complete: every factor is known.

    Attributes
    ----------
    factors
        One column a factor: float64, or text for classes.
    categorical
        Names of the factors that are classes.
    circular
        Names of those that are directions.
    landslide
        (cells,) whether there is one.
    places
        (cells, 2) x and y in metres; None where they are not known.
    groups
        By ``"group"`` and ``"date"``, (cells,) the area or event of each; only those that were named.
    rows
        (cells,) their rows in the table, from 0.
    notes
        What was left out, converted or assumed, with its number.
    """

    factors: pd.DataFrame
    categorical: tuple[str, ...]
    landslide: NDArray[np.bool_]
    places: NDArray[np.float64] | None
    groups: dict[str, NDArray[np.object_]]
    rows: NDArray[np.intp]
    notes: tuple[str, ...]
    circular: tuple[str, ...] = ()

    @property
    def kinds(self) -> Factors:
        """Names of the factors by kind."""
        return kinds_of([str(one) for one in self.factors.columns], self.categorical, self.circular)


def cells_of(table: pd.DataFrame, columns: Columns, name: str = "The table") -> Cells:
    """Read labelled cells from a table.

    Parameters
    ----------
    table
        As `core.series.table.read_table_untrusted` gives it.
    name
        What users call it.

    Raises
    ------
    InputError
        When a column is missing, the target is of one class or unclear, a factor is text that is not declared as
        classes, coordinates cannot be, or too few cells of a class are complete.
    """
    _check_columns(table, columns, name)
    landslide, known = labels_of(table[columns.target], columns, name)
    notes: list[str] = []
    if not known.all():
        lost = int((~known).sum())
        notes.append(f"{count(lost, 'row')} without a label in {columns.target} {agree(lost, 'was', 'were')} left out.")
    factors = read_factors(table, columns, name, notes)
    complete = factors.notna().all(axis=1).to_numpy()
    if (known & ~complete).any():
        lost = int((known & ~complete).sum())
        notes.append(f"{count(lost, 'cell')} lacking the value of a factor {agree(lost, 'was', 'were')} left out.")
    places = places_in_metres(table, columns, name, notes)
    kept = known & complete
    if places is not None:
        placed = np.isfinite(places).all(axis=1)
        if (kept & ~placed).any():
            lost = int((kept & ~placed).sum())
            notes.append(f"{count(lost, 'cell')} without coordinates {agree(lost, 'was', 'were')} left out.")
        kept &= placed
    groups = {
        role: table[column].astype(str).to_numpy(dtype=object)[kept]
        for role, column in (("group", columns.group), ("date", columns.date))
        if column
    }
    check_classes(landslide[kept], columns.target, name)
    factors = factors[kept].reset_index(drop=True)
    factors = varying(factors, notes)
    kinds = kinds_of(list(factors.columns), columns.categorical, columns.circular)
    notes += collinear(factors[list(kinds.quantities)])
    return Cells(
        factors, kinds.classes, landslide[kept], None if places is None else places[kept], groups,
        np.flatnonzero(kept), tuple(notes), kinds.circular,
    )  # fmt: skip


def _check_columns(table: pd.DataFrame, columns: Columns, name: str) -> None:
    if not columns.factors:
        raise InputError(f"No factor of {name} was chosen.", (
            "Models are trained on factors."
        ), "Choose some (--factors).")
    roles = (columns.target, *columns.factors, columns.x, columns.y, columns.group, columns.date)
    named = [one for one in roles if one]
    missing = [one for one in (*named, *columns.categorical, *columns.circular) if one not in table.columns]
    if missing:
        known = ", ".join(map(str, table.columns[:40]))
        raise InputError(f"{name} has no column {missing[0]!r}.", remedy=f"Its columns are {known}.")
    doubled = sorted({str(one) for one in table.columns if list(table.columns).count(one) > 1} & set(named))
    if doubled:
        raise InputError(f"{name} has several columns named {doubled[0]!r}.", remedy="Rename all but one.")
    check_names(columns.factors)
    if columns.target in columns.factors:
        raise InputError(
            f"{columns.target} is the label and cannot also be a factor.", "The model would be given the answer.",
            "Remove it from the factors.",
        )  # fmt: skip
    stray = sorted(set(columns.categorical) - set(columns.factors))
    if stray:
        raise InputError(f"{stray[0]} is declared as categorical but is not a factor.", remedy="Add it to the factors.")
    astray = sorted(set(columns.circular) - (set(columns.factors) - set(columns.categorical)))
    if astray:
        what = "classes" if astray[0] in columns.factors else "not a factor"
        raise InputError(f"{astray[0]} is declared as a direction but is {what}.", remedy="Declare each factor once.")
    if bool(columns.x) != bool(columns.y):
        raise InputError("Only one coordinate column is named.", remedy="Name both (--x and --y).")


def labels_of(target: pd.Series[Any], columns: Columns, name: str) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Whether there is a landslide in each row, and whether that is known."""
    texts = target.map(lambda value: "" if value != value or value is None else str(value).strip())
    known = (texts != "").to_numpy()
    values = sorted(set(texts[known]))
    if columns.positive:
        if columns.positive not in values:
            raise InputError(
                f"No row of {columns.target} has the value {columns.positive!r}.",
                remedy=f"Its values are {_some(values)}."
            )
        return (texts == columns.positive).to_numpy(), known
    lowered = texts.str.lower()
    yes, no = lowered.isin(_YES).to_numpy(), lowered.isin(_NO).to_numpy()
    if not (yes | no)[known].all():
        unclear = next(value for value in values if value.lower() not in _YES | _NO)
        raise InputError(
            f"It is not clear which value of {columns.target} in {name} stands for a landslide: one of them is "
            f"{unclear!r}.",
            remedy=f"Name the value (--positive); the values are {_some(values)}.",
        )
    return yes, known


def check_classes(landslide: NDArray[np.bool_], target: str, name: str) -> None:
    """Refuse cells of one class, or too few of one.

    Raises
    ------
    InputError
        When they are.
    """
    slides, none = int(landslide.sum()), int((~landslide).sum())
    if not len(landslide):
        raise InputError(
            f"No cell of {name} is complete.", "A cell needs a label, a value for every factor and, where they are "
            "named, coordinates.", "Leave out factors that have no values.",
        )  # fmt: skip
    if not slides or not none:
        number = len(landslide)
        cells = agree(number, "The only complete cell", f"All {number:,} complete cells")
        kind = agree(number, "a landslide", "landslides") if slides else "without a landslide"
        raise InputError(
            f"{cells} of {name} {agree(number, 'is', 'are')} {kind}.",
            "A model needs both.",
            f"Add the other class, or check {target} and --positive.",
        )
    if min(slides, none) < FEWEST:
        raise InputError(
            f"{name} has {count(slides, 'complete cell')} with a landslide and {none:,} without; at least {FEWEST} of "
            "each are needed.",
            "With fewer, scores would be meaningless.",
            "Add cells.",
        )


def varying(factors: pd.DataFrame, notes: list[str]) -> pd.DataFrame:
    """The factors that differ among the cells."""
    constant = [factor for factor in factors.columns if factors[factor].nunique() < 2]
    if constant:
        notes.append(f"Left out because they are constant: {', '.join(constant)}.")
        factors = factors.drop(columns=constant)
    if factors.shape[1] == 0:
        raise InputError("All factors are constant.", "No model can be trained on them.", (
            "Choose other factors."
        ))
    return factors


def collinear(quantities: pd.DataFrame) -> list[str]:
    """Notes on pairs of quantities that say the same."""
    if quantities.shape[1] < 2:
        return []
    alike = np.abs(np.corrcoef(quantities.to_numpy(), rowvar=False))
    names = list(quantities.columns)
    return [
        f"{names[j]} carries the same information as {names[i]} (correlation {alike[i, j]:.6f}): leave out one of "
        "them, as their effects cannot be separated."
        for i in range(len(names))
        for j in range(i + 1, len(names))
        if alike[i, j] > 1 - 1e-9
    ]


def _some(values: list[str]) -> str:
    return ", ".join(map(repr, values[:8])) + (" and others" if len(values) > 8 else "")
