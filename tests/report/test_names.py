"""Files leave under names that tell data, task, content and run, whatever the data are called."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core.report.names import renamed
from core.runs.store import Store
from core.tasks.imagery.result import image_inputs
from tests.factories import keep, made_run


@pytest.mark.parametrize(
    ("data", "name", "expected"),
    [
        ("valley.tif", "probability.tif", "valley_mapping_probability_{}.tif"),
        ("../../etc/passwd", "mask.tif", "passwd_mapping_mask_{}.tif"),
        ('a"b;c\r\nd.tif', "detections.coco.json", "a-b-c-d_mapping_detections_{}.coco.json"),
        ("C:\\data\\S2A_2023.SAFE", "new_landslides.gpkg", "S2A-2023_mapping_new-landslides_{}.gpkg"),
        ("汶川 2008.tif", "figure.png", "汶川-2008_mapping_figure_{}.png"),
        ("...", "figure.png", "data_mapping_figure_{}.png"),
        ("x" * 300, "a.png", "x" * 40 + "_mapping_a_{}.png"),
        ("", "a.png", "data_mapping_a_{}.png"),
    ],
)
def test_a_file_is_named_by_data_task_content_and_run(
    store: Store, tmp_path: Path, data: str, name: str, expected: str
) -> None:
    made = replace(made_run(tmp_path / "made", np.zeros((4, 4))), inputs=image_inputs(data))
    run = store.run(keep(store, made).id)
    assert renamed(run, name) == expected.format(run.id[:8])
