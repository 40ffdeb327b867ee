"""What the pages of all tasks share: choose a scene, ask for a run, follow it, and look at what came out."""
