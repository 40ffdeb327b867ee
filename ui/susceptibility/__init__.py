"""Susceptibility in the browser: its form, and how a validation is shown."""
