"""A small model with a specification, its weights drawn from its seed: it answers, if not well."""

import atexit
import shutil
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path

from tests.models import ROOT, plain_environment

MAKE = """
import sys
from pathlib import Path

import torch

from inference.cards import Card
from inference.models import registry
from inference.outputs import Decision, Platt
from inference.serving.trial import trials
from inference.models.weights import save_weights

study, folder = sys.argv[1], Path(sys.argv[2])
torch.set_num_threads(1)
spec = registry.load(study, "small")
model = registry.build(spec)
# Normalisations that have seen images: fresh ones hardly look at their input.
with torch.no_grad():
    for _ in range(8):
        model({name: torch.from_numpy(array) for name, array in trials(spec, 3, seed=5).items()})
weights = save_weights(model.eval(), folder, spec)
decided = spec.frozen(Decision(Platt(1.5, -0.2), 0.4, "youden", "0" * 64, 40, abstain=(0.3, 0.5)))
words = {"licence": "CC0-1.0", "intended_use": "tests of the site", "limits": "knows nothing"}
Card("1", weights, {}, {}, **words, spec=decided).save(folder)
"""


@cache
def declared_model(study: str) -> Path:
    """Folder with card and weights. Made in a process of its own, so that this one needs no torch."""
    folder = Path(tempfile.mkdtemp(prefix="readerstudy-declared-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    command = [sys.executable, "-c", MAKE, study, str(folder)]
    subprocess.run(command, cwd=ROOT, env=plain_environment(), capture_output=True, check=True)
    return folder
