"""The parts of the mapping page: choose a scene, ask for a run, look at what came out."""
