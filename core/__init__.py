"""SlideLens without its browser pages: scenes, models, explanations, runs and the tile routes."""

import os

__version__ = "0.1.0"

# Threads of PyTorch that wait for each other spin by default, which on a server that has other work costs several times
# the processor time and the wait. It must be said before PyTorch is loaded; whoever runs the server may say otherwise.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
