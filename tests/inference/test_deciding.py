"""A decision comes from tuning or out-of-fold logits, is frozen, and another is another version."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.__main__ import main
from inference.cards import CARD, WEIGHTS, Card, CardError, sha256_of
from inference.cohorts.cases import BadCohort
from inference.deciding.calibration import calibrated, fit_isotonic, fit_temperature, threshold_at, threshold_with
from inference.deciding.decision import METHODS, choose, freeze, versions
from inference.deciding.logits import CaseLogit, read_logits
from inference.declared import SpecError
from inference.models.weights import load_declared
from inference.reports import REPORTS
from inference.reports.statistics import Statistics
from inference.reports.study import Study
from tests.inference.discs import as_toml, located, write_discs


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a model with its draft, and of the cohort beside it."""
    folder = tmp_path_factory.mktemp("made")
    write_discs(folder, patients=30, contrast=45.0)
    as_toml(located(epochs=3), folder / "spec.toml")
    words = [str(folder / "spec.toml"), str(folder / "manifest.csv"), "--out", str(folder / "models")]
    assert main(["train", *words, "--licence", "CC0-1.0"]) == 0
    return folder / "models" / "discs-located"


@pytest.fixture
def model(made: Path, tmp_path: Path) -> Path:
    shutil.copytree(made, tmp_path / "model")
    return tmp_path / "model"


def rows_of(logits: list[float], truths: list[bool]) -> list[CaseLogit]:
    return [CaseLogit(f"c{i}", f"p{i}", 1, t, x) for i, (x, t) in enumerate(zip(logits, truths, strict=True))]


def scattered(seed: int = 0, n: int = 400) -> list[CaseLogit]:
    chance = np.random.default_rng(seed)
    truth = chance.random(n) < 0.4
    return rows_of(list(chance.normal(truth * 2.0 - 1, 1)), list(truth))


@pytest.mark.parametrize("method", METHODS)
def test_rules_reach_what_they_promise_and_no_more(method: str) -> None:
    rows = scattered()
    truth = np.array([row.truth for row in rows])
    logits = np.array([row.logit for row in rows], dtype=float)
    for rule, mine, aside in (("sensitivity>=0.95", truth, True), ("specificity>=0.9", ~truth, False)):
        decision = choose(rows, "a" * 64, rule=rule, method=method)  # type: ignore[arg-type]
        called = np.round(calibrated(decision.calibration, logits), 6) >= decision.threshold
        share = (called == aside)[mine].mean()
        wanted = float(rule.partition(">=")[2])
        assert share >= wanted
        if method != "isotonic":
            assert share < wanted + 2 / mine.sum()
        assert (decision.rule, decision.cases, decision.fitted_on) == (rule, 400, "a" * 64)


@given(
    st.lists(st.tuples(st.integers(0, 12), st.booleans()), min_size=2, max_size=30), st.sampled_from([0.5, 0.8, 1.0])
)
def test_thresholds_promise_the_same_with_ties(pairs: list[tuple[int, bool]], share: float) -> None:
    probability, positive = np.array([value / 12 for value, _ in pairs]), np.array([label for _, label in pairs])
    if positive.all() or not positive.any():
        return
    low = threshold_at(probability, positive, sensitivity=share)
    high = threshold_with(probability, positive, specificity=share)
    assert (probability >= low)[positive].mean() >= share
    # A negative case of probability 1 is above every threshold.
    if probability[~positive].max() < 1:
        assert (probability < high)[~positive].mean() >= share


def test_a_temperature_that_made_the_truths_is_found() -> None:
    chance = np.random.default_rng(4)
    logits = chance.normal(0, 3, 40_000)
    positive = chance.random(40_000) < 1 / (1 + np.exp(-logits / 2.5))
    assert fit_temperature(logits, positive).temperature == pytest.approx(2.5, rel=0.03)


def test_isotonic_heights_are_the_shares_of_pooled_neighbours() -> None:
    """Of 0, 1, 0, 1 in this order the two in the middle are pooled to one half (Barlow et al. 1972, page 13)."""
    found = fit_isotonic(np.array([1.0, 2.0, 3.0, 4.0]), np.array([False, True, False, True]))
    assert calibrated(found, np.array([0.0, 1.0, 2.0, 3.0, 4.0, 9.0])).tolist() == [0.0, 0.0, 0.5, 0.5, 1.0, 1.0]
    alike = fit_isotonic(np.array([1.0, 1.0]), np.array([False, True]))
    assert calibrated(alike, np.array([0.0, 1.0, 5.0])).tolist() == [0.5, 0.5, 0.5]


def test_the_band_of_abstention_holds_the_threshold() -> None:
    decision = choose(scattered(), "a" * 64, certain=0.95)
    assert decision.abstain is not None
    low, high = decision.abstain
    assert low < decision.threshold < high
    rows = scattered()
    probability = calibrated(decision.calibration, np.array([row.logit for row in rows], dtype=float))
    truth = np.array([row.truth for row in rows])
    assert (probability[truth] < low).mean() <= 0.05
    assert (probability[~truth] >= high).mean() <= 0.05
    parted = rows_of([-2.0, -1.0, 1.0, 2.0], [False, False, True, True])
    assert choose(parted, "a" * 64, certain=0.95).abstain is None


