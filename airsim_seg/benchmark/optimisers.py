"""The two optimisers of a recipe, and the learning rate of each step: a function of the step alone.

A run that goes on after a stop needs no memory of its schedule, and a curve can be drawn without training.
"""

import math
from typing import Any

import torch
from torch import nn

from airsim_seg.benchmark.recipe import Recipe

RISING_SHARE = 0.3  # of the steps, torch's default for one cycle
FINAL_DIVISOR = 1e4  # first rate over last, torch's default; Smith and Topin: "several orders of magnitude"
LOW_BETA, HIGH_BETA = 0.85, 0.95  # of AdamW, against the rate: Smith 2018 (arXiv 1803.09820), 4.3
SECOND_BETA = 0.999  # Kingma and Ba 2015
MOMENTUM = 0.9  # SGD's, and the power of its schedule: feinanshan/FANet, Train/configs/FA_Res18_CCRI.yml
POWER = 0.9

NORMS = (nn.modules.batchnorm._BatchNorm, nn.GroupNorm, nn.LayerNorm)


def one_cycle(step: int, recipe: Recipe) -> tuple[float, float]:
    """Return learning rate and first beta of AdamW for a step: up to the peak along half a cosine, and down to nothing.

    Args:
        step: steps done before, 0..steps - 1.
        recipe: learning_rate, peak_learning_rate and steps.

    Source: Smith and Topin 2018 (arXiv 1708.07120), with the cosines of torch's OneCycleLR: the same bits.
    """
    peak_step = RISING_SHARE * (recipe.steps + 1) - 1  # the cycle ends one step after the run: no step has rate 0
    peak = recipe.peak_learning_rate
    first = peak / (peak / recipe.learning_rate)
    if step <= peak_step:
        part = step / peak_step
        return _along_cosine(first, peak, part), _along_cosine(HIGH_BETA, LOW_BETA, part)
    part = (step - peak_step) / (recipe.steps - peak_step)
    return _along_cosine(peak, first / FINAL_DIVISOR, part), _along_cosine(LOW_BETA, HIGH_BETA, part)


def warm_up_and_fall(step: int, recipe: Recipe) -> float:
    """Return the learning rate of SGD for a step: up exponentially to the peak, then down as a power of what is left.

    Args:
        step: steps done before, 0..steps - 1.
        recipe: warm_up_learning_rate w, warm_up_steps, peak_learning_rate p and steps.

    Returns:
        w (p/w)^(step/warm_up_steps) first, then p (1 - done/total)^0.9, both counted from the end of the warm-up.

    Source: feinanshan/FANet, Train/ptsemseg/optimizers/adaoptimizer.py; the fall is that of Chen et al. 2017 (DeepLab).
    """
    peak, low, warm_up = recipe.peak_learning_rate, recipe.warm_up_learning_rate, recipe.warm_up_steps
    if step < warm_up:
        return low * math.pow(peak / low, step / warm_up)
    return peak * math.pow(1 - (step - warm_up) / (recipe.steps - warm_up), POWER)


def make_optimiser(net: nn.Module, recipe: Recipe) -> torch.optim.Optimizer:
    """Make the recipe's optimiser over all of a network's parameters; set_rate gives it the rate of each step."""
    groups = _parameter_groups(net, recipe)
    if recipe.optimiser == "sgd":
        return torch.optim.SGD(groups, lr=recipe.peak_learning_rate, momentum=MOMENTUM, fused=True)
    return torch.optim.AdamW(groups, lr=recipe.learning_rate, betas=(HIGH_BETA, SECOND_BETA), fused=True)


def set_rate(optimiser: torch.optim.Optimizer, recipe: Recipe, step: int) -> float:
    """Prepare an optimiser for a step, and return the learning rate."""
    if recipe.optimiser == "sgd":
        rate = warm_up_and_fall(step, recipe)
        changes: dict[str, Any] = {"lr": rate}
    else:
        rate, beta = one_cycle(step, recipe)
        changes = {"lr": rate, "betas": (beta, SECOND_BETA)}
    for group in optimiser.param_groups:
        group.update(changes)
    return rate


def _parameter_groups(net: nn.Module, recipe: Recipe) -> list[dict[str, Any]]:
    """Decay matrices and kernels, and norms if the recipe says so; leave biases and a memory's own numbers alone."""
    norms = {p for m in net.modules() if isinstance(m, NORMS) for p in m.parameters(recurse=False)}
    decayed = {p for p in net.parameters() if p.ndim > 1} | (norms if recipe.decay_norms else set())
    return [
        {"params": [p for p in net.parameters() if p in decayed], "weight_decay": recipe.weight_decay},
        {"params": [p for p in net.parameters() if p not in decayed], "weight_decay": 0.0},
    ]


def _along_cosine(start: float, end: float, part: float) -> float:
    return end + (start - end) / 2.0 * (math.cos(math.pi * part) + 1)
