"""The report of a validation."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from core.report import origin
from core.report.content import ReportInput, ReportKind
from core.report.labels import labels_of, labels_part
from core.report.parts import (
    Column,
    Content,
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
from core.report.words import score
from core.series.words import signed
from core.tasks.susceptibility.factor_report import factors_part
from core.tasks.susceptibility.findings import best, curves, interval, settings_table, verdict
from core.tasks.susceptibility.folds import TITLES
from core.tasks.susceptibility.held_out import rows_of
from core.tasks.susceptibility.map_figure import roc_chart
from core.tasks.susceptibility.models import title_of
from core.tasks.susceptibility.reason_report import Reason, reasons_of, reasons_part
from core.tasks.susceptibility.result import SusceptibilityResult
from core.tasks.susceptibility.run import CORRECTED
from core.tasks.susceptibility.tuning import TITLES as TUNINGS
from core.tasks.susceptibility.view import Choice
from core.wording import count

if TYPE_CHECKING:
    from core.review.labels import OpenedLabels
    from core.runs.records import Run
    from core.runs.store import Store


@dataclass(frozen=True)
class ValidationInput(ReportInput):
    """A validation as it is reported, at a choice."""

    result: SusceptibilityResult
    choice: Choice = Choice()
    labels: OpenedLabels | None = None
    reasons: tuple[Reason, ...] = ()

    def key(self) -> tuple[str, ...]:
        """See `ReportInput`; the review of labels changes as well."""
        edits = "" if self.labels is None else str(self.labels.review.number)
        return (*super().key(), edits, *(sentence for sentence, _ in self.reasons))


def gather(store: Store, run: Run, view: Choice | None) -> ValidationInput:
    """Content of the report of a run."""
    result = store.result(run.id, SusceptibilityResult)
    choice = view or Choice.default(result)
    return ValidationInput(
        run.task, run.kind, result, datetime.now(UTC), name=run.name, note=run.note, tags=run.tags,
        choice=choice, labels=labels_of(store, run, choice),
        licences=dict(origin.sources_of(store, result.inputs)), reasons=tuple(reasons_of(store, run)),
    )  # fmt: skip


def parts(content: ValidationInput) -> Iterator[Part | None]:
    """The parts of the report in their order."""
    result = content.result
    said = verdict(result)
    figures = tuple(
        KeyFigure(
            f"AUROC, {TITLES[scheme].lower()}",  # type: ignore[index]
            score(result.of(best(result, scheme), scheme, "auroc")),
            title_of(best(result, scheme)),
        )
        for scheme in result.schemes
    )
    caution = next((note for note in result.notes if note.startswith(CORRECTED)), "")
    boxes = [Notice("Corrected labels", caution.removeprefix(CORRECTED))] if caution else []
    others = tuple(note for note in result.notes if note != caution)
    yield Part("summary", "Summary", (Paragraph(said.lead, lead=True), *boxes, KeyFigures(figures), Items(said.others)))
    yield models_part("Scores of the models", result, content.choice.scheme, content.choice.model)
    yield factors_part(result)
    yield reasons_part(content.reasons, rows_of(result)) if content.reasons else None
    yield labels_part(content.labels)
    yield Part("notes", "Notes", (Items(others),)) if others else None
    yield Part("words", "Meaning of the scores", (Items(MEANINGS),))
    yield origin.data(content)
    yield origin.provenance(content, settings(result.provenance.get("parameters") or {}))


def settings(asked: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """How a table was read and models were validated, in words; what is not recorded is left out."""
    columns = asked.get("columns") or {}
    named = {"Label": "target", "Value for landslides": "positive", "Study area": "group", "Event": "date"}
    yield from ((title, str(columns[name])) for title, name in named.items() if columns.get(name))
    if columns.get("x"):
        system = f" ({columns['crs']})" if columns.get("crs") else ""
        yield "Coordinates", f"{columns['x']}, {columns['y']}{system}"
    if asked.get("models"):
        yield "Models", ", ".join(map(title_of, asked["models"]))
    if asked.get("schemes"):
        yield "Validation", ", ".join(TITLES[one].lower() for one in asked["schemes"])
    for name, title in (("folds", "Folds"), ("repeats", "Repeats"), ("seed", "Seed")):
        if asked.get(name) is not None:
            yield title, f"{asked[name]:,}"
    if asked.get("tuning"):
        tried = f", {count(asked['trials'], 'trial')}" if asked["tuning"] != "none" else ""
        yield "Tuning", f"{TUNINGS[asked['tuning']]}{tried}"
    if asked.get("weights"):
        yield "Weights", "both classes weigh the same" if asked["weights"] == "balanced" else "none"


def models_part(title: str, result: SusceptibilityResult, scheme: str, front: str) -> Part:
    """How well each model ranks, with the curves of the tested cells.

    Parameters
    ----------
    scheme
        Way of dividing that the curves are of.
    front
        Model whose curve is in front.
    """
    tables: list[Content] = [table_of_models(result, one) for one in result.schemes]
    tables += tables_of_settings(result)
    found = {title_of(name): curve for name, curve in curves(result, scheme).items()}
    drawn = roc_chart(found, title_of(front))
    way = TITLES[scheme].lower()  # type: ignore[index]
    caption = f"ROC curves, {way}, first repeat: each cell is scored by a model that was not trained on it."
    caption += " Grey: the other models." if len(found) > 1 else ""
    return Part("models", title, (*tables, Pictures((picture(drawn, "ROC curves of the models", caption),))))


MEANINGS = (
    "AUROC: probability that a cell with a landslide gets a higher score than one without. 0.5 is chance, 1 is "
    "perfect. The interval (95 %, DeLong) shows the uncertainty due to the cells being a sample.",
    "Spread: standard deviation of the AUROC over repeats, each with a different division of the cells.",
    "Training cells: AUROC on the cells that the model was fitted to (success rate). If it is much higher than the "
    "AUROC, the model is overfitted.",
    "Brier: mean squared error of the scores, read as probabilities; lower is better.",
    "F1: harmonic mean of precision and recall, at the cut-off that best separates the training cells (Youden's J).",
    "Difference and p: AUROC minus that of logistic regression on the same folds, and the probability of a difference "
    "at least as large by chance (paired DeLong test, not corrected for the number of models).",
)


def table_of_models(result: SusceptibilityResult, scheme: str) -> Table:
    """Scores of all models by one way of dividing."""
    heads = ("Model", "AUROC", "95 % interval", "Spread", "Training cells", "Brier", "F1", "Difference", "p")
    rows = []
    for model in result.models:
        values = [result.of(model, scheme, name) for name in ("auroc_sd", "auroc_fitted", "brier", "f1")]
        difference, chance = (result.of(model, scheme, name) for name in ("difference", "p_value"))
        rows.append(
            (title_of(model), score(result.of(model, scheme, "auroc")), interval(result, model, scheme),
            *map(_or_dash, values), "–" if difference != difference else signed(difference, "+.3f"), _or_dash(chance))
        )  # fmt: skip
    columns = tuple(Column(head, number=bool(at)) for at, head in enumerate(heads))
    return Table(TITLES[scheme], columns, tuple(rows))  # type: ignore[index]


def tables_of_settings(result: SusceptibilityResult) -> tuple[Table, ...]:
    """Settings that most fits chose, a table for each way of dividing; none without tuning."""
    columns = (Column("Model"), Column("Setting"), Column("Value"))
    made = ((scheme, settings_table(result, scheme)) for scheme in result.schemes)
    return tuple(
        Table(f"Selected settings, {TITLES[scheme].lower()}", columns,  # type: ignore[index]
              tuple(chosen.itertuples(index=False, name=None)))
        for scheme, chosen in made if not chosen.empty
    )  # fmt: skip


def _or_dash(value: float) -> str:
    return "–" if value != value else f"{value:.3f}"


VALIDATION = ReportKind("Susceptibility models validated on", gather, parts)
