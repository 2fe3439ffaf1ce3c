"""The files of a data set: tables, codebook, protocol, plan, allocation, audit chain, the script that analyses them."""

import json
import platform
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from readerstudy.cases.delivery import keep_at

from . import archive, codebook
from .queries import BUNDLE, Source, StoredFile, allocation_rows, chain_lines, tables_of
from .tidy import Table, csv_bytes, parquet_bytes, sha256, sheet

PACKAGES = ("numpy", "scipy", "pandas", "statsmodels", "scikit-learn", "pyarrow", "Django", "torch")

README = """# {title}

Locked data set {digest}

answers.csv, answers.parquet    one row per answer
readings.csv, readings.parquet  one row per reading; this is what the analysis reads
cases.csv, predictions.csv      cases with their reference standard; output of the algorithms
vertebrae.csv, .parquet         one row per vertebra that an algorithm names, with corners and heights
exposures.csv, .parquet         which output lay over which image on the screen, and for how long
codebook.csv, codebook.json     what every column means
protocol.json, plan.json        as frozen, with their SHA-256 in dataset.json
allocation.csv                  every slot: reader, period, position, arm, case
audit.jsonl                     the hash-chained events up to the lock
                                (check: manage.py verify_audit --file audit.jsonl)
dataset.json                    digests, versions, missing readings with their reasons
analyse.py                      computes every number of the results page again:
                                python analyse.py > results.json (needs the package `analysis`)
SHA256SUMS                      sha256sum --check SHA256SUMS

Yes and no are 1 and 0, missing cells are empty, times are UTC. A text that begins with = + - or @ has an apostrophe
before it, so that no spreadsheet takes it for a formula.
"""

ANALYSE = '''"""Computes the results of this data set again: python analyse.py > results.json"""

import json
from pathlib import Path

import pandas as pd

from analysis.plan import plan_from_dict
from analysis.study import analyse_study

here = Path(__file__).parent
readings = pd.read_parquet(here / "readings.parquet")
for column in ("truth", "decision"):
    readings[column] = readings[column].astype("float64")
predictions = pd.read_parquet(here / "predictions.parquet")
predictions["positive"] = predictions["positive"].astype("float64")
chosen = predictions[predictions["assists"]] if predictions["assists"].any() else predictions
chosen = chosen[chosen["digest"] == chosen["digest"].iloc[0]] if len(chosen) else chosen
model = chosen.rename(columns={"probability": "score", "positive": "decision"})[["case", "score", "decision"]]
plan = plan_from_dict(json.loads((here / "plan.json").read_text())["analysis"])
results = analyse_study(readings, model if len(model) else None, plan)
print(json.dumps(results.to_dict(), indent=2, sort_keys=True))
'''


def installed() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def pretty(document: object) -> bytes:
    return (json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False) + "\n").encode()


def make_files(source: Source, facts: dict[str, Any]) -> tuple[dict[str, bytes], Table]:
    """All files but the bundle, and the table of answers, whose canonical CSV names the data set."""
    tables = tables_of(source)
    book = codebook.describe(tables, source.protocol.protocol["questions"])
    files = {f"{table.name}.csv": csv_bytes(table) for table in tables}
    files |= {f"{table.name}.parquet": parquet_bytes(table) for table in tables}
    columns, *slots = allocation_rows(source.study)
    entries = book["columns"]
    digest = sha256(files["answers.csv"])
    files |= {
        "codebook.json": pretty(book),
        "codebook.csv": sheet(list(entries[0]), (list(entry.values()) for entry in entries)),
        "protocol.json": pretty(source.protocol.protocol),
        "plan.json": pretty(source.protocol.plan),
        "allocation.csv": sheet([str(name) for name in columns], slots),
        "audit.jsonl": b"".join(
            json.dumps(line, ensure_ascii=False).encode() + b"\n" for line in chain_lines(source.study)
        ),
        "dataset.json": pretty(facts | {"digest": digest, "versions": installed()}),
        "analyse.py": ANALYSE.encode(),
        "README.md": README.format(title=source.study.title, digest=digest).encode(),
    }
    files["SHA256SUMS"] = archive.checksums({name: sha256(content) for name, content in files.items()})
    return files, tables[0]


def keep(files: dict[str, bytes]) -> list[dict[str, Any]]:
    """Store every file and the bundle under their digests."""
    digest = sha256(files["answers.csv"])
    everything = files | {BUNDLE: archive.zip_bytes(files, f"dataset-{digest[:12]}")}
    stored = []
    for name, content in everything.items():
        own = sha256(content)
        key = keep_at(f"datasets/{own[:2]}/{own}", content)
        stored.append(vars(StoredFile(name, key, len(content), own)))
    return stored
