"""One optimiser step: clips in, weights changed, loss out."""

import math
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from airsim_seg.benchmark.clips import Batch
from airsim_seg.benchmark.distributed import Team
from airsim_seg.benchmark.loss import draw_lattice, frames_since_start, hard_pixels, resize_at, supervised_loss
from airsim_seg.benchmark.optimisers import make_optimiser, set_rate
from airsim_seg.benchmark.recipe import Recipe
from airsim_seg.errors import UsageError
from airsim_seg.taxonomy import IGNORE
from fanet.decoder import resize
from fanet.state_dicts import AUXILIARY

AUTOCAST = {"bf16": torch.bfloat16, "fp16": torch.float16}


class NotFinite(ArithmeticError):
    """A loss or a gradient that is not finite; the weights are still those of the step before."""


class Learner:
    """A network with all that changes it: optimiser, loss, precision, and the processes that train with this one.

    Args:
        net: see training.train; trained in place.
        recipe: how to train.
        class_weights: float32 [num_classes], of the loss.
        team: who trains together.

    Raises:
        UsageError: a recipe that this network, device or team cannot follow; the message names the setting.
    """

    def __init__(self, net: nn.Module, recipe: Recipe, class_weights: Tensor, team: Team) -> None:
        self.net, self.recipe, self.team = net, recipe, team
        self.reach = reach_of(net)
        check_recipe(recipe, self.reach, team)
        _check_heads(recipe, net)
        self.class_weights = class_weights.to(team.device)
        self.model = team.wrap(net)
        self.optimiser = make_optimiser(net, recipe)
        self.scaler = torch.amp.GradScaler(team.device.type, enabled=recipe.precision == "fp16")

    def learn(self, batch: Batch, step: int) -> tuple[float, float]:
        """Do one optimiser step.

        Args:
            batch: this rank's clips.
            step: steps done before.

        Returns:
            Loss over the clips of all ranks, and learning rate.

        Raises:
            NotFinite: on every rank; the weights are still those of the step before.
        """
        self.model.train()
        rate = set_rate(self.optimiser, self.recipe, step)
        loss = self.loss(batch.to(self.team.device))
        self.optimiser.zero_grad()
        torch.autograd.backward(self.scaler.scale(loss))
        self.scaler.unscale_(self.optimiser)
        gradient_norm = nn.utils.clip_grad_norm_(self.net.parameters(), self.recipe.clip_gradient_norm)
        mean_loss = float(self.team.sum(loss.detach())) / self.team.size
        if not math.isfinite(mean_loss) or not (math.isfinite(gradient_norm) or self.scale_can_fall()):
            raise NotFinite(f"{mean_loss:g}")
        self.scaler.step(self.optimiser)
        self.scaler.update()
        return mean_loss, rate

    def loss(self, batch: Batch) -> Tensor:
        """Return the loss of this rank's clips: of the logits, plus that of each auxiliary map."""
        with torch.autocast(
            self.team.device.type, AUTOCAST.get(self.recipe.precision), self.recipe.precision != "fp32"
        ):
            maps, labels = self.supervised(batch)
        hard = None
        if self.recipe.loss == "ohem":
            hard = partial(hard_pixels, threshold=self.recipe.ohem_threshold, min_share=self.recipe.ohem_min_share)
        losses = [supervised_loss(m, labels, self.class_weights, hard=hard, team=self.team) for m in maps]
        return losses[0] + self.recipe.auxiliary_weight * sum(losses[1:])

    def supervised(self, batch: Batch) -> tuple[list[Tensor], Tensor]:
        """Logits and auxiliary maps, and labels, of the pixels that this step learns from: all, or a lattice of them.

        Returns:
            Each [B,num_classes,h,w], and int64 [B,h,w]; 255 also where a frame is context alone.
        """
        labels, size_hw = batch.labels, batch.labels.shape[1:]
        if self.recipe.early_frames == "context":
            early = frames_since_start(batch.segment_start) < self.reach
            labels = labels.masked_fill(early[:, None, None], IGNORE)
        if self.recipe.loss_stride == 1:
            logits, *coarse = self.predict(batch, full_size=True)
            return [logits, *(resize(m, (size_hw[0], size_hw[1])) for m in coarse)], labels
        rows, columns = draw_lattice(size_hw, self.recipe.loss_stride)
        maps = [resize_at(m, size_hw, rows, columns) for m in self.predict(batch, full_size=False)]
        return maps, labels[:, rows[:, None], columns]

    def predict(self, batch: Batch, *, full_size: bool) -> list[Tensor]:
        """Ask the network: logits, and the auxiliary maps if they are learnt from."""
        # Only what differs from a network's own defaults, so that any module of this signature can be trained.
        options = ({} if full_size else {"full_size": False}) | (
            {"auxiliary": True} if self.recipe.auxiliary_weight > 0 else {}
        )
        logits, _, *auxiliary = self.model(batch.images, None, batch.segment_start, batch.motion, **options)
        return [logits, *(auxiliary[0] if auxiliary else [])]

    def scale_can_fall(self) -> bool:
        """Say whether a gradient that is not finite may be fp16's: such a step is skipped and the loss scaled less."""
        return self.scaler.is_enabled() and self.scaler.get_scale() > 1

    def state_dict(self) -> dict[str, Any]:
        """Return all that a checkpoint must hold of this."""
        return {
            "net": self.net.state_dict(),
            "optimizer": self.optimiser.state_dict(),
            "scaler": self.scaler.state_dict(),
        }

    def load_state_dict(self, content: dict[str, Any]) -> None:
        """Take over what state_dict gave."""
        self.net.load_state_dict(content["net"])
        self.optimiser.load_state_dict(content["optimizer"])
        self.scaler.load_state_dict(content["scaler"])


def reach_of(net: nn.Module) -> int:
    """Return how many frames back a network looks, N times the stride of its memory; 0 where it has none."""
    return int(getattr(getattr(net, "recall", None), "reach", 0))


def check_recipe(recipe: Recipe, reach: int, team: Team) -> None:
    """Refuse what cannot be trained with this memory, by these processes, on their device.

    Args:
        recipe: how to train.
        reach: see reach_of.
        team: who trains.

    Raises:
        UsageError: the message names the setting.
    """
    recipe.check_reach(reach)
    team.check_share(recipe.clips_per_step)
    if recipe.precision == "fp16" and team.device.type != "cuda":
        raise UsageError(
            f'precision = "fp16" is for a GPU, and training is on {team.device.type}: take "bf16" or "fp32".'
        )


def _check_heads(recipe: Recipe, net: nn.Module) -> None:
    if recipe.auxiliary_weight > 0 and not any(name.startswith(AUXILIARY) for name, _ in net.named_parameters()):
        raise UsageError(
            f"auxiliary_weight is {recipe.auxiliary_weight:g}, but {type(net).__name__} has no auxiliary heads: build "
            "FANet with auxiliary=True, or set it to 0."
        )
