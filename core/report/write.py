"""A report as one HTML file that needs nothing else: no script, no network, every picture inside."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from core.raster.files import one_line
from core.raster.write import atomic_path
from core.report.content import ReportInput, ReportKind
from core.report.parts import Part
from core.report.words import moment
from core.wording import tied

TEMPLATES = Path(__file__).parent
TEMPLATE = "report.html.j2"

POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
"""Were anything of a report ever mistaken for a script or an address, no browser would follow it."""



def title_of(content: ReportInput, kind: ReportKind) -> str:
    """Title of a report: what it is of."""
    return f"{kind.title} {content.subject}"


def parts_of(content: ReportInput, kind: ReportKind) -> tuple[Part, ...]:
    """The parts of a report, in order; those that have nothing to say are left out.

    Raises
    ------
    StorageError
        When a file of the run is gone.
    """
    return tuple(part for part in kind.parts(content) if part is not None)


def render(content: ReportInput, kind: ReportKind, parts: Sequence[Part] | None = None, state: str = "") -> str:
    """The report of a run as HTML; equal inputs give equal text.

    Parameters
    ----------
    content
        The run and what belongs to it.
    kind
        How it is reported.
    parts
        Its parts where they are known already; else they are made.
    state
        See `core.report.state.state_of`; left out when empty.

    Raises
    ------
    StorageError
        When a raster of the run is gone.
    """
    address = one_line(content.address)
    return (
        _environment()
        .get_template(TEMPLATE)
        .render(
            policy=POLICY,
            state=state,
            title=one_line(content.name) or title_of(content, kind),
            subtitle=title_of(content, kind) if one_line(content.name) else "",
            made=moment(content.made),
            noun=content.noun,
            invitation=content.invitation,
            run=content.result.id,
            short=re.sub(r"[^0-9a-f]", "", content.result.id)[:8],
            address=address,
            linked=address.startswith(("http://", "https://")),
            note=content.note.strip(),
            tags=[one_line(tag) for tag in content.tags],
            parts=parts_of(content, kind) if parts is None else parts,
        )
    )


def write_report(
    content: ReportInput, kind: ReportKind, path: Path, parts: Sequence[Part] | None = None, state: str = ""
) -> None:
    """Write the report of a run as one HTML file, which appears whole or not at all; see `render`.

    Raises
    ------
    LandslideError
        When a file of the run is gone or the disk is full.
    """
    text = render(content, kind, parts, state)
    with atomic_path(path) as aside:
        aside.write_text(text, encoding="utf-8")


@lru_cache(maxsize=1)
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["tied"] = tied
    return environment
