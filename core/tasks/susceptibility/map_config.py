"""The configuration of a map of susceptibility as a TOML file: what a page was asked, and where the data lie."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.errors import InputError
from core.tasks.susceptibility.map_result import AREAS, DEM, FACTOR, INVENTORY

if TYPE_CHECKING:
    from core.runs.records import Run
    from core.tasks.susceptibility.run_map import MapRequest

LARGEST = 1_000_000
"""Bytes of a configuration."""

DATA = "data"
"""Section with the files."""


@dataclass(frozen=True)
class AreaFiles:
    """Files of an area.

    Attributes
    ----------
    inventory
        Landslides; None for an area that a model is applied to.
    dem
        Elevation model; None without one.
    factors
        Rasters of factors, in the order in which the configuration numbers them.
    areas
        Layer of areas that are left out of a validation in turn; None without one.
    """

    inventory: Path | None
    dem: Path | None
    factors: tuple[Path, ...]
    areas: Path | None = None


def read_config(path: Path) -> tuple[AreaFiles, MapRequest]:
    """Read a configuration.

    Parameters
    ----------
    path
        TOML as in ``docs/susceptibility_map.toml``; the files that it names lie relative to it.

    Raises
    ------
    InputError
        When it cannot be read, or holds what is not known.
    """
    from pydantic import TypeAdapter, ValidationError

    from core.tasks.susceptibility.run_map import MapRequest

    content = loaded(path)
    files = _files(content.pop(DATA, {}), path)
    _check_names(content, MapRequest, path.name)
    _check_numbers(content, path.name)
    try:
        request = TypeAdapter(MapRequest).validate_python(content)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "it"
        raise InputError(
            f"The configuration {path.name} is not valid.", f"{where}: {first['msg']}.",
            "Follow the example in docs/susceptibility_map.toml.",
        ) from error  # fmt: skip
    return files, request


def loaded(path: Path) -> dict[str, Any]:
    """What a TOML file holds.

    Raises
    ------
    InputError
        When it is too large or no TOML.
    """
    try:
        if path.stat().st_size > LARGEST:
            raise InputError(
                f"{path.name} is too large for a configuration file.", remedy="Give a TOML file of options."
            )
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except RecursionError as error:
        raise InputError(f"The configuration {path.name} cannot be read.", "It is nested too deeply.",
                         "Follow the examples in docs/.") from error  # fmt: skip
    except (OSError, ValueError) as error:  # also of text that is no UTF-8 or TOML, and numbers of thousands of digits
        raise InputError(
            f"The configuration {path.name} cannot be read.", f"{error}.", "Follow the examples in docs/."
        ) from error


def is_map_config(path: Path) -> bool:
    """Whether a configuration is of an area and not of a table."""
    return DATA in loaded(path)


def _files(content: object, path: Path) -> AreaFiles:
    if not isinstance(content, dict):
        raise InputError(f"{DATA} in {path.name} is not a section.", remedy=f"Start the section with [{DATA}].")
    stray = sorted(set(content) - {DEM, INVENTORY, f"{FACTOR}s", AREAS})
    if stray:
        raise InputError(f"[{DATA}] in {path.name} has an unknown entry {stray[0]!r}.",
                         remedy=f"Its entries are {DEM}, {INVENTORY}, {FACTOR}s and {AREAS}.")  # fmt: skip
    factors = content.get(f"{FACTOR}s", [])
    single = [content.get(one, "") for one in (DEM, INVENTORY, AREAS)]
    named = [*single, *(factors if isinstance(factors, list) else [None])]
    if not all(isinstance(one, str) and "\0" not in one for one in named) or "" in named[3:]:
        raise InputError(
            f"An entry of [{DATA}] in {path.name} is not a file name.", remedy="Write file names in quotes."
        )

    def file(name: str) -> Path | None:
        return path.parent / name if name else None

    dem, inventory, areas = map(file, single)
    return AreaFiles(inventory, dem, tuple(path.parent / one for one in factors), areas)


def _check_names(content: Mapping[str, Any], known: type, name: str, within: str = "") -> None:
    """Refuse entries that are not known: a slip of the pen would else be passed over in silence."""
    from dataclasses import fields, is_dataclass
    from typing import get_args, get_type_hints

    hints = get_type_hints(known)
    options = [one.name for one in fields(known)]
    for entry, value in content.items():
        if entry not in options:
            where = f"[{within}] of {name}" if within else name
            raise InputError(
                f"{where} has an unknown entry {entry!r}.", remedy=f"Its entries are {', '.join(options)}."
            )
        kind = hints[entry]
        inner = kind if is_dataclass(kind) else next((one for one in get_args(kind) if is_dataclass(one)), None)
        if inner is None:
            continue
        for one in value if isinstance(value, list) else [value]:
            if isinstance(one, dict):
                _check_names(one, inner, name, f"{within}.{entry}".strip("."))  # type: ignore[arg-type]


def _check_numbers(value: object, name: str, entry: str = "") -> None:
    """Refuse numbers that are none, or endless."""
    if isinstance(value, float) and not math.isfinite(value):
        raise InputError(f"{entry} of {name} is {value}.", remedy="Give a number, or omit the entry.")
    within = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, one in within:
        _check_numbers(one, name, f"{entry}.{key}".strip("."))


def config_text(run: Run) -> str:
    """The configuration that repeats a run, as TOML; files stand by the names that the run knows them by."""
    import tomli_w

    names = {role: [one.name for one in run.inputs if one.role == role] for role in (DEM, INVENTORY, FACTOR, AREAS)}
    data: dict[str, Any] = {role: names[role][0] for role in (DEM, INVENTORY, AREAS) if names[role]}
    data[f"{FACTOR}s"] = names[FACTOR]
    head = (
        "# Configuration of a landslide susceptibility map. Run it with:\n#     python -m core susceptibility train "
        "CONFIG.toml\n# File names are relative to this file; replace them with the names of your files.\n\n"
    )
    return head + tomli_w.dumps({DATA: data, **dict(run.parameters)})
