"""Class activation maps: which places of an image spoke for a score, and which against it.

References
----------
Selvaraju, R. R. et al. (2017). Grad-CAM: visual explanations from deep networks via gradient-based
localization. ICCV. doi:10.1109/ICCV.2017.74
Vinogradova, K., Dibrov, A., Myers, G. (2020). Towards interpretable semantic segmentation via
gradient-weighted class activation mapping. AAAI. doi:10.1609/aaai.v34i10.7244
Draelos, R. L., Carin, L. (2020). Use HiResCAM instead of Grad-CAM for faithful explanations of convolutional neural
networks. arXiv:2011.08891
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from core.errors import InputError, ModelError
from core.explain.target import Score, check_question, region_score, undisturbed
from core.learning.protocols import ExplainedNetwork, SegmentationNetwork

CHOOSE_ANOTHER = "Choose one of the layers offered."

def raw_grad_cam(
    network: SegmentationNetwork, inputs: Tensor, region: NDArray[np.bool_], layer: str
) -> NDArray[np.float32]:
    """Grad-CAM in units of the logit, on the cells of the layer.

    ``sum_k alpha_k A_k`` with ``A_k`` the activations of channel k and ``alpha_k`` the mean over all cells of
    the gradient of the region's mean logit. Neither cut at zero nor scaled.

    Parameters
    ----------
    network
        Evaluated and left in evaluation mode; hold the model's lock, for hooks are on it meanwhile.
    inputs
        Normalised image (1, bands, height, width), float32.
    region
        Pixels asked about (height, width).
    layer
        Dotted name of a module whose output is (1, channels, rows, columns); see `available_layers`.

    Returns
    -------
    Map (rows, columns) float32 of the layer's cells.

    Raises
    ------
    InputError
        When the image or region cannot be asked about or the network has no such layer.
    ModelError
        When the layer keeps no places or gives values that are not finite.
    """
    check_question(inputs, region)
    return cells_at(network, region_score(network, region), inputs, layer)


def cells_at(
    network: ExplainedNetwork, score: Score, inputs: Tensor, layer: str, *, local: bool = False
) -> NDArray[np.float32]:
    """Grad-CAM, or HiResCAM, of any score, in its units and on the cells of a layer.

    Parameters
    ----------
    network
        The network whose layer is asked; evaluated and left in evaluation mode.
    score
        What is explained, computed by that network.
    inputs
        Normalised image (1, bands, height, width), float32.
    layer
        Dotted name of a module whose output is (1, channels, rows, columns).
    local
        False for Grad-CAM: each channel is weighted by its mean gradient, so that places which look alike count alike.
        True for HiResCAM: each cell of each channel is weighted by its own gradient, so that a place counts for what
        the score took from this very place.

    Returns
    -------
    Map (rows, columns) float32, neither cut at zero nor scaled; all zero when the score takes nothing from the layer.

    Raises
    ------
    InputError
        When the network has no such layer.
    ModelError
        When the layer keeps no places or gives values that are not finite.
    """
    return activations_of(network, score, inputs, (layer,)).cells(layer, local=local)


@dataclass(frozen=True)
class Activations:
    """What layers held while a score was computed, and its gradient by each of them.

    Attributes
    ----------
    values, gradients
        By name of the layer; the gradient is None where the score took nothing from it.
    """

    values: Mapping[str, object]
    gradients: Mapping[str, Tensor | None]

    def cells(self, layer: str, *, local: bool = False) -> NDArray[np.float32]:
        """Grad-CAM, or HiResCAM, on the cells of one of the layers; see `cells_at`.

        Raises
        ------
        ModelError
            When the layer keeps no places or gives values that are not finite.
        """
        values, gradient = self.values.get(layer), self.gradients.get(layer)
        if not isinstance(values, Tensor) or values.ndim != 4:
            raise ModelError(f"Layer {layer} does not preserve positions in the image.", remedy=CHOOSE_ANOTHER)
        if gradient is None:
            return np.zeros((1, 1), dtype=np.float32)
        weights = gradient if local else gradient.mean(dim=(2, 3), keepdim=True)
        cells: NDArray[np.float32] = (weights * values)[0].sum(dim=0).float().cpu().numpy()
        if not np.isfinite(cells).all():
            raise ModelError(f"The attribution at layer {layer} is not finite.")
        return cells


def activations_of(network: ExplainedNetwork, score: Score, inputs: Tensor, layers: Sequence[str]) -> Activations:
    """Activations and gradients of any number of layers, from one pass forward and one back.

    Parameters are those of `cells_at`.

    Raises
    ------
    InputError
        When the network has no such layer.
    """
    values: dict[str, object] = {}

    def keep(layer: str, output: object) -> object:
        values[layer] = output
        # What comes next may change its input in place; what is kept must stay what the layer gave.
        return output.clone() if isinstance(output, Tensor) else output

    modules = {layer: _module(network, layer) for layer in layers}
    with undisturbed(network):
        handles = [
            module.register_forward_hook(lambda _, __, output, layer=layer: keep(layer, output))
            for layer, module in modules.items()
        ]
        try:
            # Gradients flow to the layers even where all weights are frozen, because the input asks for them.
            reached = score(inputs.detach().clone().requires_grad_()).sum()
        finally:
            for handle in handles:
                handle.remove()
        asked = {name: value for name, value in values.items() if isinstance(value, Tensor) and value.requires_grad}
        known = bool(asked) and reached.requires_grad
        found = torch.autograd.grad(reached, list(asked.values()), allow_unused=True) if known else ()
    kept = {name: value.detach() if isinstance(value, Tensor) else value for name, value in values.items()}
    return Activations(kept, dict(zip(asked, found, strict=False)))


def grad_cam(
    network: SegmentationNetwork, inputs: Tensor, region: NDArray[np.bool_], layer: str
) -> NDArray[np.float32]:
    """Grad-CAM: places that raised the region's mean logit.

    Parameters are those of `raw_grad_cam`.

    Returns
    -------
    Map (height, width) float32 in [0, 1], brought to the image's size by bilinear interpolation; 1 is the
    place that spoke most for a landslide. All zero when no place did.
    """
    return scaled(np.maximum(raw_grad_cam(network, inputs, region, layer), 0), inputs)


def signed_grad_cam(
    network: SegmentationNetwork, inputs: Tensor, region: NDArray[np.bool_], layer: str
) -> NDArray[np.float32]:
    """Grad-CAM without the cut at zero: places below zero spoke against a landslide in the region.

    Parameters are those of `raw_grad_cam`.

    Returns
    -------
    Map (height, width) float32 in [−1, 1]; the strongest place of either sign has magnitude 1.
    """
    return scaled(raw_grad_cam(network, inputs, region, layer), inputs)


def _module(network: ExplainedNetwork, layer: str) -> nn.Module:
    try:
        if layer:
            return network.get_submodule(layer)
    except AttributeError:
        pass
    raise InputError(f"The model has no layer {layer!r}.", remedy=CHOOSE_ANOTHER)


def scaled(cells: NDArray[np.float32], inputs: Tensor) -> NDArray[np.float32]:
    """Cells brought to the pixels of the image by bilinear interpolation, the largest magnitude being 1."""
    size = (inputs.shape[-2], inputs.shape[-1])
    column = torch.from_numpy(cells)[None, None]
    grown = functional.interpolate(column, size=size, mode="bilinear", align_corners=False)
    pixels: NDArray[np.float32] = grown[0, 0].numpy()
    strongest = float(np.abs(pixels).max())
    return pixels / np.float32(strongest) if strongest > 0 else np.zeros_like(pixels)
