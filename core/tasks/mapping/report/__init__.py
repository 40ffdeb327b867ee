"""The report of a mapping: its parts, each in a module of its own."""
