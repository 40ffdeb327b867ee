"""Terms of the pages, each explained once."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

FILE = Path(__file__).with_name("glossary.toml")


@dataclass(frozen=True)
class Term:
    """A term of the field.

    Attributes
    ----------
    name
        Key by which code asks for it.
    title
        As it stands on pages.
    group
        Heading under which the guide lists it.
    short
        One or two sentences, as they stand beside a figure.
    more
        What the guide adds; may be empty.
    source
        Where a formula or method comes from; empty for what needs none.
    figures
        Names of further metrics of runs (`core.runs.kinds.Metric`) that it explains, beside the one of its own name.
    """

    name: str
    title: str
    group: str
    short: str
    more: str = ""
    source: str = ""
    figures: tuple[str, ...] = ()


@lru_cache(maxsize=1)
def terms() -> Mapping[str, Term]:
    """All terms by name, in the order of the file."""
    return {
        name: Term(name, **{**content, "figures": tuple(content.get("figures", ()))})
        for name, content in tomllib.loads(FILE.read_text("utf-8")).items()
    }


def short(name: str) -> str:
    """What a term means, in one or two sentences."""
    return terms()[name].short


def of_figure(metric: str) -> str:
    """What a number of a run means, by its name; empty for a plain count, which its title explains."""
    known = terms()
    term = known.get(metric) or next((one for one in known.values() if metric in one.figures), None)
    return "" if term is None else term.short


def groups() -> dict[str, list[Term]]:
    """Terms by the heading under which they are listed."""
    found: dict[str, list[Term]] = {}
    for term in terms().values():
        found.setdefault(term.group, []).append(term)
    return found
