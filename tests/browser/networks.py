"""Networks for the browser tests: small, of a library's own kind, and of known behaviour."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from core.learning.segmentation import build_network
from core.learning.store import StoredModel
from tests.factories import tiny_spec, write_model

ARCHITECTURE, ENCODER = "unet", "tu-test_resnet"
STEEPNESS = 60.0
LEAST = 175 / 255
"""Twice red less green from which on, as a share of the range, a pixel is landslide."""


def red_over_green(upscale: float = 1.0) -> dict[str, Tensor]:
    """Weights of a U-Net whose logit is that of twice red less green, at half the resolution.

    One channel carries it from the first convolution to the last. The others are left as a seed made them and
    hardly count; they give deeper layers something to be asked about.
    """
    torch.manual_seed(0)
    weights = build_network(ARCHITECTURE, ENCODER, 3, None, upscale).state_dict()
    inner = "" if upscale == 1 else "network."
    first = weights[f"{inner}encoder.model.conv1.0.weight"]
    first[0] = 0
    first[0, 0], first[0, 1] = 2 / 9, -1 / 9
    skip = weights[f"{inner}decoder.blocks.3.conv1.0.weight"].shape[1] - 32
    through = {"encoder.model.conv1.3": 0, "encoder.model.conv1.6": 0, "decoder.blocks.3.conv1.0": skip}
    through |= {f"decoder.blocks.{step}.0": 0 for step in ("3.conv2", "4.conv1", "4.conv2")}
    for name, source in through.items():
        layer = weights[f"{inner}{name}.weight"]
        layer[0] = 0
        layer[0, source, 1, 1] = 1
    head = weights[f"{inner}segmentation_head.0.weight"]
    head *= 0.02
    head[0, 0] = 0
    head[0, 0, 1, 1] = STEEPNESS
    weights[f"{inner}segmentation_head.0.bias"][:] = -STEEPNESS * LEAST
    return {name: value.clone().contiguous() for name, value in weights.items() if value.is_floating_point()} | {
        name: value for name, value in weights.items() if not value.is_floating_point()
    }


def write_detector(root: Path) -> StoredModel:
    """Write a detector: boxes around what the quick network maps."""
    options = {"network": ARCHITECTURE, "threshold": 0.5, "smallest": 10, "power": 0.1, "nms_iou": 0.5}
    spec = tiny_spec(
        "quick-boxes", task="detection", architecture="mask-components", encoder=ENCODER, tile=256, threshold=0.35,
        options=options, classes=("landslide",), ground_distance=10.0, scores={"validation": {"ap50": 0.5}},
    )  # fmt: skip
    return write_model(root, spec, {f"network.{name}": value for name, value in red_over_green().items()})


def write_networks(root: Path) -> tuple[StoredModel, StoredModel]:
    """Write a quick model, which the page offers first, and one that takes minutes for the sample valley."""
    common: dict[str, Any] = {"architecture": ARCHITECTURE, "encoder": ENCODER, "ground_distance": 10.0}
    quick = tiny_spec("quick", tile=256, scores={"validation": {"f1": 0.999}}, **common)
    slow = tiny_spec("slow", tile=32, upscale=8.0, scores={"validation": {"f1": 0.001}}, **common)
    return write_model(root, quick, red_over_green()), write_model(root, slow, red_over_green(8.0))
