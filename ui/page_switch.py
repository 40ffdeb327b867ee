"""Keep a page whole that was opened while a part of the page before it asked to be drawn anew.

A browser that is being led to another page may still ask to draw a fragment of the page that it shows: one that looks
for news by itself, or that was clicked. Streamlit 1.67 answers such a late request after the new page's script, in the
name of the old page, and the browser, which takes that for a change of page, throws away what the new one has just
drawn. The page then stays empty at the right address until it is reloaded. Here such requests are left out: the
fragment that they mean is no longer on the page.

Not covered: late requests for a page as a whole, which is why the map beside a run under way is a fragment, and a click
that a browser sends twice, which seldom leads back to the page before.

Streamlit has no public place for this; `tests/browser/test_page_switch.py` says when it is no longer needed.
"""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING

from streamlit.runtime.scriptrunner.script_runner import ScriptRunner
from streamlit.runtime.scriptrunner_utils.script_requests import ScriptRequests, ScriptRequestType

if TYPE_CHECKING:
    from collections.abc import Callable

    from streamlit.runtime.scriptrunner_utils.script_requests import RerunData

_DONE = "_slidelens_leaves_out_late_fragments"


def leave_out_late_fragments() -> None:
    """Have Streamlit drop requests for fragments of a page that is no longer, or will no longer be, the open one."""
    if getattr(ScriptRunner, _DONE, False):
        return
    ScriptRunner._run_script = _of_this_page(ScriptRunner._run_script)  # type: ignore[method-assign]
    ScriptRequests._request_rerun_locked = _of_next_page(  # type: ignore[method-assign]
        ScriptRequests._request_rerun_locked
    )
    setattr(ScriptRunner, _DONE, True)


def _of_this_page(run: Callable[[ScriptRunner, RerunData], None]) -> Callable[[ScriptRunner, RerunData], None]:
    """Run a script unless it is for a fragment of another page than the one that ran last."""

    @wraps(run)
    def checked(self: ScriptRunner, data: RerunData) -> None:
        current = self._pages_manager.current_page_script_hash
        if not (data.fragment_id_queue and _differ(data.page_script_hash, current)):
            run(self, data)

    return checked


def _of_next_page(
    request: Callable[[ScriptRequests, RerunData], bool],
) -> Callable[[ScriptRequests, RerunData], bool]:
    """Take a request unless it is for a fragment while another page as a whole is waiting to be run.

    Streamlit makes one request of the two, and would run the page of the later one.
    """

    @wraps(request)
    def checked(self: ScriptRequests, data: RerunData) -> bool:
        waiting = self._rerun_data
        whole = self._state is ScriptRequestType.RERUN and not waiting.fragment_id_queue
        late = whole and data.fragment_id and _differ(data.page_script_hash, waiting.page_script_hash)
        return True if late else request(self, data)

    return checked


def _differ(one: str, other: str) -> bool:
    """Whether two pages are known not to be the same; the first request of a session does not say which it is for."""
    return bool(one and other) and one != other
