"""Rain, levels and others in a file of their own: where it comes from, and how it is read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import streamlit as st

from core.errors import InputError
from core.tasks.displacement.result import DRIVERS, SERIES
from core.tasks.displacement.run import KIND
from ui import resources
from ui.choices import words_of
from ui.displacement.words import DRIVER_TITLES, NONE, ORDERS
from ui.feedback import guard, plain
from ui.messages import tr, tr_noop
from ui.task import form as shared_form
from ui.task import input_picker
from ui.task.table_source import TableSource

if TYPE_CHECKING:
    from pandas import DataFrame

    from core.runs.records import DatasetRecord, Run
    from core.series.columns import Columns
    from core.series.drivers import DriverTable
    from core.series.monitoring import Monitoring
    from core.tasks.displacement.run import ForecastRequest

SOURCE = TableSource(
    DRIVERS, "drivers", "Times with rain, levels or other drivers; also hourly rain in fixed-width columns.",
    "slope/rain.csv",
)  # fmt: skip

TABLE, FIXED = "table", tr_noop("fixed-width columns")


@dataclass(frozen=True)
class Beside:
    """A file of drivers as it was chosen.

    Attributes
    ----------
    record, table
        The file, and how it is read.
    read
        What it holds.
    """

    record: DatasetRecord
    table: DriverTable
    read: Monitoring

    def names(self, columns: Columns) -> tuple[str, ...]:
        """Names of its drivers beside those of the slope's own table."""
        from core.series.drivers import names_beside

        return names_beside([name for _, name in columns.drivers], self.table.names, self.record.name)


def ask(slope: DatasetRecord, asked: Run | None, before: ForecastRequest | None) -> Beside | None:
    """Show the file of drivers, or the sources to choose one from.

    Parameters
    ----------
    slope
        The table of the slope, which stays.
    asked
        The run that is open.
    before
        Request with whose choices it begins.

    Raises
    ------
    LandslideError
        When the file cannot be read as it was chosen.
    """
    record = _chosen(asked)
    with st.expander(tr("Separate file of rain and levels"), expanded=record is not None):
        if record is None:
            with guard():  # a file that is refused takes nothing else of the page with it
                SOURCE.choose(**{SERIES: slope.id})
            return None
        synthetic = " · synthetic" if record.synthetic else ""
        st.markdown(f"**{plain(record.name)}**{synthetic}")
        if st.button(tr("Remove this file"), width="stretch"):
            input_picker.show(**{SERIES: slope.id})
        table = _table(record, None if before is None else before.drivers)
        read = _read(record.id, record.digest, table, record)
        st.caption("\n\n".join(plain(one) for one in read.notes))
    return Beside(record, table, read)


def _chosen(asked: Run | None) -> DatasetRecord | None:
    """The file of the open run, of the address, or of the run with whose settings the form begins."""
    record = SOURCE.current(asked)
    identity = shared_form.named()
    if record is not None or asked is not None or not identity:
        return record
    earlier = resources.store().run(identity)
    return SOURCE.current(earlier) if earlier.kind == KIND else None


def _table(record: DatasetRecord, before: DriverTable | None) -> DriverTable:
    from core.series.drivers import DriverTable, guess_drivers

    frame = _frame(record.id, record.digest, record)
    fixed = before.layout is not None if before is not None else frame is None or frame.shape[1] < 2
    form = st.segmented_control(
        tr("File format"), [TABLE, FIXED], required=True, format_func=tr, default=FIXED if fixed else TABLE,
        width="stretch", key=f"d-form-{record.id}",
    )  # fmt: skip
    if form == FIXED:
        return DriverTable(layout=_layout(record, before))
    if frame is None:
        raise InputError(
            tr("{name} is not a table.").format(name=record.name),
            remedy=tr("Choose *{fixed}*.").format(fixed=tr(FIXED)),
        )
    return DriverTable(_columns(record, frame, guess_drivers(frame) if before is None else before))


def _layout(record: DatasetRecord, before: DriverTable | None) -> Any:  # noqa: ANN401  a RainLayout, imported late
    from core.series.fixed_rain import RAIN_UNITS, RainLayout

    begin = None if before is None else before.layout
    pattern = st.text_input(
        tr("Row layout"), "" if begin is None else begin.pattern, placeholder="SSYYYYMMDDHHRRR", max_chars=80,
        key=f"d-layout-{record.id}",
        help=tr("One letter for each character: S station, Y year, M month, D day, H hour, N minute, R rain; a point "
             "for characters to skip. Hourly rain of the U.S. National Weather Service: SSYYYYMMDDHHRRR in 0.01 in."),
    )  # fmt: skip
    units = [NONE, *RAIN_UNITS]
    unit = st.selectbox(tr("Rain unit"), units, 0 if begin is None else units.index(begin.unit),
                        key=f"d-unit-{record.id}")  # fmt: skip
    station = st.text_input(tr("Station"), "" if begin is None else begin.station, max_chars=20,
                            key=f"d-station-{record.id}", help=tr("Needed if there are several stations."))  # fmt: skip
    return RainLayout(pattern.strip(), "" if unit == NONE else unit, station.strip())


def _columns(record: DatasetRecord, frame: DataFrame, begin: DriverTable) -> Columns:
    from core.series.columns import Columns

    names, guess = [str(one) for one in frame.columns], begin.columns
    st.dataframe(frame.head(5), hide_index=True, height=150)
    listed = [NONE, *names]
    time = st.selectbox(tr("Time"), listed, listed.index(guess.time) if guess.time in names else 0,
                        key=f"d-time-{record.id}")  # fmt: skip
    order = st.selectbox(
        tr("Date order"),
        list(ORDERS),
        list(ORDERS).index(guess.date_order) if guess.date_order in ORDERS else 0,
        format_func=words_of(ORDERS),
        key=f"d-order-{record.id}",
    )
    drivers: dict[str, Any] = {}
    for what, title in DRIVER_TITLES.items():
        found = [one for one in getattr(guess, what) if one in names]
        drivers[what] = tuple(st.multiselect(tr(title), names, found, key=f"d-{what}-{record.id}"))
    return Columns("" if time == NONE else time, date_order=order, clock=guess.clock, **drivers)


@st.cache_data(max_entries=4, show_spinner="Reading the file")
def _frame(identity: str, digest: str, _record: DatasetRecord) -> DataFrame | None:
    """The table; None where it is none, such as rain in fixed columns."""
    del identity, digest  # the key
    from core.series.heads import read_series_table

    try:
        return read_series_table(_record.path)
    except InputError:
        return None


@st.cache_data(max_entries=4, show_spinner="Reading the file")
def _read(identity: str, digest: str, table: DriverTable, _record: DatasetRecord) -> Monitoring:
    """What it holds, kept for the next rerun."""
    del identity, digest  # the key
    from core.series.drivers import read_drivers

    return read_drivers(_record.path, table, _record.name)
