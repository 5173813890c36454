"""What every training command shares: seeding, precision, checkpoints, early stopping, progress."""

import contextlib
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from tqdm import tqdm

from askbase_training.run_log import RunLog


@dataclass(frozen=True)
class Schedule:
    """`mean`: decay of a running mean of the weights, which is then what is validated and kept; 0 keeps the weights
    themselves. It evens out what the last batches did: with a high learning rate much of it is noise."""

    steps: int
    learning_rate: float
    warm_up: int = 100
    evaluate_every: int = 500
    patience: int = 4
    seed: int = 7
    mixed_precision: bool = False
    mean: float = 0.0

    def in_full_precision(self) -> "Schedule":
        """For a model that chooses for itself what runs in mixed precision."""
        return replace(self, mixed_precision=False)


def seed_everything(seed: int) -> None:
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)


def device_in_use() -> torch.device:
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def train(
    model: nn.Module,
    loss_of: Callable[[int], Tensor],
    validate: Callable[[], dict[str, float]],
    folder: Path,
    schedule: Schedule,
) -> dict[str, float]:
    """Runs `loss_of(step)` and AdamW with linear warm-up and decay. Keeps `last.pt` (to resume from) and `best.pt`
    (highest validation NDCG@10, the state it starts from included), stops after `patience` validations without a new
    best, and leaves the model with its best weights. The step number alone decides a batch, so a resumed run sees the
    batches the first one would have seen."""
    seed_everything(schedule.seed)
    log = RunLog(folder)
    optimizer = torch.optim.AdamW(_parameter_groups(model), lr=schedule.learning_rate, betas=(0.9, 0.98))
    mean = _Mean(model, schedule.mean)
    state = _resume(model, optimizer, mean, folder)
    best, since_best = state["best"], state["since_best"]
    if not best:
        best = _validated(model, validate)
        torch.save(model.state_dict(), folder / "best.pt")
        _note(log, 0, best)
    device = next(model.parameters()).device
    with contextlib.closing(tqdm(total=schedule.steps, initial=state["step"], mininterval=5)) as progress:
        for step in range(state["step"], schedule.steps):
            for group in optimizer.param_groups:
                group["lr"] = schedule.learning_rate * _rate(step, schedule) * group.get("scale", 1.0)
            model.train()
            with torch.autocast(device.type, torch.bfloat16, enabled=schedule.mixed_precision):
                loss = loss_of(step)
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
            mean.add(step)
            progress.update()
            if step % 20 == 0:
                log.write(step=step, loss=round(loss.item(), 4))
                progress.set_postfix(loss=f"{loss.item():.3f}", best=f"{best.get('ndcg@10', 0):.4f}")
            if (step + 1) % schedule.evaluate_every == 0 or step + 1 == schedule.steps:
                with mean.in_place():
                    metrics = _validated(model, validate)
                    since_best += 1
                    if metrics["ndcg@10"] > best.get("ndcg@10", -1.0):
                        best, since_best = metrics, 0
                        torch.save(model.state_dict(), folder / "best.pt")
                _save(model, optimizer, mean, folder, {"step": step + 1, "best": best, "since_best": since_best})
                # Said only now: whoever stops it at these words finds the weights they speak of.
                _note(log, step + 1, metrics)
                if since_best >= schedule.patience:
                    break
    model.load_state_dict(torch.load(folder / "best.pt", weights_only=True))
    return best


class _Mean:
    """The running mean of a model's parameters; of no effect where `decay` is 0."""

    def __init__(self, model: nn.Module, decay: float):
        self._parameters = list(model.parameters())
        self._decay = decay
        self.values = [parameter.detach().clone() for parameter in self._parameters] if decay else []

    @torch.no_grad()
    def add(self, step: int) -> None:
        if self.values:
            torch._foreach_lerp_(self.values, self._parameters, 1 - min(self._decay, (1 + step) / (10 + step)))

    @contextlib.contextmanager
    def in_place(self) -> Iterator[None]:
        """The model has the mean as its weights."""
        self._exchange()
        try:
            yield
        finally:
            self._exchange()

    @torch.no_grad()
    def _exchange(self) -> None:
        for parameter, value in zip(self._parameters, self.values):
            kept = parameter.clone()
            parameter.copy_(value)
            value.copy_(kept)


@torch.no_grad()
def _validated(model: nn.Module, validate: Callable[[], dict[str, float]]) -> dict[str, float]:
    model.eval()
    return validate()


def _note(log: RunLog, step: int, metrics: dict[str, float]) -> None:
    log.write(step=step, **metrics)
    log.draw()
    tqdm.write(f"step {step}: {metrics}")


def _parameter_groups(model: nn.Module) -> list[dict]:
    """Weight decay on matrices only; a model may name slower or faster parameters (`learning_rate_scales`)."""
    scales: dict[str, float] = getattr(model, "learning_rate_scales", {})
    groups: dict[tuple[float, float], list] = {}
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            scale = next((value for prefix, value in scales.items() if name.startswith(prefix)), 1.0)
            groups.setdefault((0.01 if parameter.ndim > 1 else 0.0, scale), []).append(parameter)
    return [{"params": params, "weight_decay": decay, "scale": scale} for (decay, scale), params in groups.items()]


def _rate(step: int, schedule: Schedule) -> float:
    if step < schedule.warm_up:
        return (step + 1) / schedule.warm_up
    return max(0.02, (schedule.steps - step) / max(1, schedule.steps - schedule.warm_up))


def _resume(model: nn.Module, optimizer: torch.optim.Optimizer, mean: _Mean, folder: Path) -> dict:
    path = folder / "last.pt"
    if not path.exists():
        return {"step": 0, "best": {}, "since_best": 0}
    saved = torch.load(path, weights_only=True)
    model.load_state_dict(saved["model"])
    optimizer.load_state_dict(saved["optimizer"])
    for value, kept in zip(mean.values, saved["mean"]):
        value.copy_(kept)
    return saved["state"]


def _save(model: nn.Module, optimizer: torch.optim.Optimizer, mean: _Mean, folder: Path, state: dict) -> None:
    part = folder / "last.pt.part"
    saved = {"model": model.state_dict(), "optimizer": optimizer.state_dict(), "mean": mean.values, "state": state}
    torch.save(saved, part)
    part.replace(folder / "last.pt")


def endless(count: int, size: int, seed: int) -> Iterator[list[int]]:
    """Shuffled batches of positions, epoch after epoch."""
    rng = random.Random(seed)
    while True:
        order = list(range(count))
        rng.shuffle(order)
        for start in range(0, count - size + 1, size):
            yield order[start : start + size]
