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
from core.tasks.susceptibility.synthetic import ALL
from core.tasks.susceptibility.view import METHODS, Choice
from core.wording import count

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
        licences=dict(origin.sources_of(store, result.inputs)),
    )  # fmt: skip


def _reasons(store: Store, run: Run) -> Iterator[tuple[str, dict[str, Any]]]:
    """Sentence and record of each explanation; that of one cell with the contributions to it, as ``effects``."""
    import pandas

    from core.tasks.susceptibility.run_explanation import CONTRIBUTIONS, read_table

    for one in explanations_of(store, run)[:MOST_EXPLAINED]:
        stored = one.artifact("explanation")
        if stored is not None and stored.path.is_file():
            record = json.loads(stored.path.read_text(encoding="utf-8"))
            values = one.artifact(CONTRIBUTIONS)
            if record.get("target") == "cell" and values is not None and values.path.is_file():
                found, _ = read_table(pandas.read_parquet(values.path), record)
                record["effects"] = dict(zip(found.factors, found.values[0].tolist(), strict=True))
            yield str(record.get("sentence", "")), record


def parts(content: MapInput) -> Iterator[Part | None]:
    """The parts of the report in their order."""
    result = content.result
    classes = classed(result, content.choice)
    yield _summary(content, classes)
    yield _map(content, classes)
    yield _worth(content)
    yield factors_part(result, result.unknown)
    yield _why(content)
    yield Part("rasters", "Rasters", (Items(result.layers),)) if result.layers else None
    yield Part("notes", "Notes", (Items(result.notes),)) if result.notes else None
    yield Part("words", "Meaning of the scores", (Items(MEANINGS),))
    yield origin.data(content)
    yield origin.provenance(content)


def _summary(content: MapInput, classes: Classed) -> Part:
    result = content.result
    said, scheme = verdict(result), judging_scheme(result)
    model, top = result.mapped[0], classes.rows[-1]
    figures = [
        KeyFigure(f"AUROC, {TITLES[scheme].lower()}", score(result.of(model, scheme, "auroc")), title_of(model)),  # type: ignore[index]
        KeyFigure("Mapped area", area(float(result.square_metres[0].sum())), count(int(result.area[0].sum()), "cell")),
        KeyFigure(f"Area of class “{top.name}”", percent(top.share), area(top.square_metres)),
    ]
    if top.share_of_hits == top.share_of_hits:
        held = KeyFigure(f"Landslide cells in class “{top.name}”", percent(top.share_of_hits), count(top.hits, "cell"))
        figures.append(held)
    boxes: list[Content] = [Paragraph(said.lead, lead=True)]
    if any("synthetic" in note for note in result.notes):
        which = "The data" if ALL in result.notes else "Some of the data"
        boxes.append(Notice(
            "Synthetic data", f"{which} were generated by a script. Do not use anything here as evidence about a "
            "place; it is for learning and testing."))  # fmt: skip
    if result.parents:
        boxes.append(Notice("Applied to another area", "The models were fitted and tested on another "
                                                       "area. Their scores do not show how well they "
                                                       "perform here."))  # fmt: skip
    if result.prevalence is not None:
        boxes.append(Notice("Prevalence given", "At the given prevalence of "
                                                   f"{percent(result.prevalence)} (share of "
                                                   "cells with a landslide), the index can be "
                                                   "converted to a probability (King and Zeng "
                                                   "2001). Its reliability depends on that "
                                                   "share and on the calibration of the model.", "note"))  # fmt: skip
    else:
        boxes.append(Notice("Index, not probability", "The index ranks places. It is not the "
                                                        "probability of a landslide, because "
                                                        "the share of landslides among the "
                                                        "training cells differs from that in "
                                                        "the area.", "note"))  # fmt: skip
    return Part("summary", "Summary", (*boxes, KeyFigures(tuple(figures)), Items(said.others)))


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
    caption = f"{title}, classification: {METHODS[content.choice.classes].lower()}."
    if result.outside:
        caption += f" Hatched ({percent(result.outside)}): areas unlike all training cells."
    shown = picture(drawn, f"Map of landslide susceptibility classes by {title}", caption)
    contents: list[Content] = [Pictures((shown,)), _class_table(classes)]
    if classes.note:
        contents.append(Notice("Classes and landslide density", classes.note))
    found = curves_of(result, result.mapped.index(classes.model))
    if found:
        told = "; ".join(
            f"{name.split(':')[0].lower()} {score(one.under)}, the first 10 % of the area hold "
            f"{percent(one.held_in(0.1))} of the landslides"
            for name, one in found.items()
        )
        drawn = rate_chart({name: (one.area, one.hits) for name, one in found.items()})
        contents.append(Pictures((picture(drawn, "Success-rate and prediction-rate curves",
                                          "Share of landslide cells by share of the area, highest index "
                                          f"first: {told}."),)))  # fmt: skip
    return Part("map", "Map", tuple(contents))


