"""Layers on offer, for a network by hand and for every kind of network the library builds."""

from __future__ import annotations

import numpy as np
import pytest
import segmentation_models_pytorch as smp
import torch
from torch import nn

from core.errors import ModelError
from core.explain.cam import grad_cam
from core.explain.layers import available_layers, by_suggestion
from core.learning.protocols import SegmentationNetwork
from core.learning.segmentation import Upscaled


def plain() -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(4, 8, 3, stride=2, padding=1),
        nn.ReLU(),
        nn.Conv2d(8, 6, 3, stride=2, padding=1),
        nn.Conv2d(6, 1, 1),
        nn.Upsample(scale_factor=4, mode="bilinear"),
    )


def test_a_network_without_encoder_is_listed_by_resolution() -> None:
    choices = available_layers(plain())
    assert [(choice.name, choice.downsampling) for choice in choices] == [("1", 2), ("2", 4)]
    assert choices[0].title == "Stage 1 of 2 (cells of 2 × 2 pixels)"


def test_every_module_is_a_network_by_the_protocol() -> None:
    assert isinstance(plain(), SegmentationNetwork)


def test_the_residual_unet_has_the_stages_its_authors_name() -> None:
    network = smp.Unet("resnet18", encoder_weights=None, classes=1)
    choices = available_layers(network)
    assert [(choice.name, choice.downsampling) for choice in choices] == [
        ("encoder.relu", 2),
        ("encoder.layer1", 4),
        ("encoder.layer2", 8),
        ("encoder.layer3", 16),
        ("encoder.layer4", 32),
        ("decoder.blocks.0", 16),
        ("decoder.blocks.1", 8),
        ("decoder.blocks.2", 4),
        ("decoder.blocks.3", 2),
        ("decoder.blocks.4", 1),
    ]
    assert choices[4].title == "Encoder stage 5 of 5, bottleneck (cells of 32 × 32 pixels)"
    assert choices[9].title == "Decoder step 5 of 5 (cells of 1 pixel)"
    assert by_suggestion(choices)[0].name == "encoder.layer4"
    assert [choice.downsampling for choice in by_suggestion(choices)] == [32, 16, 8, 4, 2, 16, 8, 4, 2, 1]


def test_a_network_that_enlarges_its_input_has_finer_cells() -> None:
    network = Upscaled(smp.Unet("resnet18", encoder_weights=None, classes=1), 2.0)
    choices = available_layers(network)
    assert (choices[0].name, choices[0].downsampling) == ("network.encoder.relu", 1)
    assert (choices[4].name, choices[4].downsampling) == ("network.encoder.layer4", 16)
    assert choices[9].title == "Decoder step 5 of 5 (cells of less than 1 pixel)"
    assert by_suggestion(choices)[0].name == "network.encoder.layer4"


FAMILIES = [
    ("unet", "efficientnet-b0", {}),
    ("unet", "resnet18", {"decoder_attention_type": "scse"}),
    ("unet", "tu-mobilenetv3_large_100", {}),
    ("unetplusplus", "resnet18", {}),
    ("manet", "resnet18", {}),
    ("linknet", "resnet18", {}),
    ("fpn", "resnet18", {}),
    ("pspnet", "resnet18", {}),
    ("pan", "resnet18", {}),
    ("deeplabv3", "resnet18", {}),
    ("deeplabv3plus", "efficientnet-b0", {}),
    ("segformer", "mit_b0", {}),
    ("upernet", "mit_b0", {}),
]


@pytest.mark.parametrize(("architecture", "encoder", "options"), FAMILIES)
def test_layers_of_every_family_can_be_asked(
    architecture: str, encoder: str, options: dict[str, str]
) -> None:
    torch.manual_seed(1)
    network = smp.create_model(architecture, encoder, encoder_weights=None, classes=1, **options)
    choices = available_layers(network)
    assert {choice.part for choice in choices} == {"encoder", "decoder"}
    side = 128 if architecture == "pan" else 64  # PAN pools three times below its stride of 16
    region = np.zeros((side, side), dtype=bool)
    region[20:40, 20:40] = True
    image = torch.rand(1, 3, side, side)
    deepest = max(choices, key=lambda choice: choice.downsampling)
    for choice in (choices[0], deepest, choices[-1]):
        cam = grad_cam(network, image, region, choice.name)
        assert cam.shape == (side, side)
        assert cam.min() >= 0
        assert cam.max() <= 1
    assert not any(module._forward_hooks for module in network.modules())


def test_a_network_that_cannot_run_says_so_and_keeps_no_hook() -> None:
    network = nn.Sequential(nn.Conv2d(3, 4, 1), nn.Conv2d(5, 1, 1))
    with pytest.raises(ModelError, match="cannot be run on 128 × 192"):
        available_layers(network)
    assert not any(module._forward_hooks for module in network.modules())


def test_a_network_that_sees_only_the_whole_image_has_no_place_to_ask() -> None:
    network = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Conv2d(3, 4, 1))
    with pytest.raises(ModelError, match="no inner layer"):
        available_layers(network)


def test_a_network_without_a_convolution_tells_no_number_of_bands() -> None:
    with pytest.raises(ModelError, match="number of bands"):
        available_layers(nn.Sequential(nn.Identity()))
