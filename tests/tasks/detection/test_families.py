"""Every family learns, detects and keeps what it detects inside the window, through one interface."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from core.errors import ModelError
from core.learning.segmentation import build_network
from core.learning.spec import ModelSpec
from core.tasks.detection.families.base import FAMILIES, Detector, Target, build_detector
from core.tasks.detection.families.pyramid import Attention, Pyramid
from tests.factories import tiny_spec

CONFIGS = Path(__file__).resolve().parents[3] / "models" / "configs" / "detection"
SIDE = 64
SMALL = {"channels": 32}
LEARNING: dict[str, dict[str, Any]] = {
    "fcos": SMALL,
    "retinanet": {**SMALL, "attention": "cbam"},
    "ssdlite": SMALL,
    "faster-rcnn": {**SMALL, "pyramid": "fpn"},
    "mask-rcnn": SMALL,
    "yolo": {"yaml": (CONFIGS / "yolo11n-p2.yaml").read_text(encoding="utf-8")},
    "rt-detr": {"yaml": (CONFIGS / "rt-detr-small.yaml").read_text(encoding="utf-8")},
}
ENCODER = "mobilenet_v2"


def spec(family: str, **changes: Any) -> ModelSpec:
    options = changes.pop("options", LEARNING.get(family, {}))
    return tiny_spec(
        "made", task="detection", architecture=family, encoder=ENCODER, classes=("landslide",), tile=SIDE,
        options=options, **changes,
    )  # fmt: skip


@pytest.fixture(autouse=True, scope="module")
def _one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module", params=list(LEARNING))
def detector(request: pytest.FixtureRequest) -> Detector:
    torch.manual_seed(0)
    return build_detector(spec(request.param, upscale=2.0))


def images(count: int = 2) -> torch.Tensor:
    return torch.rand((count, 3, SIDE, SIDE), generator=torch.Generator().manual_seed(1))


def target(count: int) -> Target:
    """Boxes of one image, with masks that fill them."""
    boxes = torch.tensor([[4.0, 6, 20, 30], [30, 30, 60, 50]])[:count]
    masks = torch.zeros(count, SIDE, SIDE, dtype=torch.bool)
    for number, (left, top, right, bottom) in enumerate(boxes.int().tolist()):
        masks[number, top:bottom, left:right] = True
    return Target(boxes, torch.zeros(count, dtype=torch.int64), masks)


def test_a_family_learns_from_an_image_with_landslides_beside_one_without(detector: Detector) -> None:
    detector.train()

    terms = detector.losses(images(), [target(2), target(0)])
    torch.stack(list(terms.values())).sum().backward()

    assert all(torch.isfinite(term) for term in terms.values())
    moved = [p.grad for p in detector.parameters() if p.grad is not None and p.grad.abs().sum() > 0]
    assert len(moved) > 10
    detector.zero_grad()


def test_boxes_lie_within_the_image_the_surest_first_and_no_more_than_asked_for(detector: Detector) -> None:
    detector.eval()
    with torch.inference_mode():
        found = detector.detect(images(), 0.0, 7)

    assert len(found) == 2
    for one in found:
        assert len(one.boxes) == len(one.scores) == len(one.labels) <= 7
        assert ((one.boxes[:, 2:] - one.boxes[:, :2]) > 0).all()
        assert one.boxes.min() >= 0
        assert one.boxes.max() <= SIDE + 1e-3
        assert (one.scores[:-1] >= one.scores[1:]).all()
        assert set(one.labels.tolist()) <= {0}
        assert (one.masks is not None) == detector.has_masks


def test_nothing_below_the_floor_is_given(detector: Detector) -> None:
    detector.eval()
    with torch.inference_mode():
        found = detector.detect(images(1), 0.999, 300)

    assert len(found[0].boxes) == 0


def test_weights_go_through_their_names_alone(detector: Detector) -> None:
    other = build_detector(spec(detector.family, upscale=2.0))
    other.load_state_dict(detector.state_dict(), strict=True)
    detector.eval()
    other.eval()

    with torch.inference_mode():
        one, again = detector.detect(images(1), 0.0, 5)[0], other.detect(images(1), 0.0, 5)[0]

    assert torch.equal(one.boxes, again.boxes)
    assert torch.equal(one.scores, again.scores)


def test_an_unknown_family_is_refused_with_those_that_are_known() -> None:
    with pytest.raises(ModelError, match="Unknown detector family") as raised:
        build_detector(spec("hourglass"))

    assert "fcos" in str(raised.value.remedy)
    assert "yolo" in str(raised.value.remedy)


def test_every_family_of_the_table_is_registered() -> None:
    build_detector(spec("fcos"))

    assert {*LEARNING, "mask-components", "component-tree"} <= set(FAMILIES)


@pytest.mark.parametrize("options", [{"strides": [4, 2]}, {"strides": [3]}, {"pyramid": "bi"}, {"attention": "self"}])
def test_a_pyramid_that_cannot_be_is_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ModelError, match="is not available"):
        build_detector(spec("fcos", options=options))


def test_a_module_that_no_architecture_needs_is_refused() -> None:
    text = LEARNING["yolo"]["yaml"].replace("C2PSA", "TorchVision")

    with pytest.raises(ModelError, match="TorchVision"):
        build_detector(spec("yolo", options={"yaml": text}))


@pytest.mark.parametrize("text", ["", "nc: 1", "backbone: 3\nhead: 4", "backbone: [[1]]\nhead: []", "a: ["])
def test_an_architecture_that_describes_no_network_is_refused(text: str) -> None:
    with pytest.raises(ModelError, match="describes no network"):
        build_detector(spec("yolo", options={"yaml": text}))


def test_attention_begins_near_leaving_everything_as_it_is() -> None:
    features = torch.rand(1, 16, 8, 8)

    out = Attention(16)(features)

    assert out.shape == features.shape
    assert float((out / features).min()) > 0.8


def test_attention_stands_where_the_architecture_asks_for_it() -> None:
    text = (CONFIGS / "yolo11n-cbam.yaml").read_text(encoding="utf-8")

    detector = build_detector(spec("yolo", options={"yaml": text}))

    assert sum(isinstance(module, Attention) for module in detector.modules()) == 3


def test_a_pyramid_starts_from_what_a_mapping_network_has_learnt() -> None:
    torch.manual_seed(3)
    source = build_network("unet", ENCODER, 3)
    pyramid = Pyramid(ENCODER, 3, (4, 8, 16, 32), 16)

    copied = pyramid.start_from(source)

    assert copied == ("encoder.", "blocks.")
    theirs = source.get_submodule("encoder").state_dict()
    assert all(torch.equal(value, theirs[name]) for name, value in pyramid.encoder.state_dict().items())
    block = source.get_submodule("decoder.blocks.0").state_dict()
    assert all(torch.equal(value, block[name]) for name, value in pyramid.blocks[0].state_dict().items())


def test_a_pyramid_does_not_start_from_another_encoder() -> None:
    pyramid = Pyramid(ENCODER, 3, (4, 8), 16)

    with pytest.raises(ModelError, match="different encoder"):
        pyramid.start_from(nn.Sequential(nn.Conv2d(3, 3, 1)))
