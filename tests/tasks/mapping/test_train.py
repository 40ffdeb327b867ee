"""From a folder of images to a model with scores and a card."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn

from core.errors import InputError
from core.learning import pretrained
from core.learning.config import TrainConfig
from core.learning.metrics import threshold_code
from core.learning.pairs import PairArrays, validation_pairs
from core.learning.runtime import TorchRuntime
from core.learning.segmentation import architecture, network_of
from core.learning.store import StoredModel, find_model
from core.raster.scene import Scene
from core.tasks.mapping import card as cards
from core.tasks.mapping import train as training
from core.tasks.mapping.train import divide, train
from tests.factories import tiny_spec, write_model, write_squares
from tests.learning.test_config import TEXT, read
from tests.learning.test_pretrained import package_in

PHASE = "[[phase]]\nepochs = 12\nrate = 0.3\nbatch = 4\naverage = 0.5\naugmentation = {brightness = 0.05}\n"


@pytest.fixture(scope="module")
def squares(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve green images of 32 by 32 with a red square each, which is the landslide."""
    return write_squares(tmp_path_factory.mktemp("squares"))


def config(folder: Path, phases: str = PHASE, data: str = "") -> TrainConfig:
    text = TEXT.split("[training]")[0].replace("[loss.dice]", f"{data}\n[loss.dice]\n[loss.cross_entropy]\n")
    return read(folder, text + phases)


@pytest.fixture
def trained(models: Path, squares: Path, tmp_path: Path) -> StoredModel:
    return train(config(tmp_path, data="tune_share = 0.3"), squares, tmp_path / "work", "the command")


def test_a_model_learns_what_is_plain_to_see_and_is_found_by_its_name(trained: StoredModel) -> None:
    assert trained.spec.scores["tuning"]["f1"] > 0.9
    assert find_model("mapping", "tiny").spec == trained.spec
    assert trained.spec.training["images_fit"] == 7
    assert trained.spec.training["images_tune"] == 3
    assert trained.spec.training["images_validation"] == 2
    assert trained.spec.training["command"] == "the command"


def test_the_same_seed_trains_the_same_model(trained: StoredModel, squares: Path, tmp_path: Path) -> None:
    again = train(config(tmp_path, data="tune_share = 0.3"), squares, tmp_path / "other work")

    assert again.spec.weights_sha256 == trained.spec.weights_sha256


def test_the_model_knows_what_it_was_fitted_and_chosen_on_and_not_what_validates_it(
    trained: StoredModel, squares: Path
) -> None:
    seen = {
        number: trained.has_seen(Scene.open(squares / "images" / f"image_{number}.png").digest)
        for number in range(1, 13)
    }

    assert [number for number, known in seen.items() if not known] == [1, 2]


def test_normalisation_is_that_of_the_fitting_part(trained: StoredModel, squares: Path, tmp_path: Path) -> None:
    parts = divide(config(tmp_path, data="tune_share = 0.3").data, squares)

    values = parts.fitting.images / 255
    assert trained.spec.mean == pytest.approx(values.mean(axis=(0, 2, 3)), abs=1e-6)
    assert trained.spec.deviation == pytest.approx(values.std(axis=(0, 2, 3)), abs=1e-6)


