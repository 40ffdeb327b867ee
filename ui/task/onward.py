"""Taking data from one task to another: what a page shows now, and what other pages can do with it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

import streamlit as st

from core.errors import InputError
from ui import resources
from ui.feedback import plain
from ui.messages import tr
from ui.state import Slot
from ui.task import input_picker, kept
from ui.task.task import task_pages

if TYPE_CHECKING:
    from core.runs.records import DatasetRecord, Form, Run, SceneRecord
    from ui.task.task import Taken, TaskPage


@dataclass(frozen=True)
class Given:
    """A dataset that a page shows.

    Attributes
    ----------
    role
        What it is to the page's task.
    id, form, name
        Of the dataset.
    placed
        Whether it is known where on Earth it lies, as far as the page knows.
    """

    role: str
    id: str
    form: Form
    name: str
    placed: bool = True


_GIVEN: Slot[Mapping[str, tuple[Given, ...]]] = Slot("given-data", {})
"""What each page showed last, by its name."""


def of_scene(record: SceneRecord, role: str) -> tuple[Given, ...]:
    """A scene, with the elevation and the inventory that belong to it."""
    placed = record.scene.grid.is_georeferenced
    scene = Given(role, record.id, "raster", record.scene.name, placed)
    return (scene, *(Given(beside, one.id, one.form, one.name, placed) for beside, one in record.companions.items()))


def of_datasets(by_role: Sequence[tuple[str, DatasetRecord | None]]) -> tuple[Given, ...]:
    """Datasets by their roles, without those that are not chosen."""
    return tuple(Given(role, one.id, one.form, one.name) for role, one in by_role if one is not None)


def of_run(run: Run) -> tuple[Given, ...]:
    """The inputs of a run that are still in the store."""
    known = []
    for one in run.inputs:
        with suppress(InputError):
            known.append((one.role, resources.store().dataset(one.dataset_id)))
    return of_datasets(known)


def show(task: TaskPage, given: Sequence[Given]) -> None:
    """Links to what the other tasks can do with the data of a page, and a note of these data for the other pages."""
    _GIVEN.put({**_GIVEN.get(), task.name: tuple(given)})
    offers = [(other, taken, one) for other, taken, one in _offers(given) if other.name != task.name]
    if not offers:
        return
    with st.container(gap="xxsmall", key="onward"):
        st.caption(tr("Use this data in another task"))
        for other, taken, one in offers:
            st.page_link(
                other.page, label=tr(taken.words), query_params=_address(other, taken, one), help=plain(one.name)
            )


def offer_here(task: TaskPage, without: Sequence[str] = ()) -> None:
    """On a page that lacks data: buttons that take up what the other pages show.

    Parameters
    ----------
    without
        Ids of the datasets that it has.
    """
    known = [one for page, given in _GIVEN.get().items() if page != task.name for one in given]
    seen: set[tuple[str, str]] = set()
    for other, taken, one in _offers(known):
        if other.name == task.name and one.id not in without and (taken.key, one.id) not in seen:
            seen.add((taken.key, one.id))
            if st.button(f"{tr(taken.words)}: {plain(one.name)}", key=f"take-{taken.key}-{one.id}"):
                input_picker.show(**_address(other, taken, one))


def _offers(given: Sequence[Given]) -> Iterator[tuple[TaskPage, Taken, Given]]:
    """What any task can do with some datasets."""
    for page in task_pages().values():
        forms = {role.name: role.form for role in page.task.roles}
        for taken in page.takes:
            for one in given:
                fits = one.role in taken.of and one.form in forms[taken.role]
                if fits and (one.placed or not taken.placed):
                    yield page, taken, one


def _address(page: TaskPage, taken: Taken, one: Given) -> dict[str, str]:
    """Where a page shows a dataset, beside what it was left with that goes with it."""
    beside = kept.data(page.name, taken.beside)
    if taken.many:
        ids = [other for other in kept.data(page.name, (taken.key,)).get(taken.key, "").split(",") if other]
        return {**beside, taken.key: ",".join(dict.fromkeys((*ids, one.id)))}
    return {**beside, taken.key: one.id}
