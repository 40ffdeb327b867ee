"""Where a table comes from: a sample, open data, an upload, the data folder, or the store."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePath
from typing import TYPE_CHECKING, Literal

import streamlit as st

from ui import resources
from ui.feedback import Progress, plain, reading
from ui.messages import tr, tr_noop
from ui.task import input_picker

if TYPE_CHECKING:
    from core.runs.records import DatasetRecord, Form, Run

SOURCES = (
    tr_noop("Sample"), tr_noop("Open data"), tr_noop("Upload"), tr_noop("Data folder"), tr_noop("Earlier tables"),
)  # fmt: skip
TYPES = ["csv", "tsv", "txt", "xlsx", "dbf", "zip"]
SERIES_TYPES = [*TYPES, "h5", "he5"]
CELL_TYPES = [*TYPES, "gpkg", "geojson", "json"]


VECTORS = (".gpkg", ".geojson", ".json")
"""Endings of the names of layers."""


@dataclass(frozen=True)
class TableSource:
    """The sources of the tables of a task.

    Attributes
    ----------
    role
        Role of the table in a run, and its key in the page's address.
    holds
        Which samples and open data are offered; see `core.catalog.samples.SampleTable` and
        `core.catalog.tables.OpenTable`.
    help
        What an upload has to hold.
    example
        A path below the data folder.
    """

    role: str
    holds: Literal["cells", "series", "drivers"]
    help: str
    example: str

    @property
    def forms(self) -> tuple[Form, ...]:
        """Forms of its datasets: rows to be validated may be those of a layer of units."""
        return ("table", "vector") if self.holds == "cells" else ("table",)

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

    def choose(self, **beside: str) -> None:
        """Show the sources of tables.

        Parameters
        ----------
        **beside
            Other datasets of the page by role, which stay in its address.
        """
        from core.catalog.samples import sample_tables
        from core.catalog.tables import open_tables

        empty = {"Sample": not sample_tables(self.holds), "Open data": not open_tables(self.holds)}
        offered = [one for one in SOURCES if not empty.get(one, False)]
        source = input_picker.ask_source(tr("Source"), offered, f"{self.role}-source")
        with reading("Reading the file"):
            record = {"Sample": self._sample, "Open data": self._open_data, "Upload": self._upload,
                      "Data folder": self._data_folder, "Earlier tables": self._earlier}[source]()  # fmt: skip
            if record is not None:
                self.use(record, **beside)

    def use(self, record: DatasetRecord, **beside: str) -> None:
        """Make a table the page's table and start the page anew; `beside` as of `choose`."""
        input_picker.show(**{**beside, self.role: record.id})

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
            chosen.path, chosen.title, "table", origin="sample data", synthetic=chosen.synthetic,
            licence=chosen.licence, citation=chosen.citation,
        )  # fmt: skip

    def _sample(self) -> DatasetRecord | None:
        from core.catalog.samples import sample_tables

        known = {one.id: one for one in sample_tables(self.holds)}
        chosen = st.selectbox(tr("Sample"), list(known), format_func=lambda identity: known[identity].title)
        st.caption(plain(known[chosen].shows))
        return self.open_sample(chosen) if self._pressed(tr_noop("Use this sample")) else None

    def _open_data(self) -> DatasetRecord | None:
        from core.catalog.tables import fetch_table, open_tables

        known = {one.id: one for one in open_tables(self.holds)}
        chosen = st.selectbox(tr("Data"), list(known), format_func=lambda identity: known[identity].title)
        table, terms = known[chosen], known[chosen].data_set
        st.caption(
            plain(
                tr("{shows} {caution} Licence: {licence}. Cite: {citation}").format(
                    shows=table.shows, caution=terms.caution, licence=terms.licence, citation=terms.citation
                )
            )
        )
        if not self._pressed(tr_noop("Download and use")):
            return None
        progress = Progress("Downloading")
        path = fetch_table(chosen, progress=lambda done, total: progress(done / max(total, 1))).path
        progress.done()
        if path is None:
            raise RuntimeError(f"{chosen} was downloaded but contains no usable file")
        return resources.store().add_dataset(
            path, table.title, "table", origin=f"open data: {terms.title}", licence=terms.licence,
            citation=terms.citation,
        )  # fmt: skip

    def _upload(self) -> DatasetRecord | None:
        types = {"series": SERIES_TYPES, "cells": CELL_TYPES}.get(self.holds, TYPES)
        layers = "vector" in self.forms
        uploaded = st.file_uploader(
            tr("Table or layer of units") if layers else tr("Table"), type=types, key=f"{self.role}-upload",
            help=tr("{help} Up to 200 MB.").format(help=self.help),
        )  # fmt: skip
        used = tr_noop("Use this file") if layers else tr_noop("Use this table")
        if uploaded is None or not self._pressed(used):
            return None
        name = PurePath(uploaded.name).name
        return resources.store().upload_dataset(uploaded, name, self._form(name))

    def _data_folder(self) -> DatasetRecord | None:
        file = input_picker.ask_for_path(self.example, self.role)
        if file is None:
            return None
        return resources.store().add_dataset(file, file.name, self._form(file.name), origin="data folder")

    def _earlier(self) -> DatasetRecord | None:
        known = {one.id: one.name for form in self.forms for one in resources.store().datasets(form)}
        if not known:
            st.info(tr("No table has been loaded yet."))
            return None
        chosen = st.selectbox(
            tr("Earlier table"), list(known), format_func=known.__getitem__, key=f"{self.role}-earlier"
        )
        return resources.store().dataset(chosen) if self._pressed(tr_noop("Use this table")) else None

    def _form(self, name: str) -> Form | None:
        """What a file must be by its name; None for an archive, which may hold a table or a layer."""
        if "vector" not in self.forms:
            return "table"
        suffix = PurePath(name).suffix.lower()
        return None if suffix == ".zip" else "vector" if suffix in VECTORS else "table"

    def _pressed(self, label: str) -> bool:
        return st.button(tr(label), width="stretch", key=f"{self.role}-{label}")
