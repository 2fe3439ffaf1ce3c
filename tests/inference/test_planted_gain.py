"""Two rounds of reading with a known truth: no gain is found as often as chance allows, a gain nearly always."""

import numpy as np

from analysis.mrmc import obuchowski_rockette
from analysis.ratings import Ratings
from inference.phantoms.readers import PANELS, Arm, ReadCase, simulate

CASES = [ReadCase(f"c{number}", f"p{number}", number < 100) for number in range(200)]
TRUTH = np.array([case.positive for case in CASES])


def p_value(gain: float, seed: int) -> float:
    """Of the panel of S4 on 200 cases, readers and cases random."""
    given = {
        (one.reader, one.arm, one.case.case): float(one.rating)
        for one in simulate(PANELS["s4"], CASES, seed=seed, gain=gain)
    }
    readers = sorted({key[0] for key in given})
    arms: tuple[Arm, ...] = ("unaided", "aided")
    values = np.array([[[given[reader, arm, case.case] for case in CASES] for arm in arms] for reader in readers])
    ratings = Ratings(tuple(readers), arms, tuple(case.case for case in CASES), TRUTH, values)
    return float(obuchowski_rockette(ratings).p)


def test_no_gain_is_significant_in_a_twentieth_of_the_studies() -> None:
    found = np.mean([p_value(0.0, seed) < 0.05 for seed in range(400)])
    assert 0.03 <= found <= 0.07


def test_a_gain_of_eight_hundredths_is_found() -> None:
    assert np.mean([p_value(0.08, seed) < 0.05 for seed in range(60)]) >= 0.85
