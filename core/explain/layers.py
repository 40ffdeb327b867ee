"""The layers of a network at which it can be asked for its reasons, found by running it once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from core.errors import ModelError
from core.learning.protocols import ExplainedNetwork, SegmentationNetwork

Part = Literal["encoder", "decoder", "network"]

PROBE_SIZE = (128, 192)
"""Not square, so that what pools to a fixed square is told from what follows the image."""

_PASSED_ON = (nn.Identity, nn.Dropout, nn.Dropout2d, nn.Upsample, nn.LayerNorm, nn.BatchNorm2d)


@dataclass(frozen=True)
class LayerChoice:
    """A layer that may be asked.

    Attributes
    ----------
    name
        Dotted module name in the network, as `grad_cam` takes it.
    title
        Name for people.
    downsampling
        Input pixels along one side of one cell of the layer.
    part
        Where it stands in the network.
    """

    name: str
    title: str
    downsampling: float
    part: Part

    @property
    def cell(self) -> str:
        """Size of one cell in words."""
        side = f"{self.downsampling:g}"
        if self.downsampling < 1:
            return "less than 1 pixel"
        return f"{side} × {side} pixels" if self.downsampling != 1 else "1 pixel"


@dataclass(frozen=True)
class _Seen:
    name: str
    module: nn.Module
    channels: int
    downsampling: float


def available_layers(
    network: SegmentationNetwork, size: tuple[int, int] = PROBE_SIZE
) -> tuple[LayerChoice, ...]:
    """Find the layers of any network whose cells lie on the image.

    For an encoder this is the last module at each resolution, the deepest being the bottleneck; for a
    decoder, its outermost modules in the order in which they run. A network without parts of those names is
    listed by resolution. Names are the network's own.

    Parameters
    ----------
    network
        Any segmentation network.
    size
        Height and width of the probe, multiples of 64; only for networks built for one size.

    Raises
    ------
    ModelError
        When the network cannot be run at that size or has no such layer.
    """
    seen = _run_once(network, size)
    encoder = _last_of_each_resolution(step for step in seen if _part_of(step.name) == "encoder")
    decoder = _outermost(step for step in seen if _part_of(step.name) == "decoder")
    choices = [*_titled(encoder, "encoder"), *_titled(decoder, "decoder")]
    if not choices:
        inner = (step for step in seen if step.name and step.channels > 1)
        choices = _titled(_last_of_each_resolution(inner), "network")
    if not choices:
        raise ModelError("This network has no inner layer that preserves positions in the image.")
    return tuple(choices)


def named_layers(
    network: ExplainedNetwork, names: Sequence[str], run: Callable[[], object], size: tuple[int, int]
) -> tuple[LayerChoice, ...]:
    """Describe layers that a network names itself, as detectors do.

    Parameters
    ----------
    names
        Dotted names, from fine to coarse.
    run
        Runs the network on one image.
    size
        Height and width of that image.

    Raises
    ------
    ModelError
        When it cannot be run, has no such layer, or none of them keeps the places of the image.
    """
    try:
        seen = {step.name: step for step in _seen_while(network, names, run, size)}
    except AttributeError as error:
        raise ModelError("The model has no layer with the name that it specifies.", str(error)) from error
    choices = _titled([seen[name] for name in names if name in seen], "network")
    if not choices:
        raise ModelError("This model specifies no inner layer that preserves positions in the image.")
    return tuple(choices)


def by_suggestion(choices: Iterable[LayerChoice]) -> list[LayerChoice]:
    """Layers in the order in which they are tried where they were not tested.

    The deepest of the encoder first, as Grad-CAM was proposed for, then finer ones, then the decoder's.
    """
    return sorted(choices, key=lambda choice: (choice.part == "decoder", -choice.downsampling))


def _run_once(network: SegmentationNetwork, size: tuple[int, int]) -> list[_Seen]:
    """Modules in the order in which they finish, each run once, with cells that follow the image."""
    first = next((module for _, module in network.named_modules() if isinstance(module, nn.Conv2d)), None)
    if first is None:
        raise ModelError("This network has no convolution from which to read the number of bands.")
    probe = first.weight.new_zeros((1, first.in_channels, *size))
    return _seen_while(network, [name for name, _ in network.named_modules()], lambda: network(probe), size)


def _seen_while(
    network: ExplainedNetwork, names: Iterable[str], run: Callable[[], object], size: tuple[int, int]
) -> list[_Seen]:
    """Of some modules those that ran exactly once while the network did, with cells that follow the image."""
    seen: list[_Seen] = []
    calls: dict[str, int] = {}
    handles = []

    def note(name: str, module: nn.Module, output: object) -> None:
        calls[name] = calls.get(name, 0) + 1
        if not isinstance(output, Tensor) or output.ndim != 4:
            return
        height, width = output.shape[-2:]
        if min(height, width) > 1 and height * size[1] == width * size[0]:
            seen.append(_Seen(name, module, output.shape[1], size[0] / height))

    network.eval()
    try:
        for name in names:
            handles.append(
                network.get_submodule(name).register_forward_hook(
                    lambda part, _, output, name=name: note(name, part, output)
                )
            )
        # Not in inference mode: what detectors keep from one run to the next must serve gradients later.
        with torch.no_grad():
            run()
    except (RuntimeError, ValueError, AssertionError) as error:
        raise ModelError(f"The network cannot be run on {size[0]} × {size[1]} pixels.", str(error)) from error
    finally:
        for handle in handles:
            handle.remove()
    return [step for step in seen if calls[step.name] == 1]


def _part_of(name: str) -> Part | None:
    """Part of the network that a module is inside of; the part's own module is inside of nothing."""
    pieces = name.split(".")
    for part in ("encoder", "decoder"):
        if part in pieces[:-1]:
            return part
    return None


def _last_of_each_resolution(steps: Iterable[_Seen]) -> list[_Seen]:
    last: dict[float, _Seen] = {}
    for step in steps:
        last.pop(step.downsampling, None)
        last[step.downsampling] = step
    return list(last.values())


def _outermost(steps: Iterable[_Seen]) -> list[_Seen]:
    """Steps that are inside no other one; what only passes its input on is left out."""
    working = [step for step in steps if not isinstance(step.module, _PASSED_ON)]
    names = {step.name for step in working}
    return [step for step in working if not _inside(step.name, names)]


def _inside(name: str, names: set[str]) -> bool:
    pieces = name.split(".")
    return any(".".join(pieces[:end]) in names for end in range(1, len(pieces)))


def _titled(steps: list[_Seen], part: Part) -> list[LayerChoice]:
    noun = {"encoder": "Encoder stage", "decoder": "Decoder step", "network": "Stage"}[part]
    choices = []
    for position, step in enumerate(steps, start=1):
        bottleneck = ", bottleneck" if part == "encoder" and position == len(steps) else ""
        choice = LayerChoice(step.name, "", step.downsampling, part)
        title = f"{noun} {position} of {len(steps)}{bottleneck} (cells of {choice.cell})"
        choices.append(LayerChoice(step.name, title, step.downsampling, part))
    return choices
