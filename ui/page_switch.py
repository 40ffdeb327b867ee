"""Keep a page whole that is opened while a part of the page before it asks to be drawn anew.

Four faults of Streamlit 1.67 can leave a page empty, lead back from it or lose a click, where parts of pages draw
themselves anew:

- A browser that is being led to another page still asks to draw a fragment of the page that it shows. The request is
  answered after the new page's script, in the name of the old page, and the browser, which takes that for a change of
  page, throws away what the new one has just drawn. Such requests are left out: the fragment is no longer on the page.
- A click is sent an instant after it was made. A fragment that asks by itself in between sends it too, so that it
  arrives twice, and the second is joined with the request of the page that the first led to. What a fragment asks by
  itself therefore holds no click, and requests that wait for a fragment are forgotten when another page is asked for.
- When parts of two fragments change in the same instant, only the first of them is asked for. If a click belongs to the
  other, that one is asked for as well, with the click.
- A browser says which large messages it still has, and forgets old ones when a page is complete. If that happens while
  its request is on the way, it is told to take a message that it has just forgotten, and gives up its connection. What
  it has of other pages is therefore not relied on. Within a page, `global.maxCachedMessageAge` gives enough time.

Streamlit has no public place for this; `tests/browser/test_page_switch.py` says when it is no longer needed.
"""

from __future__ import annotations

from dataclasses import replace
from functools import wraps
from typing import TYPE_CHECKING

from streamlit.runtime.app_session import AppSession
from streamlit.runtime.scriptrunner.script_runner import ScriptRunner
from streamlit.runtime.scriptrunner_utils.script_requests import (
    RerunData,
    ScriptRequests,
    ScriptRequestType,
    _has_active_trigger_value,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from streamlit.proto.ClientState_pb2 import ClientState

_DONE = "_slidelens_keeps_pages_whole"
_PAGES = "_slidelens_pages"
"""The pages of a session, kept with its requests."""


def keep_pages_whole() -> None:
    """Have Streamlit leave out what belongs to a page that is no longer, or will no longer be, the open one."""
    if getattr(ScriptRunner, _DONE, False):
        return
    AppSession.request_rerun = _with_clicks(AppSession.request_rerun)  # type: ignore[method-assign]
    ScriptRunner._run_script = _of_this_page(ScriptRunner._run_script)  # type: ignore[method-assign]
    ScriptRequests._request_rerun_locked = _of_next_page(  # type: ignore[method-assign]
        ScriptRequests._request_rerun_locked
    )
    setattr(ScriptRunner, _DONE, True)


def _with_clicks(
    request: Callable[[AppSession, ClientState | None], None],
) -> Callable[[AppSession, ClientState | None], None]:
    """Pass on a browser's request so that each click is in one request, and that for the part it was made in."""

    @wraps(request)
    def checked(self: AppSession, state: ClientState | None) -> None:
        used = [one.id for one in state.widget_states.widgets if _has_active_trigger_value(one)] if state else []
        if state is None or not state.fragment_id or not used:
            request(self, state)
            return
        clicked: dict[str, set[str]] = {state.fragment_id: set()}
        late = _differ(state.page_script_hash, self._pages_manager.current_page_script_hash)
        if not (late or state.is_auto_rerun):  # what an automatic one has is sent once more
            known = self._session_state._new_widget_state.widget_metadata
            for one in used:
                part = (known[one].fragment_id or "") if one in known else state.fragment_id
                clicked.setdefault(part, set()).add(one)
        for part, own in clicked.items():
            request(self, _request_for(part, state, without=set(used) - own))

    return checked


def _request_for(part: str, state: ClientState, without: set[str]) -> ClientState:
    """A browser's request for a fragment (``""`` for the page as a whole), without some of its widgets."""
    made = type(state)()
    made.CopyFrom(state)
    made.fragment_id = part
    kept = [one for one in state.widget_states.widgets if one.id not in without]
    del made.widget_states.widgets[:]
    made.widget_states.widgets.extend(kept)
    return made


def _of_this_page(run: Callable[[ScriptRunner, RerunData], None]) -> Callable[[ScriptRunner, RerunData], None]:
    """Run a script unless it is for a fragment of another page than the one that ran last."""

    @wraps(run)
    def checked(self: ScriptRunner, data: RerunData) -> None:
        setattr(self._requests, _PAGES, self._pages_manager)
        if not _differ(data.page_script_hash, self._pages_manager.current_page_script_hash):
            run(self, data)
        elif not data.fragment_id_queue:
            run(self, _all_anew(data))

    return checked


def _of_next_page(
    request: Callable[[ScriptRequests, RerunData], bool],
) -> Callable[[ScriptRequests, RerunData], bool]:
    """Take a request unless it is for a fragment of another page than the one that runs, or waits to be run."""

    @wraps(request)
    def checked(self: ScriptRequests, data: RerunData) -> bool:
        pages = getattr(self, _PAGES, None)
        current = pages.current_page_script_hash if pages else ""
        waiting = self._rerun_data if self._state is ScriptRequestType.RERUN else None
        if waiting and not waiting.fragment_id_queue:
            current = waiting.page_script_hash
        other = _differ(data.page_script_hash, current)
        if other and data.fragment_id:
            return True
        if waiting and waiting.fragment_id_queue and _differ(data.page_script_hash, waiting.page_script_hash):
            self._state, self._rerun_data = ScriptRequestType.CONTINUE, RerunData()
        return request(self, _all_anew(data) if other else data)

    return checked


def _all_anew(data: RerunData) -> RerunData:
    """The same request of a browser that is taken to have no message yet."""
    return replace(data, cached_message_hashes=frozenset())


def _differ(one: str, other: str) -> bool:
    """Whether two pages are known not to be the same; the first request of a session does not say which it is for."""
    return bool(one and other) and one != other
