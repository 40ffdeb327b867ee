"""The report of a batch, HTML and PDF: table, a figure and key figures of each image, the settings once.

What it says of an image is taken from the report of its run, so that both say the same.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from core.batch.figures import figures_of_task
from core.batch.table import Row, Table, View
from core.errors import InputError, LandslideError
from core.figures.cartography import coordinate_system
from core.raster.files import one_line
from core.raster.progress import ProgressCallback, ignore
from core.report import origin
from core.report.cautions import TOLD_IN_BOXES, limits
from core.report.content import GridReport, ReportInput, ReportKind
from core.report.make import report_input, report_kind
from core.report.parts import (
    Column,
    Content,
    Facts,
    Heading,
    Items,
    KeyFigure,
    KeyFigures,
    Notice,
    Paragraph,
    Part,
    Picture,
    Pictures,
)
from core.report.parts import Table as Listed
from core.report.pdf import write_pdf
from core.report.subject import Subject, spec_of
from core.report.words import UNKNOWN
from core.report.write import write_report
from core.runs.result import RunResult
from core.wording import count

if TYPE_CHECKING:
    from core.runs.records import Run
    from core.runs.store import Store

WIDEST = 1_100
"""Pixels of the longer side of a picture."""

LARGEST_PICTURE = 150_000
"""Bytes of a PNG from which a picture becomes a JPEG: a report of many images has to fit an e-mail."""

OVERLAP = "Totals are sums over images: ground covered by two images counts twice."


@dataclass(frozen=True)
class BatchInput(ReportInput):
    """A batch as it is reported; `result` stands for it and holds its id alone.

    Attributes
    ----------
    images
        How many images were accepted for it, in words.
    """

    noun: ClassVar[str] = "batch"

    images: str = ""

    @property
    def subject(self) -> str:
        """What it is about."""
        return self.images


def write_reports(
    store: Store, table: Table, folder: Path, view: View | None = None, address: str = "",
    progress: ProgressCallback = ignore,
) -> tuple[Path, Path]:  # fmt: skip
    """Write the report of a batch into a folder, as HTML and as PDF.

    Parameters
    ----------
    view
        Chooses what runs are reported at; what their pages begin with when None. The table must be at the same.
    address
        Where the batch can be opened.
    progress
        Told of images that were reported.

    Raises
    ------
    LandslideError
        When no run has a result, or the disk is full.
    """
    run, task = table.run, table.task
    if run is None or task is None or not any(row.done for row in table.rows):
        raise InputError("No image of this batch has a result yet.", remedy="Wait until the first run has finished.")
    batch = table.batch
    placeholder = RunResult(id=batch.id, kind=run.kind, folder=folder, model=run.model)
    content = BatchInput(
        task=task.name, kind=run.kind, result=placeholder, made=datetime.now(UTC), name=batch.name, address=address,
        images=batch.images,
    )  # fmt: skip
    told = [_Image.read(store, row, view) for row in _counted(table.rows, progress)]
    parts = tuple(_parts(table, told))
    kind = ReportKind(f"{task.title} results for", _gather, lambda _: iter(parts))
    page, pdf = folder / "report.html", folder / "report.pdf"
    write_report(content, kind, page, parts)
    write_pdf(content, kind, pdf, parts)
    return page, pdf


def _gather(store: Store, run: Run, view: object) -> ReportInput:
    """Content of the report of one run; that of a batch is not asked for by a run."""
    return report_input(store, run.id, view)


def _counted(rows: Sequence[Row], progress: ProgressCallback) -> Iterator[Row]:
    done = [row for row in rows if row.done and row.run is not None]
    for number, row in enumerate(done):
        progress(number, len(done))
        yield row
    progress(len(done), len(done))


@dataclass(frozen=True)
class _Image:
    """What the report of a run says of its image, in short.

    Attributes
    ----------
    row, content
        The image, and its run as it is reported; None where it cannot be read.
    told
        Sentence, cautions, key figures and picture.
    """

    row: Row
    content: ReportInput | None
    told: tuple[Content, ...]

    @classmethod
    def read(cls, store: Store, row: Row, view: View | None) -> _Image:
        assert row.run is not None  # noqa: S101  it is done
        try:
            chosen = None if view is None else view(store.result(row.run.id))
            content = report_input(store, row.run.id, chosen)
            return cls(row, content, tuple(_shortened(report_kind(row.run).parts(content))))
        except LandslideError as error:
            return cls(row, None, (Notice("This image cannot be reported", str(error)),))


def _shortened(parts: Iterator[Part | None]) -> Iterator[Content]:
    """Of the report of a run its sentence, cautions and key figures, and its first picture; the rest is not made."""
    first = next(parts, None)
    for item in first.content if first is not None else ():
        if isinstance(item, Paragraph) and item.lead:
            yield replace(item, lead=False)
        elif isinstance(item, Notice | KeyFigures):
            yield item
    for part in parts:
        for item in part.content if part is not None else ():
            if isinstance(item, Pictures):
                yield Pictures((_smaller(item.pictures[0]),))
                return


def _smaller(picture: Picture) -> Picture:
    """A picture of fewer pixels and bytes, of the same size on the page."""
    from PIL import Image

    with Image.open(io.BytesIO(picture.file)) as opened:
        image = opened.convert("RGB")
    image.thumbnail((WIDEST, WIDEST), Image.Resampling.LANCZOS)
    file, media_type = io.BytesIO(), "image/png"
    image.save(file, "PNG", optimize=True)
    if file.tell() > LARGEST_PICTURE:
        file, media_type = io.BytesIO(), "image/jpeg"
        image.save(file, "JPEG", quality=85, subsampling=0)
    return replace(picture, file=file.getvalue(), media_type=media_type, width=image.width, height=image.height)


def _parts(table: Table, told: Sequence[_Image]) -> Iterator[Part]:
    yield _summary(table)
    yield Part("table", "All images", (*_listed(table), Paragraph(_how_counted(table))))
    yield Part("images", "Image by image", tuple(item for one in told for item in _one(one)))
    known = [one.content for one in told if one.content is not None]
    if known:
        yield Part("settings", "Settings and model", tuple(_settings(known)))
        yield Part("data", "Data", tuple(_data(known)))


def _summary(table: Table) -> Part:
    rows, done = len(table.rows), table.counted("done")
    content: list[Content] = [Paragraph(f"{done} of {count(rows, 'image')} have a result.", lead=True)]
    if done == rows:
        all_of_them = {1: "The image has a result.", 2: "Both images have a result."}
        content = [Paragraph(all_of_them.get(rows, f"All {count(rows, 'image')} have a result."), lead=True)]
    if table.unfinished:
        failed = tuple(row.reason for row in table.unfinished)
        content.append(Notice("Some images have no result", "Totals exclude these images."))
        content.append(Items(failed, "Images without a result"))
    totals = (KeyFigure(one.figure.title, one.figure.text(one.value), one.over) for one in table.totals)
    content.append(KeyFigures((KeyFigure("Images with a result", f"{done} of {rows}"), *totals)))
    content.append(Paragraph(" ".join(part for part in (OVERLAP, table.assumptions, *table.batch.notes) if part)))
    return Part("summary", "Summary", tuple(content))


def _how_counted(table: Table) -> str:
    declared = None if table.task is None else figures_of_task(table.task)
    told = "" if declared is None else declared.counted
    return f"{told} Areas are unknown for images without a coordinate system or a pixel size."


def _listed(table: Table) -> Iterator[Listed]:
    """Figures of all images, and scores of those that have a reference."""
    figures = [one for one in table.columns if one.form != "score"]
    head = (Column("Image"), Column("Result"), *(Column(one.title, number=True) for one in figures))
    rows = []
    for row in table.rows:
        numbers = [one.text(row.figures.get(one.name)) if row.done else "–" for one in figures]
        rows.append((row.name, row.status, *numbers, str(len(row.warnings)) if row.done else "–"))
    yield Listed("Results of all images", (*head, Column("Warnings", number=True)), tuple(rows))
    scores = [one for one in table.columns if one.form == "score"]
    scored = [row for row in table.rows if any(one.name in row.figures for one in scores)]
    if scored:
        head = (Column("Image"), *(Column(one.title, number=True) for one in scores))
        shown = ((row.name, *(one.text(row.figures.get(one.name)) for one in scores)) for row in scored)
        yield Listed(f"Scores of {count(len(scored), 'image')} with a reference", head, tuple(shown))


def _one(image: _Image) -> Iterator[Content]:
    yield Heading(image.row.name)
    yield from image.told
    notes = () if image.row.run is None else image.row.run.notes
    told = tuple(one_line(note) for note in notes if not note.startswith(TOLD_IN_BOXES))
    if told:
        yield Items(told, "Notes")


def _settings(contents: Sequence[ReportInput]) -> Iterator[Content]:
    """What all runs were asked alike, what differs between them, and the model with its limits."""
    asked = [dict(origin.parameters(one.result.provenance)) for one in contents]
    names = list(dict.fromkeys(name for one in asked for name in one))
    same = [name for name in names if all(one.get(name) == asked[0].get(name) for one in asked)]
    rows = [(name, asked[0][name]) for name in same if name in asked[0]]
    rows += [(name, "differs between images; see the report of each run") for name in names if name not in same]
    if rows:
        yield Facts("Settings of all images", tuple(rows))
    yield from origin.models(contents[0])
    yield from limits(Subject(contents[0], spec_of(contents[0])))


def _data(contents: Sequence[ReportInput]) -> Iterator[Content]:
    rows = []
    for one in contents:
        grid = one.looked_at if isinstance(one, GridReport) else None
        size = UNKNOWN if grid is None else f"{grid.width:,} × {grid.height:,} px"
        system = UNKNOWN if grid is None else coordinate_system(grid)
        rows.append((one.subject, size, system, one.result.id[:8], one.result.subject.digest[:16]))
    head = (Column("Image"), Column("Size"), Column("Coordinate system"), Column("Run"), Column("SHA-256 (first 16)"))
    yield Listed("Images and runs", head, tuple(rows))
    terms = (_terms(one) for one in contents)
    known = sorted({one for one in terms if one})
    if known:
        yield Items(tuple(known), "Licences and citations")
    yield Paragraph(origin.SOFTWARE)


def _terms(content: ReportInput) -> str:
    """Licence and citation of an image; empty where neither is known."""
    scene = content.scene
    parts = () if scene is None else (one_line(scene.licence), one_line(scene.citation))
    told = ", ".join(part for part in parts if part)
    return f"{content.subject}: {told}" if told else ""
