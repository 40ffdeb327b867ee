"""The key figures of a mapping, above its map."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from ui.messages import tr
from ui.task.key_figures import KeyFigure, agreement_figures, peak_figure, undefined_note
from ui.task.view import area_text, whole_of

if TYPE_CHECKING:
    from core.tasks.mapping.findings import Landslides
    from core.tasks.mapping.result import MappingResult
    from core.tasks.mapping.view import Choice


def key_figures(result: MappingResult, choice: Choice, findings: Landslides | None) -> list[KeyFigure]:
    """What was found at a choice, and how far it agrees with the reference where there is one."""
    from core.report.words import percent
    from core.tasks.mapping.findings import score as scored
    from core.tasks.mapping.findings import share_reached

    reach = percent(share_reached(result, choice.threshold))
    figures = [KeyFigure(tr("Above threshold"), reach, tr("Share of the pixels of {whole_of}. Landslides are not "
                                                   "outlined yet.").format(whole_of=whole_of(result)))]
    if findings is not None:
        area = area_text(float(findings.areas.sum()), result.grid.in_metres)
        figures = [
            KeyFigure(tr("Landslides"), f"{findings.count:,}", tr("Landslides that touch count as one.")),
            KeyFigure(tr("Landslide area"), area),
            KeyFigure(
                tr("Share of {whole_of}").format(whole_of=whole_of(result)), percent(findings.share),
                tr("After minimum area and hole filling.") if result.partly_known else
                tr("After minimum area and hole filling. Before them, {reach} of the pixels reach the threshold. "
                   "The column “Above threshold” in the list of runs gives the share before them, at the "
                   "model's own threshold.").format(reach=reach),
            ),
        ]
    agreement = scored(result, choice.threshold)
    if agreement is not None:
        figures += agreement_figures(agreement.model, "mapped pixels", "landslide pixels of the reference")
        if (best := peak(result)) is not None:
            figures.append(peak_figure("threshold", *best, result.place))
    return figures


def scores_note(result: MappingResult, choice: Choice) -> str:
    """How little of the image the scores above the map are of, and which are undefined and why; empty for neither."""
    from core.tasks.mapping.findings import score as scored
    from core.tasks.mapping.report.agreement import coverage_words

    agreement = scored(result, choice.threshold)
    if agreement is None:
        return ""
    one = agreement.model
    found, known = one.true_positive + one.false_positive, one.true_positive + one.false_negative
    told = (coverage_words(agreement, result.place), undefined_note(one, "pixel", found, known))
    return " ".join(filter(None, told))


def peak(result: MappingResult) -> tuple[float, float] | None:
    """Threshold at which F1 is highest on this scene, to two decimals, and F1 there; None where none can be told."""
    from core.tasks.mapping.findings import score as scored

    agreement = scored(result, result.threshold)
    if agreement is None or math.isnan(agreement.model.recall) or agreement.peak is None:
        return None
    best = round(agreement.peak, 2)
    at_best = scored(result, best)
    assert at_best is not None  # noqa: S101  there is a reference
    return best, at_best.model.f1
