"""A batch: how far it is, a row for each image, totals, and all of it to download."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit

import streamlit as st

from core.batch.figures import POOLED
from core.errors import LandslideError
from core.report.parts import KeyFigure, KeyFigures
from core.runs.records import ACTIVE, RunFilter
from ui import labels, resources
from ui.feedback import Progress, guard, plain, show_error
from ui.messages import tr, tr_noop
from ui.runs import parts
from ui.state import Slot, rerun_fragment
from ui.task import jobs
from ui.task.links import place
from ui.task.several import KEY, ROW, RUNS
from ui.task.task import script_of

if TYPE_CHECKING:
    from pandas import DataFrame

    from core.batch.batches import Batch
    from core.batch.table import Row, Table, View
    from core.runs.records import Run

LOOK_EVERY = 2.0
"""Seconds between two looks while runs are under way."""

COUNTING = 4.0
"""Seconds for figures that were not computed before, each time the page is drawn."""

OPEN = "batch-open"
"""Key of the buttons of the rows."""

_OPENED: Slot[int | None] = Slot("batch-opened", None)
"""Number of the row whose button was pressed."""

HEAD, HIGHEST = 38, 15
"""Height of the head of the table in pixels, and rows after which it scrolls."""

STATUSES = {
    "refused": tr_noop("Not accepted"), "not started": tr_noop("Deleted"), "files lost": tr_noop("Files lost"),
}  # fmt: skip

LEVEL = "level"
"""Key and query parameter of the level of all images: another than that of a run's page, which it is handed on to."""

LATEST = 20
"""Batches that the page of runs lists."""


def show(identity: str) -> None:
    """Show a batch; while it is under way it keeps itself up to date."""
    from core.batch.batches import find

    try:
        batch = find(resources.store(), identity)
    except LandslideError as error:
        st.title(tr("Batch"))
        show_error(error)
        st.page_link(RUNS, label=tr("All runs"))
        return
    st.title(plain(batch.title))
    labels.name_page(batch.title, tr("Batch"))
    moving = bool(resources.store().count(RunFilter(batch=batch.id, statuses=ACTIVE)))
    st.fragment(_show, run_every=LOOK_EVERY if moving else None)(batch, moving)


def _show(batch: Batch, moving: bool) -> None:
    """Show the batch as it is whenever this part is drawn."""
    from core.batch.batches import runs_of
    from core.batch.table import read_table

    with guard():  # Streamlit takes what leaves a fragment for itself, so no guard outside it is asked
        store, head = resources.store(), st.container()
        runs = runs_of(store, batch)
        at = _level(runs[0]) if any(run.status == "done" for run in runs) else At()
        table = read_table(store, batch, at.view, COUNTING)
        with head:
            _state(table)
        _totals(table)
        _table(table, at)
        _unfinished(table)
        if not table.active:
            _downloads(table, at)
        _further(table)
        jobs.notice_runs()
        if moving and not table.active:
            st.rerun()  # nothing moves any more, so nobody needs to look
        if not all(row.counted for row in table.rows):
            rerun_fragment()  # the next look has time for more figures


@dataclass(frozen=True)
class At:
    """The level at which all images are counted: as it stands in addresses; nothing for that of each image's page."""

    query: Mapping[str, str] = field(default_factory=dict)
    view: View | None = None


def _level(run: Run) -> At:
    """Let the user choose one threshold for all images; the model's own where none is written."""
    from core.report.addresses import view_of_query
    from core.runs.kinds import find_task
    from core.runs.view import options_of

    task = find_task(run.task)
    if not task.level or task.view is None:
        return At()
    address = options_of(task.view.load())[0].address
    value = st.number_input(
        tr("{level} for all images").format(level=task.level),
        0.0,
        1.0,
        None,
        0.05,
        "%.2f",
        key=LEVEL,
        bind="query-params",
        width=260,
        placeholder=tr("the model's own"),
        help=tr("Counts, areas and scores below, the zip and the report follow it."),
    )
    if value is None:
        return At()
    query = {address: f"{value:g}"}
    return At(query, partial(view_of_query, run, query=query))


def _state(table: Table) -> None:
    """What it is, how far it is, and what can be done about it."""
    first, done = table.run, table.counted("done")
    rows = len(table.rows) - table.counted("refused")
    about = [table.task.title if table.task else "", "" if first is None else labels.model(first), table.batch.images]
    about.append(labels.moment(table.batch.created))
    st.caption(" · ".join(plain(part) for part in about if part))
    failed = [row for row in table.unfinished if row.run is not None or row.status == "not started"]
    parts = [f"{done} of {labels.count(rows, 'image')} done"]
    for words, number in (
        ("running", table.counted("running")), ("waiting", table.counted("queued")),
        ("failed", table.counted("failed", "interrupted", "files lost")), ("cancelled", table.counted("cancelled")),
        ("deleted", table.counted("not started")), ("not accepted", table.counted("refused")),
    ):  # fmt: skip
        parts += [f"{number} {words}"] if number else []
    if table.active:
        known = [row.run for row in table.rows if row.run is not None]
        share = sum(run.progress.share if run.active else 1.0 for run in known) / len(known)
        st.progress(share, text=" · ".join(parts))
    else:
        st.markdown(f"**{' · '.join(parts)}**")
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        if table.active and st.button(tr("Cancel all"), key="batch-cancel"):
            for row in table.rows:
                if row.run is not None and row.active:
                    resources.jobs().cancel(row.run.id)
            rerun_fragment()
        words = f"Repeat {labels.count(len(failed), 'image')}"
        if failed and first is not None and st.button(words, key="batch-repeat"):
            _repeat(table, failed, first)
        st.page_link(RUNS, label=tr("All runs"))
    if table.active:
        st.caption(tr("You can close this page and return by its address or from Runs."))


