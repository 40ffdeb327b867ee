"""Why a segmentation network gives a region its score: which places of the image raised it, and which lowered it.

References
----------
Selvaraju, R. R. et al. (2017). Grad-CAM. ICCV. doi:10.1109/ICCV.2017.74
Vinogradova, K., Dibrov, A., Myers, G. (2020). Towards interpretable semantic segmentation via gradient-weighted class
activation mapping. AAAI. doi:10.1609/aaai.v34i10.7244
Draelos, R. L., Carin, L. (2020). HiResCAM. arXiv:2011.08891
Zeiler, M. D., Fergus, R. (2014). Visualizing and understanding convolutional networks. ECCV.
doi:10.1007/978-3-319-10590-1_53 (occlusion)
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from core.explain import methods
from core.explain.cam import cells_at, grad_cam, scaled
from core.explain.methods import Method
from core.explain.occlusion import occlusion_of
from core.explain.target import check_question, region_score
from core.learning.protocols import SegmentationNetwork

RegionMethod = Method[SegmentationNetwork, NDArray[np.bool_]]


def hires_cam(
    network: SegmentationNetwork, inputs: Tensor, region: NDArray[np.bool_], layer: str
) -> NDArray[np.float32]:
    """HiResCAM of a region's mean logit: each place weighted by its own gradient.

    Parameters and errors are those of `core.explain.cam.raw_grad_cam`.

    Returns
    -------
    Map (height, width) float32 in [−1, 1]; the strongest place of either sign has magnitude 1.
    """
    check_question(inputs, region)
    return scaled(cells_at(network, region_score(network, region), inputs, layer, local=True), inputs)


def occlusion(
    network: SegmentationNetwork, inputs: Tensor, region: NDArray[np.bool_], layer: str = ""
) -> NDArray[np.float32]:
    """How far a region's mean logit falls when squares of the image are masked; see `occlusion_of`."""
    del layer
    check_question(inputs, region)
    return occlusion_of(network, region_score(network, region), inputs)


GRAD_CAM: RegionMethod = Method(
    methods.GRAD_CAM, grad_cam, True,
    "Bright areas raised the score most", signed=False,
)  # fmt: skip
HIRES_CAM: RegionMethod = Method(
    methods.HIRES_CAM, hires_cam, True,
    "Red areas raised the score, blue areas lowered it",
)  # fmt: skip
OCCLUSION: RegionMethod = Method(
    methods.OCCLUSION, occlusion, False,
    "Masking red areas lowered the score, masking blue areas raised it",
)  # fmt: skip

METHODS = {method.name: method for method in (GRAD_CAM, HIRES_CAM, OCCLUSION)}
