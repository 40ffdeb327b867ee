"""The report of a map of susceptibility: for somebody who was not there."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from core.errors import LandslideError
from core.report import origin
from core.report.content import ReportInput, ReportKind
from core.report.make import explanations_of
from core.report.parts import (
    Column,
    Content,
    Heading,
    Items,
    KeyFigure,
    KeyFigures,
    Notice,
    Paragraph,
    Part,
    Pictures,
    Table,
)
from core.report.pictures import picture
from core.report.words import area, percent, score
from core.tasks.susceptibility.classed import Classed, classed
from core.tasks.susceptibility.factor_report import factors_part
from core.tasks.susceptibility.findings import curves, judging_scheme, verdict
from core.tasks.susceptibility.folds import TITLES
from core.tasks.susceptibility.map_figure import contribution_chart, draw_classes, rate_chart, roc_chart
from core.tasks.susceptibility.map_findings import landslides_on, outlines_of
from core.tasks.susceptibility.map_result import INVENTORY, SusceptibilityMap
from core.tasks.susceptibility.models import title_of
from core.tasks.susceptibility.rates import curves_of
from core.tasks.susceptibility.report import MEANINGS, table_of_models, tables_of_settings
from core.tasks.susceptibility.view import METHODS, Choice

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

    from core.runs.records import Run
    from core.runs.store import Store

MOST_EXPLAINED = 6


@dataclass(frozen=True)
class MapInput(ReportInput):
    """A map as it is reported, at a choice.

    Attributes
    ----------
    choice
        What was looked at.
    slides
        Landslides in the coordinates of the grid; None without an inventory, or where it is gone.
    reasons
        Sentence and record of each explanation.
    """

    result: SusceptibilityMap
    choice: Choice = Choice()
    slides: GeoDataFrame | None = None
    reasons: tuple[tuple[str, dict[str, Any]], ...] = ()


def gather(store: Store, run: Run, view: Choice | None) -> MapInput:
    """Content of the report of a run."""
    result = store.result(run.id, SusceptibilityMap)
    slides = None
    if result.input(INVENTORY).dataset_id:
        try:
            slides = outlines_of(landslides_on(store, result))
        except LandslideError:
            slides = None  # the map is reported without outlines; the inputs below say what it was made from
    return MapInput(
        run.task, run.kind, result, datetime.now(UTC), name=run.name, note=run.note, tags=run.tags,
        choice=view or Choice.default(result), slides=slides, reasons=tuple(_reasons(store, run)),
        licences=dict(_licences(store, result)),
    )  # fmt: skip


def _reasons(store: Store, run: Run) -> Iterator[tuple[str, dict[str, Any]]]:
    for one in explanations_of(store, run)[:MOST_EXPLAINED]:
        stored = one.artifact("explanation")
        if stored is not None and stored.path.is_file():
            record = json.loads(stored.path.read_text(encoding="utf-8"))
            yield str(record.get("sentence", "")), record


def _licences(store: Store, result: SusceptibilityMap) -> Iterator[tuple[str, str]]:
    for one in result.inputs:
        record = store.dataset(one.dataset_id)
        made = "synthetic, made by a script" if record.synthetic else ""
        told = [part for part in (made, record.origin, record.licence, record.citation) if part]
        yield one.dataset_id, "; ".join(told) or "not stated"


def parts(content: MapInput) -> Iterator[Part | None]:
    """The parts of the report in their order."""
    result = content.result
    classes = classed(result, content.choice)
    yield _summary(content, classes)
    yield _map(content, classes)
    yield _worth(content)
    yield factors_part(result, result.unknown)
    yield _why(content)
    yield Part("rasters", "The rasters", (Items(result.layers),)) if result.layers else None
    yield Part("notes", "Notes", (Items(result.notes),)) if result.notes else None
    yield Part("words", "What the scores mean", (Items(MEANINGS),))
    yield origin.data(content)
    yield origin.provenance(content)


def _summary(content: MapInput, classes: Classed) -> Part:
    result = content.result
    said, scheme = verdict(result), judging_scheme(result)
    model, top = result.mapped[0], classes.rows[-1]
    figures = [
        KeyFigure(f"AUROC, {TITLES[scheme].lower()}", score(result.of(model, scheme, "auroc")), title_of(model)),  # type: ignore[index]
        KeyFigure("Mapped area", area(float(result.square_metres[0].sum())), f"{result.area[0].sum():,} cells"),
        KeyFigure(f"Area of the class {top.name}", percent(top.share), area(top.square_metres)),
    ]
    if top.share_of_hits == top.share_of_hits:
        held = KeyFigure(f"Landslides in the class {top.name}", percent(top.share_of_hits), f"{top.hits:,} cells")
        figures.append(held)
    boxes: list[Content] = [Paragraph(said.lead, lead=True)]
    if any("synthetic" in note for note in result.notes):
        boxes.append(Notice("Synthetic data", "Some of the data were computed by a script. Nothing in this report is "
                            "evidence about any place; use it to learn and to test."))  # fmt: skip
    if result.parents:
        boxes.append(Notice("Applied to another area", "The models were fitted and tested on another area. Their "
                            "scores say nothing sure of this one."))  # fmt: skip
    if result.prevalence is not None:
        boxes.append(Notice("A stated prevalence", f"With {percent(result.prevalence)} of the cells said to have a "
                            "landslide, the index can be turned into a probability (King and Zeng 2001). It is as good "
                            "as that share, and as the calibration of the model.", "note"))  # fmt: skip
    else:
        boxes.append(Notice("An index, no probability", "The index ranks places. It is no probability of a landslide, "
                            "as the share of landslides among the cells that models learnt from is not that of the "
                            "area.", "note"))  # fmt: skip
    return Part("summary", "What was found", (*boxes, KeyFigures(tuple(figures)), Items(said.others)))


def _map(content: MapInput, classes: Classed) -> Part:
    result = content.result
    names = {f"{row.name.capitalize()} ({row.low:.2f}–{row.high:.2f})": colour
             for row, colour in zip(classes.rows, classes.colours, strict=True)}  # fmt: skip
    drawn = draw_classes(
        result.artifact(result.role_of(classes.model)), result.grid, classes.breaks, names, content.slides,
        None if result.limit is None or "applicability" not in result.artifacts else result.artifact("applicability"),
        result.limit or 0.0,
    )  # fmt: skip
    title = title_of(classes.model)
    caption = f"{title}, classes by {METHODS[content.choice.classes].lower()}."
    if result.outside:
        caption += f" Hatched ({percent(result.outside)}): ground unlike all cells that the model learnt from."
    shown = picture(drawn, f"Map of landslide susceptibility in classes by {title}", caption)
    contents: list[Content] = [Pictures((shown,)), _class_table(classes)]
    if classes.note:
        contents.append(Notice("Classes and landslides", classes.note))
    found = curves_of(result, result.mapped.index(classes.model))
    if found:
        told = "; ".join(
            f"{name.split(':')[0].lower()} {score(one.under)}, the first tenth of the area holds "
            f"{percent(one.held_in(0.1))}"
            for name, one in found.items()
        )
        drawn = rate_chart({name: (one.area, one.hits) for name, one in found.items()})
        contents.append(Pictures((picture(drawn, "Success-rate and prediction-rate curves",
                                          f"How many landslides lie in how much of the area: {told}."),)))  # fmt: skip
    return Part("map", "The map", tuple(contents))


def _class_table(classes: Classed) -> Table:
    heads = ("Class", "Index", "Area", "Share of area", "Landslide cells", "Share of landslides", "Frequency ratio")
    rows = tuple(
        (row.name.capitalize(), f"{row.low:.2f} to {row.high:.2f}", area(row.square_metres), percent(row.share),
         f"{row.hits:,}", "–" if row.share_of_hits != row.share_of_hits else percent(row.share_of_hits),
         "–" if row.frequency_ratio != row.frequency_ratio else f"{row.frequency_ratio:.2f}")
        for row in classes.rows[::-1]
    )  # fmt: skip
    return Table("Classes", tuple(Column(head, number=at > 0) for at, head in enumerate(heads)), rows)


def _worth(content: MapInput) -> Part:
    """How well each model ranks, with the curves of the tested cells."""
    result, scheme = content.result, content.choice.scheme or judging_scheme(content.result)
    tables: list[Content] = [table_of_models(result, one) for one in result.schemes]
    tables += tables_of_settings(result)
    found = {title_of(name): curve for name, curve in curves(result, scheme).items()}
    drawn = roc_chart(found, title_of(result.mapped[0]))
    way = TITLES[scheme].lower()  # type: ignore[index]
    caption = f"ROC curves, {way}, first repeat: each cell is scored by a model that has not seen it."
    return Part("models", "How far it can be trusted",
                (*tables, Pictures((picture(drawn, "ROC curves of the models", caption),))))  # fmt: skip


def _why(content: MapInput) -> Part:
    shown: list[Content] = []
    for sentence, record in content.reasons:
        shown += [Heading(_asked(record)), Paragraph(sentence)]
        if record.get("importance"):
            drawn = contribution_chart(record["importance"], str(record.get("scale", "")))
            caption = "Mean size of each factor's contribution (SHAP values)."
            told = record.get("faithfulness")
            if told:
                caption += (
                    f" Replacing the factors that contribute most first changes what the model says "
                    f"{told['guided_area'] / max(told['random_area'], 1e-12):.2f} times as much as replacing any."
                )
            shown.append(Pictures((picture(drawn, "Contributions of the factors", caption),)))
            shown += _rules(record)
    if not shown:
        shown.append(Paragraph("No explanation had been requested when this report was made."))
    else:
        shown.insert(0, Paragraph("Contributions divide what a model says of a cell among its factors. They tell what "
                                  "the model reacted to, not what makes a slope fail."))  # fmt: skip
    return Part("why", "What the model reacted to", tuple(shown))


def _rules(record: dict[str, Any]) -> list[Content]:
    """The model's simple twin."""
    twin = record.get("twin")
    if not twin or twin["fidelity"] is None:
        return []
    heads = (Column("Where"), Column(f"Model says ({record.get('scale')})", number=True),
             Column("Share of cells", number=True))  # fmt: skip
    rows = tuple((one["rule"], f"{one['says']:+.2f}", percent(one["share"])) for one in twin["rules"])
    told = (
        f"A tree of at most four questions says nearly the same: R² {twin['fidelity']:.2f} on {twin['held_back']:,} "
        "cells that it was not fitted on. It stands beside the model, not in place of it."
    )
    return [Paragraph(told), Table("The model in rules", heads, rows)]


def _asked(record: dict[str, Any]) -> str:
    where = {"model": f"over {record.get('cells', 0):,} cells", "area": "on the map",
             "cell": f"of the cell at row {record.get('row')}, column {record.get('column')}"}  # fmt: skip
    return f"{title_of(str(record.get('model')))} {where.get(str(record.get('target')), '')}"


MAP = ReportKind("Landslide susceptibility from", gather, parts)