def _repeat(table: Table, failed: list[Row], like: Run) -> None:
    """Ask the same once more of images without a result."""
    from core.batch.batches import Refused
    from core.tasks.imagery.batch import orders, stated_size

    order, gone = jobs.order_again(like), []
    size = stated_size([row.run for row in table.rows if row.run is not None])
    for row in failed:
        try:
            record = resources.store().scene_record(row.dataset)
        except LandslideError as error:
            gone.append(Refused(row.name, str(error)))
            continue
        for one in orders(table.batch, order, [record], size):
            resources.jobs().submit(one)
    for one in gone:
        st.warning(plain(one.words))
    if len(gone) < len(failed):
        st.rerun()  # the sidebar tells of it as well


def _totals(table: Table) -> None:
    totals = tuple(KeyFigure(one.figure.title, one.figure.text(one.value), one.over) for one in table.totals)
    if not totals:
        return
    parts.show(KeyFigures(totals))
    told = tr("Totals add up the images; ground shown by two images counts twice.")
    if any(one.figure in POOLED for one in table.totals):
        told += " " + tr("Scores of all images are computed from the counts of all images with a reference together.")
    st.caption(plain(f"{told} {table.assumptions}"))


def _table(table: Table, at: At) -> None:
    st.dataframe(
        _frame(table), hide_index=True, column_config=_config(table), placeholder="–", row_height=ROW,
        height=HEAD + ROW * min(len(table.rows), HIGHEST), alt="Table of the images of the batch with their results",
        key=f"batch-table-{table.batch.id}",
    )  # fmt: skip
    pressed = _OPENED.get()
    _OPENED.clear()
    run = None if pressed is None or pressed >= len(table.rows) else table.rows[pressed].run
    if run is not None:
        page, address = place(run)
        st.switch_page(script_of(page), query_params={**address, **at.query})
    from core.batch.figures import figures_of_task

    declared = None if table.task is None else figures_of_task(table.task)
    if declared is not None:
        own = "".join(tr("Here at {name} {value}. ").format(name=name, value=value) for name, value in at.query.items())
        unknown = tr("–: unknown, such as an area without a pixel size or a score without a reference.")
        warned = tr(" Warnings: notes that limit how far a result can be relied on; open the image to read them.")
        st.caption(f"{declared.counted} {own}{unknown}{warned if any(row.warnings for row in table.rows) else ''}")


def _press() -> None:
    _OPENED.put(st.session_state[OPEN].row)


def _frame(table: Table) -> DataFrame:
    import pandas

    return pandas.DataFrame([
        {
            "Open": tr("Open") if row.run is not None else None,
            "Image": row.name,
            "Status": _status(row),
            **{one.name: _figure(row, one.name, one.form) for one in table.columns},
            "Warnings": len(row.warnings) if row.done else None,
        }
        for row in table.rows
    ])  # fmt: skip


def _figure(row: Row, name: str, form: str) -> Any:  # noqa: ANN401  of any column
    """A figure as the table writes it, shares in per cent."""
    value = row.figures.get(name)
    return 100 * value if form == "share" and value is not None else value


def _status(row: Row) -> str:
    if row.status in STATUSES:
        return tr(STATUSES[row.status])
    return row.status if row.run is None else labels.status(row.run)


def _config(table: Table) -> dict[str, Any]:
    column = st.column_config
    formats = {"count": "localized", "share": "%.1f %%", "score": "%.3f", "level": "%.2f", "rate": "%.2f"}
    found: dict[str, Any] = {
        one.name: column.NumberColumn(
            f"{tr(one.title)}, m²" if one.form == "area" else tr(one.title), format=formats.get(one.form, "localized"),
            step=1 if one.form == "area" else None,
        )
        for one in table.columns
    }  # fmt: skip
    return found | {
        "Open": column.ButtonColumn("", width=72, type="tertiary", on_click=_press, key=OPEN),
        "Image": tr("Image"), "Status": tr("Status"),
        "Warnings": column.NumberColumn(
            tr("Warnings"), help=tr("Notes that limit how far a result can be relied on; open it to read.")
        ),
    }


def _unfinished(table: Table) -> None:
    """Why images have no result."""
    rows = [row for row in table.unfinished if row.why and row.status != "cancelled"]
    if rows:
        told = "  \n".join(plain(row.reason) for row in rows)
        st.warning(
            tr("**{count} without a result**  \n{told}").format(count=labels.count(len(rows), "image"), told=told)
        )
    for note in table.batch.notes:
        st.caption(plain(note))


