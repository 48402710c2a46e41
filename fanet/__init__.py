"""FANet, a real-time segmentation network whose attention can remember: pure torch, usable by itself.

    from fanet import FANet

    net = FANet(num_classes=11, tca_depth=4).eval()          # the paper's network, four past frames in memory
    state = None
    for frame in video:                                      # float32 [1,3,H,W], normalised RGB, any size
        logits, state = net(frame, state)                    # logits [1,11,H,W]; state: 123 kB for each past frame

    logits, _ = net(clip, None, segment_start)               # a batch of consecutive frames, in training or scoring;
                                                             # segment_start bool [B]: True where memory must be empty

Read it beside the paper (Hu et al., "Real-time Semantic Segmentation with Fast Attention", RA-L 2021,
arXiv 2007.03815):

    backbone.py      ResNet with the additional spatial reduction: four maps, 1/8 to 1/64
    attention.py     f = K V / n, y = Q^T f: attention in linear time
    decoder.py       coarse to fine, then the head
    network.py       all of it together
    variant.py       where the paper and the authors' released code part ways
    released.py      the authors' own weights, by name
    weights.py       ImageNet's weights, or those of a file; nothing is executed, nothing is guessed

and the memory:

    memory.py        what is remembered, of which frames: "sum" (TCA), "gate,tiles=4", "warped", ...
    temporal.py      looking back: one mechanism for clips, mixed batches and streams
    aggregations.py  how a frame is mixed with those before it: one small class each
    alignment.py     where things were: flows composed over frames, maps moved along them
    refinement.py    NetWarp's small network that corrects optical flow

In eval mode a batch of frames and the same frames one by one give the same logits. In training mode they cannot:
BatchNorm normalises with the statistics of the batch that it sees.
"""

from fanet.aggregations import Aggregation
from fanet.memory import Memory
from fanet.network import FANet
from fanet.released import load_released
from fanet.temporal import TemporalState
from fanet.weights import WeightsError, load_imagenet, load_weights

__all__ = [
    "Aggregation",
    "FANet",
    "Memory",
    "TemporalState",
    "WeightsError",
    "load_imagenet",
    "load_released",
    "load_weights",
]
