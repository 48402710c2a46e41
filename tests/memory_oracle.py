"""What every memory should give, from its definition: python loops over frames, lags and pixels, nothing batched."""

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn

from fanet import FANet
from fanet.memory import SCALES
from fanet.refinement import FlowRefinement

Past = list[tuple[int, Tensor, Tensor | bool]]  # how many frames back (1..N), what it left, where it may be seen


def naive_sum(present: Tensor, past: Past, mix: nn.Module) -> Tensor:
    return naive_mean(present, past, mix) * (mix.depth + 1)


def naive_mean(present: Tensor, past: Past, _mix: nn.Module) -> Tensor:
    return weighted(present, [(1.0, item, seen) for _, item, seen in past])


def naive_decay(present: Tensor, past: Past, mix: nn.Module) -> Tensor:
    factor = 1 / (1 + (-mix.logit).exp())
    return weighted(present, [(factor**lag, item, seen) for lag, item, seen in past])


def naive_lags(present: Tensor, past: Past, mix: nn.Module) -> Tensor:
    return weighted(present, [(mix.log_weight[lag - 1].exp(), item, seen) for lag, item, seen in past])


def naive_gate(present: Tensor, past: Past, mix: nn.Module) -> Tensor:
    terms = []
    for _, item, seen in past:
        length = (present.square().sum(0) * item.square().sum(0)).clamp_min(1e-60).sqrt()  # 0 where never seen
        cosine = (present * item).sum(0) / length
        terms.append((1 / (1 + (-mix.steepness * (cosine - mix.threshold)).exp()), item, seen))
    return weighted(present, terms)


def naive_channels(present: Tensor, past: Past, mix: nn.Module) -> Tensor:
    own, *others = mix.weights
    seen_by = {lag: (item, seen) for lag, item, seen in past}
    rows = []
    for channel, value in enumerate(present):
        total = own[channel] * value
        for lag, weight in enumerate(others, 1):
            item, seen = seen_by.get(lag, (present, False))
            total = total + weight[channel] * torch.where(torch.as_tensor(seen), item[channel], value)
        rows.append(total)
    return torch.stack(rows)


def naive_propagate(present: Tensor, past: Past, _mix: nn.Module) -> Tensor:
    def probabilities(logits: Tensor) -> Tensor:
        return logits.exp() / logits.exp().sum(0)

    now, terms = probabilities(present), []
    for lag, item, seen in past:
        before = probabilities(item)
        overlap = sum(torch.minimum(now[c], before[c]) for c in range(len(now)))
        terms.append((0.8**lag * overlap, before, seen))
    return weighted(now, terms).log()


def weighted(present: Tensor, terms: list[tuple[object, Tensor, Tensor | bool]]) -> Tensor:
    total, count = present, torch.ones_like(present)
    for weight, item, seen in terms:
        where = torch.as_tensor(seen).expand_as(item)
        total = total + torch.where(where, weight * item, 0.0)
        count = count + torch.where(where, weight * torch.ones_like(item), 0.0)
    return total / count


NAIVE_MIXES: dict[str, Callable[[Tensor, Past, nn.Module], Tensor]] = {
    "Sum": naive_sum,
    "Mean": naive_mean,
    "Decay": naive_decay,
    "Lags": naive_lags,
    "Gate": naive_gate,
    "Channels": naive_channels,
    "Propagate": naive_propagate,
}


def bilinear(values: Tensor, column: Tensor, row: Tensor) -> Tensor | None:
    """values [C,h,w] at a place; None out of view."""
    height, width = values.shape[1:]
    if not (0 <= column <= width - 1 and 0 <= row <= height - 1):
        return None
    c, r = min(int(column), max(width - 2, 0)), min(int(row), max(height - 2, 0))
    x, y = column - c, row - r
    total = torch.zeros_like(values[:, 0, 0])
    for dr, dc, part in ((0, 0, (1 - y) * (1 - x)), (0, 1, (1 - y) * x), (1, 0, y * (1 - x)), (1, 1, y * x)):
        if part > 0:
            total = total + part * values[:, r + dr, c + dc]
    return total


