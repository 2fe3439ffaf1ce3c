"""`make bench-analysis`: the statistics beside what is installed, each pair in one run on the same numbers.

Times are the shortest of several runs, in seconds of wall-clock time on this machine; bars are those of the project.
"""

import shutil
import subprocess
import tempfile
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

from analysis.agreement import cohen_kappa
from analysis.covariance import Covariance
from analysis.delong import delong_auc, delong_test
from analysis.mrmc import obuchowski_rockette
from analysis.paired import mcnemar, paired_table
from analysis.ratings import Bools, Floats, Ratings, table_to_ratings

SEED = 20260101
N = 1_000_000
# R reads the numbers from a file; only the test itself is timed, by its own clock.
PROC = """
suppressMessages(library(pROC)); d <- read.csv(commandArgs(TRUE)[1])
a <- proc.time()[["elapsed"]]
x <- roc(d$truth, d$first, levels = c(0, 1), direction = "<")
y <- roc(d$truth, d$second, levels = c(0, 1), direction = "<")
p <- roc.test(x, y, method = "delong", paired = TRUE)$p.value
cat(proc.time()[["elapsed"]] - a, p, as.character(packageVersion("pROC")))
"""


def best(run: Callable[[], object], rounds: int = 3) -> float:
    """Shortest of several runs."""
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    return min(times)


def two_scores(n: int) -> tuple[Bools, Floats, Floats]:
    """Truth and two correlated continuous scores."""
    generator = np.random.default_rng(SEED)
    truth = generator.random(n) < 0.3
    common = generator.normal(size=n) + truth
    return truth, common + generator.normal(size=n), common + generator.normal(size=n)


def crossed(readers: int, cases: int, arms: int = 2) -> Ratings:
    """A fully crossed study with half of the cases diseased."""
    generator = np.random.default_rng(SEED)
    truth = np.arange(cases) % 2 == 1
    values = generator.normal(size=(readers, arms, cases)) + truth + generator.normal(size=cases)
    names = [
        tuple(f"{letter}{place}" for place in range(n)) for letter, n in (("R", readers), ("A", arms), ("", cases))
    ]
    return Ratings(names[0], names[1], names[2], truth, values)


def line(what: str, seconds: float, beside: float | None = None, bar: str = "") -> None:
    ratio = "" if beside is None else f"{seconds / beside:10.2f} x"
    print(f"  {what:58s}{seconds:10.4f} s{ratio}{'   bar: ' + bar if bar else ''}", flush=True)


def areas() -> None:
    """Paired DeLong at a million cases."""
    truth, first, second = two_scores(N)
    print(f"paired comparison of two areas, {N:,} cases; ratios to ours")
    ours = best(lambda: delong_test(truth, first, second))
    line("ours", ours)
    sort = best(lambda: (np.argsort(first, kind="stable"), np.argsort(second, kind="stable")))
    print(f"  two stable argsorts of numpy{sort:40.4f} s; ours takes {ours / sort:.2f} x as long   bar: 2 x")
    mlstatkit(truth, first, second, ours)
    proc(truth, first, second, ours)
    print(f"one area, {N:,} cases; ratio to ours")
    ours = best(lambda: delong_auc(truth, first))
    line("ours, with variance and interval", ours)
    from sklearn.metrics import roc_auc_score

    line("scikit-learn, the area alone", best(lambda: roc_auc_score(truth, first)), ours)


def mlstatkit(truth: Bools, first: Floats, second: Floats, ours: float) -> None:
    try:
        from MLstatkit import Delong_test
    except ImportError:
        print("  MLstatkit is not installed")
        return
    line("MLstatkit", best(lambda: Delong_test(truth.astype(int), first, second), 1), ours)


