"""The page of the guide, made of what the tasks declare that they teach."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import streamlit as st

from core.glossary import groups
from ui import labels
from ui.feedback import guard, plain
from ui.messages import language, tr
from ui.state import Slot
from ui.task.lessons import Lessons, Step, is_own, runs_on_sample
from ui.task.task import TaskPage, task_pages

if TYPE_CHECKING:
    from core.runs.records import Run
    from ui.task.lessons import Exercise, Verdict


def taught() -> Mapping[str, Lessons]:
    """What tasks teach, by the name of the task."""
    return {name: page.lessons.load() for name, page in task_pages().items() if page.lessons is not None}


@dataclass(frozen=True)
class _Answered:
    """An answer of the visitor's, and what its check said.

    Attributes
    ----------
    answer
        The number; None without any.
    verdict
        None until it is checked.
    language
        In which the verdict is.
    """

    answer: float | None
    verdict: Verdict | None = None
    language: str = ""


_TASK: Slot[str] = Slot("guide-task", "")
"""Name of the task that the visitor chose; empty before."""

_RUNS: Slot[Mapping[str, str]] = Slot("guide-runs", {})
"""Id of the run that the visitor chose, by the name of the task."""

_ANSWERS: Slot[Mapping[str, _Answered]] = Slot("guide-answers", {})
"""The visitor's answers, by exercise and run."""


def show() -> None:
    """Show tour, exercises and glossary."""
    learn, glossary = st.tabs([tr("Tour and exercises"), tr("Glossary")])
    with learn, guard():
        _lessons()
    with glossary, guard():
        _glossary()


def _lessons() -> None:
    """Tour and exercises of the task and of the run that are chosen above both."""
    known = taught()
    chosen = _choose(known)
    lessons = known[chosen.name]
    run = _choose_run(chosen.name, runs_on_sample(chosen.name, lessons))
    st.subheader(tr("Tour"), anchor=False)
    st.markdown(tr(
        "Short steps on the synthetic sample. A check mark shows what has been done on the run above; moved sliders "
        "and opened tabs count in this browser window only."
    ))  # fmt: skip
    for number, step in enumerate(lessons.tour(run), start=1):
        _step(chosen, number, step, run)
    if lessons.exercises:
        st.subheader(tr("Exercises"), anchor=False)
        with guard():
            _exercises(chosen, lessons, run)


def _choose(known: Mapping[str, Lessons]) -> TaskPage:
    """The task that is learnt about; asked where there are several."""
    pages, names, key = task_pages(), list(known), "guide-of"
    if len(names) == 1:
        return pages[names[0]]
    if st.session_state.get(key) not in names:
        begun = (name for name in names if runs_on_sample(name, known[name]))
        st.session_state[key] = _TASK.get() if _TASK.get() in names else next(begun, names[0])
    picked = st.segmented_control(
        tr("Task"), names, format_func=lambda name: tr(pages[name].task.title), key=key,
        label_visibility="collapsed", required=True, on_change=lambda: _TASK.put(str(st.session_state[key])),
    )  # fmt: skip
    return pages[str(picked)]


def _choose_run(task: str, known: list[Run]) -> Run | None:
    """The run that is looked at: asked where there are several, with those of this browser session first."""
    titles = {
        run.id: " · ".join([
            labels.moment(run.created), *([labels.model_title(run.task, run.model)] if run.model else []),
            run.id[:8], *([tr("started here")] if is_own(run) else []),
        ])
        for run in known
    }  # fmt: skip
    if len(known) < 2:
        st.caption(tr("Run of the sample: {run}").format(run=plain(next(iter(titles.values()), tr("none yet")))))
        return known[0] if known else None
    key = f"guide-run-{task}"
    if st.session_state.get(key) not in titles:
        kept = _RUNS.get().get(task, "")
        st.session_state[key] = kept if kept in titles else known[0].id
    picked = st.selectbox(
        tr("Run of the sample"), list(titles), format_func=titles.__getitem__, key=key, width=520,
        help=tr("Tour and exercises look at this run. Runs that were started in this browser window come first."),
        on_change=lambda: _RUNS.put({**_RUNS.get(), task: str(st.session_state[key])}),
    )  # fmt: skip
    return next(run for run in known if run.id == picked)


def _step(page: TaskPage, number: int, step: Step, run: Run | None) -> None:
    with st.container(border=True):
        mark = f" :material/check: {tr('done')}" if step.done else ""
        st.markdown(f"**{number}. {tr(step.title)}**{mark}  \n{tr(step.text)}")
        if run is not None and step.done is None:
            st.caption(tr("This step is not checked."))
        if step.link:
            st.page_link(page.page, label=tr(step.link), query_params=dict(step.address))


def _exercises(page: TaskPage, lessons: Lessons, run: Run | None) -> None:
    st.markdown(tr("Questions about the run above. Each check explains its answer."))
    if run is None:
        st.info(tr("There is no finished run of the sample yet."))
        st.page_link(page.page, label=tr(page.card.button), query_params=dict(page.card.address))
        return
    st.page_link(page.page, label=tr("Open this run"), query_params={"run": run.id})
    for exercise in lessons.exercises:
        _exercise(exercise, run)


def _exercise(exercise: Exercise, run: Run) -> None:
    """A question, the answer and what its check said, which stay until the answer is changed."""
    with st.container(border=True):
        st.markdown(f"**{tr(exercise.title)}**  \n{tr(exercise.text)}")
        key = f"{exercise.name}-{run.id}"
        known = _ANSWERS.get().get(key, _Answered(None))
        with st.container(horizontal=True, vertical_alignment="bottom"):
            answer = _answer(exercise, run, f"answer-{key}", known.answer)
            pressed = st.button(tr("Check"), key=f"check-{key}", disabled=answer is None)
        if answer != known.answer:
            known = _Answered(answer)
        if answer is not None and (pressed or (known.verdict is not None and known.language != language())):
            known = _Answered(answer, exercise.check(run, answer), language())
        _ANSWERS.put({**_ANSWERS.get(), key: known})
        if known.verdict is not None:
            (st.success if known.verdict.right else st.warning)(known.verdict.words)


def _answer(exercise: Exercise, run: Run, key: str, known: float | None) -> float | None:
    """The visitor's answer: a number, or the place of one of several names; None without any.

    Parameters
    ----------
    known
        What was answered before, also where the page was left since.
    """
    if exercise.choices is None:
        st.session_state.setdefault(key, known)
        answer = st.number_input(
            tr(exercise.asks), exercise.low, exercise.high, value=None, step=exercise.step, key=key, width=260
        )  # fmt: skip
        return None if answer is None else float(answer)
    names = list(exercise.choices(run))
    st.session_state.setdefault(key, None if known is None else names[int(known)])
    chosen = st.selectbox(tr(exercise.asks), names, None, placeholder=tr("Choose one"), key=key, width=260)
    return None if chosen is None else float(names.index(chosen))


def _glossary() -> None:
    wanted = st.text_input(tr("Find a term"), key="find-term", placeholder=tr("for example IoU")).strip().casefold()
    found = False
    for group, listed in groups().items():
        shown = [one for one in listed if wanted in f"{one.title} {one.short} {one.more}".casefold()]
        if not shown:
            continue
        found = True
        st.subheader(group, anchor=False)
        for term in shown:
            parts = [term.short, term.more, f"*{term.source}*" if term.source else ""]
            st.markdown(f"**{term.title}**  \n{' '.join(part for part in parts if part)}")
    if not found:
        st.info(tr("No matching term."))
