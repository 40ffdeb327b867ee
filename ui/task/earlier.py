"""Runs that answer already what is about to be asked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ui import resources

if TYPE_CHECKING:
    from core.runs.records import Order, Run


def newest(order: Order) -> Run | None:
    """The newest run that answers an order already; without one, that which works on it or failed last."""
    from core.runs.queue import finite
    from core.runs.records import RunFilter

    about = order.inputs[0].dataset_id if order.inputs else ""
    wanted = RunFilter(task=order.task, kinds=(order.kind,), dataset_id=about, model=order.model)
    asked = finite(order.parameters)
    same = [run for run in resources.store().runs(wanted) if run.parameters == asked and run.status != "cancelled"]
    return next((run for run in same if run.status == "done"), same[0] if same else None)
