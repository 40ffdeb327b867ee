"""Reading InSAR points from whichever file holds them."""

from __future__ import annotations

import os

from core.errors import InputError
from core.series.hdf5 import is_hdf5
from core.series.insar.points import Points, points_of


def read_points(path: str | os.PathLike[str], name: str, *, unit: str = "", crs: str = "") -> Points:
    """Points of a table, or of a time series of MintPy; what a file is, is told by its content.

    Parameters
    ----------
    path
        The file.
    name
        What users call it.
    unit, crs
        Of a table, see `core.series.insar.points.points_of`; `crs` also of a MintPy file in metres that does not say
        of which system.

    Raises
    ------
    QuestionError
        When the coordinate system is not known.
    UnsafeFileError, InputError
        When the file cannot be read, or holds no points.
    """
    if is_hdf5(path):
        from core.series.insar.mintpy import points_of_h5

        if unit not in ("", "m"):
            raise InputError(f"{name} is a MintPy time series, which is in metres.", remedy="Leave the unit out.")
        return points_of_h5(path, name, crs=crs)
    from core.series.table import read_table_untrusted

    return points_of(read_table_untrusted(path), name, unit=unit, crs=crs)
