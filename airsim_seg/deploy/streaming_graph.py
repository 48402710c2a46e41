"""A streaming network as a graph of flat tensors: what exporters and runtimes understand.

    graph = StreamingGraph(net, (480, 640))
    logits, *state = graph(frame, *graph.empty_state())
    logits, *state = graph(next_frame, *state)

Nothing is computed here that the network does not compute: the numbers are its own, to the bit.
"""

import torch
from torch import Tensor, nn

from airsim_seg.deploy.signature import Signature, StateTensor
from fanet.memory import Tap
from fanet.temporal import Recall, TemporalState

_ITEM: dict[Tap, str] = {"contexts": "context", "map": "map", "logits": "logits"}


class StreamingGraph(nn.Module):
    """A network with memory, for one frame of one size at a time.

    Args:
        net: FANet, or another that is called as it is and has a `recall`; put into eval mode.
        input_hw: (height, width) of the frames, in pixels: the shapes of a graph are fixed.
        full_size: enlarge the logits to the frames' size; otherwise they stay at the finest map's, 1/8 for FANet.
    """

    def __init__(self, net: nn.Module, input_hw: tuple[int, int], *, full_size: bool = True) -> None:
        super().__init__()
        self.net = net.eval()
        self.full_size = full_size
        recall = net.recall
        assert isinstance(recall, Recall)
        self.warped = recall.memory.warped and recall.depth > 0
        self.refined = self.warped and recall.memory.refined
        self.signature = self._find_signature(recall, input_hw)

    def forward(self, frame: Tensor, *others: Tensor) -> tuple[Tensor, ...]:
        """Segment one frame.

        Args:
            frame: float32 [1,3,H,W], normalised as in training.
            others: motion float32 [1,2,H,W] if the signature has it, then the state, in the signature's order.

        Returns:
            logits [1,num_classes,H,W], then the state for the next frame, in the same order.
        """
        motion, state = (others[0], others[1:]) if self.warped else (None, others)
        logits, new = self.net(frame, self._pack(state), None, motion, full_size=self.full_size)
        return logits, *self._unpack(new)

    def empty_state(self) -> tuple[Tensor, ...]:
        """The state before the first frame."""
        return tuple(torch.from_numpy(tensor.empty_array()) for tensor in self.signature.state)

    def example_inputs(self) -> tuple[Tensor, ...]:
        """Inputs of the right shapes, for exporters that trace: a grey frame that has not moved, an empty memory."""
        height, width = self.signature.input_hw
        motion = (torch.zeros(1, 2, height, width),) if self.warped else ()
        return torch.zeros(1, 3, height, width), *motion, *self.empty_state()

    def _pack(self, state: tuple[Tensor, ...]) -> TemporalState | None:
        if not state:
            return None
        named = dict(zip((tensor.name for tensor in self.signature.state), state, strict=True))
        flows = named.pop("flows", state[0].new_zeros(0, 2, 0, 0))
        picture = named.pop("picture", state[0].new_zeros(0, 3, 0, 0))
        num_valid = named.pop("num_valid")
        return TemporalState(tuple(named.values()), num_valid, flows, picture)

    def _unpack(self, state: TemporalState) -> tuple[Tensor, ...]:
        if len(state.remembered[0]) == 0:
            return ()
        moved = [state.flows] if self.warped else []
        return *state.remembered, state.num_valid, *moved, *([state.picture] if self.refined else [])

    @torch.no_grad()
    def _find_signature(self, recall: Recall, input_hw: tuple[int, int]) -> Signature:
        """Ask the network itself: one frame through it shows all shapes."""
        height, width = input_hw
        frame, motion = torch.zeros(1, 3, height, width), torch.zeros(1, 2, height, width)
        logits, state = self.net(frame, None, None, motion, full_size=self.full_size)
        tensors = [
            StateTensor(name, tuple(kept.shape), "float32")
            for name, kept in zip(_item_names(recall, len(state.remembered)), state.remembered, strict=True)
        ]
        tensors.append(StateTensor("num_valid", (), "int64"))
        if self.warped:
            tensors.append(StateTensor("flows", tuple(state.flows.shape), "float32", empty=float("nan")))
        if self.refined:
            tensors.append(StateTensor("picture", tuple(state.picture.shape), "float32"))
        return Signature(input_hw, tuple(logits.shape), tuple(tensors) if recall.depth else (), self.warped)


def _item_names(recall: Recall, count: int) -> list[str]:
    """Name what a frame leaves: by scale where there are several maps, else by what it is."""
    memory = recall.memory
    if memory.tap == "contexts" and count == len(memory.scales):
        return [f"remembered_{scale}" for scale in memory.scales]
    return [f"remembered_{_ITEM[memory.tap]}"]
