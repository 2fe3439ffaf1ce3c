"""Tables of marks and cases drawn at random, with everything that makes them awkward."""

import numpy as np
import pandas as pd

Tables = tuple[pd.DataFrame, pd.DataFrame]


def random_tables(seed: int, readers: int = 1, arms: int = 1, cases: int = 12, levels: int = 4) -> Tables:
    """Marks and cases with ties, several lesions of unequal weight, several marks per case and unmarked cases."""
    random = np.random.default_rng(seed)
    lesion_rows, mark_rows = [], []
    for case in range(cases):
        count = 0 if case < cases // 2 else int(random.integers(1, 4))
        weights = random.dirichlet(np.ones(max(count, 1)))
        lesion_rows += [(f"c {case}", 1, place + 1, weights[place]) for place in range(count)]
        lesion_rows += [(f"c {case}", 0, 0, 0.0)] * (count == 0)
        for reader in range(readers):
            for arm in range(arms):
                who = (f"R{reader}", f"arm {arm}", f"c {case}")
                rated = random.integers(1, levels + 1, 8).astype(float)
                mark_rows += [(*who, 0, rated[i]) for i in range(int(random.integers(0, 3)))]
                mark_rows += [(*who, i + 1, rated[3 + i] + arm) for i in range(count) if random.random() < 0.7]
    return (
        pd.DataFrame(mark_rows, columns=["reader", "arm", "case", "lesion", "rating"]),
        pd.DataFrame(lesion_rows, columns=["case", "truth", "lesion", "weight"]),
    )


def one_design(readers: int = 1, arms: int = 1) -> pd.DataFrame:
    rows = [(f"R{reader}", f"arm {arm}") for reader in range(readers) for arm in range(arms)]
    return pd.DataFrame(rows, columns=["reader", "arm"])
