"""Many commands in one process: the same answers as one by one, a refusal ends nothing."""

import json
import subprocess
import sys

from tests.analysis.oracle_entries import CROSSED

TABLE = str(CROSSED / "crossed.csv")
ASKED = (["auc", TABLE, "--format", "json"], ["mcnemar", TABLE, "--arms", "unaided,aided", "--format", "csv"])


def analysis(*words: str, lines: str = "") -> subprocess.CompletedProcess[str]:
    call = [sys.executable, "-m", "analysis", *words]
    return subprocess.run(call, input=lines, capture_output=True, text=True, check=False)


def test_a_batch_answers_as_each_command_does() -> None:
    refused = (["auc", "no-such.csv"], ["batch"], ["auc", "--help"], ["auk"])
    lines = [*map(json.dumps, [ASKED[0], *refused, ASKED[1]]), "no JSON", '{"auc": 1}', ""]
    done = analysis("batch", lines="\n".join(lines))
    told = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 0
    assert [one["status"] for one in told] == [0, 2, 2, 2, 2, 0, 2, 2]
    assert [told[0]["said"], told[5]["said"]] == [analysis(*words).stdout.removesuffix("\n") for words in ASKED]
    assert told[1]["said"] == analysis("auc", "no-such.csv").stderr.strip()
    assert told[2]["said"] == "A batch holds no batch."
    assert all("is no JSON list of words" in one["said"] for one in told[6:])
