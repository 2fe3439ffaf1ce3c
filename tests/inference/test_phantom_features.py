"""Signs of fractures and the best that can be known from them: shares, likelihood ratios, ceilings."""

from itertools import product

import numpy as np
import pytest
from scipy.stats import chi2_contingency, fisher_exact

from inference.phantoms.ceilings import QUESTIONS, Question, ceiling, simulated, standard_error
from inference.phantoms.column import chance_for
from inference.phantoms.features import (
    classes_of,
    draw_many,
    draw_signs,
    log_likelihood_ratios,
    named,
    senior_marks,
    signs_of,
)


def test_published_shares_stand_in_the_table() -> None:
    """Sensitivity and specificity of Uetani 2004: convex border .70/.94, pedicle .80/.94, epidural mass .80/1.0,
    retropulsed fragment .16/1.0 for benign; 1.0 is taken as .99."""
    shares = {sign.name: sign.shares for sign in signs_of("kind")}
    assert len(shares) == 15
    assert shares["convex_posterior_border"] == pytest.approx((0.70, 1 - 0.94))
    assert shares["posterior_element"] == pytest.approx((0.80, 1 - 0.94))
    assert shares["epidural_mass"] == pytest.approx((0.80, 1 - 0.99))
    assert shares["retropulsed_fragment"] == pytest.approx((1 - 0.99, 0.16))


@pytest.mark.parametrize("table", ["kind", "age"])
def test_signs_are_drawn_as_often_as_the_table_says(table: str) -> None:
    cases = 20_000
    for first, column in ((True, 0), (False, 1)):
        drawn = draw_many(chance_for(table, first), table, np.full(cases, first))
        for place, sign in enumerate(signs_of(table)):
            share = sign.shares[column]
            open_cases = ~drawn[:, named(table, sign.unless)] if sign.unless else np.ones(cases, bool)
            found = drawn[open_cases, place].mean()
            assert found == pytest.approx(share, abs=4 * np.sqrt(share * (1 - share) / open_cases.sum()))
            if sign.unless:
                assert not drawn[~open_cases, place].any()


def test_names_and_arrays_are_the_same_draw() -> None:
    for number in range(30):
        names = draw_signs(chance_for("same", number), "kind", "malignant")
        drawn = draw_many(chance_for("same", number), "kind", np.array([True]))[0]
        assert names == {sign.name for sign, there in zip(signs_of("kind"), drawn, strict=True) if there}


def exact(question: Question) -> float:
    """AUC by counting all patterns of signs with their probabilities."""
    signs = signs_of(question.table)
    seen = [place for place, sign in enumerate(signs) if question.modality in sign.seen]
    patterns = np.zeros((2 ** len(seen), len(signs)), bool)
    patterns[:, seen] = list(product([False, True], repeat=len(seen)))
    chances = np.ones((2, len(patterns)))
    for place in seen:
        sign = signs[place]
        ruled_out = patterns[:, named(question.table, sign.unless)] if sign.unless else np.zeros(len(patterns), bool)
        for row in (0, 1):
            share = np.where(ruled_out, 0.0, sign.shares[row])
            chances[row] *= np.where(patterns[:, place], share, 1 - share)
    possible = chances[0] > 0
    first, second, patterns = chances[0][possible], chances[1][possible], patterns[possible]
    a = question.ambiguity
    first, second = (1 - a) * first + a * second, (1 - a) * second + a * first
    # Built from the chances, not from the function under test.
    ratio = np.log(first / second).round(9)
    ours = log_likelihood_ratios(question.table, patterns, modality=question.modality, ambiguity=a)
    assert ours == pytest.approx(ratio, abs=1e-8)
    values, places = np.unique(ratio, return_inverse=True)
    up, down = (np.bincount(places, weights, len(values)) for weights in (first, second))
    return float(np.sum(up * (np.cumsum(down) - down / 2)))


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: question.name)
def test_the_simulated_ceiling_is_the_exact_one(question: Question) -> None:
    found = ceiling(question, cases=40_000, seed=3)
    assert found.auc == pytest.approx(exact(question), abs=4 * found.se)
    assert found.auc == pytest.approx(question.wanted, abs=0.006 + 4 * found.se)


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: question.name)
def test_ambiguity_draws_the_ceiling_towards_chance(question: Question) -> None:
    """AUC = ½ + (1 − 2a)(A − ½): a swapped pair of cases counts the other way round, a half-swapped one nothing."""
    found = ceiling(question, cases=40_000, seed=4)
    expected = 0.5 + (1 - 2 * question.ambiguity) * (found.unblurred - 0.5)
    assert found.auc == pytest.approx(expected, abs=5 * found.se)


def test_with_ambiguity_of_a_half_nothing_can_be_known() -> None:
    chance = chance_for("half")
    drawn = draw_many(chance, "kind", np.repeat([True, False], 50))
    ratios = log_likelihood_ratios("kind", drawn, modality="MR", ambiguity=0.5)
    assert ratios == pytest.approx(np.zeros(100), abs=1e-12)
    auc = simulated(QUESTIONS[1], 0.5, 20_000, chance)
    assert auc == pytest.approx(0.5, abs=4 * standard_error(0.5, 20_000))


def test_no_appearance_is_proof() -> None:
    drawn = draw_many(chance_for("bound"), "kind", np.repeat([True, False], 5000))
    ratios = log_likelihood_ratios("kind", drawn, modality="MR", ambiguity=0.06)
    assert np.abs(ratios).max() <= np.log(0.94 / 0.06) + 1e-12
    assert np.abs(ratios).max() > 0.99 * np.log(0.94 / 0.06)


def test_a_modality_without_signs_knows_nothing() -> None:
    drawn = draw_many(chance_for("none"), "age", np.array([True, False]))
    assert log_likelihood_ratios("age", drawn, modality="MR", ambiguity=0.0).tolist() == [0.0, 0.0]


def test_the_senior_marks_nearly_what_is_there() -> None:
    chance = chance_for("senior")
    cases = 4000
    drawn = [draw_signs(chance, "kind", "malignant" if number % 2 else "benign") for number in range(cases)]
    marks = np.array([senior_marks(chance, signs) for signs in drawn])
    for place, sign in enumerate(signs_of("kind")):
        there = np.array([sign.name in signs for signs in drawn])
        for found, share in ((marks[there, place], sign.marked[0]), (marks[~there, place], sign.marked[1])):
            assert found.mean() == pytest.approx(share, abs=4.5 * np.sqrt(share * (1 - share) / len(found)))


def test_about_ten_of_fifteen_features_differ_at_one_in_a_thousand() -> None:
    """Yeh et al. 2022: 50 malignant and 140 benign patients, 10 of 15 features at p ≤ .001."""
    chance, counts = chance_for("table"), []
    for _ in range(12):
        marks = np.array(
            [senior_marks(chance, draw_signs(chance, "kind", "malignant" if i < 50 else "benign")) for i in range(190)]
        )
        significant = 0
        for place in range(15):
            table = [[marks[:50, place].sum(), 50 - marks[:50, place].sum()]]
            table.append([marks[50:, place].sum(), 140 - marks[50:, place].sum()])
            if not marks[:, place].any():
                continue
            expected = np.outer(np.sum(table, axis=1), np.sum(table, axis=0)) / 190
            p = fisher_exact(table)[1] if expected.min() < 5 else chi2_contingency(table)[1]
            significant += p <= 0.001
        counts.append(significant)
    assert 9 <= np.mean(counts) <= 12


def test_classes_are_named() -> None:
    assert classes_of("kind") == ("malignant", "benign")
    assert classes_of("age") == ("acute", "old")
