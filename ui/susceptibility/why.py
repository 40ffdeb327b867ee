"""Why a model says what it says: over all cells, of the cell that was clicked, and as layers on the map."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import streamlit as st

from core.tasks.susceptibility.map_result import SusceptibilityMap
from core.tasks.susceptibility.result import SusceptibilityResult
from ui import resources
from ui.feedback import guard, plain
from ui.messages import tr
from ui.task import explained, jobs
from ui.task.selection import Selection

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from pandas import DataFrame

    from core.explain.tabular import Contributions
    from core.runs.records import Run
    from core.tasks.susceptibility.run_explanation import ExplainRequest
    from ui.susceptibility.results import Shown

TASK = "susceptibility"

CHART = {"displaylogo": False, "modeBarButtonsToRemove": ["lasso2d", "select2d"]}

FAITHFUL = (
    "If the contributions are faithful, the result changes faster when the factors with the largest contributions "
    "are replaced by those of another cell than when random factors are replaced."
)

WHAT_IT_IS = (
    "Contributions (SHAP values) divide the model result for a cell among its factors. They show what the model "
    "reacted to, not what makes a slope fail."
)


def show(view: Shown) -> None:
    """The tab."""
    result = view.result
    model = _model(view)
    cell = getattr(view, "cell", None)
    st.caption(WHAT_IT_IS)
    ways = st.columns(3 if isinstance(result, SusceptibilityMap) else 2, vertical_alignment="top")
    with ways[0], guard():
        _ask(result, "Over the whole area" if isinstance(result, SusceptibilityMap) else "Over all cells",
             _request(model), tr("Which factors influence the model, in which direction, and how much."))  # fmt: skip
    with ways[1], guard():
        if isinstance(result, SusceptibilityMap):
            _ask_cell(result, model, cell)
        else:
            _ask_row(result, model)
    if isinstance(result, SusceptibilityMap):
        with ways[2], guard():
            layers = tr("Contribution of each factor, and the factor with the largest one, as map layers.")
            _ask(result, "On the map", _request(model, target="area"), layers, job=True)
    explained.show_explained(TASK, result, "run", lambda run: _show(result, run), _about)


def _model(view: Shown) -> str:
    """The model that is explained: the one looked at, of a map one that is mapped."""
    mapped = getattr(view.result, "mapped", view.result.models)
    return view.choice.model if view.choice.model in mapped else mapped[0]


def _request(model: str, **target: Any) -> ExplainRequest:  # noqa: ANN401  fields of the request
    from core.tasks.susceptibility.run_explanation import ExplainRequest

    return ExplainRequest(model, **target)


def _ask_cell(result: SusceptibilityMap, model: str, cell: tuple[int, int] | None) -> None:
    if cell is None:
        st.markdown(tr("**One cell**"))
        st.caption(tr("Click the map above to choose a cell."))
        return
    row, column = cell
    _ask(result, f"Cell at row {row:,}, column {column:,}", _request(model, target="cell", row=row, column=column),
         tr("What raised and lowered the index there."))  # fmt: skip


def _ask_row(result: SusceptibilityResult, model: str) -> None:
    rows = _rows(result.id, result)
    selected = Selection(result.id).current or ""
    begin = int(selected[1:]) if selected[1:].isdecimal() else int(rows[0])
    row = st.number_input(
        tr("Row of the table"), 0, int(rows[-1]), min(begin, int(rows[-1])), key=f"why-row-{result.id}-{selected}",
        help=tr("From 0 for the first, as in the tab Review."),
    )  # fmt: skip
    at = int(rows.searchsorted(row))
    if rows[at] != row:
        st.caption(tr("Row R{row} was not validated: its label or a factor is missing.").format(row=int(row)))
        return
    _ask(result, f"Row R{int(row)}", _request(model, target="cell", row=at, column=0),
         tr("What raised and lowered the model result. The explained model is fitted to all rows, so its result "
            "differs from the held-out score, which is of a model that was not trained on the row."))  # fmt: skip


@st.cache_resource(max_entries=16, show_spinner=False)
def _rows(run: str, _result: SusceptibilityResult) -> NDArray[np.int64]:
    """(cells,) rows of the table that were validated, ascending."""
    del run  # the key
    from core.tasks.susceptibility.held_out import rows_of

    return rows_of(_result)


def _ask(result: SusceptibilityResult, title: str, request: ExplainRequest, what: str, *, job: bool = False) -> None:
    """A way to explain: its button, or how far it is."""
    from core.jobs.perform import run_inline
    from core.tasks.susceptibility.run_explanation import known_explanation, order_explanation

    st.markdown(f"**{title}**")
    st.caption(what)
    known = known_explanation(resources.store(), result, request)
    if known is not None and known.active:
        jobs.follow(known.id, what="Explaining")
        return
    if known is not None and known.status != "done":
        jobs.show_ended(known, opens=False)
    if not st.button(tr("Explain"), key=f"explain-{request.target}-{request.model}-{result.id}", width="stretch"):
        return
    if known is not None and known.status == "done" and jobs.missing_files(known) is None:
        explained.open_explanation(TASK, known.id)
        return
    order = order_explanation(result, request, owner=resources.visitor())
    if job or _slow(request):
        resources.jobs().submit(order)
        st.rerun()
    with st.spinner(tr("Explaining")):
        made = run_inline(resources.store(), order)
    explained.open_explanation(TASK, made)


def _slow(request: ExplainRequest) -> bool:
    """Whether an explanation takes longer than a page should wait."""
    from core.tasks.susceptibility.explainers import ADDITIVE, TREES

    return request.target != "cell" and request.model not in (*ADDITIVE, *TREES)


def _about(run: Run) -> str:
    from core.jobs.perform import request_of
    from core.tasks.susceptibility.models import title_of

    asked: ExplainRequest = request_of(run)
    cell = f"cell at row {asked.row:,}, column {asked.column:,}"
    if asked.target == "cell":
        parent = resources.store().result(run.parents[0])
        if isinstance(parent, SusceptibilityResult) and not isinstance(parent, SusceptibilityMap):
            cell = f"row R{_rows(parent.id, parent)[asked.row]}"
    where = {"model": "many cells", "area": "whole map", "cell": cell}[asked.target]
    return f"{title_of(asked.model)}, {where}"


@st.cache_resource(max_entries=16, show_spinner=False)
def _read(explanation: str, _run: Run) -> tuple[Contributions, DataFrame, dict[str, Any]]:
    del explanation
    import pandas

    from core.tasks.susceptibility.run_explanation import CONTRIBUTIONS, RECORD, file_of, read_table

    record = json.loads(file_of(_run, RECORD).read_text(encoding="utf-8"))
    return *read_table(pandas.read_parquet(file_of(_run, CONTRIBUTIONS)), record), record


def _show(result: SusceptibilityResult, run: Run) -> None:
    del result
    from core.jobs.perform import request_of

    asked: ExplainRequest = request_of(run)
    st.markdown(plain(" ".join(run.notes)))
    if asked.target == "area":
        st.caption(tr("See the layers *Dominant factor* and *Contribution* on the map."))
        return
    found, rows, record = _read(run.id, run)
    if asked.target == "cell":
        _waterfall(run, found, rows)
    else:
        _overall(run, found, rows, record)
    st.caption(
        plain(
            tr(
                "{method}{method_2}; compared with {compared_with:,} cells. "
                "Contributions add up to the model result {error} ({scale})."
            ).format(
                method=found.method[0].upper(),
                method_2=found.method[1:],
                compared_with=record["compared_with"],
                error="up to rounding" if found.error < 1e-6 else f"to within {found.error:.1g}",
                scale=found.scale,
            )
        )
    )


def _twin(record: dict[str, Any]) -> None:
    """The rules of the model's simple twin, with how well they stand in for it."""
    import pandas

    twin = record.get("twin")
    if not twin or twin["fidelity"] is None:
        return
    with st.expander(
        tr(
            "Approximated by {count} rules: a tree of at most four questions explains {max:.0f} % of the model result"
        ).format(count=len(twin["rules"]), max=100 * max(twin["fidelity"], 0.0))
    ):
        table = pandas.DataFrame(twin["rules"])[["rule", "says", "share"]]
        st.dataframe(
            table,
            hide_index=True,
            width="stretch",
            column_config={
                "rule": st.column_config.TextColumn(tr("Condition"), width="large"),
                "says": st.column_config.NumberColumn(
                    tr("Model result ({scale})").format(scale=record["scale"]), format="%.2f"
                ),
                "share": st.column_config.NumberColumn(tr("Share of cells"), format="percent"),
            },
        )
        st.caption(
            tr("R² on {held_back:,} cells not used to fit the tree. The rules are a simplification and do not "
            "replace the model.").format(held_back=twin['held_back'])
        )


