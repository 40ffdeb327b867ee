"""Room on the disk: what is used, what is lost, and removing what nobody needs after saying which."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import streamlit as st

from ui import labels, resources
from ui.feedback import guard, plain
from ui.messages import tr, tr_noop
from ui.runs import table
from ui.state import Slot
from ui.task.jobs import notice_runs

if TYPE_CHECKING:
    from core.retention.prune import Missing, Orphan, Plan, Storage

LISTED = 12
"""Lines of one list; more are counted."""

ORPHANS = {
    "artifact": tr_noop("result without a run"),
    "upload": tr_noop("file without an image"),
    "work": tr_noop("left behind by an ended run"),
    "export": tr_noop("download of a deleted run"),
    "leftover": tr_noop("incomplete file"),
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
        st.markdown(
            tr("**Storage used: {size}** · {size_2} free on disk").format(
                size=labels.size(used.used), size_2=labels.size(used.free)
            )
        )
        parts = {
            tr("run results"): used.artifacts,
            tr("uploads"): used.uploads,
            tr("prepared downloads"): used.exports,
            tr("active runs"): used.work,
            tr("cache"): used.cache,
            tr("database and other files"): used.rest,
        }
        st.caption(" · ".join(f"{name} {labels.size(octets)}" for name, octets in parts.items() if octets))
        with st.expander(tr("Free up space"), expanded=_PLAN.get() is not None):
            _prune()
        with st.expander(tr("Orphaned files"), expanded=_LOOKED.get() is not None):
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
        tr("Deletes prepared downloads first, which can be created again, then the oldest runs and everything derived "
        "from them. Pinned runs, and runs that they are based on, are kept.")
    )
    with st.form("prune", border=False), st.container(horizontal=True, gap="small", vertical_alignment="bottom"):
        days = st.number_input(
            tr("Older than (days)"), 0, 100_000, None, 30, key="prune-days", placeholder=tr("any age"), width=180
        )
        quota = st.number_input(
            tr("Storage limit (GB)"), 0.0, None, None, 1.0, key="prune-quota", placeholder=tr("no limit"), width=180
        )
        asked = st.form_submit_button(tr("Preview"))
    if asked:
        _PLAN.put(_planned(days, quota))
    plan = _PLAN.get()
    if plan is not None:
        _confirm(plan)


def _planned(days: int | None, quota: float | None) -> Plan | None:
    from core.retention.prune import plan

    if days is None and quota is None:
        st.info(tr("Enter an age, a storage limit, or both."))
        return None
    older = None if days is None else datetime.now(UTC) - timedelta(days=days)
    return plan(resources.store(), older_than=older, quota=None if quota is None else round(quota * 1e9))


def _confirm(plan: Plan) -> None:
    if plan.beyond:
        st.warning(tr("{size} above the limit cannot be freed: the remaining runs are pinned, "
                   "active or in use.").format(size=labels.size(plan.beyond)))
    if plan.nothing:
        st.info(tr("Nothing to delete."))
        return
    what = _counted((len(plan.exports), "prepared download"), (len(plan.runs), "run"),
                    (len(plan.uploads), "unused upload"))  # fmt: skip
    st.markdown(
        tr("**This permanently deletes {what} and frees {size}:**").format(what=what, size=labels.size(plan.freed))
    )
    leaving = [(tr("prepared download of "), one) for one in plan.exports]
    leaving += [("", one) for one in (*plan.runs, *plan.uploads)]
    _listed([f"{of}{plain(one.title)}, {labels.moment(one.created)}, {labels.size(one.freed)}" for of, one in leaving])
    with st.container(horizontal=True):
        if st.button(tr("Delete permanently"), type="primary", key="prune-now"):
            _remove(plan)
        if st.button(tr("Cancel"), key="prune-not"):
            _PLAN.clear()
            st.rerun(scope="fragment")


def _remove(plan: Plan) -> None:
    from core.retention.prune import prune

    removed = prune(resources.store(), plan)
    _PLAN.clear()
    _storage.clear()
    table.pick()
    went = _counted((removed.exports, "prepared download"), (removed.runs, "run"), (removed.uploads, "upload"))
    st.toast(tr("{went} deleted.").format(went=went or tr('Nothing')))
    st.rerun()


def _counted(*numbers: tuple[int, str]) -> str:
    """Those of some numbers that are not zero, with their nouns, as in a sentence."""
    parts = [labels.count(number, noun) for number, noun in numbers if number]
    return tr(" and ").join(filter(None, [", ".join(parts[:-1]), *parts[-1:]]))


def _listed(lines: list[str]) -> None:
    shown = lines[:LISTED]
    if len(lines) > LISTED:
        shown.append(tr("and {count:,} more").format(count=len(lines) - LISTED))
    st.markdown("\n".join(f"- {line}" for line in shown))


def _lost() -> None:
    """Look, when that is asked, for files that nobody names and for those that are named and not there."""
    st.markdown(
        tr("Finds files that no longer belong to any run or image, and runs and images whose files are missing.")
    )
    if st.button(tr("Find orphaned files"), key="lost-look"):
        _look()
    found = _LOOKED.get()
    if found is None:
        return
    lost, missing = found
    if not lost and not missing:
        st.success(tr("No problems found: no file is orphaned or missing."))
    if missing:
        st.warning(
            tr("**{count} missing.** Restore from a backup, or delete the run or image "
            "concerned and repeat it.").format(count=labels.count(len(missing), 'file'))
        )
        _listed([f"{one.role} of {_owner(one)}: {plain(str(one.path))}" for one in missing])
    if lost:
        room = labels.size(sum(one.size for one in lost))
        st.markdown(f"**{labels.count(len(lost), 'orphaned file')}, {room}:**")
        _listed([f"{tr(ORPHANS[one.kind])}, {labels.size(one.size)}: {plain(str(one.path))}" for one in lost])
        if st.button(tr("Delete permanently"), type="primary", key="lost-remove"):
            _remove_lost(lost)


def _owner(one: Missing) -> str:
    what = tr("the run") if one.owner == "run" else tr("the image")
    return f"{what} {plain(one.title)} ({one.id[:8]})"


def _look() -> None:
    from core.retention.prune import missing, orphans

    _LOOKED.put((orphans(resources.store()), missing(resources.store())))


def _remove_lost(lost: tuple[Orphan, ...]) -> None:
    from core.retention.prune import remove_orphans

    gone = remove_orphans(resources.store(), lost)
    _LOOKED.clear()
    _storage.clear()
    st.toast(
        tr("{count} deleted, {size}.").format(
            count=labels.count(len(gone), "orphaned file"), size=labels.size(sum(one.size for one in gone))
        )
    )
    st.rerun(scope="fragment")
