"""Reviews: corrections of a run's result by people, kept next to it as an append-only log."""
