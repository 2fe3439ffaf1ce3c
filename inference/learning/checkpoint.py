"""The state of a training on disk while it runs: after a kill it goes on from its last epoch. No pickle."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor, nn

from inference.cards import HISTORY

STATE, BEST = "training.safetensors", "best.safetensors"
# The safetensors library writes beside the file and renames; a kill in between leaves this.
HALF_WRITTEN = ".tmp??????"


class Checkpoint:
    """State after each epoch and the best weights so far.

    Parameters
    ----------
    out : Path
        Folder of the training.
    identity : str
        Digest of everything that decides the training; a checkpoint of another one is not taken up.

    Attributes
    ----------
    best_epoch : int
        0 before the first.
    best_score : float
        The lower the better.
    """

    def __init__(self, out: Path, identity: str) -> None:
        self.out = out
        self.identity = identity
        self.best_score = float("inf")
        self.best_epoch = 0

    def note(self, epoch: int, line: str, score: float, model: nn.Module) -> None:
        """One line of history; the weights are kept where the score is the lowest so far."""
        with (self.out / HISTORY).open("a", encoding="utf-8") as stream:
            stream.write(line)
        if score < self.best_score:
            self.best_score, self.best_epoch = score, epoch
            self._write(BEST, dict(model.state_dict()), {"score": repr(score), "epoch": str(epoch)})

    def save(
        self,
        epoch: int,
        model: nn.Module,
        optimiser: torch.optim.Optimizer,
        schedule: torch.optim.lr_scheduler.LRScheduler,
    ) -> None:
        tensors = {f"model.{name}": tensor for name, tensor in model.state_dict().items()}
        for number, state in optimiser.state_dict()["state"].items():
            tensors |= {f"optimiser.{number}.{name}": tensor for name, tensor in state.items() if tensor is not None}
        self._write(STATE, tensors, {"epoch": str(epoch), "steps": str(schedule.last_epoch)})

    def resume(
        self, model: nn.Module, optimiser: torch.optim.Optimizer, schedule: torch.optim.lr_scheduler.LRScheduler
    ) -> int:
        """Number of epochs that are done; 0 where there is no checkpoint of this very training."""
        stored = self._read(STATE)
        if stored is None:
            self.clear()
            (self.out / HISTORY).unlink(missing_ok=True)
            return 0
        tensors, facts = stored
        model.load_state_dict({n.removeprefix("model."): t for n, t in tensors.items() if n.startswith("model.")})
        for _ in range(int(facts["steps"])):
            # Without gradients a step changes nothing; the schedule counts them.
            optimiser.step()
            schedule.step()
        weights = [weight for group in optimiser.param_groups for weight in group["params"]]
        state: dict[int, dict[str, Tensor]] = {}
        for name, tensor in tensors.items():
            if name.startswith("optimiser."):
                _, number, key = name.split(".")
                state.setdefault(int(number), {})[key] = laid_like(weights[int(number)], tensor)
        optimiser.load_state_dict({"state": state, "param_groups": optimiser.state_dict()["param_groups"]})
        self._take_up_best(int(facts["epoch"]))
        return int(facts["epoch"])

    def load_best(self, model: nn.Module) -> None:
        """Put the weights of the best epoch into the model."""
        stored = self._read(BEST)
        if stored is not None:
            model.load_state_dict(stored[0])

    def clear(self) -> None:
        """Remove the checkpoint, and what a kill in the middle of writing one left."""
        for pattern in (STATE, BEST, f"{STATE}.partial", f"{BEST}.partial", HALF_WRITTEN):
            for path in self.out.glob(pattern):
                path.unlink(missing_ok=True)

    def _take_up_best(self, done: int) -> None:
        # A kill between an epoch's line and its state leaves a line that will be written once more.
        path = self.out / HISTORY
        lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
        path.write_text("".join(f"{line}\n" for line in lines[:done]), encoding="utf-8")
        stored = self._read(BEST)
        if stored is not None:
            self.best_score, self.best_epoch = float(stored[1]["score"]), int(stored[1]["epoch"])

    def _write(self, name: str, tensors: Mapping[str, Tensor], facts: Mapping[str, str]) -> None:
        from safetensors.torch import save_file

        partial = self.out / f"{name}.partial"
        save_file(
            {key: tensor.contiguous() for key, tensor in tensors.items()}, partial, {"identity": self.identity, **facts}
        )
        partial.replace(self.out / name)

    def _read(self, name: str) -> tuple[dict[str, Tensor], dict[str, str]] | None:
        from safetensors import safe_open

        if not (self.out / name).is_file():
            return None
        with safe_open(self.out / name, framework="pt") as stored:
            facts = stored.metadata()
            if facts.get("identity") != self.identity:
                return None
            return {key: stored.get_tensor(key) for key in stored.keys()}, facts  # noqa: SIM118 - not a mapping


def laid_like(weight: Tensor, tensor: Tensor) -> Tensor:
    """In the weight's order in memory: a fused optimiser takes the two side by side, whatever their strides say."""
    return torch.empty_like(weight, dtype=tensor.dtype).copy_(tensor) if tensor.shape == weight.shape else tensor