def _waterfall(run: Run, found: Contributions, rows: DataFrame) -> None:
    from core.plots.contributions import waterfall_figure

    values = {name: rows[name].iloc[0] for name in found.factors}
    st.plotly_chart(waterfall_figure(found, values), key=f"waterfall-{run.id}", config=CHART)


def _overall(run: Run, found: Contributions, rows: DataFrame, record: dict[str, Any]) -> None:
    import numpy as np

    from core.explain.tabular import partner
    from core.plots.contributions import (
        beeswarm_figure,
        dependence_figure,
        importance_figure,
        table_deletion_figure,
    )
    from core.wording import factor_words

    left, right = st.columns([2, 3], gap="medium")
    left.plotly_chart(importance_figure(found), key=f"importance-{run.id}", config=CHART)
    right.plotly_chart(beeswarm_figure(found, rows), key=f"beeswarm-{run.id}", config=CHART)
    ordered = [name for name, _ in found.importance()]
    row = st.columns(2)
    factor = row[0].selectbox(tr("Factor"), ordered, key=f"dependence-{run.id}", format_func=factor_words)
    suggested = partner(found, rows, factor)
    others = [name for name in ordered if name != factor] or [factor]
    other = row[1].selectbox(tr("Coloured by"), others, others.index(suggested) if suggested in others else 0,
                             key=f"partner-{run.id}-{factor}", format_func=factor_words,
                             help=tr("Suggested: the factor most associated with the effect."))  # fmt: skip
    st.plotly_chart(dependence_figure(found, rows, factor, other), key=f"dependence-chart-{run.id}", config=CHART)
    _twin(record)
    told = record.get("faithfulness")
    if told:
        with st.expander(
            tr("Faithfulness: replacing the strongest factors first changes the result {guided_area:.2f} times as much "
               "as replacing them in random order").format(
                guided_area=told["guided_area"] / max(told["random_area"], 1e-12)
            )
        ):
            figure = table_deletion_figure(np.array(told["guided"]), np.array(told["random"]))
            st.plotly_chart(figure, key=f"deletion-{run.id}", config=CHART)
            st.caption(FAITHFUL)
