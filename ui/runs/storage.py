"""Room on the disk: what is used, what is lost, and removing what nobody needs after saying which."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import streamlit as st

from ui import labels, resources
from ui.feedback import guard, plain
from ui.runs import table
from ui.state import Slot
from ui.task.jobs import notice_runs

if TYPE_CHECKING:
    from core.retention.prune import Missing, Orphan, Plan, Storage

LISTED = 12
"""Lines of one list; more are counted."""

ORPHANS = {
    "artifact": "result of no run",
    "upload": "file of no scene",
    "work": "left by a run that has ended",
    "export": "prepared of a run that is gone",
    "leftover": "half written",
}
"""What each kind of file is that nobody names."""

_PLAN: Slot[Plan | None] = Slot("runs-prune-plan", None)
_LOOKED: Slot[tuple[tuple[Orphan, ...], tuple[Missing, ...]] | None] = Slot("runs-lost-files", None)


@st.fragment
def show() -> None:
    """What is used, with the way to less of it."""
    with guard():
        used = _storage(str(resources.store().home))
        st.divider()
        st.markdown(f"**Storage used: {labels.size(used.used)}** · {labels.size(used.free)} free on the disk")
        parts = {
            "results of runs": used.artifacts,
            "uploads": used.uploads,
            "prepared downloads": used.exports,
            "runs under way": used.work,
            "cache": used.cache,
            "database and the rest": used.rest,
        }
        st.caption(" · ".join(f"{name} {labels.size(octets)}" for name, octets in parts.items() if octets))
        with st.expander("Make room", expanded=_PLAN.get() is not None):
            _prune()
        with st.expander("Lost files", expanded=_LOOKED.get() is not None):
            _lost()
        notice_runs()


@st.cache_data(ttl=30, show_spinner=False)
def _storage(home: str) -> Storage:
    del home  # the key
    from core.retention.prune import storage

    return storage(resources.store())


def _prune() -> None:
    """Ask what may go, say what would go, and do it when that is confirmed."""
    st.markdown(
        "Removes prepared downloads first, which can be made again, then the oldest runs with what stands on them. "
        "Pinned runs, and those they stand on, stay."
    )
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
    from core.retention.prune import plan

    if days is None and quota is None:
        st.info("Give an age, a quota, or both.")
        return None
    older = None if days is None else datetime.now(UTC) - timedelta(days=days)
    return plan(resources.store(), older_than=older, quota=None if quota is None else round(quota * 1e9))


def _confirm(plan: Plan) -> None:
    if plan.beyond:
        st.warning(f"{labels.size(plan.beyond)} stay beyond the quota: what is left is pinned, under way or in use.")
    if plan.nothing:
        st.info("Nothing would go.")
        return
    what = _counted((len(plan.exports), "prepared download"), (len(plan.runs), "run"),
                    (len(plan.uploads), "unused upload"))  # fmt: skip
    st.markdown(f"**{what} would go for good, which frees {labels.size(plan.freed)}:**")
    leaving = [("prepared download of ", one) for one in plan.exports]
    leaving += [("", one) for one in (*plan.runs, *plan.uploads)]
    _listed([f"{of}{plain(one.title)}, {labels.moment(one.created)}, {labels.size(one.freed)}" for of, one in leaving])
    with st.container(horizontal=True):
        if st.button("Remove for good", type="primary", key="prune-now"):
            _remove(plan)
        if st.button("Keep them", key="prune-not"):
            _PLAN.clear()
            st.rerun(scope="fragment")


def _remove(plan: Plan) -> None:
    from core.retention.prune import prune

    removed = prune(resources.store(), plan)
    _PLAN.clear()
    _storage.clear()
    table.pick()
    went = _counted((removed.exports, "prepared download"), (removed.runs, "run"), (removed.uploads, "upload"))
    st.toast(f"{went or 'Nothing'} removed.")
    st.rerun()


def _counted(*numbers: tuple[int, str]) -> str:
    """Those of some numbers that are not zero, with their nouns, as in a sentence."""
    parts = [labels.count(number, noun) for number, noun in numbers if number]
    return " and ".join(filter(None, [", ".join(parts[:-1]), *parts[-1:]]))


def _listed(lines: list[str]) -> None:
    shown = lines[:LISTED]
    if len(lines) > LISTED:
        shown.append(f"and {len(lines) - LISTED:,} more")
    st.markdown("\n".join(f"- {line}" for line in shown))


def _lost() -> None:
    """Look, when that is asked, for files that nobody names and for those that are named and not there."""
    st.markdown("Looks for files that belong to nothing any more, and for runs and images whose files are gone.")
    if st.button("Look for lost files", key="lost-look"):
        _look()
    found = _LOOKED.get()
    if found is None:
        return
    lost, missing = found
    if not lost and not missing:
        st.success("All is in order: every file belongs to something, and none is missing.")
    if missing:
        st.warning(
            f"**{labels.count(len(missing), 'file')} missing.** Put them back from a copy, or delete what they belong "
            "to and compute it again."
        )
        _listed([f"{one.role} of {_owner(one)}: {plain(str(one.path))}" for one in missing])
    if lost:
        room = labels.size(sum(one.size for one in lost))
        st.markdown(f"**{labels.count(len(lost), 'lost file')}, {room}:**")
        _listed([f"{ORPHANS[one.kind]}, {labels.size(one.size)}: {plain(str(one.path))}" for one in lost])
        if st.button("Remove them for good", type="primary", key="lost-remove"):
            _remove_lost(lost)


def _owner(one: Missing) -> str:
    what = "the run" if one.owner == "run" else "the image"
    return f"{what} {plain(one.title)} ({one.id[:8]})"


def _look() -> None:
    from core.retention.prune import missing, orphans

    _LOOKED.put((orphans(resources.store()), missing(resources.store())))


def _remove_lost(lost: tuple[Orphan, ...]) -> None:
    from core.retention.prune import remove_orphans

    gone = remove_orphans(resources.store(), lost)
    _LOOKED.clear()
    _storage.clear()
    st.toast(f"{labels.count(len(gone), 'lost file')} removed, {labels.size(sum(one.size for one in gone))}.")
    st.rerun(scope="fragment")
