"""One loop for all families: taught what the specification declares, the same from the same seed, also after a kill."""

from __future__ import annotations

import hashlib
import math
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor
from tqdm import tqdm

from inference.cards import undecided
from inference.cohorts.cases import BadCohort
from inference.cohorts.samples import Samples
from inference.declared import canonical
from inference.learning.augmentation import Batch, augmented
from inference.learning.checkpoint import Checkpoint
from inference.learning.history import Epoch
from inference.learning.losses import Truth, loss_of, terms_of
from inference.models import registry
from inference.models.contract import Answer, Model
from inference.models.weights import start_from
from inference.outputs import CaseLoss
from inference.spec import ModelSpec, Train

# Of Chen et al., "DeepLab", and of the published training of PFNet.
POLY_POWER = 0.9
FOUND = 0.0
# Where the tuning part selects nothing, it is asked for the curves alone: asking it costs a tenth of an epoch.
MEASURED_EVERY = 3


def fit(spec: ModelSpec, train: Samples, tune: Samples | None, out: Path, *, title: str = "training") -> Model:
    """Teach a fresh model what its specification declares.

    With a patience, the weights of the epoch that was best on the tuning part are taken, and that many epochs without a
    better one end the training; without one it runs to the end of its schedule and the last weights are taken.
    A training that was killed goes on from its last epoch and ends with the same weights. Precision is mixed on a GPU
    only.

    Parameters
    ----------
    spec : ModelSpec
    train, tune : Samples
        Prepared cases; ``tune`` may be None where nothing is selected (patience 0).
    out : Path
        Folder for ``history.jsonl`` and, while it runs, for the checkpoint; `forget` removes the latter.

    Returns
    -------
    Model
        In evaluation mode, on the CPU.

    Raises
    ------
    BadCohort
        Where a part lacks the truth, or a class, that the losses or the selection need.
    SpecError
        Where the starting weights do not fit.
    """
    torch.set_num_threads(1)
    check_truth(spec, train, "training")
    check_selection(spec.train, tune)
    out.mkdir(parents=True, exist_ok=True)
    device = fixed_device()
    model = registry.build(spec)
    if spec.train.weights:
        start_from(model, Path(spec.train.weights))
    run = Run(spec.train, laid_out(model, channels_last=model.channels_last).to(device), train, device)
    checkpoint = Checkpoint(out, identity_of(spec, train, tune))
    first = checkpoint.resume(model, run.optimiser, run.schedule)
    progress = tqdm(range(first, spec.train.epochs), title, spec.train.epochs, initial=first, unit="epoch")
    for epoch in progress:
        if spec.train.patience and epoch - checkpoint.best_epoch >= spec.train.patience:
            break
        line = run.epoch(epoch, tune if is_measured(epoch, spec.train) else None)
        checkpoint.note(line.epoch, line.to_line(), score_of(line, spec.train), model)
        checkpoint.save(line.epoch, model, run.optimiser, run.schedule)
        progress.set_postfix(loss=f"{line.loss:.3f}", best=checkpoint.best_epoch)
    if spec.train.patience:
        checkpoint.load_best(model)
    return laid_out(model.cpu(), channels_last=False).eval()


def is_measured(epoch: int, settings: Train) -> bool:
    """The tuning part is asked after every epoch that may be taken; else after every third and the last."""
    return settings.patience > 0 or epoch == settings.epochs - 1 or epoch % MEASURED_EVERY == MEASURED_EVERY - 1


def fixed_device() -> torch.device:
    """A GPU where there is one; what can be computed in one order is, so that a seed gives the same weights."""
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if device.type == "cuda":
        # Read when the first matrix product is asked for; without it their order changes from run to run.
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
        torch.backends.cudnn.benchmark = False
    # Some operations have no deterministic form on a GPU; there they warn. This is the switch of
    # `torch.use_deterministic_algorithms`, which loads the compiler, four seconds, to tell it too.
    torch.set_deterministic_debug_mode("warn" if device.type == "cuda" else "error")
    # Memory is filled before its use by default then, a tenth of a step; no operation here reads what it did not write.
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    return device


def laid_out(model: Model, *, channels_last: bool) -> Model:
    """Its weights in that order in memory; the maps of convolutions follow them."""
    orders = {4: torch.channels_last, 5: torch.channels_last_3d} if channels_last else {}
    for weight in model.parameters():
        # `contiguous` would leave the strides of depthwise and 1 × 1 weights, and convolutions look at these.
        weight.data = weight.data.to(memory_format=orders.get(weight.dim(), torch.contiguous_format))
    return model


def forget(out: Path) -> None:
    """Remove the checkpoint of a training whose weights are kept elsewhere."""
    Checkpoint(out, "").clear()