def _downloads(table: Table, at: At) -> None:
    from core.batch.bundle import file_name, report_folder
    from core.batch.table import write_csv

    if not table.counted("done"):
        return
    st.subheader(tr("Export"), anchor=False)
    store, address = resources.store(), _address(table.batch)
    folder = report_folder(store, table, address, str(at.query))
    with st.container(horizontal=True, gap="small"):
        asked = f"?{urlencode(at.query)}" if at.query else ""
        st.link_button(tr("Download all runs as zip"), f"{resources.base_path()}/batches/{table.batch.id}.zip{asked}")
        st.download_button(
            tr("Download table (CSV)"), write_csv(table).encode("utf-8-sig"), file_name(table, "table", ".csv"),
            "text/csv", on_click="ignore", key="batch-csv",
        )  # fmt: skip
        if folder.is_dir():
            _offer(folder / "report.html", "Download report", file_name(table, "report", ".html"), "text/html")
            _offer(folder / "report.pdf", "Download PDF", file_name(table, "report", ".pdf"), "application/pdf")
        elif st.button(tr("Write report"), key="batch-report"):
            _write_report(table, address, at)
    st.caption(
        tr(
            "The zip holds the GIS files of each run in its own folder, the table and the report; preparing it "
            "takes a few "
            "seconds per image. The report has the table, a figure and key figures of each image, and the settings."
        )
    )


def _offer(path: Path, words: str, name: str, kind: str) -> None:
    st.download_button(words, lambda: path.read_bytes(), name, kind, on_click="ignore", key=f"batch-{path.suffix}")


def _write_report(table: Table, address: str, at: At) -> None:
    from core.batch.bundle import prepared_report

    progress = Progress("Writing the report")
    try:
        prepared_report(
            resources.store(), table, address, at.view, str(at.query),
            lambda done, total: progress(done / max(total, 1), f"Writing the report, image {done} of {total}"),
        )  # fmt: skip
    finally:
        progress.done()
    rerun_fragment()


def _address(batch: Batch) -> str:
    """Where the batch opens; empty where the browser does not tell."""
    here = urlsplit(st.context.url or "")
    return f"{here.scheme}://{here.netloc}{resources.base_path()}/runs?{KEY}={batch.id}" if here.netloc else ""


def _further(table: Table) -> None:
    """The same images again, rename, delete."""
    from core.batch.batches import change

    batch = table.batch
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        if table.task is not None:
            st.page_link(script_of(table.task.name), label=tr("Process the same images with other settings"),
                         query_params={KEY: batch.id})  # fmt: skip
        with st.popover(tr("Rename")), st.form("batch-rename", border=False):
            name = st.text_input(tr("Batch name"), batch.name, max_chars=200, placeholder=batch.title)
            if st.form_submit_button(tr("Save")):
                change(resources.store(), batch, name=name)
                st.rerun()
        with guard():
            _delete(batch)


def _delete(batch: Batch) -> None:
    """Delete the batch with its runs, after saying what goes."""
    from core.batch.batches import delete, doomed
    from core.review.log import reviewed_runs

    store = resources.store()
    with st.popover(tr("Delete")):
        going = doomed(store, batch)
        files = {artifact.path: artifact.size for run in going for artifact in run.artifacts}
        told = [tr("This permanently deletes this batch with {count}, those derived from its "
                "runs included.").format(count=labels.count(len(going), 'run'))]  # fmt: skip
        if files:
            told.append(
                tr("Their files total {size}; files that other runs use are kept.").format(
                    size=labels.size(sum(files.values()))
                )
            )
        edits = sum(reviewed_runs(store).get(run.id, 0) for run in going)
        if edits:
            told.append(
                tr("**Reviews with {count} will be deleted too: export them first.**").format(
                    count=labels.count(edits, "edit")
                )
            )
        if any(run.pinned for run in going):
            told.append(tr("**At least one of these runs is pinned.**"))
        told.append(tr("The images are kept."))
        st.markdown(" ".join(told))
        if st.button(tr("Delete permanently"), type="primary", key="batch-delete"):
            gone = delete(store, batch)
            st.toast(tr("{count} deleted.").format(count=labels.count(gone, 'run')))
            st.switch_page(RUNS)


def listed() -> None:
    """Links to the batches that there are; nothing without any."""
    from core.batch.batches import current, latest, runs_of

    store = resources.store()
    found = latest(store, LATEST)
    if not found:
        return
    with st.expander(
        tr("Batches ({count})").format(count=len(found))
        if len(found) < LATEST
        else tr("Batches (the latest {latest})").format(latest=LATEST)
    ):
        for batch in found:
            runs = current(batch, runs_of(store, batch)).values()
            done = sum(run.status == "done" for run in runs)
            of = len(batch.datasets)
            task = labels.tasks().get(next((run.task for run in runs), ""), "")
            words = f"{task} · {batch.title} · {done} of {of} done · {labels.moment(batch.created)}"
            st.page_link(RUNS, label=plain(words), query_params={KEY: batch.id})
