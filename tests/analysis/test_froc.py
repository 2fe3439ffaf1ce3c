"""Figures of merit of marks against their definitions written as loops; the jackknife against dropping cases."""

import math
from collections.abc import Iterator

import numpy as np
import pandas as pd
import pytest

from analysis.delong import delong_auc
from analysis.errors import CannotAnalyse
from analysis.localisation.curves import KINDS, localised_curve
from analysis.localisation.froc import DEFINITIONS, localised_figure, localised_figures
from analysis.localisation.marked_cells import cell_of, highest
from analysis.localisation.marks import Marks, read_marks
from analysis.localisation.rockette import localised_obuchowski_rockette
from tests.analysis.mark_tables import one_design, random_tables

FIGURES = (*DEFINITIONS, "alroc", "alroc:0.2", "alroc:0.37", "pcl", "pcl:0.5", "pcl:0.05")


def marks_of(seed: int, readers: int = 1, arms: int = 1, cases: int = 12, levels: int = 4) -> Marks:
    return read_marks(*random_tables(seed, readers, arms, cases, levels), one_design(readers, arms))


def psi(x: float, y: float) -> float:
    return 1.0 if x < y else 0.5 if x == y else 0.0


class Reader:
    """One reader's tables as plain lists, case by case."""

    def __init__(self, marks: pd.DataFrame, cases: pd.DataFrame) -> None:
        self.false: dict[str, list[float]] = {}
        self.hits: dict[str, list[tuple[float, float]]] = {}
        self.truth: dict[str, bool] = {}
        for case, rows in cases.groupby("case", sort=False):
            mine = marks[marks.case == case]
            name = str(case)
            self.truth[name] = bool(rows.truth.iloc[0])
            self.false[name] = mine[mine.lesion == 0].rating.tolist()
            lesions = rows[rows.truth == 1]
            self.hits[name] = [
                (float(mine[mine.lesion == lesion].rating.max()), weight)
                if (mine.lesion == lesion).any()
                else (-math.inf, weight)
                for lesion, weight in zip(lesions.lesion.tolist(), lesions.weight.tolist(), strict=True)
            ]

    @property
    def healthy(self) -> list[str]:
        return [case for case, diseased in self.truth.items() if not diseased]

    @property
    def diseased(self) -> list[str]:
        return [case for case, diseased in self.truth.items() if diseased]

    def top(self, case: str) -> float:
        return max([*self.false[case], *(rating for rating, _ in self.hits[case])], default=-math.inf)

    def top_false(self, case: str) -> float:
        return max(self.false[case], default=-math.inf)

    def lesions(self) -> Iterator[tuple[float, float]]:
        for case in self.diseased:
            yield from self.hits[case]


def lroc_by_steps(reader: Reader, limit: float, area: bool) -> float:
    """Points from the strictest threshold on, joined by straight lines and cut at the limit."""
    found = [max(rating for rating, _ in reader.hits[case]) for case in reader.diseased
             if max(rating for rating, _ in reader.hits[case]) > reader.top_false(case)]  # fmt: skip
    false = [reader.top_false(case) for case in reader.healthy]
    x, y = [0.0], [0.0]
    for threshold in sorted({*found, *(rating for rating in false if rating > -math.inf)}, reverse=True):
        x.append(sum(rating >= threshold for rating in false) / len(false))
        y.append(sum(rating >= threshold for rating in found) / len(reader.diseased))
    x.append(1.0)
    y.append(y[-1])
    at = next(place for place in range(len(x)) if x[place] >= limit - 1e-12)
    height = y[at - 1] + (limit - x[at - 1]) / (x[at] - x[at - 1]) * (y[at] - y[at - 1])
    if not area:
        return height
    return float(np.trapezoid([*y[:at], height], [*x[:at], limit]))