def test_the_stored_threshold_still_counts_the_code_it_was_chosen_at(
    models: Path, squares: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    counts = np.zeros((2, 255), dtype=np.int64)
    # The best threshold is 102/254 = 0.40157…, which rounds up to 0.4016 and so to the next code.
    counts[0, 101], counts[1, 102] = 100, 10
    monkeypatch.setattr(training, "_tuning_counts", lambda *_: counts)

    model = train(config(tmp_path, "[[phase]]\nepochs = 1\n", "tune_share = 0.3"), squares, tmp_path / "work")

    assert threshold_code(model.spec.threshold) == 102
    assert model.spec.scores["tuning"]["f1"] == 1


def test_a_second_phase_goes_on_from_the_first(models: Path, squares: Path, tmp_path: Path) -> None:
    phases = PHASE + "[[phase]]\nepochs = 1\nrate = 1e-9\nupscale = 2.0\n"

    model = train(config(tmp_path, phases, "tune_share = 0.3"), squares, tmp_path / "work")

    assert model.spec.upscale == 2
    assert model.spec.scores["tuning"]["f1"] > 0.8
    assert [phase["upscale"] for phase in model.spec.training["phases"]] == [1, 2]
    model.load_network(network_of)


class _TwoParts(nn.Module):
    """An encoder and a last layer, both of 1×1 convolutions."""

    def __init__(self, bands: int) -> None:
        super().__init__()
        self.encoder = nn.Conv2d(bands, 2, 1, bias=False)
        self.last = nn.Conv2d(2, 1, 1)

    def forward(self, images: Tensor) -> Tensor:
        return self.last(self.encoder(images))


@architecture("two-parts")
def _two_parts(_encoder: str, bands: int, _options: Mapping[str, Any]) -> nn.Module:
    return _TwoParts(bands)


def test_a_training_starts_from_the_weights_of_a_package_and_the_card_says_so(
    models: Path, squares: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    start = {"theirs": torch.arange(6.0).view(2, 3, 1, 1)}
    package = package_in(tmp_path / "packages", start)
    monkeypatch.syspath_prepend(str(tmp_path / "packages"))
    monkeypatch.setattr(pretrained, "PACKAGES", {package.name: package})
    described = TEXT.split("[training]")[0].replace('architecture = "tiny"', 'architecture = "two-parts"')
    described = described.replace("[data]", 'start_from = "package:tiny_weights"\n\n[paces]\nencoder = 0.0\n\n[data]')
    described = described.replace("[loss.dice]", "tune_share = 0.3\n[loss.dice]\n")

    model = train(read(tmp_path, described + PHASE + "upscale = 2.0\n"), squares, tmp_path / "work")
    finished = cards.finish(
        model, validation_pairs(config(tmp_path).data, squares), TorchRuntime(model.load_network(network_of), 1)
    )

    # The encoder learns at no pace here, so it is what the package holds; what follows it has learnt.
    assert torch.equal(model.load_weights()["network.encoder.weight"], start["theirs"])
    assert model.spec.scores["tuning"]["f1"] > 0.9
    assert "Start: encoder of Tiny, trained on nothing, from the package tiny-weights" in finished.card
    assert "Derived in part from Tiny, trained on nothing. Licence: CC0-1.0. Nobody 2020" in finished.card


def test_a_card_says_whether_its_encoder_was_trained_on_the_same_split(models: Path) -> None:
    split = {"data": "Squares", "images_fit": 7, "images_tune": 3, "split_seed": 0, "start_from": ""}
    write_model(models, tiny_spec("first", training=split))

    same, other = {**split, "start_from": "first"}, {**split, "data": "Circles", "start_from": "first"}

    assert cards._start(same) == "encoder of first, trained on the same split"
    assert cards._start(other) == "encoder of first, trained on other data"
    assert cards._start(split) == "random weights"


def test_validation_scores_and_the_card_come_after_every_choice(
    trained: StoredModel, squares: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "validation" not in trained.spec.scores
    monkeypatch.setattr(cards, "draw_failures", lambda *arguments: arguments[-1].write_bytes(b""))
    runtime = TorchRuntime(trained.load_network(network_of), 1)

    finished = cards.finish(trained, validation_pairs(config(tmp_path).data, squares), runtime)

    spec = find_model("mapping", "tiny").spec
    assert spec == finished.spec
    assert spec.scores["validation"]["f1"] > 0.9
    assert spec.scores["validation_turned"] == spec.scores["validation"]
    # Three weights and a bias; 32 · 32 pixels times three products and sums.
    assert spec.cost["parameters"] == 4
    assert spec.cost["flops_per_tile"] == 2 * 3 * 32 * 32
    for word in ("F1", "IoU", "Precision", "Recall", "Overall accuracy", "Kappa", "Colour index", "Small.", "seed 0"):
        assert word in finished.card


def test_the_worst_images_are_drawn(trained: StoredModel, squares: Path, tmp_path: Path) -> None:
    runtime = TorchRuntime(trained.load_network(network_of), 1)

    finished = cards.finish(trained, validation_pairs(config(tmp_path).data, squares), runtime)

    with Image.open(finished.folder / "failures.png") as picture:
        assert min(picture.size) > 200


def test_images_kept_out_for_validation_are_in_no_other_part(squares: Path, tmp_path: Path) -> None:
    data = config(tmp_path, data="tune_share = 0.3").data
    parts = divide(data, squares)
    kept = {Scene.open(pair.image).digest for pair in validation_pairs(data, squares)}

    assert parts.validation_count == 2
    assert not kept & {*parts.fitting.digests, *parts.tuning.digests}
    assert not set(parts.fitting.digests) & set(parts.tuning.digests)


def test_without_anything_to_validate_on_there_is_no_training(squares: Path, tmp_path: Path) -> None:
    named = read(tmp_path, TEXT.replace("validation_numbers = [1, 2]", "validation_numbers = [99]"))

    with pytest.raises(InputError, match="no validation pairs"):
        divide(named.data, squares)


def test_images_are_reduced_by_blocks_and_cut_into_tiles(tmp_path: Path) -> None:
    image = np.zeros((1, 3, 8, 12), np.uint8)
    image[0, :, :2, :2] = np.array([[0, 10], [20, 30]])
    truth = np.zeros((1, 1, 8, 12), np.uint8)
    truth[0, 0, :2, :2] = 1
    truth[0, 0, 2, 0] = 1
    arrays = PairArrays(image, truth, ("digest",))

    cut = training._cut(arrays, config(tmp_path, data="reduce = 2\ntile = 2\nstride = 2").data)
    reduced = training._cut(arrays, config(tmp_path, data="reduce = 2").data)

    assert cut.images.shape == (6, 3, 2, 2)
    assert cut.images[0, :, 0, 0].tolist() == [15, 15, 15]
    # A block is landslide when most of it is: four of four pixels, and one of four.
    assert cut.truth[0, 0].tolist() == [[1, 0], [0, 0]]
    assert reduced.images.shape == (1, 3, 4, 6)
    with pytest.raises(InputError, match="smaller than a tile of 64"):
        training._cut(arrays, config(tmp_path, data="tile = 64\nstride = 64").data)
