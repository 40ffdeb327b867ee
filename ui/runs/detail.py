"""One run: what it is, what can be done with it, and what it is called."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import streamlit as st

from core.errors import InputError
from core.runs.kinds import is_primary, kind_of
from ui import labels, resources
from ui.feedback import duration, guard, plain, show_error
from ui.messages import tr
from ui.runs import table
from ui.state import rerun_fragment
from ui.task import jobs, several
from ui.task.links import place
from ui.task.task import script_of

if TYPE_CHECKING:
    from core.runs.records import Run

LISTED = 8
"""Runs that stand on a run of which each has its own line."""


def show(run: Run) -> None:
    """Everything about one run."""
    with st.container(border=True):
        st.subheader(f"{plain(run.title)}{labels.part(run)}")
        st.caption(_line(run))
        _state(run)
        _numbers(run)
        with guard():
            _actions(run)
        left, right = st.columns([3, 2], gap="medium")
        with left, guard():
            _labels(run)
        with right:
            _family(run)
            _asked(run)
            with guard():
                _delete(run)


def _line(run: Run) -> str:
    subject = run.subject.name if run.subject.name != run.title else ""
    parts = [labels.status(run), labels.kind(run), subject, labels.model(run)]
    spent = "" if run.seconds is None else duration(run.seconds)
    took = tr("{time} so far") if run.active else tr("took {time}")
    parts += [labels.moment(run.created), spent and took.format(time=spent)]
    parts += [labels.size(run.bytes) if run.artifacts else "", tr("pinned") if run.pinned else ""]
    parts.append(tr("run {id}").format(id=run.id[:8]))
    return " · ".join(plain(part) for part in parts if part)


def _state(run: Run) -> None:
    """How far it is, or in words why it did not end well; the details for who looks after the server."""
    if run.active:
        st.progress(run.progress.share, text=jobs.words(run))
        return
    missing = jobs.missing_files(run) if run.status == "done" else None
    if missing is not None:
        show_error(missing)
    failure = run.failure
    if run.status == "done" or failure is None:
        return
    told = "  \n".join(
        part for part in (f"**{plain(failure.what)}**", plain(failure.why), plain(failure.remedy)) if part
    )
    {"failed": st.error, "interrupted": st.warning}.get(run.status, st.info)(told)
    if failure.detail:
        with st.expander(tr("Details for the administrator")):
            st.code(failure.detail, language=None)


def _numbers(run: Run) -> None:
    known = [name for name in labels.metrics() if name in run.metrics]
    if not known:
        return
    with st.container(horizontal=True, gap="medium"):
        for name in known:
            st.metric(labels.title_of_metric(name), labels.metric(name, run.metrics[name]), width="content",
                      help=labels.meaning(name))  # fmt: skip
    if is_primary(run):
        st.caption(labels.counted(run))


def _actions(run: Run) -> None:
    """Where the run can be opened, and what can be ordered anew."""
    found, kind = is_primary(run), kind_of(run)
    with st.container(horizontal=True, gap="small"):
        page, address = place(run)
        if page != "runs" and (run.status == "done" or (found and run.active)):
            _go(tr("Open"), page, address, "primary")
        if found and run.status == "done":
            _go(tr("Reading view"), "read", {"run": run.id})
        if found and run.subject.dataset_id and kind is not None and (kind.first or kind.again_from_parent):
            _go(tr("Run with changes"), run.task, {run.subject.role: run.subject.dataset_id, "prefill": run.id})
        if not run.active and kind is not None and st.button(tr("Repeat"), key=f"again-{run.id}"):
            _again(run)
        if run.active and not run.cancelling and st.button(tr("Cancel"), key=f"cancel-{run.id}"):
            resources.jobs().cancel(run.id)
            rerun_fragment()
        if run.status == "done":
            base = resources.base_path()
            st.link_button(tr("Download as zip"), f"{base}/runs/{run.id}.zip")
            if run.artifact("report") is not None:
                st.link_button(tr("Download report"), f"{base}/artifacts/{run.id}/report")
            if run.artifact("report_pdf") is not None:
                st.link_button(tr("Download PDF"), f"{base}/artifacts/{run.id}/report_pdf")


def _go(label: str, page: str, address: dict[str, str], kind: Literal["primary", "secondary"] = "secondary") -> None:
    """A button that opens another page."""
    if st.button(label, type=kind, key=f"go-{label}"):
        st.switch_page(script_of(page), query_params=address)


def _again(run: Run) -> None:
    """Order the same once more and choose the new run."""
    identity = resources.jobs().submit(jobs.order_again(run))
    table.pick(identity)
    st.rerun()  # the sidebar tells of it as well


def _labels(run: Run) -> None:
    with st.form(f"labels-{run.id}", border=False):
        name = st.text_input(tr("Name"), run.name, max_chars=200, placeholder=run.subject.name, key=f"name-{run.id}")
        tags = st.multiselect(
            tr("Tags"), sorted({*resources.store().tags(), *run.tags}), list(run.tags), accept_new_options=True,
            key=f"tags-{run.id}", placeholder=tr("Choose or enter a tag"),
        )  # fmt: skip
        note = st.text_area(tr("Note"), run.note, max_chars=20_000, key=f"note-{run.id}")
        pinned = st.checkbox(
            tr("Pinned"), run.pinned, key=f"pinned-{run.id}", help=tr("Pinned runs are never deleted to free up space.")
        )
        if st.form_submit_button(tr("Save")):
            tags = [" ".join(tag.split()) for tag in tags]
            resources.store().label(run.id, name=name, note=note, tags=[tag for tag in tags if tag], pinned=pinned)
            rerun_fragment()


def _family(run: Run) -> None:
    """What the run stands on and what stands on it."""
    several.link(run)
    store = resources.store()
    for parent in run.parents:
        try:
            one = store.run(parent)
        except InputError:
            st.caption(tr("Based on run {parent}, which was deleted.").format(parent=plain(parent[:8])))
        else:
            _link(tr("Based on: {title}").format(title=plain(one.title)), parent, run)
    children = store.children(run.id)
    if children:
        st.caption(tr("Derived from this run:"))
    for child in children[:LISTED]:
        _link(f"{labels.kind(child)}, {labels.moment(child.created)}", child.id, run)
    if len(children) > LISTED:
        st.caption(tr("and {count:,} more").format(count=len(children) - LISTED))


def _link(label: str, other: str, run: Run) -> None:
    st.button(label, key=f"other-{run.id}-{other}", on_click=table.pick, args=(other,), type="tertiary")


def _asked(run: Run) -> None:
    with st.expander(tr("Settings")):
        st.json(dict(run.parameters), expanded=2)


def _delete(run: Run) -> None:
    """Delete the run with its files, after saying what goes."""
    if run.status == "running":
        return
    from core.review.log import reviewed_runs

    doomed = [run, *resources.store().descendants(run.id)]
    files = {artifact.path: artifact.size for one in doomed for artifact in one.artifacts}
    with st.popover(tr("Delete"), key=f"delete-{run.id}"):
        also = len(doomed) - 1
        with_it = tr("one run derived from it")
        if also > 1:
            with_it = tr("{count} derived from it").format(count=labels.count(also, "run"))
        parts = [
            tr("This permanently deletes this run and {with_it}.").format(with_it=with_it)
            if also
            else tr("This permanently deletes this run.")
        ]
        if files:
            parts.append(tr("Its files take up {size}; files shared with other runs are "
                         "kept.").format(size=labels.size(sum(files.values()))))
        edits = sum(reviewed_runs(resources.store()).get(one.id, 0) for one in doomed)
        if edits:
            parts.append(
                tr("**A review with {count} is deleted with it: export it first.**").format(
                    count=labels.count(edits, "edit")
                )
            )
        if any(one.pinned for one in doomed):
            parts.append(tr("**This run, or a run derived from it, is pinned.**"))
        st.markdown(" ".join(parts))
        if st.button(tr("Delete permanently"), type="primary", key=f"delete-now-{run.id}"):
            gone = resources.store().delete(run.id)
            table.pick()
            st.toast(tr("{count} deleted.").format(count=labels.count(gone, 'run')))
            rerun_fragment()