def by_loops(figure: str, marks: pd.DataFrame, cases: pd.DataFrame) -> float:
    reader = Reader(marks, cases)
    healthy, diseased, everyone = reader.healthy, reader.diseased, list(reader.truth)
    lesions = list(reader.lesions())
    kind, _, limit = figure.partition(":")
    if kind in ("alroc", "pcl"):
        return lroc_by_steps(reader, float(limit or {"alroc": 1, "pcl": 0.2}[kind]), kind == "alroc")
    if kind in ("wafroc", "afroc", "wafroc1", "afroc1"):
        against = everyone if kind.endswith("1") else healthy
        total = sum((w if kind[0] == "w" else 1) * psi(reader.top_false(c), y) for c in against for y, w in lesions)
        return total / len(against) / (len(diseased) if kind[0] == "w" else len(lesions))
    if kind in ("froc", "roi"):
        noise = [rating for case in everyone for rating in reader.false[case]]
        total = sum(psi(x, y) for x in noise for y, _ in lesions)
        return total / (len(everyone) if kind == "froc" else len(noise)) / len(lesions)
    if kind == "hrauc":
        return float(np.mean([psi(reader.top(x), reader.top(y)) for x in healthy for y in diseased]))
    if kind in ("songa1", "songa2"):
        return float(np.mean([song(reader, kind, x, y) for x in healthy for y in diseased]))
    shares = {
        "hrse": lambda: np.mean([reader.top(case) > -math.inf for case in diseased]),
        "hrsp": lambda: np.mean([reader.top(case) == -math.inf for case in healthy]),
        "maxllf": lambda: np.mean([rating > -math.inf for rating, _ in lesions]),
        "maxnlf": lambda: np.mean([len(reader.false[case]) for case in healthy]),
        "maxnlfallcases": lambda: np.mean([len(reader.false[case]) for case in everyone]),
        "exptrnsfmsp": lambda: np.exp(-np.mean([len(reader.false[case]) for case in healthy])),
    }
    return float(shares[kind]())


def song(reader: Reader, kind: str, x: str, y: str) -> float:
    def mean(values: list[float]) -> float:
        return float(np.mean(values)) if values else -math.inf

    hits = [rating for rating, _ in reader.hits[y] if rating > -math.inf]
    if kind == "songa1":
        return psi(mean(reader.false[x]), max(mean(reader.false[y]), mean(hits)))
    if not reader.false[x] or not reader.false[y] + hits:
        return psi(len(reader.false[x]) > 0, len(reader.false[y] + hits) > 0)
    return psi(0.5, mean([psi(a, b) for a in reader.false[x] for b in reader.false[y] + hits]))


@pytest.mark.parametrize("figure", FIGURES)
@pytest.mark.parametrize("seed", range(6))
def test_figures_are_their_definitions(figure: str, seed: int) -> None:
    marks, cases = random_tables(seed)
    found = localised_figures(read_marks(marks, cases, one_design()), figure)
    assert found.values[0, 0] == pytest.approx(by_loops(figure, marks, cases), rel=1e-12)


@pytest.mark.parametrize("figure", FIGURES)
@pytest.mark.parametrize("seed", range(6))
def test_leaving_out_is_dropping_the_case_from_the_tables(figure: str, seed: int) -> None:
    marks, cases = random_tables(seed)
    found = localised_figures(read_marks(marks, cases, one_design()), figure)
    definition = DEFINITIONS.get(figure)
    rests_on = (True, False) if definition is None else definition.rests_on
    dropped = [
        by_loops(figure, marks[marks.case != case], cases[cases.case != case])
        for case, truth in cases.drop_duplicates("case")[["case", "truth"]].itertuples(index=False)
        if bool(truth) in rests_on
    ]
    assert found.left_out[0, 0].tolist() == pytest.approx(dropped, rel=1e-11)


@pytest.mark.parametrize("figure", FIGURES)
def test_continuous_ratings_too(figure: str) -> None:
    marks, cases = random_tables(11)
    marks["rating"] += np.random.default_rng(1).normal(0, 1e-3, len(marks))
    found = localised_figures(read_marks(marks, cases, one_design()), figure)
    assert found.values[0, 0] == pytest.approx(by_loops(figure, marks, cases), rel=1e-12)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seed", range(4))
def test_areas_of_curves_are_the_figures(kind: str, seed: int) -> None:
    marks = marks_of(seed)
    figure = {"roc": "hrauc", "lroc": "alroc"}.get(kind, kind)
    curve = localised_curve(marks, "R0", "arm 0", kind)
    assert curve.area == pytest.approx(localised_figures(marks, figure).values[0, 0], rel=1e-12)
    assert bool((np.diff(curve.x) >= 0).all() and (np.diff(curve.y) >= 0).all())


def test_the_highest_ratings_have_delongs_auc_and_the_jackknife_its_size() -> None:
    marks = marks_of(5, cases=400)
    found = localised_figure(marks, "R0", "arm 0", "HrAuc")
    rating = np.maximum(highest(cell_of(marks, 0, 0)), -1.0)
    peer = delong_auc(marks.truth, rating)
    assert found.estimate == pytest.approx(peer.estimate, rel=1e-14)
    assert found.se == pytest.approx(peer.se, rel=0.01)


