"""Building networks, and what they are given."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from core.errors import ModelError
from core.learning.segmentation import Upscaled, architectures, build_network, inner_network, network_of, normalise
from tests.factories import Tiny, tiny_spec


def test_every_architecture_of_the_library_and_our_own_may_be_named() -> None:
    assert {"unet", "deeplabv3plus", "fpn", "pspnet", "segformer", "tiny"} <= set(architectures())


@pytest.mark.parametrize(
    ("name", "encoder", "options"),
    [("no-such", "resnet18", {}), ("unet", "no-such", {}), ("unet", "resnet18", {"encoder_depth": 9})],
    ids=["architecture", "encoder", "option"],
)
def test_a_network_that_cannot_be_built_is_answered_with_those_that_can(
    name: str, encoder: str, options: dict[str, int]
) -> None:
    with pytest.raises(ModelError, match="Available architectures: .*unet"):
        build_network(name, encoder, 3, options)


def test_normalising_by_hand() -> None:
    spec = tiny_spec(value_range=(100.0, 300.0), mean=(0.5, 0.0, 0.25), deviation=(0.5, 1.0, 0.25))

    values = normalise(torch.tensor([300.0, 200.0, 100.0]).view(1, 3, 1, 1), spec)

    # (1 − 0.5) / 0.5, (0.5 − 0) / 1, (0 − 0.25) / 0.25
    assert values.flatten().tolist() == pytest.approx([1.0, 0.5, -1.0])


class _Recorder(nn.Module):
    """Remembers what it saw and passes its first band on."""

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        self.seen = images
        return images[:, :1]


def test_a_reduced_input_is_the_mean_of_each_block_and_logits_have_the_inputs_size() -> None:
    inner = _Recorder()
    images = torch.arange(64.0).view(1, 1, 8, 8)

    logits = Upscaled(inner, 0.25)(images)

    # Mean of rows 0 to 3 and columns 0 to 3 of 8 · row + column.
    assert inner.seen.shape == (1, 1, 2, 2)
    assert inner.seen[0, 0, 0, 0].item() == 8 * 1.5 + 1.5
    assert logits.shape == (1, 1, 8, 8)


def test_an_enlarged_input_is_seen_larger_and_a_uniform_one_stays_uniform() -> None:
    inner = _Recorder()

    logits = Upscaled(inner, 2.0)(torch.full((1, 3, 4, 6), 0.7))

    assert inner.seen.shape == (1, 3, 8, 12)
    torch.testing.assert_close(logits, torch.full((1, 1, 4, 6), 0.7))


def test_the_inner_network_is_the_one_that_was_built() -> None:
    assert isinstance(inner_network(network_of(tiny_spec(upscale=2.0))), Tiny)
    assert isinstance(inner_network(network_of(tiny_spec())), Tiny)
