"""Where a table comes from: a sample, an upload, the data folder, or the store."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePath
from typing import TYPE_CHECKING, Literal

import streamlit as st

from ui import resources
from ui.feedback import plain, reading
from ui.task import input_picker

if TYPE_CHECKING:
    from core.runs.records import DatasetRecord, Run

SOURCES = ("Sample", "Upload", "Data folder", "Earlier tables")
TYPES = ["csv", "tsv", "txt", "xlsx", "dbf", "zip"]
SERIES_TYPES = [*TYPES, "h5", "he5"]


@dataclass(frozen=True)
class TableSource:
    """The sources of the tables of a task.

    Attributes
    ----------
    role
        Role of the table in a run, and its key in the page's address.
    holds
        Which samples are offered; see `core.catalog.samples.SampleTable`.
    help
        What an upload has to hold.
    example
        A path below the data folder.
    """

    role: str
    holds: Literal["cells", "series"]
    help: str
    example: str

    def current(self, run: Run | None) -> DatasetRecord | None:
        """The table of a run, or that in the page's address; ``?sample=`` puts a sample into the store on the way.

        Raises
        ------
        LandslideError
            When the table is unknown.
        """
        sample = st.query_params.get("sample")
        if sample:
            del st.query_params["sample"]
            record = self.open_sample(sample)
            st.query_params[self.role] = record.id
            return record
        identity = run.input(self.role).dataset_id if run is not None else st.query_params.get(self.role, "")
        return resources.store().dataset(identity) if identity else None

    def choose(self) -> None:
        """Show the sources of tables."""
        source = st.selectbox("Table from", SOURCES, key=f"{self.role}-source")
        with reading("Reading the file"):
            {"Sample": self._sample, "Upload": self._upload, "Data folder": self._data_folder,
             "Earlier tables": self._earlier}[source]()  # fmt: skip

    def use(self, record: DatasetRecord) -> None:
        """Make a table the page's table and start the page anew."""
        input_picker.show(**{self.role: record.id})

    def open_sample(self, identity: str) -> DatasetRecord:
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

    def _sample(self) -> None:
        from core.catalog.samples import sample_tables

        known = {one.id: one for one in sample_tables(self.holds)}
        chosen = st.selectbox("Sample", list(known), format_func=lambda identity: known[identity].title)
        st.caption(plain(known[chosen].shows))
        if st.button("Use this sample", width="stretch"):
            self.use(self.open_sample(chosen))

    def _upload(self) -> None:
        types = SERIES_TYPES if self.holds == "series" else TYPES
        uploaded = st.file_uploader("Table", type=types, key=f"{self.role}-upload", help=f"{self.help} Up to 200 MB.")
        if uploaded is not None and st.button("Use this table", width="stretch"):
            self.use(resources.store().upload_dataset(uploaded, PurePath(uploaded.name).name, "table"))

    def _data_folder(self) -> None:
        file = input_picker.ask_for_path(self.example)
        if file is not None:
            self.use(resources.store().add_dataset(file, file.name, "table", origin="data folder"))

    def _earlier(self) -> None:
        known = {one.id: one.name for one in resources.store().datasets("table")}
        if not known:
            st.info("No table was loaded yet.")
            return
        chosen = st.selectbox("Earlier table", list(known), format_func=known.__getitem__)
        if st.button("Use this table", width="stretch", key="use-earlier"):
            self.use(resources.store().dataset(chosen))
