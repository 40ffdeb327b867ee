"""Provenance: what this result was computed from, with what, and when."""

from __future__ import annotations

import streamlit as st

from ui.feedback import plain
from ui.task.view import View


def show(view: View) -> None:
    """A summary in words and the whole record."""
    record = view.result.provenance
    scene, model = record["scene"], record["model"]
    lines = [
        ("Run", view.result.id),
        ("Scene", f"{scene['name']} (content SHA-256 {scene['digest'][:16]}…)"),
        ("Origin", view.record.origin or "unknown"),
        ("Licence of the scene", scene["licence"] or "not stated"),
        ("Citation", scene["citation"] or "not stated"),
        ("Model", f"{model['name']} (weights SHA-256 {model['weights_sha256'][:16]}…)"),
        ("Runtime", f"{record['runtime']['name']}, {record['runtime']['threads']} threads"),
        ("Finished", f"{record['finished']}, after {record['seconds']:g} s"),
    ]
    st.markdown("\n".join(f"- {title}: {plain(str(text))}" for title, text in lines))
    with st.expander("Whole record"):
        st.json(dict(record), expanded=2)
