"""The form that asks for a validation: which columns are what, which models, and how they are tested."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import streamlit as st

from core.errors import InputError
from ui import resources
from ui.choices import words_of
from ui.feedback import plain
from ui.messages import tr
from ui.task import press

if TYPE_CHECKING:
    from pandas import DataFrame

    from core.runs.records import DatasetRecord
    from core.tasks.susceptibility.cells import Columns
    from core.tasks.susceptibility.models import Weights
    from core.tasks.susceptibility.run import Request
    from core.tasks.susceptibility.tuning import Tuning
    from core.tasks.susceptibility.validate import Plan

BUTTON = "Validate models"

NONE = "–"
"""Choice of no column."""

FIRST_MODELS = ("logistic_regression", "weights_of_evidence", "random_forest", "xgboost", "average")
"""Models that are ticked at first: quick, and of every family."""


@st.cache_data(max_entries=4, show_spinner="Reading the table")
def _read(identity: str, digest: str, _record: DatasetRecord) -> DataFrame:
    """The table, kept for the next rerun."""
    del identity, digest  # the key
    from core.tasks.susceptibility.rows import read_rows

    return read_rows(_record.path, _record.form).table


def ask(button: str, record: DatasetRecord, before: Request | None) -> Request | None:
    """Show the form; the request when its button was pressed.

    Parameters
    ----------
    button
        Words of the button.
    before
        Request with whose choices it begins; the guessed columns and a few models when None.
    """
    from core.tasks.susceptibility.guess import guess_columns
    from core.tasks.susceptibility.rows import LATITUDE, LONGITUDE

    table = _read(record.id, record.digest, record)
    told = tr("{count:,} rows, {shape} columns.").format(count=len(table), shape=table.shape[1])
    if record.form == "vector" and LONGITUDE in table:
        told += " " + tr("Two of them were added, {longitude} and {latitude}: a point inside each unit.").format(
            longitude=LONGITUDE, latitude=LATITUDE
        )
    st.caption(plain(told))
    with st.expander(tr("First rows")):
        added = [name for name in (LONGITUDE, LATITUDE) if name in table] if record.form == "vector" else []
        own = [name for name in table.columns if name not in added]
        st.dataframe(table[[*own, *added]].head(20), hide_index=True, height=220)
    names = [str(one) for one in table.columns]
    guess = guess_columns(table) if before is None or before.columns.target not in names else before.columns
    resources.jobs().prepare()  # a worker starts while the user looks at the form
    with st.form("ask", border=False, enter_to_submit=False):
        pressed = press.button(button, record.digest)
        columns = _columns(names, guess)
        request = _plan(columns, before)
    if not pressed:
        return None
    with press.refusing(button, record.digest):
        if not columns.target:
            raise InputError(
                tr("No label was chosen."), remedy=tr("Choose the column that says whether a row is a landslide.")
            )
        if not columns.factors:
            raise InputError(tr("No factor was chosen."), remedy=tr("Choose at least one."))
        request.plan.check_tuning()
    return request


def _columns(names: list[str], guess: Columns) -> Columns:
    from core.tasks.susceptibility.cells import Columns

    def one(label: str, begin: str, help: str) -> str:
        listed = [NONE, *names]
        at = listed.index(begin) if begin in names else 0
        chosen = st.selectbox(label, listed, at, help=help)
        return "" if chosen == NONE else chosen

    target = one(tr("Label"), guess.target, tr("Column that marks whether there is a landslide."))
    factors = st.multiselect(
        tr("Factors"), names, [name for name in guess.factors if name in names],
        help=tr("Used to train the models. Leave out row numbers and anything measured after the landslides."),
    )  # fmt: skip
    with st.expander(tr("Classes, coordinates and areas"), expanded=False):
        classes = st.multiselect(
            tr("Categorical factors"), names, [name for name in guess.categorical if name in names],
            help=tr("Such as lithology or land cover, even if coded as numbers."),
        )  # fmt: skip
        circular = st.multiselect(
            tr("Directional factors"), names, [name for name in guess.circular if name in names],
            help=tr("Such as aspect, in degrees from north; -1 means flat ground."),
        )  # fmt: skip
        x = one(tr("Easting or longitude"), guess.x, tr("Without coordinates only random folds are possible."))
        y = one(tr("Northing or latitude"), guess.y, tr("Without coordinates only random folds are possible."))
        crs = st.text_input(tr("Coordinate system"), guess.crs, placeholder="EPSG:32717", max_chars=20)
        swap = st.checkbox(tr("Swap the two coordinates"), guess.swap_xy)
        group = one(tr("Study area"), guess.group, tr("For leaving out one area at a time."))
        date = one(tr("Event"), guess.date, tr("For leaving out one event at a time."))
        positive = st.text_input(
            tr("Label value for landslides"), guess.positive, max_chars=100,
            help=tr("Needed unless the values are yes/no, true/false or 1/0."),
        )  # fmt: skip
    return Columns(
        target, tuple(factors), tuple(classes), x, y, crs.strip(), group, date, positive.strip(), swap_xy=swap,
        circular=tuple(circular),
    )  # fmt: skip


def _plan(columns: Columns, before: Request | None) -> Request:
    from core.tasks.susceptibility.run import Request
    from core.tasks.susceptibility.validate import Plan

    begin = Plan(FIRST_MODELS, repeats=5) if before is None else before.plan
    if before is None and not columns.x:
        begin = replace(begin, schemes=("random",))
    found = plan(begin)
    return Request.of(columns, found)


def plan(begin: Plan) -> Plan:
    """Ask for models and how they are tested, as a part of a form.

    Parameters
    ----------
    begin
        What it begins with.
    """
    from core.tasks.susceptibility.folds import TITLES
    from core.tasks.susceptibility.models import NAMES, title_of
    from core.tasks.susceptibility.validate import Plan

    models = st.multiselect(tr("Models"), NAMES, begin.models, format_func=title_of)
    schemes = st.multiselect(
        tr("Validation"), list(TITLES), begin.schemes, format_func=words_of(TITLES),
        help=tr("Random folds test models on neighbours of training cells; spatial folds on more distant areas."),
    )  # fmt: skip
    with st.expander(tr("Folds and repeats")):
        folds = st.number_input(tr("Folds"), 2, 50, begin.folds)
        repeats = st.number_input(tr("Repeats"), 1, 100, begin.repeats)
        seed = st.number_input(tr("Seed"), 0, 2**31 - 1, begin.seed, help=tr("Repeat r uses seed + r."))
    tuning, trials, weights, monotone = _tuning(begin)
    return Plan(
        tuple(models), tuple(schemes), int(folds), int(repeats), int(seed), tuning, trials, weights, monotone,
    )  # fmt: skip


def _tuning(begin: Plan) -> tuple[Tuning, int, Weights, dict[str, int]]:
    from core.tasks.susceptibility.models import monotone_of, monotone_text
    from core.tasks.susceptibility.tuning import MOST_TRIALS, TITLES

    with st.expander(tr("Tuning and weights")):
        tuning = st.selectbox(
            tr("Tuning"), list(TITLES), list(TITLES).index(begin.tuning), format_func=words_of(TITLES),
            help=tr("Settings are selected for each fit by three inner folds of its training cells. Takes many "
                    "times as "
                 "long."),
        )  # fmt: skip
        trials = st.number_input(tr("Settings to try"), 1, MOST_TRIALS, begin.trials)
        balanced = st.checkbox(
            tr("Balanced class weights"), begin.weights == "balanced",
            help=tr("Both classes have equal weight, however many cells each has. Not used by AdaBoost and the neural "
                 "network."),
        )  # fmt: skip
        monotone = st.text_input(
            tr("Monotonic factors (+ or -)"), monotone_text(begin.monotone), max_chars=500,
            placeholder=tr("slope:+, distance:-"), help=tr("Factors with which the index of gradient boosting may "
                                                           "only rise "
                                                    "(+) or fall (-)."),
        )  # fmt: skip
    try:
        directions = monotone_of(monotone)
    except InputError:
        directions = {monotone: 0}  # the rest of the form is drawn; `Plan.check_tuning` refuses it
    return tuning, int(trials), "balanced" if balanced else "none", directions
