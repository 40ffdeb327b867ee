"""The roles of the datasets of a run on an image; imports nothing heavy, so that a task can be declared with them."""

from __future__ import annotations

from core.runs.kinds import Role

SCENE = "scene"
TRAINING_DISTANCE = "training_distance"
"""Artifact of a run: how far each tile of the scene is from the model's training images."""

ROLES = (
    Role(SCENE, ("raster",), "Image"),
    Role("reference", ("vector", "raster"), "Reference inventory", optional=True),
    Role("dem", ("raster",), "Elevation model", optional=True),
)
"""What a run on an image takes."""

FURTHER_TRAINING = {
    "card": "Model card",
    "measure": "Statistics of training images",
    "faithfulness": "Faithfulness test of a model",
}
"""Titles of runs of a training that were ordered to do something else with the trained model."""