def proc(truth: Bools, first: Floats, second: Floats, ours: float) -> None:
    if not shutil.which("Rscript"):
        print("  R is not installed")
        return
    with tempfile.TemporaryDirectory() as folder:
        table, script = Path(folder) / "scores.csv", Path(folder) / "proc.R"
        pd.DataFrame({"truth": truth.astype(int), "first": first, "second": second}).to_csv(table, index=False)
        script.write_text(PROC)
        done = subprocess.run(["Rscript", str(script), str(table)], capture_output=True, text=True, check=False)
    if done.returncode:
        print("  R has no package pROC")
        return
    seconds, p, version = done.stdout.split()
    line(f"pROC {version}", float(seconds), ours)
    print(f"    p of pROC {float(p):.6g}, ours {delong_test(truth, first, second).p:.6g}")


def many_readers() -> None:
    """Obuchowski-Rockette with each covariance; MRMCaov, iMRMC and RJafroc are quoted, they are not installed."""
    print("Obuchowski-Rockette, readers x cases x arms, ratios to DeLong's covariance")
    quoted = {
        (20, 2000): "MRMCaov 5.7, iMRMC 171, RJafroc 189 s of CPU on a like machine",
        (100, 5000): "MRMCaov 175 s",
    }
    for (readers, cases), bar in zip(quoted, (0.1, 2.0), strict=True):
        ratings = crossed(readers, cases)
        print(f"  {readers} x {cases:,} x 2 ({quoted[readers, cases]})")
        delong = best(lambda held=ratings: obuchowski_rockette(held))  # type: ignore[misc]
        line("DeLong", delong, bar=f"{bar} s")
        methods: tuple[Covariance, ...] = ("jackknife", "unbiased")
        for method in methods:
            taken = best(lambda held=ratings, how=method: obuchowski_rockette(held, "auc", how))  # type: ignore[misc]
            line(method, taken, delong, "3 x" if method == "jackknife" else "")
    ratings = crossed(5, 114)
    taken = best(lambda: obuchowski_rockette(ratings, "auc", "bootstrap", replicates=10_000), 1)
    line("bootstrap, 10,000 replicates of 5 x 114 x 2", taken, bar="5 s")


def memory() -> None:
    """Peak of new memory while a study is analysed, beside the size of its table."""
    readers, cases = 100, 5000
    ratings = crossed(readers, cases)
    places = np.indices(ratings.values.shape).reshape(3, -1)
    frame = pd.DataFrame(
        {"reader": places[0], "arm": places[1], "case": places[2], "truth": ratings.truth[places[2]].astype(int)}
    )
    frame["rating"] = ratings.values.ravel()
    size = int(frame.memory_usage(index=False, deep=True).sum())
    print(f"peak memory, {readers} x {cases:,} x 2, table of {size / 2**20:.0f} MiB")
    tracemalloc.start()
    obuchowski_rockette(table_to_ratings(frame))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    print(f"  from table to result {peak / 2**20:.0f} MiB, {peak / size:.1f} x the table   bar: 10 x")


def small() -> None:
    """McNemar and kappa beside statsmodels and scikit-learn."""
    from sklearn.metrics import cohen_kappa_score
    from statsmodels.stats.contingency_tables import mcnemar as theirs

    generator = np.random.default_rng(SEED)
    first, second = generator.random((2, 100_000)) < 0.7
    one, two = first.astype(float), second.astype(float)
    print("decisions on 100,000 cases, ratios to ours")
    ours = best(lambda: mcnemar(paired_table(one, two)))
    line("McNemar exact from decisions, ours", ours)
    line("statsmodels, with pandas.crosstab", best(lambda: theirs(pd.crosstab(first, second), exact=True)), ours)
    ours = best(lambda: cohen_kappa(one, two))
    line("Cohen's kappa with standard error, ours", ours)
    line("scikit-learn, kappa alone", best(lambda: cohen_kappa_score(first, second)), ours)


def main() -> None:
    for part in (areas, many_readers, memory, small):
        part()


if __name__ == "__main__":
    main()
