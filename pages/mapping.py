"""Placeholder until the mapping page is written."""

import streamlit as st

st.title("Mapping")
st.info("This page is being written.")