def test_what_cannot_be_decided_is_refused() -> None:
    with pytest.raises(BadCohort, match="the same truth"):
        choose(rows_of([1.0, 2.0], [True, True]), "a" * 64)
    with pytest.raises(BadCohort, match="Case x has no truth"):
        choose([CaseLogit("x", "p", 1, None, 0.0)], "a" * 64)
    with pytest.raises(BadCohort, match="Case x has no logit"):
        choose([CaseLogit("x", "p", 1, True, None)], "a" * 64)
    for rule in ("best", "sensitivity>=high", "sensitivity>=1.5"):
        with pytest.raises(SpecError, match="is not youden, sensitivity>="):
            choose(scattered(), "a" * 64, rule=rule)


def test_a_decision_names_the_predictions_that_it_was_chosen_on(model: Path) -> None:
    card = freeze(model)
    assert card.version == "1"
    assert card.decision.fitted_on == sha256_of(model / "1" / "tune.csv")
    rows = read_logits(model / "1" / "tune.csv")
    assert card.decision.cases == len(rows) == card.metrics["tuning"]["n"]
    truth = np.array([row.truth for row in rows])
    found = calibrated(card.decision.calibration, np.array([row.logit for row in rows], dtype=float))
    assert card.metrics["tuning"]["sensitivity"] == pytest.approx((found >= card.threshold)[truth].mean(), abs=1e-6)


def test_another_decision_is_another_version_and_the_old_one_stays(model: Path) -> None:
    first = freeze(model)
    files = {path.name: sha256_of(path) for path in (model / "1").iterdir()}
    second = freeze(model, rule="sensitivity>=0.9")
    assert (second.version, versions(model)) == ("2", [1, 2])
    assert second.digest != first.digest
    assert second.spec.digest != first.spec.digest
    assert second.weights_sha256 == first.weights_sha256
    assert {path.name: sha256_of(path) for path in (model / "1").iterdir()} == files
    assert freeze(model) == first
    assert versions(model) == [1, 2]


def test_a_draft_is_no_model_that_may_be_used(model: Path) -> None:
    with pytest.raises(CardError, match="freeze the decision first"):
        Card.load(model / "draft")
    assert Card.load(model / "draft", draft=True).version == "draft"
    with pytest.raises(CardError, match="Nothing is decided"):
        _ = Card.load(model / "draft", draft=True).threshold


def test_changed_predictions_decide_nothing(model: Path) -> None:
    text = (model / "draft" / "tune.csv").read_text()
    (model / "draft" / "tune.csv").write_text(text.replace(",1,", ",0,", 1))
    with pytest.raises(CardError, match="predictions beside the card are not the ones"):
        freeze(model)


def test_no_changed_byte_of_a_version_is_accepted(model: Path) -> None:
    freeze(model)
    folder = model / "1"
    original = (folder / CARD).read_bytes()
    for at in np.random.default_rng(1).choice(len(original), 60, replace=False):
        if original[at : at + 1].isspace():
            continue
        changed = bytearray(original)
        changed[at] ^= 1
        (folder / CARD).write_bytes(bytes(changed))
        with pytest.raises(CardError):
            Card.load(folder)
    (folder / CARD).write_bytes(original)
    weights = bytearray((folder / WEIGHTS).read_bytes())
    weights[-1] ^= 1
    (folder / WEIGHTS).write_bytes(bytes(weights))
    with pytest.raises(CardError, match="SHA-256 differs"):
        load_declared(folder)


def test_weights_of_another_specification_are_refused(model: Path) -> None:
    """Even under a card that is whole in itself."""
    freeze(model)
    document = json.loads((model / "1" / CARD).read_text())
    document.pop("digest")
    document["spec"]["train"]["seed"] = 99
    Card.from_document(document).save(model / "1")
    with pytest.raises(CardError, match="not made for the specification"):
        load_declared(model / "1")


def test_the_report_of_models_tells_how_many_cases_taught_them(model: Path, tmp_path: Path) -> None:
    card = freeze(model)
    made = REPORTS["R20"](Study(model, "s0"), Statistics(tmp_path)).table("models")
    assert made["cases taught"].tolist() == [card.data["training"]["cases"]] * len(made)


def test_the_card_tells_what_must_be_known(model: Path) -> None:
    card = freeze(model)
    assert card.labels == ("no disc", "disc")
    assert card.parameters == sum(tensor.numel() for tensor in load_declared(model / "1")[1].parameters())
    # Stem 5 × 5 × 8 at 16 × 16 places is the first of its convolutions.
    assert card.macs > 25 * 8 * 16 * 16
    assert {"code", "torch", "monai"} == set(card.made_with)
    assert card.data["training"]["patients"] + card.data["tuning"]["patients"] == 30
    assert card.data["seen_sha256"] == sha256_of(model / "1" / "seen.json")
    assert card.licence == "CC0-1.0"
    assert Card.load(model / "1") == card
