"""Fast attention: softmax-free, so that keys and values meet first and the cost is linear in the number of pixels.

    context f = K V / n        [key, C]: one small matrix for the whole frame, whatever its size
    output  y = Q^T f          [n, C]

Source: Hu et al. 2021 (arXiv 2007.03815), section III-A and figure 3: query and key are L2-normalised over their
channels at each pixel, so that their product is a cosine; n = number of pixels of the map. The authors' released code
leaves the 1/n out; here it stands, so that the context keeps its scale when the input size changes.

The context is all that a past frame can contribute, and it comes first: that is what makes memory cheap (temporal.py).
"""

import torch.nn.functional as F
from torch import Tensor, nn

from fanet.backbone import conv_bn


class FastAttention(nn.Module):
    """Fast attention over one map of the backbone, with its residual connection.

    Args:
        channels: of the map.
        key_channels: of query and key; 32 in the paper.
    """

    def __init__(self, channels: int, key_channels: int) -> None:
        super().__init__()
        self.context_shape = (key_channels, channels)
        self.query = conv_bn(channels, key_channels, kernel=1, activation=False)
        self.key = conv_bn(channels, key_channels, kernel=1, activation=False)
        self.value = conv_bn(channels, channels, kernel=1)
        self.lateral = conv_bn(channels, channels, kernel=1)

    def context(self, feature: Tensor) -> Tensor:
        """Sum up a frame: feature [B,C,h,w] -> f = K V / n, [B,key,C]."""
        key = F.normalize(self.key(feature), dim=1).flatten(2)  # [B, key, n]
        value: Tensor = self.value(feature).flatten(2)  # [B, C, n]
        return key @ value.transpose(1, 2) / value.shape[2]

    def forward(self, feature: Tensor, context: Tensor) -> Tensor:
        """Ask every pixel's query what it wants of the context.

        Args:
            feature: [B,C,h,w], the backbone's map.
            context: [B,key,C], of this frame alone or with those of past frames added.

        Returns:
            [B,C,h,w]: the feature plus what attention found.
        """
        query = F.normalize(self.query(feature), dim=1).flatten(2)  # [B, key, n]
        attended = (context.transpose(1, 2) @ query).reshape(feature.shape)  # [B, C, h, w]
        result: Tensor = feature + self.lateral(attended)
        return result
