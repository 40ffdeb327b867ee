"""Two or more runs of one task beside each other: numbers, and what they were asked."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import TYPE_CHECKING

import streamlit as st

from core.errors import InputError
from core.review.corrected import Corrected
from core.runs.kinds import Metric, find_task
from core.runs.result import GridResult
from ui import labels, resources
from ui.feedback import plain
from ui.messages import tr
from ui.runs import selection
from ui.runs.parameter_diff import differing, same_or, told_apart
from ui.task.task import script_of

if TYPE_CHECKING:
    from pandas import DataFrame

    from core.raster.grid import Grid
    from core.runs.records import Run
    from core.runs.result import RunResult

LETTERS = "ABCDEF"

CLEAR = 0.01
"""Lead from which a score is called the highest; less is chance on one image."""


@dataclass(frozen=True)
class Compared:
    """A run with the letter by which the page calls it."""

    letter: str
    run: Run
    result: RunResult

    @property
    def name(self) -> str:
        """Letter and name."""
        return f"{self.letter} · {self.run.title}{labels.part(self.run)}"


def asked() -> list[Compared]:
    """The runs in the address, in its order; none without any.

    Raises
    ------
    InputError
        When they cannot be compared.
    """
    ids = list(dict.fromkeys(part.strip() for part in st.query_params.get("runs", "").split(",") if part.strip()))
    if not ids:
        return []
    if len(ids) < 2:
        raise InputError(tr("The address contains only one run."),
                         tr("A comparison needs at least two."), tr("Choose two or more runs."))
    if len(ids) > selection.MOST:
        raise InputError(
            tr("The address contains {count} runs.").format(count=len(ids)),
            remedy=tr("Choose {most} or fewer.").format(most=selection.MOST),
        )
    store = resources.store()
    runs = [store.run(identity) for identity in ids]
    why = selection.refusal(runs)
    if why:
        raise InputError(why)
    return [Compared(letter, run, store.result(run.id)) for letter, run in zip(LETTERS, runs, strict=False)]


def introduce(compared: Sequence[Compared]) -> None:
    """Say which run each letter stands for."""
    apart = told_apart([one.run for one in compared])
    for one in compared:
        run = one.run
        with st.container(horizontal=True, gap="small", vertical_alignment="center"):
            subject = run.subject.name if run.subject.name != run.title else ""
            facts = [subject, labels.model(run), same_or(apart, run), labels.moment(run.finished or run.created)]
            text = " · ".join(plain(part) for part in facts if part)
            st.markdown(f"**{one.letter}** · {plain(run.title)}{labels.part(run)} · {text}", width="content")
            st.page_link(script_of(run.task), label=tr("Open"), query_params={"run": run.id})
            st.page_link("../pages/read.py", label=tr("Reading view"), query_params={"run": run.id})


def show_metrics(compared: Sequence[Compared]) -> None:
    """Numbers of each run and of the colour index; the highest said in words, and only where they can be compared."""
    st.subheader(tr("Metrics"))
    fair = _fair(compared)
    title, index = _baseline(compared[0]) if fair else ("", {})
    heads = [*(one.letter for one in compared), *([tr(title)] if index else [])]
    rows = {}
    task = find_task(compared[0].run.task)
    for metric in task.metrics:
        name = metric.name
        values = [one.run.metrics.get(name) for one in compared] + ([index.get(name)] if index else [])
        if any(value is not None for value in values):
            texts, beside = _row(metric, values, best=fair), [one.result.beside_metrics().get(name) for one in compared]
            rows[tr(metric.title)] = [
                f"{text} ({told})" if told else text for text, told in zip_longest(texts, beside)
            ]
    if task.level:
        levels = [(one.result.provenance.get("model") or {}).get("threshold") for one in compared]
        texts = ["–" if level is None else f"{level:.2f}" for level in levels]
        rows[tr("{level} used for these metrics").format(level=tr(task.level))] = texts + ([""] if index else [])
    st.table(_frame(heads, rows), border="horizontal", width="content")
    st.caption(_caption(compared, fair))


def _row(metric: Metric, values: Sequence[float | None], *, best: bool) -> list[str]:
    known = sorted(
        (value for value in values if value is not None and not math.isnan(value)), reverse=metric.better == "low"
    )
    clear = best and bool(metric.better) and len(known) > 1 and abs(known[-1] - known[-2]) >= CLEAR
    word = f" **{tr('highest') if metric.better == 'high' else tr('lowest')}**"
    return [
        metric.text(value) + (word if clear and value is not None and value == known[-1] else "") for value in values
    ]


def _baseline(one: Compared) -> tuple[str, dict[str, float]]:
    """Name and numbers of what a run must be better than, where its task has such a thing; empty without."""
    return one.result.baseline_metrics()


def _fair(compared: Sequence[Compared]) -> bool:
    """Whether scores are of one image and one reference, so that the higher is the better."""
    return not _differ_in(compared) and all(one.result.has_reference for one in compared)


def _differ_in(compared: Sequence[Compared]) -> list[str]:
    """In which of the things the runs differ that must be alike for their scores to be compared."""
    needed = {
        tr("image"): [one.result.subject.digest for one in compared],
        tr("area"): [repr(_area(one)) for one in compared],
        tr("reference"): [_reference(one) for one in compared],
    }
    found = [name for name, values in needed.items() if len(set(values)) > 1]
    # The grid follows from image and area; it is named only where it alone differs.
    return found or ([tr("pixel grid")] if len({_grid(one) for one in compared}) > 1 else [])


def _grid(one: Compared) -> Grid | None:
    return one.result.grid if isinstance(one.result, GridResult) else None


def _reference(one: Compared) -> str:
    return str((one.result.provenance.get("truth") or {}).get("sha256", ""))


def _area(one: Compared) -> object:
    """Outline of the part that was looked at; None for all of the scene."""
    return (one.result.provenance.get("parameters") or {}).get("area")


def _caption(compared: Sequence[Compared], fair: bool) -> str:
    parts = [labels.counted_each(compared[0].run)]
    if fair:
        parts.append(
            tr("A value is marked highest or lowest if it leads by {clear:g} or more; one image shows little about "
            "which model is better elsewhere.").format(clear=CLEAR)
        )
        title, known = _baseline(compared[0])
        parts += [tr("The {title} is a formula that needs no training.").format(title=title.lower())] if known else []
    if any(one.result.has_reference for one in compared) and not fair:
        names = _differ_in(compared)
        parts.append(
            tr("The runs differ in: {names}. No score is marked as highest.").format(names=", ".join(names)) if names
            else tr("Not every run has a reference: no score is marked as highest.")
        )
    recorded = [one.result.provenance.get("scene") or {} for one in compared]
    if any(scene.get("seen_by_model") for scene in recorded):
        letters = ", ".join(
            one.letter for one, scene in zip(compared, recorded, strict=True) if scene.get("seen_by_model")
        )
        parts.append(tr("**The model of {letters} was trained or selected on this image.**").format(letters=letters))
    reviews = [one.letter for one in compared if (one.result.provenance.get("truth") or {}).get("review")]
    if reviews:
        parts.append(
            tr("**The reference of {letters} is a review of a model's result**, which repeats outlines of that model: "
               "the scores are high.").format(letters=", ".join(reviews))
        )
    corrected = [
        one.letter for one in compared if (one.result.provenance.get("table") or {}).get("corrected") is not None
    ]
    if corrected:
        parts.append(
            tr("**Labels of {letters} were corrected in a review** of the rows that a model contradicted: scores on "
               "them are not independent evidence.").format(letters=", ".join(corrected))
        )
        parts += [f"{one.letter}: {plain(said.words)}" for one in compared if (said := _corrected(one)) is not None]
    recorded += [one.result.provenance.get("table") or {} for one in compared]
    if any(scene.get("synthetic") for scene in recorded):
        parts.append(tr("Synthetic data are included: their scores test the software, not the skill on real terrain."))
    return " ".join(parts)


def _corrected(one: Compared) -> Corrected | None:
    """The review in which the labels of a run's table were corrected, where it is known in full."""
    record = (one.result.provenance.get("table") or {}).get("corrected")
    return None if record is None else Corrected.from_json(record)


def show_parameters(compared: Sequence[Compared]) -> None:
    """What the runs were asked and computed with, where they differ."""
    st.subheader(tr("Differences"))
    found = differing(compared[0].run.task, [one.result for one in compared])
    rows = {title: [plain(text) for text in texts] for title, texts in found}
    if not rows:
        st.markdown(tr("None: inputs, model, parameters, versions and machine are the same in all runs."))
        return
    st.table(_frame([one.letter for one in compared], rows), border="horizontal", width="content")
    st.caption(tr("Entries that are the same in all runs are not shown."))


def _frame(heads: Sequence[str], rows: dict[str, list[str]]) -> DataFrame:
    import pandas

    return pandas.DataFrame(list(rows.values()), index=[plain(title) for title in rows], columns=list(heads))