class Run:
    """What one training holds while it runs."""

    def __init__(self, settings: Train, model: Model, train: Samples, device: torch.device) -> None:
        self.settings, self.model, self.train, self.device = settings, model, train, device
        self.optimiser = optimiser_of(settings, model)
        self.schedule = schedule_of(settings, self.optimiser, steps_of(len(train.cases), settings.batch))
        self.balance = balance_of(train)
        # bfloat16 has the range of float32, so that no loss needs scaling. Older GPUs only pretend to have it, slowly.
        self.mixed = device.type == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False)

    def epoch(self, number: int, tune: Samples | None) -> Epoch:
        started = time.perf_counter()
        chance = torch.Generator().manual_seed(self.settings.seed * 100_003 + number)
        # Dropout follows the epoch, also after a resume.
        torch.manual_seed(int(torch.randint(2**31, (1,), generator=chance)))
        self.model.train()
        sums: dict[str, float] = {}
        total, seen = 0.0, 0
        for chosen in tqdm(batches(self.train, self.settings, chance), "batches", leave=False, disable=None):
            loss, terms = self.step(chosen, chance)
            total, seen = total + loss * len(chosen), seen + len(chosen)
            for name, value in terms:
                sums[name] = sums.get(name, 0.0) + value * len(chosen)
        tuned = measured(self.settings, self.model, tune, self.balance, self.device) if tune is not None else Tuned()
        return Epoch(
            epoch=number + 1,
            loss=round(total / seen, 6),
            terms={name: round(value / seen, 6) for name, value in sums.items()},
            tune_loss=tuned.loss,
            tune_auc=tuned.auc,
            tune_dice=tuned.dice,
            rate=float(self.schedule.get_last_lr()[0]),
            seconds=round(time.perf_counter() - started, 3),
        )

    def step(self, chosen: Tensor, chance: torch.Generator) -> tuple[float, list[tuple[str, float]]]:
        batch = on(augmented(batch_of(self.train, chosen), self.settings.augment, chance), self.device)
        with torch.autocast(self.device.type, dtype=torch.bfloat16, enabled=self.mixed):
            answer = in_full(self.model(batch.inputs))
        terms = terms_of(self.settings.losses, answer, batch.truth, self.balance)
        loss = torch.stack([term.weight * term.value for term in terms]).sum()
        self.optimiser.zero_grad()
        loss.backward()
        self.optimiser.step()
        self.schedule.step()
        return loss.item(), [(term.name, term.value.item()) for term in terms]


def in_full(answer: Answer) -> Answer:
    """In float32, whatever it was computed in: sums over all pixels of a mask need more than eight bits."""
    logit, mask, level = (None if part is None else part.float() for part in (answer.logit, answer.mask, answer.level))
    return Answer(logit, mask, level, tuple(depth.float() for depth in answer.depths))


@dataclass(frozen=True)
class Tuned:
    """What the tuning part says after an epoch; None where it cannot say it."""

    loss: float | None = None
    auc: float | None = None
    dice: float | None = None


def measured(settings: Train, model: Model, tune: Samples, balance: float, device: torch.device) -> Tuned:
    """Loss, area under the ROC curve, and mean Dice of the cases whose mask is not empty, on the tuning part."""
    model.eval()
    total, logits, dices = 0.0, [], []
    with torch.inference_mode():
        for chosen in torch.arange(len(tune.cases)).split(settings.batch):
            batch = on(batch_of(tune, chosen), device)
            answer = model(batch.inputs)
            total += float(loss_of(settings.losses, answer, batch.truth, balance)) * len(chosen)
            if answer.logit is not None:
                logits.append(answer.logit.float().cpu())
            if answer.mask is not None and batch.truth.mask is not None:
                dices.append(dice_of(answer.mask, batch.truth.mask).cpu())
    found = torch.cat(dices) if dices else torch.zeros(0)
    return Tuned(
        loss=round(total / len(tune.cases), 6),
        auc=area(torch.cat(logits), tune.positive) if logits else None,
        dice=round(float(found.nanmean()), 6) if found.isfinite().any() else None,
    )


def dice_of(logits: Tensor, mask: Tensor) -> Tensor:
    """2·|A ∩ B| / (|A| + |B|) at p ≥ .5, shape (batch,); not a number where the true mask is empty."""
    found, wanted = (logits >= FOUND).flatten(1), mask.flatten(1) > 0
    common, both = (found & wanted).sum(1), found.sum(1) + wanted.sum(1)
    return torch.where(wanted.any(1), 2 * common / both, math.nan)


def area(logits: Tensor, positive: Tensor | None) -> float | None:
    from sklearn.metrics import roc_auc_score

    if positive is None or len(positive.unique()) < 2:
        return None
    return round(float(roc_auc_score(positive.numpy(), logits.numpy())), 6)


def batches(train: Samples, settings: Train, chance: torch.Generator) -> tuple[Tensor, ...]:
    """Indices of an epoch, batch by batch: every case once, or both classes equally often, with repetition."""
    count = len(train.cases)
    if settings.sampling == "balanced" and train.positive is not None:
        ones = train.positive.sum()
        weight = torch.where(train.positive > 0, 1 / ones, 1 / (count - ones))
        order = torch.multinomial(weight, count, replacement=True, generator=chance)
    else:
        order = torch.randperm(count, generator=chance)
    divided: tuple[Tensor, ...] = order.split(settings.batch)
    return divided[: steps_of(count, settings.batch)]


