"""Reviews: what people correct in what a run found, kept beside it as a log that only grows."""
