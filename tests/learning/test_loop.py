"""Training: seeded, resumable, stopped early, and able to learn what is plain to see."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from core.errors import InputError
from core.learning.augment import Augmentation
from core.learning.loop import Schedule, Trained, Training
from core.learning.losses import Loss, cross_entropy
from core.learning.pairs import PairArrays
from core.learning.pixels import PixelLesson, predict_codes
from tests.factories import Tiny as TinyNetwork
from tests.factories import constant_weights, red_weights

SCHEDULE = Schedule(epochs=4, batch=4, rate=0.05, average=0.9, seed=3)


class Interrupted(Exception):
    """What a user's Ctrl-C, or a machine that goes down, does to a training."""


class Small(nn.Module):
    """A convolution, batch statistics and dropout: everything whose state a checkpoint must carry."""

    def __init__(self) -> None:
        super().__init__()
        self.parts = nn.Sequential(
            nn.Conv2d(3, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU(), nn.Dropout2d(0.2), nn.Conv2d(4, 1, 1)
        )

    def forward(self, images: Tensor) -> Tensor:
        return self.parts(images)


def red_squares(count: int, seed: int = 0, side: int = 16) -> PairArrays:
    """Green patches with a red square each, which is the landslide."""
    random = np.random.default_rng(seed)
    images = random.integers(0, 60, (count, 3, side, side)).astype(np.uint8)
    truth = np.zeros((count, 1, side, side), np.uint8)
    for index, (row, column) in enumerate(random.integers(0, side - 6, (count, 2))):
        truth[index, 0, row : row + 6, column : column + 6] = 1
    images[:, 0] = np.where(truth[:, 0] == 1, 200, images[:, 0])
    images[:, 1] = np.where(truth[:, 0] == 1, 50, 180)
    return PairArrays(images, truth, tuple(f"{index:064x}" for index in range(count)))


def train(
    schedule: Schedule = SCHEDULE,
    checkpoint: Path | None = None,
    loss: Loss | None = None,
    network: nn.Module | None = None,
    fitting: PairArrays | None = None,
    paces: dict[str, float] | None = None,
) -> Trained:
    torch.manual_seed(schedule.seed)
    lesson = PixelLesson(
        fitting or red_squares(10), red_squares(4, seed=9), lambda images: images - 0.5, loss or cross_entropy(),
        Augmentation(zoom=1.5, mix=0.3), schedule.batch,
    )  # fmt: skip
    return Training(network or Small(), lesson, schedule, checkpoint, paces=paces).fit()


def same(one: Trained, other: Trained) -> None:
    assert one.weights.keys() == other.weights.keys()
    assert all(torch.equal(one.weights[key], other.weights[key]) for key in one.weights)
    timeless = [[{**epoch, "seconds": 0} for epoch in trained.history] for trained in (one, other)]
    assert timeless[0] == timeless[1]
    assert one.best_epoch == other.best_epoch


def interrupting(steps: int) -> Loss:
    """A loss that breaks the training off after some steps."""
    inner, left = cross_entropy(), [steps]

    def loss(logits: Tensor, truth: Tensor, known: Tensor) -> Tensor:
        left[0] -= 1
        if left[0] < 0:
            raise Interrupted
        return inner(logits, truth, known)

    return loss


def test_the_same_seed_gives_the_same_weights_and_another_seed_others() -> None:
    once = train()

    same(once, train())
    other = train(replace(SCHEDULE, seed=4))
    assert not all(torch.equal(once.weights[key], other.weights[key]) for key in once.weights)


@pytest.mark.parametrize("steps", [3 * 2, 3 * 2 + 1], ids=["between epochs", "within an epoch"])
def test_a_resumed_training_ends_exactly_as_an_unbroken_one(tmp_path: Path, steps: int) -> None:
    unbroken = train()
    checkpoint = tmp_path / "work" / "training.pt"
    with pytest.raises(Interrupted):
        train(checkpoint=checkpoint, loss=interrupting(steps))
    assert checkpoint.exists()

    resumed = train(checkpoint=checkpoint)

    same(unbroken, resumed)
    assert len(resumed.history) == 4
    assert [path.name for path in checkpoint.parent.iterdir()] == ["training.pt"]


def test_a_finished_training_is_not_run_again(tmp_path: Path) -> None:
    finished = train(checkpoint=tmp_path / "training.pt")

    same(finished, train(checkpoint=tmp_path / "training.pt", loss=interrupting(0)))


def test_a_checkpoint_of_another_schedule_is_left_alone(tmp_path: Path) -> None:
    train(replace(SCHEDULE, epochs=1), tmp_path / "training.pt")

    same(train(checkpoint=tmp_path / "training.pt"), train())


def test_a_training_that_stops_early_has_learnt_what_a_whole_one_has_by_then() -> None:
    whole, part = train(), train(replace(SCHEDULE, stop_after=2))

    assert part.epochs == 2
    scores = [[epoch["score"] for epoch in trained.history] for trained in (whole, part)]
    assert scores[1] == scores[0][:2]


def test_training_stops_when_the_score_has_not_risen_for_as_long_as_allowed() -> None:
    stuck = TinyNetwork(3, share=False)
    stuck.load_state_dict(constant_weights(-9.0))

    trained = train(replace(SCHEDULE, epochs=20, patience=3, rate=1e-12), network=stuck)

    assert trained.best_epoch == 1
    assert trained.epochs == 4


def test_patches_that_are_plain_to_tell_apart_are_learnt() -> None:
    trained = train(Schedule(epochs=12, batch=4, rate=0.2, average=0.5), network=TinyNetwork(3, share=False))

    assert trained.best["score"] > 0.9
    assert len(trained.history) == trained.epochs


def test_unknown_truth_teaches_nothing() -> None:
    known = red_squares(8)
    silent = PairArrays(known.images, np.full_like(known.truth, 255), known.digests)
    network = TinyNetwork(3, share=False)
    before = {key: value.clone() for key, value in network.state_dict().items()}

    trained = train(replace(SCHEDULE, decay=0.0), network=network, fitting=silent)

    assert all(torch.allclose(trained.weights[key], before[key]) for key in before)


def test_a_tuning_part_without_any_landslide_is_refused_before_training() -> None:
    empty = red_squares(4)
    empty.truth[:] = 0

    with pytest.raises(InputError, match="tuning set holds no landslide"):
        PixelLesson(red_squares(4), empty, lambda images: images, cross_entropy(), Augmentation())


def test_parts_with_a_pace_of_their_own_learn_at_it() -> None:
    network = Small()
    before = {key: value.clone() for key, value in network.state_dict().items()}

    trained = train(replace(SCHEDULE, decay=0.0), network=network, paces={"parts.0": 0.0})

    assert torch.equal(trained.weights["parts.0.weight"], before["parts.0.weight"])
    assert not torch.equal(trained.weights["parts.4.weight"], before["parts.4.weight"])


def test_a_last_batch_of_one_patch_does_not_break_batch_statistics() -> None:
    assert train(replace(SCHEDULE, epochs=1, batch=3)).epochs == 1


def test_codes_predicted_for_arrays_are_the_red_values_whatever_the_batch() -> None:
    network = TinyNetwork(3, share=False)
    network.load_state_dict(red_weights())
    images = red_squares(5).images

    codes = predict_codes(network, images, lambda values: 20 * values - 10, batch=2)

    expected = 1 / (1 + np.exp(10 - 20 * images[:, 0].astype(float) / 255))
    # Half precision keeps three digits of a logit.
    assert np.abs(codes / 254 - expected).max() < 0.02
