"""Why a model forecast what it did: rain, levels, the slope's own movement or the season, over time."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import streamlit as st

from ui import resources
from ui.feedback import guard, plain
from ui.messages import tr
from ui.task import explained, jobs

if TYPE_CHECKING:
    from pandas import DataFrame

    from core.runs.records import Run
    from core.tasks.displacement.result import ForecastResult
    from core.tasks.displacement.run_explanation import ExplainRequest
    from ui.displacement.results import Shown

TASK = "displacement"

CHART = {"displaylogo": False, "modeBarButtonsToRemove": ["lasso2d", "select2d"]}

WHAT_IT_IS = (
    "Contributions (SHAP values of groups) divide each forecast among rain, levels, the slope's own movement and the "
    "time of year. They show what the model reacted to, not what makes the slope move."
)


def show(view: Shown) -> None:
    """The tab."""
    from core.tasks.displacement.forecasters import title_of
    from core.tasks.displacement.run_explanation import explainable

    result, look = view.result, view.look
    st.caption(WHAT_IT_IS)
    models = explainable(result, look.station)
    if not models:
        st.info(tr("None of these models has features to which a forecast can be attributed. Add ridge regression, a "
                "random forest or gradient boosting, and forecast again."))  # fmt: skip
        return
    row = st.container(horizontal=True, vertical_alignment="bottom")
    with row:
        model = st.selectbox(tr("Model"), models, models.index(look.model) if look.model in models else 0,
                             format_func=title_of, key=f"explained-model-{result.id}", width=320)  # fmt: skip
        event = _event(result, look.station)
        working = None
        with guard():
            working = _ask(result, look.station, model, event)
    if working is not None:
        jobs.follow(working.id, what="Explaining")
        return
    _ranking(result, look.station)
    explained.show_explained(TASK, result, "forecast", lambda run: _show(run), _about)


def _ranking(result: ForecastResult, station: str) -> None:
    """How each feature goes with the movement, on the training part."""
    import pandas

    rows = result.stations[station].get("features", [])
    if not rows:
        return
    table = pandas.DataFrame(rows)[["name", "group", "grade", "information", "chance", "n", "used"]]
    above = int((table["information"] > table["chance"]).sum())
    with st.expander(
        tr("{above} of {count} features are related to the movement more strongly than expected by chance").format(
            above=above, count=len(table)
        )
    ):
        st.dataframe(
            table.sort_values("information", ascending=False), hide_index=True, width="stretch", placeholder="–",
            column_config={
                "name": tr("Feature"), "group": tr("Group"), "n": tr("Steps"), "used": tr("Used by models"),
                "grade": st.column_config.NumberColumn(tr("Grey relational grade"), format="%.3f"),
                "information": st.column_config.NumberColumn(tr("Mutual information"), format="%.3f"),
                "chance": st.column_config.NumberColumn(tr("Maximum by chance"), format="%.3f"),
            },
        )  # fmt: skip
        st.caption(
            tr("Based on the training part only. Grey relational grade (0.5) of values scaled to 0 to 1: unrelated "
            "series also reach about 0.6 to 0.7. Mutual information in nats, compared with the largest of 19 "
            "shuffled movements.")
        )


def _event(result: ForecastResult, station: str) -> tuple[date, ...]:
    """Days whose rain is taken away; none for the wettest time."""
    if "rain" not in result.drivers.values():
        return ()
    first, last = (date.fromisoformat(str(result.stations[station][one])[:10]) for one in ("test_from", "last"))
    chosen: Any = st.date_input(
        tr("Remove the rain of"), (), first, last, key=f"event-{result.id}-{station}", format="YYYY-MM-DD", width=260,
        help=tr("Two days of the test part. If empty, its wettest period."),
    )  # fmt: skip
    return tuple(chosen) if isinstance(chosen, tuple | list) else (chosen,)


def _ask(result: ForecastResult, station: str, model: str, event: tuple[date, ...]) -> Run | None:
    """The button; the run that is under way, None otherwise."""
    from core.tasks.displacement.run_explanation import ExplainRequest, known_explanation, order_explanation

    since, until = (event[0].isoformat(), event[-1].isoformat()) if event else ("", "")
    request = ExplainRequest(station, model, since, until)
    known = known_explanation(resources.store(), result, request)
    if known is not None and known.active:
        return known
    if known is not None and known.status != "done":
        jobs.show_ended(known, opens=False)
    if not st.button(tr("Explain"), type="primary", key=f"explain-{result.id}-{station}"):
        return None
    if known is not None and known.status == "done" and jobs.missing_files(known) is None:
        explained.open_explanation(TASK, known.id)
        return None
    identity = resources.jobs().submit(order_explanation(result, request, owner=resources.visitor()))
    explained.open_explanation(TASK, identity)  # shown as soon as it is there
    return None


def _about(run: Run) -> str:
    from core.jobs.perform import request_of
    from core.tasks.displacement.forecasters import title_of

    asked: ExplainRequest = request_of(run)
    return f"{title_of(asked.model)}, {plain(asked.station)}"


@st.cache_data(max_entries=16, show_spinner=False)
def _read(explanation: str) -> tuple[DataFrame, dict[str, Any]]:
    from core.tasks.displacement.run_explanation import read_explanation

    return read_explanation(resources.store().result(explanation))


def _show(run: Run) -> None:
    from core.tasks.displacement.plots import contribution_figure
    from core.tasks.displacement.run_explanation import ROUNDING

    table, record = _read(run.id)
    st.markdown("\n".join(f"- {plain(one)}" for one in record["sentences"]))
    groups = [name for name, _ in record["importance"]]
    st.plotly_chart(contribution_figure(table, groups), key=f"contributions-{run.id}", config=CHART)
    faithful = record["faithfulness"]
    error = float(record["error"])
    exactly = tr("up to rounding") if error < ROUNDING else tr("to within {error:.1g} mm").format(error=error)
    ratio = faithful["strongest"] / max(faithful["others"], 1e-9)
    st.caption(
        plain(
            tr(
                "{method}{method_2}; they add up to each forecast "
                "{exactly}. Removing the strongest group of a forecast changes it by "
                "{strongest:.2f} mm on average, removing any other by {others:.2f} mm ({ratio:.1f} "
                "times)."
            ).format(
                method=record["method"][0].upper(),
                method_2=record["method"][1:],
                exactly=exactly,
                strongest=faithful["strongest"],
                others=faithful["others"],
                ratio=ratio,
            )
        )
    )
