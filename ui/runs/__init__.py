"""The pages of runs: the list of all, two or more beside each other, and one to be read."""
