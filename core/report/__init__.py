"""Building blocks of reports: one HTML file about a run for readers without the app. Independent of tasks."""
