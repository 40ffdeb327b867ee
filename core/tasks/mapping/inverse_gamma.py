"""The three-parameter inverse gamma distribution of landslide areas, fitted by maximum likelihood.

An inventory made from an image is cut off at the smallest area that the image can show, so the likelihood
is that of the areas *given* that they exceed that cut. Without this the cut would pass for a rollover.

References
----------
Malamud, B. D., Turcotte, D. L., Guzzetti, F., Reichenbach, P. (2004). Landslide inventories and their
statistical properties. Earth Surface Processes and Landforms 29, 687-711. doi:10.1002/esp.1064
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import minimize
from scipy.special import digamma, gammainc, gammaln, hyp1f1
from scipy.stats import chi2

Floats = NDArray[np.float64]

RHO_BOUNDS = (0.05, 20.0)
"""Where ``rho`` is sought; published inventories lie between about 0.9 and 2.5."""
_SCALE_BOUNDS = (1e-4, 1e4)
_OFFSET_BOUNDS = (1e-1, 1e4)
# Not L-BFGS-B: its steps on three numbers call a threaded BLAS, which costs seconds beside a busy machine.
_OPTIMISER: dict[str, Any] = {"jac": True, "method": "SLSQP", "options": {"ftol": 1e-10, "maxiter": 300}}
_STARTS = ((1.4, 3.0, 1.5), (1.0, 0.3, 1.1), (2.5, 20.0, 5.0), (0.8, 1.0, 1.0))


@dataclass(frozen=True)
class InverseGamma:
    """``p(A) = 1/(a Γ(rho)) · [a/(A-s)]^(rho+1) · exp(-a/(A-s))`` for ``A > s`` (Malamud et al. 2004, eq. 3).

    Parameters
    ----------
    rho
        Shape; the density of large landslides falls as ``A^-(rho+1)``.
    a
        Position of the rollover, in the unit of the areas.
    s
        Shift that governs the fall towards small landslides, in the unit of the areas; usually negative.
    """

    rho: float
    a: float
    s: float

    @property
    def rollover(self) -> float:
        """The most frequent area, ``a/(rho+1) + s``."""
        return self.a / (self.rho + 1.0) + self.s

    def density(self, areas: ArrayLike) -> Floats:
        """Probability density at ``areas``, per unit of area; zero at and below ``s``."""
        above = np.asarray(areas, dtype=np.float64) - self.s
        inside = above > 0.0
        ratio = self.a / np.where(inside, above, 1.0)
        log_density = (self.rho + 1.0) * np.log(ratio) - ratio - np.log(self.a) - gammaln(self.rho)
        return np.where(inside, np.exp(log_density), 0.0)

    def exceedance(self, areas: ArrayLike) -> Floats:
        """Probability that a landslide is at least as large as each of ``areas``."""
        above = np.asarray(areas, dtype=np.float64) - self.s
        inside = above > 0.0
        return np.where(inside, gammainc(self.rho, self.a / np.where(inside, above, 1.0)), 1.0)


@dataclass(frozen=True)
class TruncatedFit:
    """The most likely distribution and the range of ``rho`` that the areas allow.

    Attributes
    ----------
    distribution
        The fitted distribution.
    rho_interval
        95 % interval by profile likelihood; an end is infinite or zero where the data set no limit.
    rollover_visible
        Whether the areas show that the most frequent one exceeds the cut: a distribution that falls from the cut on
        is refuted at the 5 % level (likelihood ratio, one-sided), and `s` is not at its limit, which heaps the
        areas on the cut.
    converged
        False when no start of the optimiser reached an optimum.
    """

    distribution: InverseGamma
    rho_interval: tuple[float, float]
    rollover_visible: bool
    converged: bool


def fit_truncated(areas: ArrayLike, lower: float) -> TruncatedFit:
    """Fit the distribution to areas that all are at least ``lower``.

    Parameters
    ----------
    areas
        Landslide areas, at least three of them, all ``>= lower``.
    lower
        The area below which nothing could be mapped, positive, in the same unit.

    Returns
    -------
    TruncatedFit
        The maximum of the truncated likelihood and the profile-likelihood interval of ``rho``.

    Notes
    -----
    ``s`` is kept below ``0.9 lower``: with ``s`` at the cut the likelihood has no maximum, since all mass
    could be heaped on the smallest of the mapped areas.
    """
    likelihood = _Likelihood(np.asarray(areas, dtype=np.float64) / lower - 1.0)
    best, converged = likelihood.maximum()
    rho, scale, offset = np.exp(best)
    distribution = InverseGamma(float(rho), float(scale * lower), float((1.0 - offset) * lower))
    heaped = offset < 1.01 * _OFFSET_BOUNDS[0]
    visible = not heaped and distribution.rollover > lower and likelihood.refutes_falling(best)
    return TruncatedFit(distribution, likelihood.rho_interval(best), visible, converged)


class _Likelihood:
    """Mean negative log-likelihood over ``A/lower - 1``, in the logarithms of (rho, a/lower, 1 - s/lower)."""

    def __init__(self, excess: Floats) -> None:
        self.excess = excess

    def maximum(self) -> tuple[Floats, bool]:
        bounds = [tuple(np.log(pair)) for pair in (RHO_BOUNDS, _SCALE_BOUNDS, _OFFSET_BOUNDS)]
        tries = [
            minimize(self.value_and_gradient, np.log(start), bounds=bounds, **_OPTIMISER) for start in _STARTS
        ]
        best = min(tries, key=lambda found: float(found.fun))
        return np.asarray(best.x, dtype=np.float64), bool(np.isfinite(best.fun))

    def rho_interval(self, best: Floats) -> tuple[float, float]:
        """Where twice the profile log-likelihood has fallen by chi-square's 95 % point (one degree)."""
        allowed = float(chi2.ppf(0.95, 1)) / (2.0 * self.excess.size)
        highest = self.value_and_gradient(best)[0] + allowed
        low, high = (self._limit(best, highest, np.log(bound)) for bound in RHO_BOUNDS)
        return (0.0 if low is None else float(np.exp(low))), (np.inf if high is None else float(np.exp(high)))

    def refutes_falling(self, best: Floats) -> bool:
        """Whether the areas are too unlikely under the best distribution whose rollover stands at the cut.

        ``best`` is a maximum with its rollover above the cut; the best distribution that falls from the cut on then
        has it at the cut, where ``a = (rho + 1)(lower - s)``.
        """

        def at_the_cut(logs: Floats) -> tuple[float, Floats]:
            log_rho, log_offset = logs
            rho = float(np.exp(log_rho))
            value, gradient = self.value_and_gradient(np.array([log_rho, log_offset + np.log(rho + 1.0), log_offset]))
            by_scale = float(gradient[1])
            return value, np.array([gradient[0] + by_scale * rho / (rho + 1.0), gradient[2] + by_scale])

        bounds = [tuple(np.log(pair)) for pair in (RHO_BOUNDS, _OFFSET_BOUNDS)]
        starts = [(best[0], best[2]), *((np.log(rho), np.log(offset)) for rho, _, offset in _STARTS)]
        falling = min(
            float(minimize(at_the_cut, np.array(start), bounds=bounds, **_OPTIMISER).fun) for start in starts
        )
        gain = 2.0 * self.excess.size * (falling - self.value_and_gradient(best)[0])
        return gain > float(chi2.ppf(0.90, 1))

    def _limit(self, best: Floats, highest: float, bound: float) -> float | None:
        """The logarithm of rho, towards ``bound``, at which the profile rises through ``highest``."""
        inside, nuisance = float(best[0]), best[1:]
        step = np.copysign(0.1, bound - inside)
        while abs(bound - inside) > 1e-9:
            outside = inside + step if abs(bound - inside) > abs(step) else bound
            value, rest = self._profile(outside, nuisance)
            if value > highest:
                return self._bisect(inside, outside, nuisance, highest)
            inside, nuisance = outside, rest
        return None

    def _bisect(self, inside: float, outside: float, nuisance: Floats, highest: float) -> float:
        # Not a root finder that trusts signs: the profile carries the tolerance of its inner optimiser.
        for _ in range(8):
            middle = 0.5 * (inside + outside)
            value, rest = self._profile(middle, nuisance)
            if value > highest:
                outside = middle
            else:
                inside, nuisance = middle, rest
        return 0.5 * (inside + outside)

    def _profile(self, log_rho: float, nuisance: Floats) -> tuple[float, Floats]:
        def at_fixed_rho(rest: Floats) -> tuple[float, Floats]:
            value, gradient = self.value_and_gradient(np.concatenate(([log_rho], rest)))
            return value, gradient[1:]

        bounds = [tuple(np.log(pair)) for pair in (_SCALE_BOUNDS, _OFFSET_BOUNDS)]
        found = minimize(at_fixed_rho, nuisance, bounds=bounds, **_OPTIMISER)
        return float(found.fun), np.asarray(found.x, dtype=np.float64)

    def value_and_gradient(self, logs: Floats) -> tuple[float, Floats]:
        rho, scale, offset = (float(value) for value in np.exp(logs))
        above = self.excess + offset
        inverse = 1.0 / above
        mean_log = float(np.log(above).mean())
        mean_inverse = float(inverse.mean())
        mean_square = float((inverse * inverse).mean())
        edge = scale / offset
        log_kept = _log_gammainc(rho, edge)
        # d/dx and d/drho of log P(rho, x), the logarithm of the share that the cut leaves.
        by_edge = float(np.exp((rho - 1.0) * np.log(edge) - edge - gammaln(rho) - log_kept))
        step = 1e-5 * rho
        by_rho = (_log_gammainc(rho + step, edge) - _log_gammainc(rho - step, edge)) / (2.0 * step)
        value = rho * np.log(scale) - gammaln(rho) - (rho + 1.0) * mean_log - scale * mean_inverse - log_kept
        gradient = np.array(
            [
                rho * (np.log(scale) - digamma(rho) - mean_log - by_rho),
                rho - scale * mean_inverse - by_edge * edge,
                offset * (scale * mean_square - (rho + 1.0) * mean_inverse) + by_edge * edge,
            ]
        )
        return -float(value), -gradient


def _log_gammainc(rho: float, x: float) -> float:
    """``log P(rho, x)``; by its series where ``P`` itself would underflow."""
    if x > rho + 1.0:
        return float(np.log(gammainc(rho, x)))
    return float(rho * np.log(x) - x - gammaln(rho + 1.0) + np.log(hyp1f1(1.0, rho + 1.0, x)))
