"""How scores rank, against numbers worked out by hand and by other libraries."""

from __future__ import annotations

import math

import numpy as np
import pytest
from sklearn import metrics

from core.learning.metrics import Confusion
from core.learning.roc import auroc, average_precision, delong, roc_curve, two_sided

TRUTH = [1, 1, 1, 0, 0, 0]
ONE, OTHER = [0.9, 0.8, 0.4, 0.7, 0.3, 0.2], [0.6, 0.9, 0.5, 0.65, 0.1, 0.4]


def test_two_scores_of_six_cases_have_the_areas_and_variances_worked_out_by_hand() -> None:
    found = delong(TRUTH, [ONE, OTHER])

    assert found.auroc == pytest.approx([8 / 9, 7 / 9])
    assert found.covariance == pytest.approx(np.array([[0.0246914, 0.0308642], [0.0308642, 0.0617284]]), abs=1e-6)
    variance = found.covariance[0, 0] + found.covariance[1, 1] - 2 * found.covariance[0, 1]
    difference = float(found.auroc[0] - found.auroc[1])
    assert difference / math.sqrt(variance) == pytest.approx(0.707107, abs=1e-6)
    assert two_sided(difference, float(variance)) == pytest.approx(0.4795, abs=1e-4)


@pytest.mark.parametrize("seed", range(5))
def test_areas_curves_and_scores_are_those_of_scikit_learn_also_with_ties(seed: int) -> None:
    rng = np.random.default_rng(seed)
    truth = rng.random(200) < 0.3
    score = np.round(truth * 0.4 + rng.random(200), 1)

    assert auroc(truth, score) == pytest.approx(metrics.roc_auc_score(truth, score))
    assert delong(truth, [score]).auroc[0] == pytest.approx(metrics.roc_auc_score(truth, score))
    assert average_precision(truth, score) == pytest.approx(metrics.average_precision_score(truth, score))
    false, true, cuts = metrics.roc_curve(truth, score, drop_intermediate=False)
    curve = roc_curve(truth, score)
    np.testing.assert_allclose(curve.false_rate, false)
    np.testing.assert_allclose(curve.true_rate, true)
    assert curve.best == cuts[np.argmax(true - false)]
    said = score >= curve.best
    found = Confusion.of(said, truth)
    names = ("oa", "precision", "recall", "f1", "kappa", "mcc")
    assert {name: getattr(found, name) for name in names} == pytest.approx({
        "oa": metrics.accuracy_score(truth, said), "precision": metrics.precision_score(truth, said),
        "recall": metrics.recall_score(truth, said), "f1": metrics.f1_score(truth, said),
        "kappa": metrics.cohen_kappa_score(truth, said), "mcc": metrics.matthews_corrcoef(truth, said),
    })  # fmt: skip


def test_what_is_undefined_is_no_number() -> None:
    assert math.isnan(auroc([1, 1], [0.2, 0.3]))
    assert math.isnan(average_precision([0, 0], [0.2, 0.3]))
    assert math.isnan(Confusion(0, 0, 0, 2).mcc)
    assert np.isnan(delong([1, 0, 0], [[0.5, 0.2, 0.1]]).covariance).all()
    with pytest.raises(ValueError, match="one class"):
        delong([1, 1], [[0.2, 0.3]])