def test_jafroc_is_the_older_name() -> None:
    marks = marks_of(1, 3, 2)
    for old, new in (("JAFROC", "afroc"), ("jafroc1", "afroc1"), ("wJAFROC", "wafroc")):
        assert localised_figures(marks, old).values.tolist() == localised_figures(marks, new).values.tolist()


@pytest.mark.parametrize("figure", [name for name in FIGURES if name != "songa1"])
def test_monotone_maps_of_ratings_change_nothing(figure: str) -> None:
    marks, cases = random_tables(2, 2, 2)
    before = localised_figures(read_marks(marks, cases, one_design(2, 2)), figure)
    after = localised_figures(read_marks(marks.assign(rating=np.exp(marks.rating)), cases, one_design(2, 2)), figure)
    assert before.values.tolist() == after.values.tolist()


def test_the_order_of_rows_does_not_matter() -> None:
    marks, cases = random_tables(3, 3, 2)
    one = localised_obuchowski_rockette(read_marks(marks, cases, one_design(3, 2)))
    mixed = read_marks(
        marks.sample(frac=1, random_state=1), cases.sample(frac=1, random_state=2), one_design(3, 2).iloc[::-1]
    )
    two = localised_obuchowski_rockette(mixed)
    assert two.p == pytest.approx(one.p, rel=1e-12) and two.se == pytest.approx(one.se, rel=1e-12)


def test_swapped_arms_negate_the_difference() -> None:
    marks = marks_of(4, 4, 2)
    one = localised_obuchowski_rockette(marks)
    two = localised_obuchowski_rockette(marks.restricted(arms=["arm 1", "arm 0"]))
    assert two.estimate == pytest.approx(-one.estimate, rel=1e-12)
    assert two.p == pytest.approx(one.p, rel=1e-12)


def test_a_reader_twice_keeps_the_estimate_of_fixed_readers() -> None:
    marks = marks_of(4, 2, 2)
    frame, cases = random_tables(4, 2, 2)
    twice = pd.concat([frame, frame.assign(reader=frame.reader + " again")])
    one = localised_obuchowski_rockette(marks, readers="fixed")
    two = localised_obuchowski_rockette(read_marks(twice, cases), readers="fixed")
    assert (two.estimate, two.se) == pytest.approx((one.estimate, one.se), rel=1e-12)


def test_one_lesion_per_case_makes_weights_idle() -> None:
    marks, cases = random_tables(9, 2, 2)
    kept = cases[cases.lesion < 2].assign(weight=lambda table: table.truth.astype(float))
    found = read_marks(marks[marks.lesion < 2], kept, one_design(2, 2))
    assert localised_figures(found, "wafroc").values == pytest.approx(localised_figures(found, "afroc").values)


def test_identical_arms_do_not_differ() -> None:
    marks, cases = random_tables(6, 3, 1)
    both = pd.concat([marks, marks.assign(arm="other")])
    found = localised_obuchowski_rockette(read_marks(both, cases))
    assert (found.estimate, found.p) == (0.0, 1.0)
    assert any("nothing varies" in text for text in found.warnings)


def test_a_case_that_was_not_read_keeps_the_figure() -> None:
    marks, cases = random_tables(7)
    names = cases.case.unique()
    read = pd.DataFrame({"reader": "R0", "arm": "arm 0", "case": names[names != "c 2"]})
    found = read_marks(marks[marks.case != "c 2"], cases, read)
    assert found.missing == 1
    figures = localised_figures(found, "wafroc")
    fewer = localised_figures(
        read_marks(marks[marks.case != "c 2"], cases[cases.case != "c 2"], one_design()), "wafroc"
    )
    place = found.cases.index("c 2")
    assert figures.values[0, 0] == pytest.approx(fewer.values[0, 0], rel=1e-14)
    assert figures.left_out[0, 0, place] == pytest.approx(figures.values[0, 0], rel=1e-14)
    assert np.delete(figures.left_out[0, 0], place) == pytest.approx(fewer.left_out[0, 0], rel=1e-14)


def test_perfect_readers_have_an_area_of_one_and_no_width() -> None:
    cases = pd.DataFrame({"case": range(8), "truth": [0, 1] * 4, "lesion": [0, 1] * 4})
    marks = pd.DataFrame({"reader": "R", "arm": "A", "case": [1, 3, 5, 7], "lesion": 1, "rating": 5.0})
    found = localised_figure(read_marks(marks, cases), "R", "A")
    assert (found.estimate, found.se) == (1.0, 0.0)
    assert any("does not vary" in text for text in found.warnings)
    assert found.confidence_interval().high == 1.0


