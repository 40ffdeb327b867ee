"""What only post-processes a result, as one dataclass a task: its fields make options of commands and address keys.

::

    @dataclass(frozen=True)
    class View:
        threshold: float = chosen("by default the model's own", address="threshold")
"""

from __future__ import annotations

from dataclasses import MISSING, dataclass, field, fields
from typing import Any, get_args, get_type_hints

OPTION = "option"


@dataclass(frozen=True)
class Option:
    """A field of a view as a command offers it and an address names it.

    Attributes
    ----------
    name, kind, choices
        Name of the field, its type, and the words that it may be.
    help
        What it does, for the command line.
    address
        Its key in the address of a page.
    area
        Whether it is an area, in m² or in pixels as the result is.
    """

    name: str
    kind: type
    choices: tuple[str, ...]
    help: str
    address: str
    area: bool = False

    @property
    def flag(self) -> str:
        """Name of the option on the command line."""
        return f"--{self.name.replace('_', '-')}"


def chosen(
    help: str, *, address: str = "", default: Any = MISSING, area: bool = False  # noqa: ANN401  as dataclasses.field
) -> Any:  # noqa: ANN401
    """A field of a view; see `Option`."""
    metadata = {OPTION: {"help": help, "address": address, "area": area}}
    return field(metadata=metadata) if default is MISSING else field(default=default, metadata=metadata)


def options_of(view: type) -> tuple[Option, ...]:
    """The fields of a view class that were declared with `chosen`, in their order."""
    hints = get_type_hints(view)
    found = []
    for one in fields(view):
        told = one.metadata.get(OPTION)
        if told is not None:
            words = get_args(hints[one.name])
            kind = str if words else hints[one.name]
            found.append(Option(one.name, kind, words, told["help"], told["address"] or one.name, told["area"]))
    return tuple(found)


def texts_of(view: object, *, in_metres: bool) -> dict[str, str]:
    """The values of a view in words, by the names of its fields; areas have their unit.

    Parameters
    ----------
    in_metres
        Whether areas are in m²; else in pixels.
    """
    return {
        one.name: _area(getattr(view, one.name), in_metres) if one.area else _text(getattr(view, one.name))
        for one in options_of(type(view))
    }


def _area(value: float, in_metres: bool) -> str:
    return f"{value:,.10g} {'m²' if in_metres else 'px'}"


def _text(value: object) -> str:
    return f"{value:.10g}" if isinstance(value, float) else str(value)
