"""The eleven classes are a contract of the file format."""

from airsim_seg.taxonomy import CLASS_NAMES, CLASSES, IGNORE, IGNORE_COLOUR, TRAIN_ID_OF

# As the study lists them, section 2.2.
STUDY = "road vehicle vegetation tree traffic_fixture sky fence stone house pool roof"


def test_names_and_order() -> None:
    assert tuple(word.replace("_", " ") for word in STUDY.split()) == CLASS_NAMES
    assert [c.train_id for c in CLASSES] == list(range(11))
    assert [TRAIN_ID_OF[name] for name in CLASS_NAMES] == list(range(11))
    assert IGNORE == 255


def test_colours_can_be_told_apart() -> None:
    colours = [c.colour for c in CLASSES] + [IGNORE_COLOUR]
    for k, a in enumerate(colours):
        assert all(0 <= v <= 255 for v in a)
        assert all(sum(abs(x - y) for x, y in zip(a, b, strict=True)) >= 40 for b in colours[:k]), a
