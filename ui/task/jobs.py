"""Runs under way, as every page shows them: in the sidebar, and at length where the run is what the page is about."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import streamlit as st

from core.errors import LandslideError
from core.runs.kinds import is_primary
from ui import labels, resources
from ui.feedback import duration, guard, plain
from ui.messages import tr
from ui.state import Slot
from ui.task import kept
from ui.task.links import place
from ui.task.task import script_of

if TYPE_CHECKING:
    from core.runs.records import Order, Run

LISTED = 5
"""Runs under way that the sidebar names; more are counted."""

LOOK_EVERY = 2.0
"""Seconds between two looks of the sidebar at runs under way."""

_WATCHED: Slot[frozenset[str]] = Slot("watched-runs", frozenset())
"""Runs of whose end the visitor is to be told."""

_ENDS = {"done": ":material/check_circle:", "cancelled": ":material/cancel:"}
"""Icons of notices that a run has ended; a warning for the others."""

_LOOKING: Slot[bool] = Slot("sidebar-looks", False)
"""Whether the sidebar keeps itself up to date."""

_LOOKED: Slot[bool] = Slot("sidebar-looked", False)
"""Whether the sidebar has just been drawn with the page as a whole."""


def words(run: Run) -> str:
    """How far a run is, in a line: what it does, its share, the time that is left."""
    if run.status == "queued":
        return "Waiting for a free worker" if resources.jobs().ready() else "Starting a worker"
    if run.cancelling:
        return "Stopping"
    parts = [plain(run.progress.words) or "Starting"]
    if run.eta is not None and run.eta >= 0.5:  # less would be told as nothing
        parts.append(f"about {duration(run.eta)} left")
    return ", ".join(parts)


def _tell_ended(active: list[Run]) -> None:
    """Tell of runs of this visitor, or that he has open, that were under way at the last look and have ended."""
    now = {run.id for run in active}
    mine = {run.id for run in active if run.owner == resources.visitor() or run.id == st.query_params.get("run")}
    ended = set()
    for identity in sorted(_WATCHED.get() - now):
        with suppress(LandslideError):  # it was deleted meanwhile
            run = resources.store().run(identity)
            if run.batch:
                ended.add(run.batch)
                continue
            what = labels.tasks().get(run.task, run.task) if is_primary(run) else labels.kind(run)
            here = run.id == st.query_params.get("run")  # the page shows it as well
            st.toast(
                f"**{plain(what)}: {labels.status(run).lower()}** · {plain(_short(run.title, 80))}",
                icon=_ENDS.get(run.status, ":material/warning:"), duration="short" if here else "long",
            )  # fmt: skip
    for batch in ended - {run.batch for run in active}:
        _tell_batch(batch)
    _WATCHED.put(frozenset(mine | (_WATCHED.get() & now)))


def _tell_batch(identity: str) -> None:
    """Tell that the last run of a batch has ended."""
    from core.batch.batches import current, find, runs_of

    with suppress(LandslideError):
        batch = find(resources.store(), identity)
        runs = current(batch, runs_of(resources.store(), batch))
        done = sum(run.status == "done" for run in runs.values())
        icon = _ENDS["done"] if done == len(batch.datasets) else ":material/warning:"
        told = f"**Batch finished: {done} of {labels.count(len(batch.datasets), 'image')} done**"
        st.toast(f"{told} · {plain(_short(batch.title, 80))}", icon=icon, duration="long")


def sidebar() -> None:
    """Runs under way, of everybody; drawn anew by itself while there are any, else only with the page."""
    awake, found = resources.awake(), []
    if awake:
        with guard():
            found.append(resources.store().active())
    busy = not awake or any(found)
    _LOOKING.put(busy)
    _LOOKED.put(awake)
    st.fragment(_sidebar, run_every=LOOK_EVERY if busy else None)(busy, found)


def _sidebar(busy: bool, found: list[list[Run]]) -> None:
    """Show what was just found, and look again whenever the sidebar is drawn anew."""
    if not resources.awake():
        return  # the first page is not made to wait; the next look is soon
    active: list[Run] = []
    with guard():
        active = found.pop() if found else resources.store().active()
        _tell_ended(active)
        if active:
            _list(active)
    if busy and not active:
        st.rerun()  # without any, nobody needs to look again


def notice_runs() -> None:
    """For the end of a fragment: keep where the visitor is, and begin to show runs under way if the sidebar does not.

    A page whose sidebar shows none asks for none until it is drawn anew. A fragment that a visitor uses leaves the
    sidebar as it is, so what was started meanwhile, here or by somebody else, would not appear.
    """
    kept.remember()
    if _LOOKED.get():
        _LOOKED.clear()  # with the page, a moment ago
    elif not _LOOKING.get() and resources.store().active():
        st.rerun()


def _list(active: list[Run]) -> None:
    st.markdown(tr("**Running**"))
    alone, batches = [run for run in active if not run.batch], dict.fromkeys(run.batch for run in active if run.batch)
    for batch in batches:
        _list_batch(batch, [run for run in active if run.batch == batch])
    for run in alone[:LISTED]:
        # By what computes it: several runs under way are often of one scene. A link would be marked as the page
        # that is open, whichever run it leads to.
        opened = st.button(_short(_what(run)), key=f"under-way-{run.id}", type="tertiary")
        st.progress(run.progress.share, text=f"{plain(_short(run.title))}  \n{words(run)}")
        if opened:
            page, address = place(run)
            st.switch_page(script_of(page), query_params=address)
    if len(alone) > LISTED:
        st.caption(tr("and {count} more").format(count=len(alone) - LISTED))


def _list_batch(identity: str, active: list[Run]) -> None:
    """A batch under way in one line, whatever the number of its images."""
    from core.batch.batches import find

    with suppress(LandslideError):  # it was deleted meanwhile
        batch = find(resources.store(), identity)
        opened = st.button(
            tr("Batch: {short}").format(short=plain(_short(batch.title))), key=f"under-way-{identity}", type="tertiary"
        )
        left = sum(1 - run.progress.share for run in active)
        share = min(1.0, max(0.0, 1 - left / max(len(batch.datasets), 1)))
        st.progress(share, text=tr("{count} left").format(count=labels.count(len(active), 'image')))
        if opened:
            st.switch_page("../pages/runs.py", query_params={"batch": identity})


def _what(run: Run) -> str:
    """The model of a map, or what else is being computed."""
    return plain(labels.model(run) if is_primary(run) and run.model else labels.kind(run))


def _short(title: str, longest: int = 40) -> str:
    return title if len(title) <= longest else f"{title[: longest - 1]}…"


@st.fragment(run_every=0.5)
def follow(identity: str, *, what: str) -> None:
    """Progress of one run with a button that cancels; when the run ends the page is drawn anew.

    Parameters
    ----------
    identity
        The run.
    what
        What it does, in words.
    """
    with guard():
        run = resources.store().run(identity)
        if run.active:
            told = words(run).removeprefix(plain(what)).removeprefix(", ")  # a run may say no more than what it does
            st.progress(run.progress.share, text=f"**{plain(what)}**{f' · {told}' if told else ''}")
            if run.cancelling:
                st.caption(tr("Stopping after the current tile."))
            elif st.button(tr("Cancel"), key=f"cancel-{identity}"):
                resources.jobs().cancel(identity)
            st.caption(tr("You can close this page and return by its address or from Runs."))
            return
    st.rerun()


def show_ended(run: Run, *, opens: bool = True) -> None:
    """Say why a run has no result, and offer to run it again."""
    failure = run.failure
    if run.status == "cancelled":
        st.info(plain(failure.what if failure else tr("The run was cancelled.")))
    elif run.status == "interrupted":
        st.warning(
            tr("**The run was interrupted.**  \n")
            + plain(f"{failure.what} {failure.why}" if failure else tr("The server stopped while it was running."))
        )
    elif failure is not None:
        parts = [f"**{plain(failure.what)}**", plain(failure.why), plain(failure.remedy)]
        st.error("  \n".join(part for part in parts if part))
        if failure.detail:
            with st.expander(tr("Details for the administrator")):
                st.code(failure.detail, language=None)
    again(run, opens=opens)


def again(run: Run, label: str = "Repeat", *, opens: bool = True) -> None:
    """A button that orders the same once more, and opens the new run on the page or leaves that to the page."""
    if st.button(label, type="primary", key=f"again-{run.id}"):
        identity = resources.jobs().submit(order_again(run))
        if opens:
            st.query_params["run"] = identity
        st.rerun()


def order_again(run: Run) -> Order:
    """The order that a run answered, once more, for this visitor and with the time that runs may take now."""
    from core.runs.records import Order

    return Order(
        run.task, run.kind, run.parameters, run.inputs, run.model, run.parents,
        owner=resources.visitor(), name=run.name, seed=run.seed, batch=run.batch,
    )  # fmt: skip


def missing_files(run: Run) -> LandslideError | None:
    """What is to be said when files of a finished run are no longer on disk; None when all are there."""
    gone = [artifact.role for artifact in run.artifacts if not artifact.derived and not artifact.path.is_file()]
    if not gone:
        return None
    return LandslideError(
        tr("Files of this run are no longer on disk: {files}.").format(files=", ".join(gone)),
        tr("The file was removed from the storage folder, or the disk failed."),
        tr("Repeat the run: on this machine the same inputs give the same result."),
    )
