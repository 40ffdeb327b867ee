"""What a session's requests come to when a page is left while parts of it ask to be drawn anew."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from streamlit.proto.ClientState_pb2 import ClientState
from streamlit.proto.WidgetStates_pb2 import WidgetState, WidgetStates
from streamlit.runtime.scriptrunner_utils.script_requests import RerunData, ScriptRequests, ScriptRequestType

from ui import page_switch

HAVE = frozenset({"a message"})
CLICK = WidgetStates(widgets=[WidgetState(id="button", trigger_value=True)])


@pytest.fixture
def asked() -> ScriptRequests:
    """The requests of a session whose page ``here`` is being run."""
    page_switch.keep_pages_whole()
    requests = ScriptRequests()
    setattr(requests, page_switch._PAGES, SimpleNamespace(current_page_script_hash="here"))
    return requests


def fragment(page: str, name: str = "news", clicked: WidgetStates | None = None) -> RerunData:
    return RerunData(page_script_hash=page, fragment_id=name, widget_states=clicked, cached_message_hashes=HAVE)


def whole(page: str) -> RerunData:
    return RerunData(page_script_hash=page, cached_message_hashes=HAVE)


def test_a_fragment_of_the_page_is_drawn(asked: ScriptRequests) -> None:
    assert asked.request_rerun(fragment("here"))
    assert asked.on_scriptrunner_ready().rerun_data.fragment_id_queue == ["news"]


def test_a_fragment_of_the_page_before_is_left_out_while_the_new_one_runs(asked: ScriptRequests) -> None:
    assert asked.request_rerun(fragment("before"))
    assert asked.on_scriptrunner_ready().type is ScriptRequestType.STOP


def test_a_fragment_of_the_page_before_is_left_out_while_the_new_one_waits(asked: ScriptRequests) -> None:
    assert asked.request_rerun(whole("next"))
    assert asked.request_rerun(fragment("here"))
    assert asked.on_scriptrunner_ready().rerun_data.page_script_hash == "next"


def test_fragments_of_the_new_page_are_not_mixed_with_one_of_the_page_before(asked: ScriptRequests) -> None:
    assert asked.request_rerun(fragment("here"))
    assert asked.request_rerun(fragment("before", "old news"))
    data = asked.on_scriptrunner_ready().rerun_data
    assert (data.page_script_hash, data.fragment_id_queue) == ("here", ["news"])


def test_a_click_that_arrived_twice_is_no_click_on_the_next_page(asked: ScriptRequests) -> None:
    assert asked.request_rerun(fragment("here", clicked=CLICK))
    assert asked.request_rerun(whole("next"))
    data = asked.on_scriptrunner_ready().rerun_data
    assert data.page_script_hash == "next"
    assert not data.fragment_id_queue
    assert not data.widget_states


def test_a_click_is_kept_when_the_same_page_is_asked_for(asked: ScriptRequests) -> None:
    assert asked.request_rerun(fragment("here", clicked=CLICK))
    assert asked.request_rerun(whole("here"))
    assert asked.on_scriptrunner_ready().rerun_data.widget_states == CLICK


@pytest.mark.parametrize(("page", "relied_on"), [("here", HAVE), ("next", frozenset())])
def test_messages_that_a_browser_has_of_other_pages_are_not_relied_on(
    asked: ScriptRequests, page: str, relied_on: frozenset[str]
) -> None:
    assert asked.request_rerun(whole(page))
    assert asked.on_scriptrunner_ready().rerun_data.cached_message_hashes == relied_on


def test_a_stopped_session_says_so(asked: ScriptRequests) -> None:
    asked.request_stop()
    assert not asked.request_rerun(whole("next"))
    assert not asked.request_rerun(fragment("here"))


def sent(auto: bool = False, page: str = "here", clicked: tuple[str, ...] = ("button",)) -> list[tuple[str, set[str]]]:
    """What is asked of a session for a browser's request of ``news``: fragments, and what was clicked or chosen."""
    passed: list[tuple[str, set[str]]] = []

    def request(_: object, state: ClientState | None) -> None:
        assert state is not None
        passed.append((state.fragment_id, {one.id for one in state.widget_states.widgets}))

    part_of = {"button": SimpleNamespace(fragment_id="other"), "own": SimpleNamespace(fragment_id="news")}
    part_of["main"] = SimpleNamespace(fragment_id=None)
    session = SimpleNamespace(
        _pages_manager=SimpleNamespace(current_page_script_hash="here"),
        _session_state=SimpleNamespace(_new_widget_state=SimpleNamespace(widget_metadata=part_of)),
    )
    asked = ClientState(fragment_id="news", is_auto_rerun=auto, page_script_hash=page)
    asked.widget_states.widgets.extend(WidgetState(id=one, trigger_value=True) for one in clicked)
    asked.widget_states.widgets.append(WidgetState(id="slider", int_value=3))
    page_switch._with_clicks(request)(session, asked)  # type: ignore[arg-type]
    return passed


def test_what_a_fragment_asks_by_itself_holds_no_click() -> None:
    assert sent(auto=True) == [("news", {"slider"})]


def test_a_click_in_another_fragment_is_asked_for_as_well() -> None:
    assert sent() == [("news", {"slider"}), ("other", {"button", "slider"})]


def test_a_click_outside_all_fragments_asks_for_the_page() -> None:
    assert sent(clicked=("own", "main")) == [("news", {"own", "slider"}), ("", {"main", "slider"})]


def test_a_click_in_the_fragment_itself_and_one_of_an_unknown_widget_stay() -> None:
    assert sent(clicked=("own", "unknown")) == [("news", {"own", "unknown", "slider"})]


def test_a_click_on_the_page_before_does_not_lead_back_to_it() -> None:
    assert sent(page="before", clicked=("main",)) == [("news", {"slider"})]