def naive_shrunk(motion: Tensor, height: int, width: int) -> Tensor:
    """Mean over the known pixels of each place, in places."""
    rows, columns = motion.shape[1:]
    found = torch.full((2, height, width), math.nan, dtype=motion.dtype)
    for r in range(height):
        for c in range(width):
            pixels = pixels_of_place(motion, r, c, height, width)
            known = pixels[:, pixels.isfinite().all(0)]
            if 2 * known.shape[1] >= pixels.shape[1]:
                found[:, r, c] = known.mean(1) * torch.tensor([width / columns, height / rows], dtype=motion.dtype)
    return found


def naive_picture(frame: Tensor, height: int, width: int) -> Tensor:
    """Mean over the pixels of each place: [3,H,W] -> [3,h,w]."""
    places = [pixels_of_place(frame, r, c, height, width).mean(1) for r in range(height) for c in range(width)]
    return torch.stack(places, dim=1).view(3, height, width)


def pixels_of_place(image: Tensor, r: int, c: int, height: int, width: int) -> Tensor:
    """[C,H,W] -> [C,n]; torch's own rule for which pixels a place has."""
    rows, columns = image.shape[1:]
    top, bottom = r * rows // height, -(-(r + 1) * rows // height)
    left, right = c * columns // width, -(-(c + 1) * columns // width)
    return image[:, top:bottom, left:right].flatten(1)


def naive_refined(refinement: FlowRefinement, step: Tensor, picture: Tensor, before: Tensor) -> Tensor:
    """NetWarp's network, a frame at a time: step [2,h,w], pictures [3,h,w]."""
    known = step.isfinite().all(0)
    flow = torch.where(known, step, 0.0)
    seen = torch.cat([flow, picture, before, picture - before])
    seen = naive_convolved(seen, refinement.hidden[0]).clamp_min(0)
    seen = naive_convolved(seen, refinement.hidden[2]).clamp_min(0)
    seen = naive_convolved(seen, refinement.third)
    return torch.where(known, flow + naive_convolved(torch.cat([flow, seen]), refinement.last), math.nan)


def naive_convolved(maps: Tensor, layer: nn.Conv2d) -> Tensor:
    """3x3, zeros around: [C,h,w] -> [D,h,w]."""
    height, width = maps.shape[1:]
    padded = nn.functional.pad(maps, (1, 1, 1, 1))
    places = [
        layer.bias + (layer.weight * padded[:, r : r + 3, c : c + 3]).sum((1, 2, 3))
        for r in range(height)
        for c in range(width)
    ]
    return torch.stack(places, dim=1).view(-1, height, width)


