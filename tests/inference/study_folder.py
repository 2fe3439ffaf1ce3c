"""A small study in a folder, drawn from a seed: what the other parts write, with numbers that can be recomputed."""

import csv
import json
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
from PIL import Image

from inference.cards import Card
from inference.learning.history import Epoch, write_history
from inference.models import registry
from inference.outputs import Decision, Platt

LEVELS = ("T11", "T12", "L1", "L2", "L3")
ROWS, COLUMNS = 90, 48


def write(path: Path, rows: Iterable[Mapping[str, object]]) -> None:
    kept = list(rows)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as stream:
        table = csv.DictWriter(stream, list(dict.fromkeys(key for row in kept for key in row)))
        table.writeheader()
        table.writerows(kept)


def cohort(chance: np.random.Generator, cases: int = 60) -> list[dict[str, object]]:
    rows = []
    for role, site, count in (("control", "A", cases), ("external", "B", cases // 2), ("external", "C", cases // 2)):
        for number in range(count):
            name = f"{site}{number:03d}"
            positive = number % 2
            rows.append(
                {
                    "case": name, "patient": f"P{name}", "role": role, "site": site, "input": "", "file": f"{name}.png",
                    "truth": positive, "slice": 0, "row": 40, "column": 20, "height": 14, "width": 20,
                    "mask": f"{name}-mask.png", "age": int(chance.integers(50, 90)), "sex": "FM"[number % 3 == 0],
                    "grade": int(chance.integers(1, 4)) * positive, "device": "ab"[number % 4 == 0], "synthetic": 1,
                }
            )  # fmt: skip
    return rows


def predictions(rows: list[dict[str, object]], model: str, gain: float, seed: int) -> list[dict[str, object]]:
    chance = np.random.default_rng(seed)
    found = []
    for row in rows:
        logit = float(chance.normal(gain * (2 * int(str(row["truth"])) - 1), 1.2)) + 0.9 * (row["site"] == "C")
        probability = round(1 / (1 + np.exp(-logit)), 6)
        found.append(
            {name: row[name] for name in ("case", "patient", "role", "site")}
            | {"model": model, "version": "1", "fold": "", "truth": row["truth"], "logit": round(logit, 6)}
            | {"probability": probability, "positive": int(probability >= 0.5), "card_digest": "c" * 64,
               "input_digest": "i" * 64, "seconds": 0.1}
        )  # fmt: skip
    return found


def readings(rows: list[dict[str, object]], arms: tuple[str, ...]) -> list[dict[str, object]]:
    chance, found = np.random.default_rng(5), []
    for place, (reader, seniority, skill) in enumerate((("Alice", "senior", 1.2), ("Bob", "senior", 1.0),
                                                        ("Cleo", "junior", 0.5), ("Dan", "junior", 0.6))):  # fmt: skip
        for period, arm in enumerate(arms):
            for row in rows:
                if row["role"] != "control":
                    continue
                seen = chance.normal((skill + 0.35 * period) * (2 * int(str(row["truth"])) - 1), 1.3)
                rating = int(np.clip(50 + 18 * seen, 0, 100))
                found.append(
                    {
                        "reader": reader, "seniority": seniority, "arm": arm, "period": period + 1, "case": row["case"],
                        "truth": row["truth"], "rating": rating, "decision": int(rating >= 50),
                        "seconds": round(float(np.exp(chance.normal(3.4 - 0.2 * period, 0.3))), 1),
                        "confidence": int(chance.integers(1, 6)) if place else 3,
                    }
                )  # fmt: skip
    return found


def vertebrae(rows: list[dict[str, object]], model: str, gain: float, seed: int) -> list[dict[str, object]]:
    chance, found = np.random.default_rng(seed), []
    for row in rows:
        broken = int(chance.integers(0, len(LEVELS))) if int(str(row["truth"])) else None
        for place, level in enumerate(LEVELS):
            truth = int(place == broken)
            probability = round(float(1 / (1 + np.exp(-chance.normal(gain * (2 * truth - 1), 1.0)))), 6)
            named = LEVELS[max(0, place - 1)] if chance.random() < 0.08 else level
            if chance.random() < 0.03:
                named, probability = "", 0.0
            found.append(
                {name: row[name] for name in ("case", "patient", "role", "site")}
                | {"model": model, "version": "1", "level": named, "truth": truth, "probability": probability,
                   "positive": int(probability >= 0.5), "true_level": level, "ha": 24.0 - 6 * truth, "hm": 24.0,
                   "hp": 25.0}
            )  # fmt: skip
    return found


def true_vertebrae(rows: list[dict[str, object]], found: list[dict[str, object]]) -> list[dict[str, object]]:
    grades = {row["case"]: row["grade"] for row in rows}
    return [
        {"case": one["case"], "level": one["true_level"], "fractured": one["truth"],
         "grade": int(str(grades[one["case"]])) * int(str(one["truth"])), "kind": "wedge" if one["truth"] else ""}
        for one in found
    ]  # fmt: skip


def pictures(folder: Path, rows: list[dict[str, object]], models: Iterable[str]) -> None:
    """Grey films with a bright body, their masks, each model's mask and heat map."""
    chance = np.random.default_rng(9)
    (folder / "cohort").mkdir(parents=True, exist_ok=True)
    for row in rows:
        film = chance.normal(110, 18, (ROWS, COLUMNS))
        mask = np.zeros((ROWS, COLUMNS), np.uint8)
        mask[34:48, 12:32] = 255 * int(str(row["truth"]))
        film[34:48, 12:32] += 60
        name = row["case"]
        Image.fromarray(np.clip(film, 0, 255).astype(np.uint8)).save(folder / "cohort" / f"{name}.png")
        Image.fromarray(mask).save(folder / "cohort" / f"{name}-mask.png")
        for place, model in enumerate(models):
            (folder / model / "masks").mkdir(parents=True, exist_ok=True)
            (folder / model / "heatmaps").mkdir(parents=True, exist_ok=True)
            answer = np.roll(mask, place + 1, axis=0) // 2 + np.roll(mask, place, axis=1) // 3
            Image.fromarray(answer.astype(np.uint8)).save(folder / model / "masks" / f"{name}.png")
            heat = 200 * np.exp(-((np.mgrid[:ROWS, :COLUMNS][0] - 41) ** 2) / 90).astype(float)
            Image.fromarray(heat.astype(np.uint8)).save(folder / model / "heatmaps" / f"{name}.png")


def card(folder: Path, recipe: str, metrics: Mapping[str, float]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    spec = registry.load(recipe, "small").frozen(Decision(Platt(1.0, 0.0), 0.5, "youden", "d" * 64, 40))
    Card(
        "1", "w" * 64, {"develop": {"cases": 120, "patients": 110, "positives": 60}}, metrics, "for research",
        "to test reports", "nothing clinical", spec=spec, parameters=1_070_000, macs=12_000_000,
        made_with={"torch": "2.13.0"},
    ).save(folder)  # fmt: skip
    for fold in range(3):
        (folder / f"fold{fold}").mkdir()
        write_history(
            folder / f"fold{fold}" / "history.jsonl",
            [Epoch(n, 0.7 / n + 0.05 * fold, {"bce": 0.7 / n}, 0.72 / n, 0.6 + 0.03 * n, None, 1e-3 / n, 2.0)
             for n in range(1, 9)],
        )  # fmt: skip


def features(rows: list[dict[str, object]]) -> list[dict[str, object]]:
    chance = np.random.default_rng(3)
    strength = {"convex posterior wall": (0.7, 0.06), "pedicle": (0.8, 0.06), "epidural mass": (0.5, 0.02),
                "fluid sign": (0.1, 0.4), "noise": (0.4, 0.42)}  # fmt: skip
    return [
        {"case": row["case"]}
        | {name: int(chance.random() < pair[1 - int(str(row["truth"]))]) for name, pair in strength.items()}
        for row in rows
        if row["role"] == "control"
    ]


def folded(rows: list[dict[str, object]], model: str) -> list[dict[str, object]]:
    part = predictions(rows, model, 1.3, 77)
    for place, row in enumerate(part):
        row |= {"role": "develop", "fold": str(place % 5)}
    return part


def study(folder: Path, *, arms: tuple[str, ...] = ("unaided",), pixels: bool = True) -> Path:
    """Everything that a study may hold, for the models of S0 (predictions) and S2 (vertebrae)."""
    rows = cohort(np.random.default_rng(1))
    names = {"s0-efficientnet": 1.0, "s0-mobilenet": 1.1, "s0-mnasnet": 0.9}
    write(folder / "cohort" / "manifest.csv", rows)
    for place, (model, gain) in enumerate(names.items()):
        write(folder / model / "predictions.csv", predictions(rows, model, gain, 20 + place))
        card(folder / "models" / model, model, {"auc": 0.85})
    found = vertebrae(rows, "s2-multitask", 1.9, 4)
    write(folder / "s2-multitask" / "vertebrae_predictions.csv", found)
    write(folder / "s2-single" / "vertebrae_predictions.csv", vertebrae(rows, "s2-single", 1.6, 4))
    write(folder / "cohort" / "vertebrae.csv", true_vertebrae(rows, found))
    write(folder / "readings.csv", readings(rows, arms))
    write(folder / "features.csv", features(rows))
    if pixels:
        pictures(folder, rows, names)
    return folder


def read_json(path: Path) -> dict[str, object]:
    content: dict[str, object] = json.loads(path.read_text(encoding="utf-8"))
    return content
