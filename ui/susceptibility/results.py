"""What a validation found: which model ranks best, all scores, curves, files and where they came from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePath
from typing import TYPE_CHECKING

import streamlit as st

from core.tasks.susceptibility.map_result import SusceptibilityMap
from core.tasks.susceptibility.result import CELLS, SCORES, SusceptibilityResult
from core.wording import within
from ui import resources
from ui.choices import in_address
from ui.feedback import plain
from ui.maps import MapEvent
from ui.messages import tr, tr_noop
from ui.susceptibility import factors_tab, scores, why
from ui.susceptibility.source import SOURCE
from ui.task import explained, export, provenance
from ui.task.key_figures import KeyFigure, show_key_figures
from ui.task.notes import show_lead
from ui.task.selection import Selection
from ui.task.tabs import open_tab, show_tabs
from ui.task.view import view_from_address

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from core.runs.records import Run
    from core.tasks.susceptibility.view import Choice
    from ui.task.task import TaskPage

@dataclass(frozen=True)
class Shown:
    """What the tabs are given: the run's result, and what of it is looked at."""

    result: SusceptibilityResult
    choice: Choice


def show(task: TaskPage, found: Run) -> None:
    """The result of a finished run."""
    from core.tasks.susceptibility.folds import TITLES
    from core.tasks.susceptibility.models import title_of
    from core.tasks.susceptibility.view import Choice

    result = resources.store().result(found.id, SusceptibilityResult)
    view_from_address(found).checked(result)
    default = Choice.default(result)
    headline(result)
    row = st.container(horizontal=True, vertical_alignment="bottom")
    with row:
        schemes = {name: TITLES[name] for name in result.schemes}
        scheme = in_address(tr("Show"), schemes, default.scheme, key="scheme")
        models = {name: title_of(name) for name in result.models}
        model = in_address(tr("Model"), models, default.model, key="shown")
    parts = {
        "Findings": findings, "Review": review, "Scores": scores.show, "Factors": factors_tab.show, "Why": why.show,
        "Export": export_tab, "Provenance": _provenance,
    }  # fmt: skip
    if open_tab(task.name) != "Review":  # which has a map, and follows the address by itself
        Selection(result.id).follow(MapEvent(), None)
    wanted = "Why" if explained.led_here(task.name) else ""
    show_tabs(task.name, parts, Shown(result, Choice(scheme, model)), wanted)


def _correction(result: SusceptibilityResult) -> str:
    """In which review the labels of a table were corrected, and what follows; empty for runs that did not record it."""
    from core.review.corrected import CAUTION, Corrected

    known = Corrected.from_json((result.provenance.get("table") or {}).get("corrected") or {})
    if known is None:
        return ""
    attributes = "".join(f"\n- {plain(one)}" for one in known.attributes)
    return f"**{plain(CAUTION)}**\n\n{plain(known.words)}\n{attributes}"


def headline(result: SusceptibilityResult, *, folded: bool = False, further: Sequence[KeyFigure] = ()) -> None:
    """Which model ranks best, in words and figures, and notes.

    Parameters
    ----------
    folded
        Whether all but the one sentence and the figures is folded, to leave room for a map.
    further
        Figures beside those of the test.
    """
    from core.tasks.susceptibility.findings import best, verdict
    from core.tasks.susceptibility.folds import TITLES
    from core.tasks.susceptibility.models import title_of
    from core.tasks.susceptibility.run import CORRECTED

    said = verdict(result)
    show_lead(said.lead, result.id)
    for note in result.notes:
        if note.startswith(CORRECTED):
            st.warning(_correction(result) or plain(note))
    figures, firsts = [], []
    for scheme in result.schemes:
        first = best(result, scheme)
        firsts.append(f"{title_of(first)} ({within(TITLES[scheme].split(' (')[0])})")  # type: ignore[index]
        figures.append(
            KeyFigure(
                tr("Best AUROC · {titles}").format(titles=TITLES[scheme].split(" (")[0].lower()),  # type: ignore[index]
                f"{result.of(first, scheme, 'auroc'):.3f}",
                tr("{title_of}: mean over folds and repeats. 0.5 is chance, 1 is perfect.").format(
                    title_of=title_of(first)
                ),
            )
        )
    figures.append(
        KeyFigure(
            tr("Cells"),
            f"{result.count:,}",
            tr("{landslides:,} of them are landslide cells.").format(landslides=result.landslides),
        )
    )
    named = tr("Best AUROC: {models}.").format(models=", ".join(firsts))
    show_key_figures([*figures, *further], "" if folded else named)  # the map must be seen with its figures
    notes = [one for one in result.notes if not one.startswith(CORRECTED)]
    told = [f"- {plain(one)}" for one in said.others], [f"- {plain(one)}" for one in notes]
    if folded:
        with st.expander(tr("Basis and limitations ({count})").format(count=len(told[0]) + len(told[1]))):
            st.markdown("\n".join([*told[0], *told[1]]))
        return
    st.markdown("\n".join(told[0]))
    if told[1]:
        with st.expander(
            tr("Notes on how the table was read ({count})").format(count=len(told[1]))
        ):
            st.markdown("\n".join(told[1]))


def findings(view: Shown) -> None:
    """AUROC of all models with their intervals."""
    from core.tasks.susceptibility.plots import auroc_figure

    st.plotly_chart(auroc_figure(view.result), key=f"auroc-{view.result.id}", config=scores.PLAIN_CHART)
    st.caption(
        tr("Each symbol is the mean AUROC over folds and repeats; the line is its 95 % interval (DeLong). Models with "
        "widely overlapping lines cannot be ranked with this number of cells.")
    )


def review(view: Shown) -> None:
    """The labels of the table."""
    from ui.task import label_tab

    run = resources.store().run(view.result.id)
    table = resources.store().dataset(view.result.subject.dataset_id)

    def again(corrected: Path, origin: str) -> None:
        stem = PurePath(table.name).stem
        with corrected.open("rb") as file:
            name = f"{stem}, labels corrected (review of {run.id[:8]})"
            made = resources.store().upload_dataset(file, name, table.form, made_from=table, origin=origin)
        SOURCE.use(made, prefill=run.id)

    label_tab.show(run, view.choice, again)


FACTOR = "factor"
"""Query parameter with the factor that a map shows."""


def export_tab(view: Shown) -> None:
    """The report and files."""
    result, choice = view.result, view.choice
    values = export.values_of(choice)
    if FACTOR in st.query_params:
        values[FACTOR] = st.query_params[FACTOR]
    content = tr_noop("scores with their limitations, charts, explanations, the review of the labels")
    if isinstance(result, SusceptibilityMap):
        content = tr_noop("maps, charts, explanations, scores with their limitations")
    export.show_report(result, choice, values, "The report holds the scores", content)
    run = resources.store().run(result.id)
    export.link(run, SCORES, "All scores, machine-readable")
    export.link(run, CELLS, "Design matrix: cells, factors, folds and held-out score of each model")


def _provenance(view: Shown) -> None:
    record = resources.store().dataset(view.result.subject.dataset_id)
    provenance.show_record(view.result, record.origin)
