"""`python -m analysis.bench`: how fast, beside what numpy needs to sort the same numbers, in one run.

Every line is the best of several runs of both sides, so that other work on the machine counts for neither.
"""

import time
from collections.abc import Callable

import numpy as np

from analysis.covariance import Covariance, covariance, figures_of_merit
from analysis.delong import delong_test
from analysis.mrmc import obuchowski_rockette
from analysis.ratings import Bools, Floats, Ratings

SEED = 20260101
ROUNDS = 5


def best(run: Callable[[], object], rounds: int = ROUNDS) -> float:
    """Shortest of several runs, in seconds of wall-clock time."""
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    return min(times)


def two_scores(n: int) -> tuple[Bools, Floats, Floats]:
    """Truth and two correlated continuous scores of n cases."""
    generator = np.random.default_rng(SEED)
    truth = generator.random(n) < 0.3
    common = generator.normal(size=n) + truth
    return truth, common + generator.normal(size=n), common + generator.normal(size=n)


def crossed_ratings(readers: int, cases: int, arms: int = 2) -> Ratings:
    """A fully crossed study with half of the cases diseased."""
    generator = np.random.default_rng(SEED)
    truth = np.arange(cases) % 2 == 1
    values = generator.normal(size=(readers, arms, cases)) + truth + generator.normal(size=cases)
    return Ratings(
        tuple(f"R{i}" for i in range(readers)),
        tuple(f"A{i}" for i in range(arms)),
        tuple(str(i) for i in range(cases)),
        truth,
        values,
    )


def delong_line(n: int) -> str:
    truth, first, second = two_scores(n)
    ours = best(lambda: delong_test(truth, first, second))
    sort = best(lambda: (np.argsort(first, kind="stable"), np.argsort(second, kind="stable")))
    return f"paired DeLong, n = {n:,}: {ours:.3f} s; two stable argsorts {sort:.3f} s; ratio {ours / sort:.2f} (bar 2)"


def mrmc_line(readers: int, cases: int, bar: float) -> str:
    ratings = crossed_ratings(readers, cases)
    ours = best(lambda: obuchowski_rockette(ratings), 3)
    return f"Obuchowski-Rockette, {readers} x {cases:,} x 2, DeLong: {ours:.3f} s (bar {bar} s)"


def covariance_line(method: Covariance) -> str:
    ratings = crossed_ratings(20, 2000)
    figures = figures_of_merit(ratings)
    delong = best(lambda: covariance(figures, "delong"))
    ours = best(lambda: covariance(figures, method), 3)
    whole = best(lambda: covariance(figures_of_merit(ratings), "delong"))
    return (
        f"covariance, 20 x 2,000 x 2, {method}: {ours:.4f} s; DeLong {delong:.4f} s, with placements {whole:.4f} s; "
        f"ratio to the latter {ours / whole:.2f}"
    )


def main() -> None:
    print(delong_line(1_000_000))
    print(mrmc_line(20, 2000, 0.1))
    print(mrmc_line(100, 5000, 2.0))
    print(covariance_line("jackknife"))
    print(covariance_line("unbiased"))


if __name__ == "__main__":
    main()
