"""What a browser's request changed, which Streamlit tells to callbacks of single widgets only."""

from __future__ import annotations

from streamlit.runtime.scriptrunner import get_script_run_ctx


def changed_alone(key: str) -> bool:
    """Whether the request that runs a widget's callback was made because of that widget.

    Each request holds the state of all widgets, and those of a widget that has not been drawn anew are old ones. A
    request that changes other widgets as well, or asks for a part of the page in which the widget is not, was made
    because of something else. Streamlit has no public place for this.

    Parameters
    ----------
    key
        Of the widget.
    """
    context = get_script_run_ctx()
    assert context is not None  # noqa: S101  callbacks are called by a script that runs
    state = context.session_state._state
    own = state.get_widget_id_from_key(key)
    if own is None:
        return True
    known = state.get_widget_metadata(own)
    parts = context.fragment_ids_this_run
    if parts and known is not None and known.fragment_id not in parts:
        return False
    return not any(one != own and state._widget_changed(one) for one in list(state._new_widget_state))
