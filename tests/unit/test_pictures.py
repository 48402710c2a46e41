"""Image responses of every AirSim version, and broken ones."""

from types import SimpleNamespace

import numpy as np
import pytest

from airsim_seg.errors import SimulatorError, SimulatorLost, UnknownColours
from airsim_seg.palette import Variant, palette
from airsim_seg.simulators.pictures import PictureDecoder, quaternion_wxyz
from airsim_seg.types import Pose

IDS = (np.arange(40 * 60).reshape(40, 60) % 256).astype(np.uint8)
SCENE = np.random.default_rng(0).integers(0, 256, (40, 60, 3)).astype(np.uint8)


def response(picture: np.ndarray, **changes: object) -> SimpleNamespace:
    """As the client gives it: B,G,R unless the picture was turned round before."""
    floats = picture.dtype == np.float32
    fields = {
        "width": picture.shape[1],
        "height": picture.shape[0],
        "image_data_uint8": b"" if floats else np.ascontiguousarray(picture[..., ::-1]).tobytes(),
        "image_data_float": picture.reshape(-1).tolist() if floats else [],
        "camera_position": SimpleNamespace(x_val=1.0, y_val=2.0, z_val=3.0),
        "camera_orientation": SimpleNamespace(w_val=2.0, x_val=0.0, y_val=0.0, z_val=0.0),
        "time_stamp": 77,
        "message": "",
    }
    return SimpleNamespace(**fields | changes)


def pair(variant: Variant = "plain", turned: bool = False) -> list[SimpleNamespace]:
    scene, mask = SCENE, palette(variant)[IDS]
    return [response(scene[..., ::-1] if turned else scene), response(mask[..., ::-1] if turned else mask)]


@pytest.mark.parametrize("turned", [False, True], ids=["bgr", "rgb"])
@pytest.mark.parametrize("variant", ["plain", "srgb"])
def test_palette_and_byte_order_are_found(variant: Variant, turned: bool) -> None:
    capture = PictureDecoder("test").decode(pair(variant, turned), 5)
    assert np.array_equal(capture.raw_ids, IDS)
    assert np.array_equal(capture.rgb, SCENE)
    assert capture.variant == variant
    assert (capture.sim_time_ns, capture.wall_time_ns) == (77, 5)
    assert np.array_equal(capture.pose.orientation_wxyz, [1, 0, 0, 0])


def test_black_first_picture_decides_nothing() -> None:
    """The first picture of real AirSimNH is black; the encoded palette shows with the second."""
    decoder = PictureDecoder("test")
    black = np.zeros((40, 60, 3), np.uint8)
    assert (decoder.decode([response(black), response(black)], 0).raw_ids == 0).all()
    assert np.array_equal(decoder.decode(pair("srgb", turned=True), 0).raw_ids, IDS)


def test_what_was_found_is_kept() -> None:
    """Colours of the other palette are unknown once one is known."""
    decoder = PictureDecoder("test")
    decoder.decode(pair("plain"), 0)
    with pytest.raises(UnknownColours):
        decoder.decode(pair("srgb"), 0)


@pytest.mark.parametrize(("num_bad", "refused"), [(0, False), (1, True)])
def test_more_than_one_pixel_in_ten_thousand_is_refused(num_bad: int, refused: bool) -> None:
    mask = palette()[np.full((100, 100), 171, np.uint8)]
    mask.reshape(-1, 3)[: 1 + num_bad] = (1, 2, 3)
    pictures = [response(np.zeros_like(mask)), response(mask)]
    if refused:
        with pytest.raises(UnknownColours, match=r"\(1, 2, 3\)"):
            PictureDecoder("test").decode(pictures, 0)
    else:
        assert PictureDecoder("test").decode(pictures, 0).num_unknown == 1


def test_depth() -> None:
    depth = np.linspace(0, 65504, IDS.size, dtype=np.float32).reshape(IDS.shape)
    capture = PictureDecoder("test").decode([*pair(), response(depth)], 0)
    assert capture.depth_m is not None
    assert np.array_equal(capture.depth_m, depth)


@pytest.mark.parametrize(
    ("spoil", "error", "told"),
    [
        ({"image_data_uint8": b"\0" * 7199}, SimulatorLost, "sent 7199 bytes for a Segmentation picture of 60x40"),
        ({"width": 0, "height": 0, "message": "Can't take screenshot"}, SimulatorLost, "Can't take screenshot"),
        ({"width": 30}, SimulatorError, r"Scene 60x40, Segmentation 30x40.*CaptureSettings"),
    ],
)
def test_broken_pictures_are_named(spoil: dict[str, object], error: type[Exception], told: str) -> None:
    scene, mask = pair()
    with pytest.raises(error, match=told):
        PictureDecoder("test").decode([scene, SimpleNamespace(**vars(mask) | spoil)], 0)


def test_missing_picture_and_wild_pose() -> None:
    with pytest.raises(SimulatorLost, match="1 pictures came back"):
        PictureDecoder("test").decode(pair()[:1], 0)
    scene, mask = pair()
    scene.camera_position.x_val = float("nan")
    with pytest.raises(SimulatorLost, match="not finite"):
        PictureDecoder("test").decode([scene, mask], 0)


def test_quaternions_of_rotations() -> None:
    rng = np.random.default_rng(1)
    for yaw, pitch, roll in [*rng.uniform(-3.1, 3.1, (50, 3)), (np.pi, 0, 0), (0, np.pi, 0), (0, 0, np.pi)]:
        pose = Pose.from_euler((0, 0, 0), yaw_rad=yaw, pitch_rad=pitch, roll_rad=roll)
        found = quaternion_wxyz(pose.rotation())
        assert abs(found @ pose.orientation_wxyz) == pytest.approx(1, abs=1e-12)
        assert found[0] >= 0
