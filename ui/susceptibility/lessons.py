"""What the page teaches: a tour from the map to the report, and exercises on factors and on honest scores."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from ui import resources
from ui.messages import tr, tr_noop
from ui.task.lessons import Exercise, Lessons, Step, Verdict
from ui.task.tried import tried_on

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from core.runs.records import Run
    from core.tasks.susceptibility.map_result import SusceptibilityMap

SAMPLE = "valley"
CLOSE = 0.005
"""How far a difference of AUROC may be off, which the page shows with three decimals."""


def sample_title() -> str:
    """Name of the elevation model of the sample, which runs on it are about."""
    from core.catalog.areas import sample_area

    return next(layer.name for layer in sample_area(SAMPLE).layers if layer.role == "dem")


def tour(run: Run | None) -> list[Step]:
    """Five steps, each with whether it was done."""
    address = {} if run is None else {"run": run.id}
    targets = None if run is None else _targets(run)
    scored = None if run is None else "Scores" in tried_on(run.id).tabs
    link = tr_noop("Open the map") if address else ""
    return [
        Step(tr_noop("Map the sample"),
             tr("Press *Map susceptibility*. Models are fitted to the landslides of the inventory "
             "and tested on cells not used for training."),
             run is not None, tr_noop("Open the sample"), {"sample": SAMPLE}),
        Step(tr_noop("Compare random and spatial validation"),
             tr("Open the tab *Scores*. Random validation tests on cells "
             "next to "
             "those used for fitting; spatial validation tests on other parts of the area."), scored, link, address),
        Step(tr_noop("Explain the model"),
             tr("Open the tab *Why* and explain the model over the area: which factors matter, "
             "and "
             "in which direction."), None if targets is None else "model" in targets, link, address),
        Step(tr_noop("Explain a cell"),
             tr("Click a cell on the map, and explain it in the tab *Why*."),
             None if targets is None else "cell" in targets, link, address),
        Step(tr_noop("Share the result"),
             tr("In the tab *Export*, write the report (web page and PDF) and copy the link."),
             None if run is None else run.artifact("report") is not None, link, address),
    ]  # fmt: skip


def _targets(run: Run) -> set[str]:
    """What finished explanations of a run are of."""
    return {str(one.parameters.get("target")) for one in _explanations(run)}


def _explanations(run: Run) -> list[Run]:
    return [one for one in resources.store().children(run.id, "explanation") if one.status == "done"]


def _result(run: Run) -> SusceptibilityMap:
    from core.tasks.susceptibility.map_result import SusceptibilityMap

    return resources.store().result(run.id, SusceptibilityMap)


def factors_of(run: Run) -> Sequence[str]:
    """Names of the factors, to choose one."""
    from core.wording import factor_words

    return [factor_words(name) for name in _result(run).factors]


def importance_of(run: Run) -> Mapping[str, float] | None:
    """Mean absolute contribution by factor, of the newest explanation of the first model; None without one."""
    from core.runs.result import RunResult
    from core.tasks.susceptibility.run_explanation import RECORD

    first = _result(run).mapped[0]
    asked = [
        one for one in _explanations(run)
        if one.parameters.get("target") == "model" and one.parameters.get("model") == first
    ]  # fmt: skip
    if not asked:
        return None
    newest = max(asked, key=lambda one: one.created)
    record: dict[str, Any] = json.loads(
        resources.store().result(newest.id, RunResult).artifact(RECORD).read_text(encoding="utf-8")
    )
    return {name: float(value) for name, value in record["importance"].items()}


def strongest_factor(run: Run, answer: float) -> Verdict:
    """Check the factor with the largest mean contribution to the model that is mapped first."""
    importance, factors = importance_of(run), _result(run).factors
    if importance is None:
        return Verdict(False, tr("The model is not explained yet. Open the tab Why of this run and explain the model."))
    asked, whole = factors[int(answer)], sum(importance.values()) or 1.0
    ordered = sorted(importance, key=importance.__getitem__, reverse=True)
    first, mine = ordered[0], importance.get(asked, 0.0)
    share = f"{asked.replace('_', ' ')} has {mine / whole:.0%} of the contributions".replace("%", " %")
    if mine >= importance[first]:
        after = "".join(f", ahead of {one.replace('_', ' ')}" for one in ordered[1:2])
        more = tr("A large contribution shows what the model uses, not what causes landslides.")
        return Verdict(True, f"Yes: {share}{after}. {more}")
    place = 1 + sum(value > mine for value in importance.values())
    return Verdict(
        False, tr("Not yet: {share}, place {place} of {count}.").format(share=share, place=place, count=len(importance))
    )


def optimism(run: Run, answer: float) -> Verdict:
    """Check by how much random validation is more optimistic than spatial validation, for the first model."""
    result = _result(run)
    model = result.mapped[0]
    if not {"random", "spatial"} <= set(result.schemes):
        return Verdict(False, tr("This run was not validated in both ways. Map the sample with random and spatial "
             "folds."))
    random, spatial = (result.of(model, scheme, "auroc") for scheme in ("random", "spatial"))
    if random != random or spatial != spatial:
        return Verdict(False, tr("AUROC of this run is undefined: too few landslides were in its folds."))
    said = f"AUROC is {random:.3f} with random folds and {spatial:.3f} with spatial folds"
    if abs(answer - (random - spatial)) <= CLOSE + 1e-9:
        more = tr("The spatial score is the one to expect where no landslide is known yet.")
        return Verdict(True, f"Yes. {said}, a difference of {random - spatial:.3f}. {more}")
    return Verdict(False, tr("Not yet. Subtract the AUROC of spatial folds from that of random folds, for the model "
             "that "
             "the map shows first. Both are in the tab Scores."))  # fmt: skip


LESSONS = Lessons(
    SAMPLE,
    tour,
    (
        Exercise(
            "strongest-factor", tr_noop("Which factor matters most?"),
            tr_noop("Explain the model in the tab *Why*, and find the factor with the largest mean contribution."),
            tr_noop("Factor"), 0.0, 0.0, 1.0, strongest_factor, factors_of,
        ),
        Exercise(
            "optimism", tr_noop("How optimistic is random validation?"),
            tr_noop("By how much is the AUROC with random folds higher than with spatial folds, for the model that "
             "the map "
            "shows first? The tab *Scores* lists both."),
            tr_noop("Difference of AUROC"), -1.0, 1.0, 0.001, optimism,
        ),
    ),
    title=sample_title,
    kind="susceptibility_map",
)  # fmt: skip
