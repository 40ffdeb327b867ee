"""The kit of reports: one HTML file about a run, for readers who were not there. It knows no task."""
