"""Every family of detectors can be asked why it found a box, through the one interface that explanations know."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from core.explain.boxes import GRAD_CAM, HIRES_CAM, box_layers
from core.explain.faithfulness import curves_of, deletion_of
from core.explain.target import box_score
from core.learning.protocols import BoxEvidence
from core.tasks.detection.families.base import Detector, build_detector
from tests.factories import tiny_spec

CONFIGS = Path(__file__).resolve().parents[3] / "models" / "configs" / "detection"
SIDE = 64
BOX = torch.tensor([14.0, 18.0, 40.0, 46.0])

PYRAMID = {"channels": 32}
FAMILIES: dict[str, dict[str, Any]] = {
    "fcos": PYRAMID,
    "retinanet": {**PYRAMID, "attention": "cbam"},
    "ssdlite": PYRAMID,
    "faster-rcnn": {**PYRAMID, "pyramid": "fpn"},
    "mask-rcnn": PYRAMID,
    "yolo": {"yaml": (CONFIGS / "yolo11n-p2.yaml").read_text(encoding="utf-8")},
    "rt-detr": {"yaml": (CONFIGS / "rt-detr-small.yaml").read_text(encoding="utf-8")},
    "mask-components": {"network": "unet", "threshold": 0.3},
}


@pytest.fixture(autouse=True, scope="module")
def _one_thread() -> Any:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module", params=list(FAMILIES))
def detector(request: pytest.FixtureRequest) -> Detector:
    """An untrained detector of a family that has worked already, as in a server whose pages search and explain."""
    spec = tiny_spec(
        "made", task="detection", architecture=request.param, encoder="mobilenet_v2", classes=("landslide",),
        tile=SIDE, options=FAMILIES[request.param],
    )  # fmt: skip
    torch.manual_seed(0)
    built = build_detector(spec).eval()
    with torch.inference_mode():
        built.detect(image(), 0.01, 10)
    return built


def image() -> torch.Tensor:
    return torch.rand((1, 3, SIDE, SIDE), generator=torch.Generator().manual_seed(1))


def test_the_evidence_is_one_number_that_every_pixel_near_the_box_can_change(detector: Detector) -> None:
    assert isinstance(detector, BoxEvidence)
    inputs = image().requires_grad_()

    evidence = detector.evidence(inputs, BOX)

    assert evidence.numel() == 1
    assert torch.isfinite(evidence).all()
    evidence.reshape(()).backward()
    assert inputs.grad is not None
    assert torch.isfinite(inputs.grad).all()
    assert inputs.grad[..., 20:44, 16:38].abs().sum() > 0


def test_each_layer_that_it_names_has_places_and_one_at_least_had_a_say(detector: Detector) -> None:
    layers = box_layers(detector, image())

    assert [layer.name for layer in layers] == list(detector.explained)
    assert [layer.downsampling for layer in layers] == sorted(layer.downsampling for layer in layers)
    assert any(HIRES_CAM.attribute(detector, image(), BOX, layer.name).any() for layer in layers)


@pytest.mark.parametrize("method", [GRAD_CAM, HIRES_CAM], ids=lambda method: method.name)
def test_maps_are_signed_finite_and_of_the_images_size(detector: Detector, method: Any) -> None:
    layers = box_layers(detector, image())
    answered = 0
    for layer in layers:
        cam = method.attribute(detector, image(), BOX, layer.name)
        assert cam.shape == (SIDE, SIDE)
        assert np.isfinite(cam).all()
        # A layer of another level than the box's had no say, and then says nothing at all.
        assert np.abs(cam).max() in (0, pytest.approx(1))
        answered += bool(cam.any())
    assert answered


def test_deletion_and_insertion_begin_and_end_where_they_must(detector: Detector) -> None:
    inputs, score = image(), box_score(detector, BOX)
    maps = (HIRES_CAM.attribute(detector, inputs, BOX, layer.name) for layer in box_layers(detector, inputs))
    cam = next(one for one in maps if one.any())

    curves = curves_of(detector, score, inputs, cam, (0.0, 0.2, 1.0))
    tested = deletion_of(detector, score, inputs, cam, trials=1)

    with torch.no_grad():
        whole, empty = float(score(inputs)[0]), float(score(inputs.mean(dim=(2, 3), keepdim=True).expand_as(inputs))[0])
    assert curves.deletion[0] == curves.insertion[-1] == tested.score == pytest.approx(whole, abs=1e-4)
    assert curves.deletion[-1] == curves.insertion[0] == pytest.approx(empty, abs=1e-4)
    assert tested.drop_top == pytest.approx(curves.deletion[0] - curves.deletion[1], abs=1e-4)
    assert not any(module._forward_hooks for module in detector.modules())