def naive_steps(net: FANet, frames: Tensor, motion: Tensor, begins: list[bool], call_of: list[int]) -> list[Tensor]:
    """[2,h,w] for each frame, from it to the one before, refined if memory says so."""
    height, width = (-(-side // 8) for side in frames.shape[2:])
    steps = [naive_shrunk(step, height, width) for step in motion]
    if not net.recall.memory.refined:
        return steps
    pictures = [naive_picture(frame, height, width) for frame in frames]
    refined = []
    for t, step in enumerate(steps):
        before = torch.zeros_like(pictures[t])
        if t > 0 and not begins[t]:
            before = pictures[t - 1] if call_of[t - 1] == call_of[t] else pictures[t - 1].detach()
        refined.append(naive_refined(net.recall.refinement, step, pictures[t], before))
    return refined


def naive_flows(steps: list[Tensor], begins: list[bool], reach: int, call_of: list[int]) -> list[list[Tensor]]:
    """For each frame the flows to the one 1, 2, ... reach frames before it."""
    flows: list[list[Tensor]] = []
    unknown = torch.full_like(steps[0], math.nan)
    for t, step in enumerate(steps):
        if begins[t] or t == 0:
            flows.append([unknown] * reach)
            continue
        own = [step]
        for before in flows[t - 1][: reach - 1]:
            before = before if call_of[t - 1] == call_of[t] else before.detach()
            known = before.isfinite().all(0)
            further = unknown.clone()
            for r in range(step.shape[1]):
                for c in range(step.shape[2]):
                    column, row = c + step[0, r, c], r + step[1, r, c]
                    share = bilinear(known.to(step.dtype)[None], column, row)
                    if share is not None and share >= 0.5:
                        onward = bilinear(torch.where(known, before, 0.0), column, row) / share
                        further[:, r, c] = step[:, r, c] + onward
            own.append(further)
        flows.append(own)
    return flows


def moved(item: Tensor, flow: Tensor) -> tuple[Tensor, Tensor]:
    """item [C,h,w] where its places are now, and where it is seen, bool [h,w]."""
    height, width = item.shape[1:]
    columns = []
    seen = torch.zeros(height, width, dtype=torch.bool)
    for r in range(height):
        for c in range(width):
            found = bilinear(item, c + flow[0, r, c], r + flow[1, r, c])
            seen[r, c] = found is not None
            columns.append(torch.zeros_like(item[:, 0, 0]) if found is None else found)
    return torch.stack(columns, dim=1).view_as(item), seen


def remembered(i: int, depth: int, stride: int, begins: list[bool]) -> list[tuple[int, int]]:
    """(lag number, frame) of all that frame i remembers: every stride-th frame back until a segment starts."""
    frames = []
    for lag in range(1, depth + 1):
        j = i - lag * stride
        if j < 0 or any(begins[j + 1 : i + 1]):
            break
        frames.append((lag, j))
    return frames


def oracle(net: FANet, frames: Tensor, begins: list[bool], motion: Tensor | None, calls: list[int]) -> Tensor:
    """Logits frame by frame; what earlier calls left carries no gradient."""
    memory, depth = net.recall.memory, net.tca_depth
    call_of = [number for number, size in enumerate(calls) for _ in range(size)]
    features = [net.backbone(frame[None]) for frame in frames]

    def mix(items: list[Tensor], i: int, place: int) -> Tensor:
        """Item of frame i, [D,*place], with its past."""
        if depth == 0:
            return items[i]
        past: Past = []
        for lag, j in remembered(i, depth, memory.stride, begins):
            item, seen = (items[j] if call_of[j] == call_of[i] else items[j].detach()), True
            if memory.warped:
                item, seen = moved(item, flows[i][lag * memory.stride - 1])
            past.append((lag, item, seen))
        return NAIVE_MIXES[memory.mix.__name__](items[i], past, net.recall.mixes[place])

    contexts = [[a.context(x)[0] for x in (maps[s] for maps in features)] for s, a in enumerate(net.attention)]
    history = [s for s in range(4) if memory.tap == "contexts" and SCALES[s] in memory.scales]
    fused = []
    for i, maps in enumerate(features):
        own = [mix(contexts[s], i, history.index(s)) if s in history else contexts[s][i] for s in range(4)]
        fused.append(net.decoder.fuse([a(x, f[None]) for a, x, f in zip(net.attention, maps, own, strict=True)]))
    finest = [maps[0][0] for maps in fused]
    if memory.warped:
        steps = naive_steps(net, frames, motion, begins, call_of)
        flows = naive_flows(steps, begins, depth * memory.stride, call_of)
    if memory.tap == "map":
        finest = [mix(finest, i, 0) for i in range(len(frames))]
    logits = [
        net.decoder.classify(at_8[None], net.decoder.smooth(maps[2]))[0]
        for at_8, maps in zip(finest, fused, strict=True)
    ]
    if memory.tap == "logits":
        logits = [mix(logits, i, 0) for i in range(len(frames))]
    return nn.functional.interpolate(torch.stack(logits), size=frames.shape[2:], mode="bilinear")
