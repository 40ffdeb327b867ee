"""The page of the guide, made of what the tasks declare that they teach."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import streamlit as st

from core.glossary import groups
from ui import labels
from ui.feedback import guard, plain
from ui.messages import tr
from ui.task.lessons import Lessons, Step, is_own, runs_on_sample
from ui.task.task import TaskPage, task_pages

if TYPE_CHECKING:
    from core.runs.records import Run
    from ui.task.lessons import Exercise


def taught() -> Mapping[str, Lessons]:
    """What tasks teach, by the name of the task."""
    return {name: page.lessons.load() for name, page in task_pages().items() if page.lessons is not None}


def show() -> None:
    """Show tour, exercises and glossary."""
    tour, exercises, glossary = st.tabs([tr("Tour"), tr("Exercises"), tr("Glossary")])
    with tour, guard():
        _tours()
    with exercises, guard():
        _exercises()
    with glossary, guard():
        _glossary()


def _tours() -> None:
    st.markdown(tr("Short steps on the synthetic sample. A check mark shows what has been done on the run below."))
    known = taught()
    chosen = _choose(list(known), "tour-of")
    lessons = known[chosen.name]
    run = _choose_run(runs_on_sample(chosen.name, lessons), f"tour-run-{chosen.name}")
    for number, step in enumerate(lessons.tour(run), start=1):
        _step(chosen, number, step)


def _choose(names: list[str], key: str) -> TaskPage:
    """The task that is learnt about; asked where there are several."""
    pages, lessons = task_pages(), taught()
    if len(names) == 1:
        return pages[names[0]]
    begun = (name for name in names if runs_on_sample(name, lessons[name]))
    picked = st.segmented_control(
        tr("Task"), names, default=next(begun, names[0]), format_func=lambda name: pages[name].task.title, key=key,
        label_visibility="collapsed", required=True,
    )  # fmt: skip
    return pages[str(picked)]


def _choose_run(known: list[Run], key: str) -> Run | None:
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
    picked = st.selectbox(
        tr("Run of the sample"), list(titles), format_func=titles.__getitem__, key=key, width=520,
        help=tr("Runs that were started in this browser window come first."),
    )  # fmt: skip
    return next(run for run in known if run.id == picked)


def _step(page: TaskPage, number: int, step: Step) -> None:
    with st.container(border=True):
        mark = " :material/check: done" if step.done else ""
        st.markdown(f"**{number}. {tr(step.title)}**{mark}  \n{tr(step.text)}")
        if step.link:
            st.page_link(page.page, label=tr(step.link), query_params=dict(step.address))


def _exercises() -> None:
    known = {name: lessons for name, lessons in taught().items() if lessons.exercises}
    st.markdown(tr("Exercises on a run of the sample. Each check explains its answer."))
    chosen = _choose(list(known), "exercises-of")
    lessons = known[chosen.name]
    run = _choose_run(runs_on_sample(chosen.name, lessons), f"exercises-run-{chosen.name}")
    if run is None:
        st.info(tr("There is no finished run of the sample yet."))
        st.page_link(chosen.page, label=tr(chosen.card.button), query_params=dict(chosen.card.address))
        return
    st.page_link(chosen.page, label=tr("Open this run"), query_params={"run": run.id})
    for exercise in lessons.exercises:
        _exercise(exercise, run)


def _exercise(exercise: Exercise, run: Run) -> None:
    with st.container(border=True):
        st.markdown(f"**{tr(exercise.title)}**  \n{tr(exercise.text)}")
        key = f"{exercise.name}-{run.id}"
        with st.container(horizontal=True, vertical_alignment="bottom"):
            answer = _answer(exercise, run, f"answer-{key}")
            pressed = st.button(tr("Check"), key=f"check-{key}", disabled=answer is None)
        if pressed and answer is not None:
            verdict = exercise.check(run, float(answer))
            (st.success if verdict.right else st.warning)(verdict.words)


def _answer(exercise: Exercise, run: Run, key: str) -> float | None:
    """The visitor's answer: a number, or the place of one of several names; None without any."""
    if exercise.choices is None:
        return st.number_input(
            tr(exercise.asks), exercise.low, exercise.high, value=None, step=exercise.step, key=key, width=260
        )  # fmt: skip
    names = list(exercise.choices(run))
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
