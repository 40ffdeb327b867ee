"""Random changes of training patches that a landslide survives: turned, mirrored, zoomed, lit otherwise.

Everything works on whole batches of tensors, on the CPU or a GPU, from one seeded generator.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional


@dataclass(frozen=True)
class Augmentation:
    """Strength of each change; zero (or 1 for `zoom`) switches it off.

    Parameters
    ----------
    turn
        Quarter turns and mirror images, all eight equally likely.
    zoom
        Largest magnification: each patch is a random square crop enlarged by 1 to `zoom`.
    brightness, contrast, colour
        Largest relative change of all bands together, of the spread about the mean, and of each band by itself.
    noise
        Largest standard deviation of additive noise, in units of the value range.
    mix
        Probability that a rectangle of a patch, with its truth, is replaced by that of another patch
        (Yun et al. 2019, doi:10.1109/ICCV.2019.00612).
    """

    turn: bool = True
    zoom: float = 1.0
    brightness: float = 0.2
    contrast: float = 0.2
    colour: float = 0.05
    noise: float = 0.0
    mix: float = 0.0

    def __call__(self, images: Tensor, truth: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Change a batch.

        Parameters
        ----------
        images
            (batch, bands, height, width), values in [0, 1].
        truth
            (batch, 1, height, width): 0, 1, or 255 where unknown.
        generator
            Source of all randomness, on the CPU.

        Returns
        -------
        Images and truth of the same shapes.
        """
        if self.turn:
            images, truth = _turn(images, truth, generator)
        if self.zoom > 1:
            images, truth = _zoom(images, truth, self.zoom, generator)
        if self.mix > 0:
            images, truth = _mix(images, truth, self.mix, generator)
        return self._light(images, generator), truth

    def _light(self, images: Tensor, generator: torch.Generator) -> Tensor:
        def draw(*shape: int) -> Tensor:
            return (torch.rand(shape, generator=generator) * 2 - 1).to(images.device)

        count, bands = images.shape[:2]
        mean = images.mean(dim=(2, 3), keepdim=True)
        images = (images - mean) * (1 + self.contrast * draw(count, 1, 1, 1)) + mean
        images = images * (1 + self.brightness * draw(count, 1, 1, 1)) * (1 + self.colour * draw(count, bands, 1, 1))
        if self.noise > 0:
            spread = self.noise * draw(count, 1, 1, 1).abs()
            images = images + spread * torch.randn(images.shape, generator=generator).to(images.device)
        return images.clamp(0, 1)


def _turn(images: Tensor, truth: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    turns = torch.randint(0, 8, (len(images),), generator=generator)
    images, truth = images.clone(), truth.clone()
    for which in range(1, 8):
        chosen = turns == which
        if chosen.any():
            images[chosen] = symmetry(images[chosen], which)
            truth[chosen] = symmetry(truth[chosen], which)
    return images, truth


def symmetry(values: Tensor, which: int) -> Tensor:
    """One of the eight symmetries of the square, on the last two axes: quarter turns, mirrored from 4 on."""
    if which >= 4:
        values = values.flip(-1)
    return torch.rot90(values, which % 4, dims=(-2, -1))


def inverse_symmetry(values: Tensor, which: int) -> Tensor:
    """Undo `symmetry`."""
    values = torch.rot90(values, -(which % 4), dims=(-2, -1))
    return values.flip(-1) if which >= 4 else values


def _zoom(images: Tensor, truth: Tensor, largest: float, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    count = len(images)
    factor = torch.exp(torch.rand(count, generator=generator) * torch.log(torch.tensor(largest)))
    reach = 1 - 1 / factor
    centre = (torch.rand(count, 2, generator=generator) * 2 - 1) * reach[:, None]
    theta = torch.zeros(count, 2, 3)
    theta[:, 0, 0] = theta[:, 1, 1] = 1 / factor
    theta[:, :, 2] = centre
    grid = functional.affine_grid(theta.to(images.device), list(images.shape), align_corners=False)
    images = functional.grid_sample(images, grid, mode="bilinear", padding_mode="reflection", align_corners=False)
    # Nearest keeps the three truth values apart; an interpolated "unknown" would turn into a class.
    truth = functional.grid_sample(truth, grid, mode="nearest", padding_mode="reflection", align_corners=False)
    return images, truth


def _mix(images: Tensor, truth: Tensor, probability: float, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    count, _, height, width = images.shape
    partner = torch.randperm(count, generator=generator)
    images, truth = images.clone(), truth.clone()
    source, source_truth = images.clone(), truth.clone()
    draws = torch.rand(count, 5, generator=generator)
    for item in range(count):
        if draws[item, 0] >= probability:
            continue
        box_height = int(height * (0.25 + 0.5 * draws[item, 1]))
        box_width = int(width * (0.25 + 0.5 * draws[item, 2]))
        top = int((height - box_height) * draws[item, 3])
        left = int((width - box_width) * draws[item, 4])
        rows, columns = slice(top, top + box_height), slice(left, left + box_width)
        images[item, :, rows, columns] = source[partner[item], :, rows, columns]
        truth[item, :, rows, columns] = source_truth[partner[item], :, rows, columns]
    return images, truth


def symmetry_array(values: NDArray[np.float32], which: int) -> NDArray[np.float32]:
    """`symmetry` for arrays."""
    return symmetry(torch.from_numpy(values), which).contiguous().numpy()


def inverse_symmetry_array(values: NDArray[np.float32], which: int) -> NDArray[np.float32]:
    """`inverse_symmetry` for arrays."""
    return inverse_symmetry(torch.from_numpy(values), which).contiguous().numpy()
