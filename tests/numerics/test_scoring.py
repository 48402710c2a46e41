"""Streaming scores with stub networks whose memory can be read off their answers."""

import numpy as np
import pytest
import torch
from torch import nn
from videos_in_memory import MemoryVideo, moving_squares

from airsim_seg.benchmark import metrics
from airsim_seg.benchmark.scoring import NetworkPredictor, SplitScore, score_video, score_videos
from airsim_seg.errors import CorruptFile
from fanet import FANet


class Perfect:
    """Answers with the truth, and notes what it was shown."""

    def __init__(self, truth):
        self.truth, self.seen, self.index = truth, [], -1

    def observe(self, rgb, segment_start, _motion=None):
        self.index += 1
        self.seen.append((rgb.shape, segment_start))

    def labels(self):
        return np.where(self.truth[self.index] == 255, 0, self.truth[self.index]).astype(np.uint8)


class Counter(nn.Module):
    """State = frames since the last cut; the class it answers with everywhere is that count."""

    def __init__(self, num_classes=8):
        super().__init__()
        self.num_classes = num_classes
        self.anchor = nn.Parameter(torch.zeros(()))

    def forward(self, frames, state=None, segment_start=None, _motion=None):
        assert frames.shape[0] == 1
        assert not self.training
        assert not torch.is_grad_enabled()
        count = 0 if state is None or bool(segment_start[0]) else state + 1
        logits = torch.zeros(1, self.num_classes, *frames.shape[2:])
        logits[:, count] = 1
        return logits, count


def half_size(rgb):
    return torch.from_numpy(rgb[::2, ::2].copy()).permute(2, 0, 1)[None].float()


def test_a_perfect_predictor_scores_one_and_sees_every_frame():
    rgb, labels = moving_squares(0)
    predictor = Perfect(labels)
    score = score_video(MemoryVideo(rgb, labels), predictor, name="v", num_classes=4, score_every=5)
    assert len(predictor.seen) == 12
    assert metrics.mean_iou(score.confusion) == 1
    assert len(score.image_accuracies) == 3  # frames 0, 5, 10
    assert score.confusion.sum() == (labels[::5] != 255).sum()


def test_confusion_equals_all_frames_at_once_at_full_size():
    rgb, labels = moving_squares(1)
    net = Counter(num_classes=12)
    score = score_video(MemoryVideo(rgb, labels), NetworkPredictor(net, half_size), name="v", num_classes=12)
    predicted = np.broadcast_to(np.arange(12, dtype=np.uint8)[:, None, None], labels.shape)
    np.testing.assert_array_equal(score.confusion, metrics.confusion_matrix(labels, predicted.copy(), 12))


def test_memory_goes_on_and_is_emptied_at_cuts_and_between_videos():
    rgb, labels = moving_squares(2, frames=7)
    start = [True, False, False, True, False, False, False]
    predictor = NetworkPredictor(Counter(), half_size)
    videos = iter([("a", MemoryVideo(rgb, labels, start)), ("b", MemoryVideo(rgb, labels, start))])
    split = score_videos(videos, predictor, num_classes=8, keep={"a": range(7), "b": range(7)})
    for video in split.videos:
        assert [int(video.kept[i][0, 0]) for i in range(7)] == [0, 1, 2, 0, 1, 2, 3]


@pytest.mark.parametrize("depth", [0, 1, 3])
def test_leaving_out_frames_that_no_answer_depends_on_changes_nothing(depth):
    """The real network, with cuts in odd places, against streaming every frame."""
    rgb, labels = moving_squares(5, frames=23, size_hw=(32, 40), num_classes=3)
    start = np.isin(np.arange(23), [0, 9, 14, 15])
    torch.manual_seed(0)
    net = FANet(num_classes=3, width=0.125, tca_depth=depth).double()
    seen = []

    class Watched(NetworkPredictor):
        def observe(self, rgb, segment_start, _motion=None):
            seen.append(1)
            super().observe(rgb, segment_start)

    def prepare(rgb):
        return torch.from_numpy(rgb).permute(2, 0, 1)[None].double() / 64 - 2

    def score(memory):
        seen.clear()
        predictor = Watched(net, prepare)
        video = MemoryVideo(rgb, labels, start)
        score = score_video(video, predictor, name="v", num_classes=3, memory=memory, score_every=7, keep=(11,))
        return score, len(seen)

    (every, num_every), (needed, num_needed) = score(None), score(depth)
    np.testing.assert_array_equal(every.confusion, needed.confusion)
    np.testing.assert_array_equal(every.kept[11], needed.kept[11])
    assert num_every == 23
    assert num_needed == len({i for j in (0, 7, 11, 14, 21) for i in range(max(0, j - depth), j + 1)})


def test_logits_not_labels_are_upsampled():
    """Bilinear logits of a ramp put the border where the ramp crosses, not on the coarse grid."""

    class Ramp(nn.Module):
        def __init__(self):
            super().__init__()
            self.anchor = nn.Parameter(torch.zeros(()))

        def forward(self, frames, state=None, _segment_start=None, _motion=None):
            x = torch.linspace(-1, 1, frames.shape[3]).expand(1, 1, *frames.shape[2:])
            return torch.cat([x * 0, x + 0.1], 1), state

    predictor = NetworkPredictor(Ramp(), half_size)
    predictor.observe(np.zeros((24, 32, 3), np.uint8), True)
    labels = predictor.labels()
    assert labels.shape == (24, 32)
    column = (np.arange(32) + 0.5) / 2 - 0.5  # where each fine pixel's centre lies on the coarse grid
    expected = np.interp(column, np.arange(16), np.linspace(-1, 1, 16) + 0.1) > 0
    np.testing.assert_array_equal(labels[5].astype(bool), expected)


def test_labels_outside_the_classes_name_video_and_frame():
    rgb, labels = moving_squares(3)
    labels[4, 9, 9] = 77
    with pytest.raises(CorruptFile, match=r"car-s0-01, frame 4: .*label 77"):
        score_video(MemoryVideo(rgb, labels), Perfect(labels * 0), name="car-s0-01", num_classes=4)


def test_scores_survive_the_disk(tmp_path):
    videos = [(f"v{i}", MemoryVideo(*moving_squares(i, frames=4 + i))) for i in range(3)]
    truth = np.concatenate([video._labels for _, video in videos])
    split = score_videos(iter(videos), Perfect(truth), num_classes=4, score_every=2, keep={"v1": (1, 3)})
    split.save(tmp_path / "test.npz")
    again = SplitScore.load(tmp_path / "test.npz")
    assert again.names == ("v0", "v1", "v2")
    assert again.score_every == 2
    np.testing.assert_array_equal(again.confusions, split.confusions)
    np.testing.assert_array_equal(again.image_accuracies, split.image_accuracies)
    assert [len(v.image_accuracies) for v in again.videos] == [2, 3, 3]
    np.testing.assert_array_equal(again.videos[1].kept[3], split.videos[1].kept[3])
    assert [p.name for p in tmp_path.iterdir()] == ["test.npz"]


@pytest.mark.parametrize("content", [b"", b"not a zip", b"PK\x03\x04 broken"])
def test_damaged_scores_are_a_sentence(tmp_path, content):
    path = tmp_path / "cell" / "predictions" / "test.npz"
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    with pytest.raises(CorruptFile, match=r"test\.npz"):
        SplitScore.load(path)
