"""The parts of the detection page: ask for a run, look at the boxes that came out."""
