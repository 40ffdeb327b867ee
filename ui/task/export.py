"""Taking results away: the report, files of the run where they lie, and files prepared at the sliders' values."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit

import streamlit as st

from ui import resources
from ui.map_layers import RUN_LAYERS
from ui.messages import tr, tr_noop
from ui.state import rerun_fragment
from ui.task.selection import Selection

if TYPE_CHECKING:
    from core.runs.records import Run
    from core.runs.result import RunResult

THRESHOLDED = ("mask", "outcome")
"""Layers whose tiles show what reaches the threshold."""

FORMAT = 4
"""Raise it when an export holds other files: those that were prepared before are then not taken for it."""


def show_report(
    result: RunResult, choice: object, values: Mapping[str, str], holds: str,
    content: str = tr_noop("maps, charts, explanations, scores with their limitations"),
) -> None:  # fmt: skip
    """A file for people, and one with everything for machines.

    Parameters
    ----------
    choice
        What the sliders say.
    values
        The same as it stands in the page's address.
    holds
        Begins the sentence on what the report holds as it was when it was written.
    content
        What the report has beside inputs and settings.
    """
    run = resources.store().run(result.id)
    st.markdown(
        tr("**Report.** Plain-language report with {content}, and all inputs and settings, as a web page and a PDF. "
           "Both can be opened offline.").format(content=tr(content))
    )
    known = run.artifact("report")
    row = st.container(horizontal=True)
    if row.button(tr("Write report") if known is None else tr("Update report"), type="primary", key=f"report-{run.id}"):
        from core.report.make import make_report

        with st.spinner(tr("Writing the report")):
            make_report(resources.store(), run.id, choice, _address(run, values))  # type: ignore[arg-type]
        rerun_fragment()
    base = resources.base_path()
    for role, title in (("report", tr_noop("Report (web page)")), ("report_pdf", tr_noop("Report (PDF)"))):
        if (file := run.artifact(role)) is not None:
            row.link_button(f"{tr(title)} · {size(file.size)}", f"{base}/artifacts/{run.id}/{role}")
    row.link_button(tr("Download run as zip"), f"{base}/runs/{run.id}.zip?{urlencode(values)}")
    if known is not None:
        from core.report.state import is_out_of_date

        if is_out_of_date(resources.store(), run, known.path, choice):
            st.warning(
                tr("The report differs from this page: settings, the review, explanations or notes have changed since "
                   "it was written. Press *Update report* to write it again.")
            )
        else:
            st.caption(tr("{holds} as they were when it was written.").format(holds=holds))
    _show_addresses(result, run, values)


def values_of(view: Any) -> dict[str, str]:  # noqa: ANN401  of its task
    """What a view adds to the address of a page, without what an address says by being silent."""
    from core.report.addresses import query_of

    silent = query_of(type(view)())
    return {name: value for name, value in query_of(view).items() if value != silent[name]}


def _show_addresses(result: RunResult, run: Run, values: Mapping[str, str]) -> None:
    """The link to this view, and the tiles of the run for QGIS."""
    from core.report.addresses import tile_addresses

    seen = {**values, **Selection(result.id).address}  # not the tab: whoever is sent the link comes for the map
    if "why" in st.query_params:
        seen["why"] = st.query_params["why"]
    address = _address(run, seen)
    if not address:
        return
    st.markdown(
        tr("**Link.** Opens this run with the current settings, selection and explanation. Copy it with the button in "
           "the field:")
    )
    st.code(address, language=None, wrap_lines=True)
    if urlsplit(address).hostname in LOCAL:
        st.caption(tr("This address opens on this computer only. For colleagues, open SlideLens by the computer's name "
                      "in the network, copy the link there, or send the report."))
    threshold = float(values["threshold"]) if "threshold" in values else None
    tiles = tile_addresses(run, result, _server(), threshold)
    if not tiles:
        return
    with st.expander(tr("Tiles for QGIS (XYZ)")):
        st.markdown(
            tr(
                "In QGIS, open *Layer › Add Layer › Add XYZ Layer…*, choose *New*, and paste an address as the URL. "
                "QGIS replaces {z}, {x} and {y}. This server must be running and reachable from the computer that "
                "runs QGIS; an address with 127.0.0.1 or localhost works on this computer alone."
            )
        )
        for name, template in tiles.items():
            known = RUN_LAYERS.get(name) or name.replace("_", " ").capitalize()
            title = tr("Image") if name == "scene" else tr(known)
            if name in THRESHOLDED and threshold is not None:
                title += tr(": all pixels at threshold {threshold:.2f}, without minimum area").format(
                    threshold=threshold
                )
            st.caption(title)
            st.code(template, language=None, wrap_lines=True)


LOCAL = ("localhost", "127.0.0.1", "::1")
"""Names that lead each computer to itself."""


def _server() -> str:
    """Address of the app, with its base path; empty where the browser does not tell it."""
    place = urlsplit(st.context.url or "")
    return f"{place.scheme}://{place.netloc}{resources.base_path()}" if place.netloc else ""


def _address(run: Run, values: Mapping[str, str]) -> str:
    """Where the run opens as it is seen now."""
    from core.report.addresses import page_address

    server = _server()
    return page_address(run, server, values) if server else ""


def link(run: Run, role: str, title: str) -> None:
    """Offer a file of a run where it lies, if the run has it."""
    from core.report.names import CALLED

    stored = run.artifact(role)
    if stored is None:
        return
    left, right = st.columns([3, 1])
    left.markdown(f"{title} · {size(stored.size)}")
    address = f"{resources.base_path()}/artifacts/{run.id}/{role}"
    right.link_button(f"{CALLED.get(role, role)}{stored.path.suffix}", address, width="stretch")


def offer(folder: Path, titles: Mapping[str, str], run: str) -> None:
    """Offer the prepared files of a folder for download, those that have a title."""
    from core.report.names import renamed

    of = resources.store().run(run)
    for path in sorted(folder.iterdir()):
        if path.name in titles:
            left, right = st.columns([3, 1])
            left.markdown(f"{titles[path.name]} · {size(path.stat().st_size)}")
            right.download_button(
                path.name, lambda path=path: path.read_bytes(),
                file_name=renamed(of, path.name), key=f"download-{path}", on_click="ignore",
                width="stretch",
            )  # fmt: skip


def saved_as(run: str, what: str, ending: str) -> str:
    """Name under which a browser saves a file of a run."""
    from core.report.names import named

    return named(resources.store().run(run), what, ending)


def folder_of(run: str, asked: object) -> Path:
    """Where the exports of a run at what was asked lie; a name of ours, never one of the user's."""
    choice = hashlib.sha256(repr((FORMAT, asked)).encode()).hexdigest()[:16]
    return resources.store().home / "exports" / run / choice


def size(octets: int) -> str:
    """Bytes as they stand beside a file."""
    if octets < 1000:
        return f"{octets} bytes"
    return f"{octets / 1e6:.1f} MB" if octets >= 1e5 else f"{octets / 1e3:.0f} kB"
