"""Fast attention: softmax-free, so that keys and values meet first and the cost is linear in the number of pixels.

    context f = K V / n        [key, C]: one small matrix for the whole frame, whatever its size
    output  y = Q^T f          [n, C]

Source: Hu et al. 2021 (arXiv 2007.03815), section III-A and figure 3: query and key are L2-normalised over their
channels at each pixel, so that their product is a cosine; n = number of pixels of the map. The authors' released code
leaves the 1/n out (variant.py); with it the context keeps its scale when the input size changes.

The context is all that a past frame can contribute, and it comes first: that is what makes memory cheap (temporal.py).
A context knows what was seen, not where. With tiles > 1 the map is cut into tiles x tiles parts, each with a context of
its own that only its own pixels ask: memory that knows roughly where.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from fanet.backbone import conv_bn
from fanet.variant import PAPER, Variant


class FastAttention(nn.Module):
    """Fast attention over one map of the backbone, with its residual connection.

    Args:
        channels: of the map.
        key_channels: of query and key; 32 in the paper.
        tiles: parts a side, each with its own context; a map of fewer pixels a side has as many parts as pixels.
        variant: whether contexts are divided by the number of pixels.
    """

    def __init__(self, channels: int, key_channels: int, *, tiles: int = 1, variant: Variant = PAPER) -> None:
        super().__init__()
        self.key_channels = key_channels
        self.tiles = tiles
        self.divide_by_pixels = variant.divide_by_pixels
        self.query = conv_bn(channels, key_channels, kernel=1, activation=False)
        self.key = conv_bn(channels, key_channels, kernel=1, activation=False)
        self.value = conv_bn(channels, channels, kernel=1)
        self.lateral = conv_bn(channels, channels, kernel=1)

    def context(self, feature: Tensor) -> Tensor:
        """Sum up a frame: feature [B,C,h,w] -> f = K V / n, [B,key*C,tiles*tiles]."""
        keys, values = F.normalize(self.key(feature), dim=1), self.value(feature)
        if self.tiles == 1:
            return self._sum_up(keys, values)[:, :, None]
        parts = zip(self._cut(keys), self._cut(values), strict=True)
        return torch.stack([self._sum_up(key, value) for key, value in parts], dim=2)

    def forward(self, feature: Tensor, context: Tensor) -> Tensor:
        """Ask every pixel's query what it wants of the context.

        Args:
            feature: [B,C,h,w], the backbone's map.
            context: [B,key*C,tiles*tiles], of this frame alone or mixed with those of past frames.

        Returns:
            [B,C,h,w]: the feature plus what attention found.
        """
        query = F.normalize(self.query(feature), dim=1)
        result: Tensor = feature + self.lateral(self._ask(query, context, feature.shape[1]))
        return result

    def _sum_up(self, key: Tensor, value: Tensor) -> Tensor:
        """[B,key,h,w] and [B,C,h,w] -> [B,key*C]."""
        context = key.flatten(2) @ value.flatten(2).transpose(1, 2)
        if self.divide_by_pixels:
            context = context / (value.shape[2] * value.shape[3])
        return context.flatten(1)

    def _ask(self, query: Tensor, context: Tensor, channels: int) -> Tensor:
        """[B,key,h,w] and [B,key*C,T] -> [B,C,h,w]."""
        if self.tiles == 1:
            return _answer(query, context[:, :, 0], channels)
        rows = []
        for row, band in enumerate(torch.tensor_split(query, min(self.tiles, query.shape[2]), dim=2)):
            parts = torch.tensor_split(band, min(self.tiles, query.shape[3]), dim=3)
            first = row * len(parts)
            answers = [_answer(part, context[:, :, first + k], channels) for k, part in enumerate(parts)]
            rows.append(torch.cat(answers, dim=3))
        return torch.cat(rows, dim=2)

    def _cut(self, x: Tensor) -> list[Tensor]:
        """[B,C,h,w] -> its tiles, row by row."""
        bands = torch.tensor_split(x, min(self.tiles, x.shape[2]), dim=2)
        return [tile for band in bands for tile in torch.tensor_split(band, min(self.tiles, x.shape[3]), dim=3)]


def _answer(query: Tensor, context: Tensor, channels: int) -> Tensor:
    """Q^T f: [B,key,h,w] and [B,key*C] -> [B,C,h,w]."""
    matrix = context.view(len(context), -1, channels).transpose(1, 2)  # [B, C, key]
    return (matrix @ query.flatten(2)).view(len(query), channels, *query.shape[2:])
