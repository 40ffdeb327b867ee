"""Teaching networks pixels: what is computed in which precision."""

from __future__ import annotations

import torch
from torch import nn

from core.learning.pixels import _DepthwiseInSinglePrecision


def test_depthwise_convolutions_keep_single_precision_where_others_are_halved() -> None:
    generator = torch.Generator().manual_seed(0)
    images = torch.randn(2, 4, 8, 8, generator=generator)
    depthwise, other = nn.Conv2d(4, 4, 3, groups=4), nn.Conv2d(4, 4, 3)
    expected = depthwise(images)

    with torch.autocast("cpu", torch.bfloat16), _DepthwiseInSinglePrecision():
        found, halved = depthwise(images), other(images)

    assert torch.equal(found, expected)
    assert halved.dtype == torch.bfloat16


def test_gradients_pass_through_a_depthwise_convolution_of_halved_values() -> None:
    images = torch.ones(1, 4, 4, 4, dtype=torch.bfloat16, requires_grad=True)
    depthwise = nn.Conv2d(4, 4, 1, groups=4, bias=False)
    nn.init.constant_(depthwise.weight, 3.0)

    with torch.autocast("cpu", torch.bfloat16), _DepthwiseInSinglePrecision():
        found = depthwise(images)
    found.sum().backward()

    # Each pixel is taken three times; each of the four weights sees sixteen ones.
    assert found.dtype == torch.bfloat16
    assert images.grad is not None
    assert (images.grad == 3).all()
    assert depthwise.weight.grad is not None
    assert (depthwise.weight.grad == 16).all()
