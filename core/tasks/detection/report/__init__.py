"""The report of a detection: its parts, each in a module of its own."""
