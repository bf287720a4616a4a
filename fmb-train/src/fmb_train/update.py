"""One update of a network: forward, backward, clip, step; and the same forward for validation."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor, nn

from fmb import FailedError, Inputs, PluginError
from fmb.store import derive_seed
from fmb.torch import autocast
from fmb_train.job import FitJob
from fmb_train.prepared import Part, Prepared, learnable
from fmb_train.schedule import learning_rate
from fmb_train.task import SettlingTask

__all__ = ["Updater", "parameter_groups", "settling"]

_NAMED = 3
"""Objects that a message names."""


def parameter_groups(module: nn.Module, weight_decay: float) -> list[dict[str, object]]:
    """What AdamW takes: matrices decay, vectors do not; frozen parameters are left out.

    Source: `configure_optimizers` of nanoGPT, as in astropt 2.0.9.
    """
    trained = [p for p in module.parameters() if p.requires_grad]
    return [
        {"params": [p for p in trained if p.dim() >= 2], "weight_decay": weight_decay},
        {"params": [p for p in trained if p.dim() < 2], "weight_decay": 0.0},
    ]


def settling(job: FitJob) -> Callable[[Inputs], Inputs]:
    """What is kept of prepared inputs: the outcome of the frozen part, where a task has one."""
    task = job.task
    if not isinstance(task, SettlingTask):
        return lambda inputs: inputs

    def settle(inputs: Inputs) -> Inputs:
        task.train(False)
        with torch.inference_mode(), autocast(job.device, job.precision):
            return task.settled(inputs)

    return settle


class Updater:
    """Optimiser, schedule and scaler of one training."""

    def __init__(self, job: FitJob, total: int) -> None:
        self._job, self._total = job, total
        self._on_gpu = job.device.startswith("cuda")
        config = job.config
        groups = parameter_groups(job.task.module, config.weight_decay)
        self._parameters = [p for group in groups for p in group["params"]]  # type: ignore[attr-defined]
        self.optimiser = torch.optim.AdamW(
            groups, lr=config.learning_rate, betas=config.betas, fused=self._on_gpu
        )
        # Only float16 can underflow; disabled, the scaler passes everything through.
        self.scaler = torch.amp.GradScaler(
            torch.device(job.device).type, enabled=job.precision == "fp16"
        )
        self.rate = 0.0
        """Learning rate of the last update."""

    def update(self, prepared: Prepared, wanted: int, number: int, epoch: int) -> tuple[int, float]:
        """Change the network once.

        Args:
            prepared: this process's share of the batch.
            wanted: objects of the whole batch, usable or not.
            number: of the update, from 0.
            epoch: for messages.

        Returns:
            The usable objects of the batch over all processes, and the sum of their losses.

        Raises:
            FailedError: a loss or the gradient is not finite.
        """
        torch.manual_seed(derive_seed(self._job.seed, "update", number, self._job.processes.rank))
        parts = learnable(prepared, self._job.task.required)
        losses = []
        for part in parts:
            loss, _ = self._losses(part)
            # Divided by what was wanted: the number that is usable everywhere is known only later.
            torch.autograd.backward(self.scaler.scale(loss.sum() / wanted))
            losses.append(loss.detach())
        self._refuse_infinite(parts, losses, epoch)
        for parameter in self._parameters:
            if parameter.grad is None:  # a slot nobody of the batch has: no change, but decay
                parameter.grad = torch.zeros_like(parameter)
        used, total = self._summed(losses)
        if used:
            self._step(wanted / used, number, parts, epoch)
        self.optimiser.zero_grad(set_to_none=True)
        return used, total

    def measure(
        self, prepared: Prepared, sums: Counter[str], counts: Counter[str], epoch: int
    ) -> None:
        """Add losses and their parts, by name, to `sums`, and the number of objects to `counts`.

        Raises:
            FailedError: a loss is not finite.
        """
        parts = learnable(prepared, self._job.task.required)
        losses = []
        for part in parts:
            loss, metrics = self._losses(part)
            losses.append(loss)
            for name, values in {"loss": loss, **metrics}.items():
                known = values[~torch.isnan(values)] if name != "loss" else values
                sums[name] += float(known.double().sum())  # type: ignore[assignment]
                counts[name] += len(known)
        self._refuse_infinite(parts, losses, epoch)

    def _losses(self, part: Part) -> tuple[Tensor, Mapping[str, Tensor]]:
        task = self._job.task
        with autocast(self._job.device, self._job.precision):
            loss, metrics = task.loss(part.inputs)
        if loss.shape != (len(part.rows),):
            raise PluginError(
                f"{type(task).__name__}.loss gave shape {tuple(loss.shape)}, expected"
                f" ({len(part.rows)},): one loss an object"
            )
        return loss.float(), metrics

    def _summed(self, losses: Sequence[Tensor]) -> tuple[int, float]:
        """Usable objects and the sum of their losses; gradients summed over the processes."""
        each = torch.cat([*losses]) if losses else torch.zeros(0, device=self._job.device)
        count = torch.tensor(float(len(each)), device=each.device)
        own = torch.stack([count, each.sum()])
        used, total = self._job.processes.sum_gradients(self._parameters, own).tolist()
        return round(used), total

    def _step(self, scale: float, number: int, parts: Sequence[Part], epoch: int) -> None:
        self.rate = learning_rate(number, self._total, self._job.config)
        for group in self.optimiser.param_groups:
            group["lr"] = self.rate
        self.scaler.unscale_(self.optimiser)
        if scale != 1:
            for parameter in self._parameters:
                assert parameter.grad is not None
                parameter.grad.mul_(scale)
        norm = nn.utils.clip_grad_norm_(self._parameters, self._job.config.clip)
        if not self.scaler.is_enabled() and not torch.isfinite(norm):
            raise FailedError(self._told("the gradient", self._ids(parts), epoch))
        self.scaler.step(self.optimiser)
        self.scaler.update()

    def _refuse_infinite(self, parts: Sequence[Part], losses: Sequence[Tensor], epoch: int) -> None:
        if not losses:
            return
        fine = torch.isfinite(torch.cat([*losses])).cpu().numpy()
        if not fine.all():
            ids = self._ids(parts)
            raise FailedError(
                self._told(
                    "the loss", [i for i, ok in zip(ids, fine, strict=True) if not ok], epoch
                )
            )

    def _ids(self, parts: Sequence[Part]) -> list[str]:
        return [str(i) for part in parts for i in self._job.dataset.ids[part.rows].tolist()]

    def _told(self, what: str, ids: Sequence[str], epoch: int) -> str:
        shown = ", ".join(ids[:_NAMED])
        more = f" and {len(ids) - _NAMED} more" if len(ids) > _NAMED else ""
        broken = not all(torch.isfinite(p).all() for p in self._parameters)
        objects = "object" if len(ids) == 1 else "objects"
        told = f"{what} of {objects} {shown}{more} is not finite in epoch {epoch}"
        if broken or len(ids) > _NAMED:
            rate = self._job.config.learning_rate
            return f"{told}: the training diverges; lower train.learning_rate (now {rate:g})"
        return f"{told}: look at their data, or leave them out with --exclude"
