"""Figures and the colours that every figure, map and table shares."""