def _class_table(classes: Classed) -> Table:
    heads = (
        "Class", "Index", "Area", "Share of area", "Landslide cells", "Share of landslide cells", "Frequency ratio",
    )  # fmt: skip
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
    caption = f"ROC curves, {way}, first repeat: each cell is scored by a model that was not trained on it."
    return Part("models", "Validation",
                (*tables, Pictures((picture(drawn, "ROC curves of the models", caption),))))  # fmt: skip


def _why(content: MapInput) -> Part:
    shown: list[Content] = []
    for sentence, record in content.reasons:
        shown += [Heading(_asked(record)), Paragraph(sentence)]
        if record.get("effects"):
            drawn = contribution_chart(record["effects"], str(record.get("scale", "")), signed=True)
            caption = "Contribution of each factor to this cell (SHAP values). Red-orange: raised it. Blue: lowered it."
            shown.append(Pictures((picture(drawn, "Factor contributions to one cell", caption),)))
        elif record.get("importance"):
            drawn = contribution_chart(record["importance"], str(record.get("scale", "")))
            caption = "Mean absolute contribution of each factor (SHAP values)."
            told = record.get("faithfulness")
            if told:
                caption += (
                    " Replacing factors in order of their contribution changes the model output "
                    f"{told['guided_area'] / max(told['random_area'], 1e-12):.2f} times as much as replacing them in "
                    "random order."
                )
            shown.append(Pictures((picture(drawn, "Factor contributions", caption),)))
            shown += _rules(record)
    if not shown:
        shown.append(Paragraph("No explanation was requested."))
    else:
        shown.insert(0, Paragraph("Contributions divide the model output for a cell among its factors. "
                                  "They show what the model reacted to, not the cause of a slope "
                                  "failure."))  # fmt: skip
    return Part("why", "Explanation of the model", tuple(shown))


def _rules(record: dict[str, Any]) -> list[Content]:
    """The model's simple twin."""
    twin = record.get("twin")
    if not twin or twin["fidelity"] is None:
        return []
    heads = (Column("Condition"), Column(f"Model output ({record.get('scale')})", number=True),
             Column("Share of cells", number=True))  # fmt: skip
    rows = tuple((one["rule"], f"{one['says']:+.2f}", percent(one["share"])) for one in twin["rules"])
    told = (
        f"A tree of at most four levels approximates the model: R² {twin['fidelity']:.2f} on "
        f"{count(twin['held_back'], 'cell')} not used to fit the tree. It illustrates the model and does not replace "
        "it."
    )
    return [Paragraph(told), Table("Approximate rules of the model", heads, rows)]


def _asked(record: dict[str, Any]) -> str:
    where = {"model": f"over {count(record.get('cells', 0), 'cell')}", "area": "on the map",
             "cell": f"for the cell at row {record.get('row')}, column {record.get('column')}"}  # fmt: skip
    return f"{title_of(str(record.get('model')))} {where.get(str(record.get('target')), '')}"


MAP = ReportKind("Landslide susceptibility from", gather, parts)