def steps_of(count: int, batch: int) -> int:
    """Batches of an epoch; a last one of a single case is left out, since nothing can be normalised over it."""
    whole, left = divmod(count, batch)
    return whole + (left > 1 or (left == 1 and whole == 0))


def optimiser_of(settings: Train, model: Model) -> torch.optim.Optimizer:
    if settings.optimiser == "sgd":
        return torch.optim.SGD(
            model.parameters(), settings.rate, momentum=settings.momentum, weight_decay=settings.decay, fused=True
        )
    return torch.optim.AdamW(model.parameters(), settings.rate, weight_decay=settings.decay, fused=True)


def schedule_of(settings: Train, optimiser: torch.optim.Optimizer, steps: int) -> torch.optim.lr_scheduler.LRScheduler:
    """The learning rate, step by step, over all epochs."""
    total = settings.epochs * steps
    match settings.schedule:
        case "one_cycle":
            return torch.optim.lr_scheduler.OneCycleLR(optimiser, settings.rate, total_steps=total)
        case "cosine":
            return torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, T_max=total)
        case "poly":
            return torch.optim.lr_scheduler.PolynomialLR(optimiser, total_iters=total, power=POLY_POWER)
        case "constant":
            return torch.optim.lr_scheduler.ConstantLR(optimiser, factor=1.0, total_iters=0)


def batch_of(samples: Samples, chosen: Tensor) -> Batch:
    """Masks and levels are kept as bytes and computed with as numbers."""
    truth = Truth(
        None if samples.positive is None else samples.positive[chosen],
        None if samples.mask is None else samples.mask[chosen].float(),
        None if samples.level is None else samples.level[chosen].long(),
    )
    return Batch({name: tensor[chosen] for name, tensor in samples.inputs.items()}, truth)


def on(batch: Batch, device: torch.device) -> Batch:
    return Batch(
        {name: tensor.to(device) for name, tensor in batch.inputs.items()},
        Truth(*(None if part is None else part.to(device) for part in batch.truth)),
    )


def balance_of(train: Samples) -> float:
    """Negatives per positive."""
    if train.positive is None or not train.positive.any():
        return 1.0
    ones = float(train.positive.sum())
    return (len(train.positive) - ones) / ones or 1.0


def score_of(line: Epoch, settings: Train) -> float:
    """What is made as low as possible: the selection measure, or the training loss where nothing is selected."""
    if not settings.patience:
        return line.loss
    chosen = {"loss": line.tune_loss, "auc": line.tune_auc, "dice": line.tune_dice}[settings.select]
    if chosen is None:
        return line.loss
    return chosen if settings.select == "loss" else -chosen


def check_truth(spec: ModelSpec, part: Samples, name: str) -> None:
    losses = spec.train.losses
    if any(isinstance(loss, CaseLoss) for loss in losses) or spec.train.sampling == "balanced":
        if part.positive is None:
            raise BadCohort(f"The truth of some cases of the {name} part is not known.")
        if len(part.positive.unique()) < 2:
            raise BadCohort(f"All cases of the {name} part have the same truth; a classifier needs both.")
    if len(part.cases) < 2:
        raise BadCohort(f"The {name} part has {len(part.cases)} cases; two are the least.")


def check_selection(settings: Train, tune: Samples | None) -> None:
    if tune is None:
        if settings.patience:
            raise BadCohort("A training with a patience needs a tuning part.")
        return
    if settings.select == "auc" and (tune.positive is None or len(tune.positive.unique()) < 2):
        raise BadCohort("The tuning part lacks a class, so that no area under its curve can be measured.")
    if settings.select == "dice" and (tune.mask is None or not tune.mask.any()):
        raise BadCohort("The tuning part has no mask that is not empty, so that no Dice can be measured.")


def identity_of(spec: ModelSpec, train: Samples, tune: Samples | None) -> str:
    """Digest of everything that decides a training."""
    parts = [part_digest(part) for part in (train, tune) if part is not None]
    return hashlib.sha256(canonical([undecided(spec).digest, parts])).hexdigest()


def part_digest(part: Samples) -> str:
    """Digest of what is learnt from: patients, pixels and truths, in order."""
    rows = [[case.patient, digest] for case, digest in zip(part.cases, part.digests, strict=True)]
    digest = hashlib.sha256(canonical(rows))
    for tensor in arrays_of(part):
        digest.update(tensor.contiguous().numpy().tobytes())
    return digest.hexdigest()


def arrays_of(part: Samples) -> Iterator[Tensor]:
    yield from (tensor for tensor in (part.positive, part.mask, part.level) if tensor is not None)
