"""Losses against values worked out by hand."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from core.errors import ModelError
from core.learning.losses import TERMS, Loss, cross_entropy, dice, focal, weighted_sum


def image(*values: float) -> Tensor:
    return torch.tensor(values, dtype=torch.float32).view(1, 1, 1, -1)


KNOWN = image(1, 1)


def test_an_undecided_network_pays_the_logarithm_of_two_for_each_pixel() -> None:
    assert cross_entropy()(image(0, 0), image(1, 0), KNOWN).item() == pytest.approx(math.log(2))


def test_landslide_pixels_weigh_more_when_asked_to() -> None:
    loss = cross_entropy(positive_weight=3.0)(image(0, 0), image(1, 0), KNOWN)

    assert loss.item() == pytest.approx((3 + 1) / 2 * math.log(2))


def test_dice_of_half_probabilities_by_hand() -> None:
    # Overlap 0.5, sums 1 and 1: 1 − (2 · 0.5 + 1) / (1 + 1 + 1).
    assert dice()(image(0, 0), image(1, 0), KNOWN).item() == pytest.approx(1 / 3)


def test_dice_of_a_patch_without_landslide_mapped_as_such_is_nothing() -> None:
    assert dice()(image(-40, -40), image(0, 0), KNOWN).item() == pytest.approx(0, abs=1e-6)


def test_focal_loss_by_hand() -> None:
    # Balance ½, (1 − ½)² = ¼, cross-entropy log 2.
    assert focal()(image(0, 0), image(1, 0), KNOWN).item() == pytest.approx(math.log(2) / 8)


@pytest.mark.parametrize("term", [factory() for factory in TERMS.values()], ids=list(TERMS))
def test_unknown_truth_carries_no_gradient_and_changes_no_loss(term: Loss) -> None:
    logits = image(0.3, -0.4, 2.0).requires_grad_()

    loss = term(logits, image(1, 0, 1), image(1, 1, 0))
    loss.backward()

    assert logits.grad is not None
    assert logits.grad.flatten()[2].item() == 0
    assert (logits.grad.flatten()[:2] != 0).all()
    assert loss.item() == pytest.approx(term(image(0.3, -0.4), image(1, 0), KNOWN).item())


@pytest.mark.parametrize("term", [factory() for factory in TERMS.values()], ids=list(TERMS))
def test_a_batch_whose_truth_is_all_unknown_costs_nothing_and_breaks_nothing(term: Loss) -> None:
    logits = image(1.0, -1.0).requires_grad_()

    loss = term(logits, image(0, 0), image(0, 0))
    loss.backward()

    assert loss.item() == pytest.approx(0)
    assert logits.grad is not None
    assert torch.equal(logits.grad, torch.zeros_like(logits))


def test_a_sum_adds_its_terms_with_their_weights() -> None:
    both = weighted_sum({"dice": {"weight": 2.0}, "cross_entropy": {"positive_weight": 3.0}})

    assert both(image(0, 0), image(1, 0), KNOWN).item() == pytest.approx(2 / 3 + 2 * math.log(2))


@pytest.mark.parametrize("terms", [{}, {"hinge": {}}])
def test_a_loss_that_is_not_known_is_refused_with_those_that_are(terms: dict[str, dict[str, float]]) -> None:
    with pytest.raises(ModelError, match="cross_entropy, dice, focal"):
        weighted_sum(terms)
