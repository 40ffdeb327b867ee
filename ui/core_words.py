"""Words of `core` that pages show in lists of options and as titles of columns, marked for translation.

`core` itself speaks English, as reports and commands do; a test compares these with what it declares.
"""

from __future__ import annotations

from ui.messages import tr_noop

BASELINES = (tr_noop("Colour index"),)
"""Of `baseline_metrics` of the results."""

NOUNS = (tr_noop("landslide"), tr_noop("landslides"), tr_noop("detections"))

REVIEW = (
    tr_noop("not reviewed"), tr_noop("correct"), tr_noop("false alarm"), tr_noop("outline corrected"),
    tr_noop("added (missed by the model)"), tr_noop("deleted"), tr_noop("split into others"),
    tr_noop("merged into another"), tr_noop("merged"), tr_noop("merged with another"),
)  # fmt: skip
"""Of `core.review.state`."""

REASONS = (
    tr_noop("bare soil or rock"), tr_noop("road or building"), tr_noop("field or clearing"), tr_noop("river or water"),
    tr_noop("cloud, shadow or snow"), tr_noop("older landslide"), tr_noop("image error"), tr_noop("duplicate"),
    tr_noop("other"),
)  # fmt: skip
"""Of `core.review.edits`."""

LABELS = (
    tr_noop("not reviewed"), tr_noop("label correct"), tr_noop("label wrong"), tr_noop("outline changed"),
    tr_noop("unit added"), tr_noop("unit"), tr_noop("no landslide there"),
    tr_noop("landslide there"), tr_noop("position inaccurate"), tr_noop("other date or event"),
    tr_noop("other process"), tr_noop("duplicate"), tr_noop("outside the study area"), tr_noop("other"),
)  # fmt: skip
"""Of `core.review.labels` and the reasons for wrong labels."""

SUSCEPTIBILITY = (
    tr_noop("Random folds"), tr_noop("Spatial folds (k-means of the coordinates)"),
    tr_noop("Spatial folds (square blocks)"), tr_noop("Areas left out one at a time"),
    tr_noop("Events left out one at a time"),
    tr_noop("Natural breaks (Jenks)"), tr_noop("Equal areas (quantiles)"), tr_noop("Equal intervals"),
    tr_noop("Standard deviations"), tr_noop("Shares of the landslides"), tr_noop("Custom breaks"),
    tr_noop("No tuning (default settings)"), tr_noop("Random search"), tr_noop("Grid search"),
    tr_noop("Bayesian search (TPE)"),
    tr_noop("Frequency ratio"), tr_noop("Information value"), tr_noop("Contrast (weights of evidence)"),
)  # fmt: skip
"""Of `core.tasks.susceptibility`: validation, classes, tuning and weights."""

DISPLACEMENT = (
    tr_noop("None"), tr_noop("Moving average"), tr_noop("Cubic trend"), tr_noop("Quintic trend"),
    tr_noop("Polynomial"),
    tr_noop("RMSE (mm)"), tr_noop("MAE (mm)"), tr_noop("R² of movement"), tr_noop("R² of displacement"),
    tr_noop("Bias factor"), tr_noop("Number of forecasts"), tr_noop("90 % interval coverage"),
    tr_noop("Training RMSE (mm)"), tr_noop("Fits"), tr_noop("Time (s)"),
    tr_noop("normal"), tr_noop("level 1"), tr_noop("level 2"), tr_noop("level 3"), tr_noop("level 4"),
    tr_noop("level 5"),
    tr_noop("Velocity (mm/year)"), tr_noop("Acceleration (mm/year²)"), tr_noop("Annual amplitude (mm)"),
    tr_noop("Velocity along the slope (mm/year)"), tr_noop("Velocity to the east (mm/year)"),
    tr_noop("Velocity upwards (mm/year)"),
)  # fmt: skip
"""Of `core.tasks.displacement` and `core.series`: decomposition, scores, alert levels and layers."""
