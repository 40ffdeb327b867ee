"""Where a table of labelled cells comes from: the sample, an upload, the data folder, or the store."""

from __future__ import annotations

from pathlib import PurePath
from typing import TYPE_CHECKING

import streamlit as st

from core.tasks.susceptibility.result import TABLE
from ui import resources
from ui.feedback import plain
from ui.task import input_picker

if TYPE_CHECKING:
    from core.runs.records import DatasetRecord, Run

SOURCES = ("Sample", "Upload", "Data folder", "Earlier tables")


def current(run: Run | None) -> DatasetRecord | None:
    """The table of a run, or that in the page's address; ``?sample=`` puts a sample into the store on the way.

    Raises
    ------
    LandslideError
        When the table is unknown.
    """
    sample = st.query_params.get("sample")
    if sample:
        del st.query_params["sample"]
        record = open_sample(sample)
        st.query_params[TABLE] = record.id
        return record
    identity = run.input(TABLE).dataset_id if run is not None else st.query_params.get(TABLE, "")
    return resources.store().dataset(identity) if identity else None


def choose() -> None:
    """Show the sources of tables."""
    source = st.selectbox("Table from", SOURCES, key="table-source")
    {"Sample": _sample, "Upload": _upload, "Data folder": _data_folder, "Earlier tables": _earlier}[source]()


def use(record: DatasetRecord) -> None:
    """Make a table the page's table and start the page anew."""
    input_picker.show(**{TABLE: record.id})


def open_sample(identity: str) -> DatasetRecord:
    """Put a sample table that ships into the store.

    Raises
    ------
    InputError
        When there is no such sample.
    """
    from core.catalog.samples import sample_table

    chosen = sample_table(identity)
    return resources.store().add_dataset(
        chosen.path, chosen.title, "table", origin="sample that ships", synthetic=chosen.synthetic,
        licence=chosen.licence, citation=chosen.citation,
    )  # fmt: skip


def _sample() -> None:
    from core.catalog.samples import sample_tables

    known = {one.id: one for one in sample_tables()}
    chosen = st.selectbox("Sample", list(known), format_func=lambda identity: known[identity].title)
    st.caption(plain(known[chosen].shows))
    if st.button("Use this sample", width="stretch"):
        use(open_sample(chosen))


def _upload() -> None:
    uploaded = st.file_uploader(
        "Table", type=["csv", "tsv", "txt", "xlsx", "dbf"], key="table-upload",
        help="A row a cell or slope unit: whether there is a landslide, the factors, and where it is. Up to 200 MB.",
    )  # fmt: skip
    if uploaded is not None and st.button("Use this table", width="stretch"):
        use(resources.store().upload_dataset(uploaded, PurePath(uploaded.name).name, "table"))


def _data_folder() -> None:
    file = input_picker.ask_for_path("region/cells.csv")
    if file is not None:
        use(resources.store().add_dataset(file, file.name, "table", origin="data folder"))


def _earlier() -> None:
    known = {one.id: one.name for one in resources.store().datasets("table")}
    if not known:
        st.info("No table was loaded yet.")
        return
    chosen = st.selectbox("Earlier table", list(known), format_func=known.__getitem__)
    if st.button("Use this table", width="stretch", key="use-earlier"):
        use(resources.store().dataset(chosen))
