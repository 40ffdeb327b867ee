"""Choosing a further dataset beside the table: among those of the store, or by upload."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import PurePath
from typing import TYPE_CHECKING

import streamlit as st

from ui import resources
from ui.feedback import guard, reading
from ui.messages import tr
from ui.state import Slot

if TYPE_CHECKING:
    from core.runs.records import DatasetRecord, Form, Run


def chosen_slot(table: DatasetRecord, role: str, before: Run | None) -> Slot[str]:
    """Id of the further dataset that is chosen; that of the run it begins with until another is."""
    return Slot(f"further-{role}-{table.id}", "" if before is None else before.input(role).dataset_id)


def further(
    table: DatasetRecord, role: str, head: str, title: str, takes: tuple[Form, list[str]], before: Run | None,
    told: str, fits: Callable[[str], bool] = lambda _: True,
) -> DatasetRecord | None:  # fmt: skip
    """Choose a further dataset.

    Parameters
    ----------
    table
        The table that the page is about.
    role
        Role of the dataset in the run.
    head, title, told
        Of the part of the page, of the choice, and what it is good for.
    takes
        Form of the dataset, and endings of what may be uploaded.
    before
        Run with whose choice it begins.
    fits
        Whether a dataset of the store is offered, by its id.

    Returns
    -------
    DatasetRecord or None
        None for none.
    """
    store = resources.store()
    known = {one.id: one.name for one in store.datasets(takes[0]) if one.id != table.id and fits(one.id)}
    given = chosen_slot(table, role, before)
    chosen = given.get() if given.get() in known else ""
    with st.expander(head, expanded=bool(chosen)):
        st.caption(told)
        options = ["", *known]
        chosen = st.selectbox(title, options, options.index(chosen), key=f"{role}-of-{table.id}-{chosen}",
                              format_func=lambda one: known.get(one) or tr("none"))  # fmt: skip
        uploaded = st.file_uploader(
            tr("Upload: {title}").format(title=title.lower()), type=takes[1], key=f"{role}-upload-{table.id}"
        )
        if uploaded is not None and st.button(tr("Use this file"), key=f"{role}-use-{table.id}", width="stretch"):
            with guard():  # a file that is refused takes nothing else of the page with it
                with reading("Reading the file"):
                    given.put(store.upload_dataset(uploaded, PurePath(uploaded.name).name, takes[0]).id)
                st.rerun()
    if chosen != given.get():
        given.put(chosen)
        st.rerun()
    return store.dataset(chosen) if chosen else None
