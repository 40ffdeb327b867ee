"""The kit of the command line: what the commands of all tasks share, and the commands on runs."""
