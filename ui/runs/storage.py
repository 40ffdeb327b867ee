"""Room on the disk: what is used, and removing old runs after saying which."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import streamlit as st

from ui import resources
from ui.feedback import guard, plain
from ui.runs import table, words
from ui.state import Slot

if TYPE_CHECKING:
    from core.runs.housekeeping import Plan, Storage

LISTED = 12
"""Runs that are named before they go; more are counted."""

_PLAN: Slot[Plan | None] = Slot("runs-prune-plan", None)


@st.fragment
def show() -> None:
    """What is used, with the way to less of it."""
    with guard():
        used = _storage(str(resources.store().home))
        st.divider()
        st.markdown(f"**Storage used: {words.size(used.used)}** · {words.size(used.free)} free on the disk")
        parts = {
            "results of runs": used.artifacts,
            "uploads": used.uploads,
            "prepared downloads": used.exports,
            "runs under way": used.work,
            "cache": used.cache,
            "database and the rest": used.rest,
        }
        st.caption(" · ".join(f"{name} {words.size(octets)}" for name, octets in parts.items() if octets))
        with st.expander("Make room", expanded=_PLAN.get() is not None):
            _prune()


@st.cache_data(ttl=30, show_spinner=False)
def _storage(home: str) -> Storage:
    del home  # the key
    from core.runs.housekeeping import storage

    return storage(resources.store())


def _prune() -> None:
    """Ask what may go, say what would go, and do it when that is confirmed."""
    st.markdown("Removes the oldest runs first, with what stands on them. Pinned runs, and those they stand on, stay.")
    with st.form("prune", border=False), st.container(horizontal=True, gap="small", vertical_alignment="bottom"):
        days = st.number_input(
            "Older than, days", 0, 100_000, None, 30, key="prune-days", placeholder="any age", width=180
        )
        quota = st.number_input(
            "Keep at most, GB", 0.0, None, None, 1.0, key="prune-quota", placeholder="no quota", width=180
        )
        asked = st.form_submit_button("Show what would go")
    if asked:
        _PLAN.put(_planned(days, quota))
    plan = _PLAN.get()
    if plan is not None:
        _confirm(plan)


def _planned(days: int | None, quota: float | None) -> Plan | None:
    from core.runs.housekeeping import plan

    if days is None and quota is None:
        st.info("Give an age, a quota, or both.")
        return None
    older = None if days is None else datetime.now(UTC) - timedelta(days=days)
    return plan(resources.store(), older_than=older, quota=None if quota is None else round(quota * 1e9))


def _confirm(plan: Plan) -> None:
    if plan.beyond:
        st.warning(f"{words.size(plan.beyond)} stay beyond the quota: what is left is pinned, under way or in use.")
    if not plan.runs and not plan.uploads:
        st.info("Nothing would go.")
        return
    what = [words.count(len(plan.runs), "run")] if plan.runs else []
    what += [words.count(len(plan.uploads), "unused upload")] if plan.uploads else []
    st.markdown(f"**{' and '.join(what)} would go for good, which frees {words.size(plan.freed)}:**")
    leaving = (*plan.runs, *plan.uploads)
    lines = [f"- {plain(one.title)}, {words.moment(one.created)}, {words.size(one.freed)}" for one in leaving[:LISTED]]
    if len(leaving) > LISTED:
        lines.append(f"- and {len(leaving) - LISTED:,} more")
    st.markdown("\n".join(lines))
    with st.container(horizontal=True):
        if st.button("Remove for good", type="primary", key="prune-now"):
            _remove(plan)
        if st.button("Keep them", key="prune-not"):
            _PLAN.clear()
            st.rerun(scope="fragment")


def _remove(plan: Plan) -> None:
    from core.runs.housekeeping import prune

    removed = prune(resources.store(), plan)
    _PLAN.clear()
    _storage.clear()
    table.pick()
    st.toast(f"{words.count(removed.runs, 'run')} and {words.count(removed.uploads, 'upload')} removed.")
    st.rerun()
