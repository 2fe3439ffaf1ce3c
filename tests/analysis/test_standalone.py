"""A model against readers: identities and edges beside the walks of RJafroc and Google-Health."""

import numpy as np
import pytest

from analysis.errors import CannotAnalyse
from analysis.mrmc import obuchowski_rockette
from analysis.ratings import Ratings
from analysis.standalone import model_against_readers


def study(readers: int = 4, cases: int = 60, seed: int = 1) -> tuple[Ratings, np.ndarray]:
    generator = np.random.default_rng(seed)
    truth = np.arange(cases) % 2 == 0
    common = generator.normal(size=cases) + truth
    values = common + generator.normal(size=(readers, 1, cases))
    names = tuple(f"R{place}" for place in range(readers))
    return Ratings(names, ("alone",), tuple(map(str, range(cases))), truth, values), common


def test_equals_two_arms_of_which_one_is_the_model_for_every_reader() -> None:
    # 2T-RRRC of Kooi et al. (2016): the model repeated as an arm gives the same F, df and p.
    ratings, score = study()
    found = model_against_readers(ratings, score)
    repeated = np.concatenate([ratings.values, np.broadcast_to(score, ratings.values.shape)], axis=1)
    both = Ratings(ratings.readers, ("readers", "model"), ratings.cases, ratings.truth, repeated)
    other = obuchowski_rockette(both, "auc", "jackknife")
    assert found.estimate == pytest.approx(other.estimate)
    assert [found.se, found.df, found.p] == pytest.approx([other.se, other.differences[0].df, other.p], rel=1e-9)


def test_fixed_cases_are_a_t_test_of_the_readers() -> None:
    from scipy import stats

    ratings, score = study()
    found = model_against_readers(ratings, score, cases="fixed")
    expected = stats.ttest_1samp([found.model - value for _, value in found.readers], 0.0)
    assert [found.statistic, found.p, found.df] == pytest.approx([expected.statistic, expected.pvalue, 3])
    assert found.cov2 is None


def test_missing_readings_are_allowed_by_the_jackknife() -> None:
    ratings, score = study()
    values = ratings.values.copy()
    values[0, 0, :7] = np.nan
    gaps = Ratings(ratings.readers, ratings.arms, ratings.cases, ratings.truth, values)
    assert 0 < model_against_readers(gaps, score).p < 1
    with pytest.raises(CannotAnalyse, match="7 readings are missing"):
        model_against_readers(gaps, score, covariance_method="delong")


def test_a_model_that_equals_every_reader() -> None:
    ratings, _ = study()
    same = Ratings(ratings.readers, ratings.arms, ratings.cases, ratings.truth, ratings.values[[0, 0, 0, 0]])
    found = model_against_readers(same, same.values[0, 0])
    assert (found.estimate, found.p) == (0.0, 1.0) and found.warnings


def test_a_reader_who_read_nothing_is_named() -> None:
    truth = np.array([False, False, True, True])
    values = np.array([[[1.0, 2, 2, 3]], [[2, 1, 1, 3]], [[np.nan] * 4]])
    readers = Ratings(("R", "S", "T"), ("alone",), ("1", "2", "3", "4"), truth, values)
    with pytest.raises(CannotAnalyse, match=r"^T read nothing in arm alone; leave such readers out\.$"):
        model_against_readers(readers, np.array([0.1, 0.3, 0.2, 0.4]))


def test_refusals() -> None:
    ratings, score = study()
    two = Ratings(ratings.readers, ("A", "B"), ratings.cases, ratings.truth, np.repeat(ratings.values, 2, axis=1))
    with pytest.raises(CannotAnalyse, match="one arm, not of 2"):
        model_against_readers(two, score)
    with pytest.raises(CannotAnalyse, match="only one reader"):
        model_against_readers(ratings.restricted(readers=["R0"]), score)
    with pytest.raises(CannotAnalyse, match="score for every case"):
        model_against_readers(ratings, np.where(np.arange(60) == 3, np.nan, score))
    with pytest.raises(CannotAnalyse, match="random or fixed"):
        model_against_readers(ratings, score, cases="some")  # type: ignore[arg-type]
    perfect = np.repeat(ratings.truth[None, None].astype(float), 2, axis=0)
    useless = Ratings(("R", "S"), ("alone",), ratings.cases, ratings.truth, 1 - perfect)
    with pytest.raises(CannotAnalyse, match="nothing varies"):
        model_against_readers(useless, perfect[0, 0])
