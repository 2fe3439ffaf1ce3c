"""Roe and Metz's parameters and back: round trips and independent integrals beside MRMCaov's two entries."""

import math

import numpy as np
import pytest
from scipy import integrate, stats

from analysis.conversions import (
    AucModel,
    RatingModel,
    bivariate_normal,
    obuchowski_rockette_to_roe_metz,
    roe_metz_to_obuchowski_rockette,
)
from analysis.errors import CannotAnalyse


@pytest.mark.parametrize("rho", [-0.95, -0.3, 0.0, 0.2, 0.7, 0.999])
@pytest.mark.parametrize(("h", "k"), [(0.0, 0.0), (0.0, 1.2), (-0.7, 0.0), (1.1, -0.4), (2.0, 1.5), (-1.0, -2.0)])
def test_bivariate_normal_against_its_integral(h: float, k: float, rho: float) -> None:
    root = math.sqrt(1 - rho**2)
    step = [k / rho] if rho and abs(k / rho) < 8 else []
    expected, _ = integrate.quad(
        lambda x: stats.norm.pdf(x) * stats.norm.cdf((k - rho * x) / root), -9, h, points=step, epsabs=1e-13, limit=500
    )
    assert float(bivariate_normal(h, k, rho)) == pytest.approx(expected, abs=1e-11)


def test_bivariate_normal_at_its_ends() -> None:
    assert float(bivariate_normal(0.3, 1.0, 1.0)) == pytest.approx(stats.norm.cdf(0.3))
    assert float(bivariate_normal(0.3, 1.0, 0.0)) == pytest.approx(stats.norm.cdf(0.3) * stats.norm.cdf(1.0))


@pytest.mark.parametrize("b", [0.55, 0.84566, 1.0, 1.3])
@pytest.mark.parametrize("deltas", [(0.75, 0.75), (0.821, 1.1), (2.5, 2.2)])
def test_there_and_back(b: float, deltas: tuple[float, float]) -> None:
    model = RatingModel(25, 40, deltas, 0.0132, 0.011, 0.1, 0.15, 0.2, 0.55, b)
    auc = roe_metz_to_obuchowski_rockette(model)
    found = obuchowski_rockette_to_roe_metz(auc, b)
    for name in ("reader", "arm_reader", "case", "arm_case", "reader_case", "error", "b"):
        assert getattr(found, name) == pytest.approx(getattr(model, name), rel=1e-7), name
    assert found.deltas == pytest.approx(deltas)


def test_b_is_found_from_the_error_variance() -> None:
    model = RatingModel(50, 50, (0.75, 1.0), 0.0055, 0.0055, 0.3, 0.3, 0.2, 0.2, 0.8)
    assert obuchowski_rockette_to_roe_metz(roe_metz_to_obuchowski_rockette(model)).b == pytest.approx(0.8, rel=1e-9)


def test_the_covariances_are_those_of_simulated_areas() -> None:
    generator = np.random.default_rng(11)
    model = RatingModel(12, 10, (1.0, 1.0), 0.01, 0.01, 0.3, 0.3, 0.2, 0.2, 0.8)
    expected = roe_metz_to_obuchowski_rockette(model)
    size, scale = 40_000, {0: 1.0, 1: 1 / model.b}
    # Two readers in one arm: what they share is the variance of cases, and of arm x case.
    rated = {}
    for kind, count in ((0, model.negatives), (1, model.positives)):
        common = generator.normal(size=(size, count)) * math.sqrt(model.case + model.arm_case)
        own = generator.normal(size=(2, size, count)) * math.sqrt(model.reader_case + model.error)
        shift = generator.normal(size=(2, size, 1)) * math.sqrt(model.reader + model.arm_reader)
        rated[kind] = (common + own) * scale[kind] + shift + kind * model.deltas[0]
    areas = (rated[1][:, :, :, None] > rated[0][:, :, None, :]).mean(axis=(2, 3))
    matrix = np.cov(areas)
    variance = expected.error + expected.reader + expected.arm_reader
    assert areas.mean() == pytest.approx(expected.aucs[0], abs=4 * math.sqrt(variance / size))
    assert matrix[0, 0] == pytest.approx(variance, rel=0.03)
    assert matrix[0, 1] == pytest.approx(expected.cov2, abs=4 * variance / math.sqrt(size))


def test_what_no_model_has_is_refused() -> None:
    with pytest.raises(CannotAnalyse, match="between 1/2 and 1"):
        obuchowski_rockette_to_roe_metz(AucModel(50, 50, (0.4, 0.8), 0.001, 0.001, 0.002, 0.001, 0.001, 0.0005))
    with pytest.raises(CannotAnalyse, match="component reader cannot be reached"):
        obuchowski_rockette_to_roe_metz(AucModel(50, 50, (0.8, 0.8), 0.9, 0.001, 0.002, 0.001, 0.001, 0.0005))
    with pytest.raises(CannotAnalyse, match="component error cannot be reached"):
        obuchowski_rockette_to_roe_metz(AucModel(50, 50, (0.8, 0.8), 0.001, 0.001, 0.2, 0.001, 0.001, 0.0005))
    with pytest.raises(CannotAnalyse, match="positive b"):
        roe_metz_to_obuchowski_rockette(RatingModel(50, 50, (0.7, 0.7), 0, 0, 0.3, 0.3, 0.2, 0.2, 0.0))