def test_without_any_mark_all_areas_are_one_half() -> None:
    cases = pd.DataFrame({"case": range(8), "truth": [0, 1] * 4, "lesion": [0, 1] * 4})
    none = pd.DataFrame({"reader": [], "arm": [], "case": [], "lesion": [], "rating": []})
    marks = read_marks(none, cases, pd.DataFrame({"reader": ["R", "S"] * 2, "arm": ["A", "A", "B", "B"]}))
    for figure, value in (("wafroc", 0.5), ("hrauc", 0.5), ("songa1", 0.5), ("songa2", 0.5), ("hrsp", 1.0),
                          ("maxllf", 0.0), ("froc", 0.0), ("alroc", 0.0), ("exptrnsfmsp", 1.0)):  # fmt: skip
        assert localised_figures(marks, figure).values.tolist() == [[value] * 2] * 2
    assert localised_obuchowski_rockette(marks).p == 1.0
    with pytest.raises(CannotAnalyse, match="no mark on no lesion"):
        localised_figures(marks, "roi")


@pytest.mark.parametrize("figure", FIGURES)
def test_without_lesions_only_what_rests_on_other_cases_exists(figure: str) -> None:
    cases = pd.DataFrame({"case": range(6), "truth": 0, "lesion": 0})
    marks = pd.DataFrame({"reader": "R", "arm": "A", "case": [0, 0, 1], "lesion": 0, "rating": [1, 2, 3]})
    found = read_marks(marks, cases)
    if figure in ("hrsp", "maxnlf", "maxnlfallcases", "exptrnsfmsp"):
        assert 0 <= localised_figure(found, "R", "A", figure).estimate <= 1
    else:
        with pytest.raises(CannotAnalyse, match="no diseased cases"):
            localised_figures(found, figure)


def test_a_single_case_of_a_class_has_no_standard_error() -> None:
    cases = pd.DataFrame({"case": [1, 2, 3], "truth": [0, 1, 1], "lesion": [0, 1, 1]})
    marks = pd.DataFrame({"reader": "R", "arm": ["A", "B"], "case": 2, "lesion": 1, "rating": 3})
    found = read_marks(marks, cases)
    assert localised_figures(found).values.tolist() == [[0.75, 0.75]]
    with pytest.raises(CannotAnalyse, match="without one of the cases"):
        localised_figure(found, "R", "A")
    with pytest.raises(CannotAnalyse, match="without one of the cases"):
        localised_obuchowski_rockette(found, readers="fixed")


def test_one_reader_is_fixed_and_one_arm_has_a_mean() -> None:
    with pytest.raises(CannotAnalyse, match="only one reader"):
        localised_obuchowski_rockette(marks_of(1, 1, 2))
    assert localised_obuchowski_rockette(marks_of(1, 1, 2), readers="fixed").p <= 1
    one_arm = localised_obuchowski_rockette(marks_of(1, 3, 1))
    assert one_arm.differences == () and one_arm.overall is None and 0 < one_arm.arms[0].estimate < 1


def test_a_reader_with_some_arms_only_is_refused_by_name() -> None:
    marks, cases = random_tables(1, 2, 2)
    kept = marks[~((marks.reader == "R1") & (marks.arm == "arm 0"))]
    found = read_marks(kept, cases)
    assert any("Reader R1 has no mark in arm arm 0" in text for text in found.warnings)
    with pytest.raises(CannotAnalyse, match="Reader R1 read nothing in arm arm 0"):
        localised_obuchowski_rockette(found)


def test_readers_nested_in_arms() -> None:
    marks, cases = random_tables(8, 4, 2)
    kept = marks[marks.arm == np.where(marks.reader.isin(["R0", "R1"]), "arm 0", "arm 1")]
    found = localised_obuchowski_rockette(read_marks(kept, cases))
    assert 0 < found.p <= 1 and found.differences[0].df > 0


@pytest.mark.parametrize("figure", ["auc", "alroc:0", "alroc:x", "pcl:2", ""])
def test_unknown_figures_are_refused(figure: str) -> None:
    with pytest.raises(CannotAnalyse):
        localised_figures(marks_of(1), figure)


def test_unknown_curves_readers_and_arms_are_refused() -> None:
    marks = marks_of(1)
    for words in (("R0", "arm 0", "det"), ("R9", "arm 0", "roc"), ("R0", "arm 9", "roc")):
        with pytest.raises(CannotAnalyse):
            localised_curve(marks, *words)
