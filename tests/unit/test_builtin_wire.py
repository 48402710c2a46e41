"""What the server writes must be what any MessagePack decoder reads."""

import math

import msgpack
import numpy as np
import pytest

from airsim_seg.builtin import wire


def joined(message):
    return b"".join(bytes(buffer) for buffer in message)


@pytest.mark.parametrize("count", [0, 1, 15, 16, 65_535, 65_536, 307_200])
def test_float_arrays_decode_to_the_same_float32(count):
    values = np.linspace(-1e6, 65504, count, dtype=np.float32)
    decoded = msgpack.unpackb(joined(wire.reply(1, None, [wire.float_array(values)])), max_array_len=10**6)
    assert np.array_equal(np.array(decoded[3][0], np.float32), values)


def test_float_arrays_keep_infinity_and_nan_and_take_any_layout():
    values = np.array([[1.5, np.inf], [-np.inf, np.nan]], np.float32)[:, ::-1]
    decoded = msgpack.unpackb(joined(wire.reply(1, None, wire.float_array(values))))[3]
    assert decoded[0] == math.inf
    assert decoded[1] == 1.5
    assert math.isnan(decoded[2])


@pytest.mark.parametrize("data", [b"", b"\x00\xff", np.arange(256, dtype=np.uint8).reshape(16, 16)])
def test_binary_decodes_to_the_same_bytes_as_bin(data):
    decoded = msgpack.unpackb(joined(wire.reply(1, None, {"a": wire.binary(data), "b": 2})))
    assert decoded == [1, 1, None, {"a": bytes(data), "b": 2}]


def test_encoded_parts_keep_their_place_among_ordinary_values():
    result = [1, {"x": [wire.binary(b"p"), "q", {"y": wire.float_array(np.ones(2, np.float32))}], "z": None}, 2.5]
    decoded = msgpack.unpackb(joined(wire.reply(9, None, result)))
    assert decoded == [1, 9, None, [1, {"x": [b"p", "q", {"y": [1.0, 1.0]}], "z": None}, 2.5]]


def test_an_error_carries_no_result():
    assert msgpack.unpackb(joined(wire.reply(3, "no", None))) == [1, 3, "no", None]


@pytest.mark.parametrize(
    "message", [None, 5, "x", [], [0], [0, 1, "a"], [0, 1, "a", {}], [0, "1", "a", []], [1, 1, "a", []], [2, 3, []]]
)
def test_what_is_no_call_is_refused(message):
    with pytest.raises(wire.ProtocolError):
        wire.read_call(message)


def test_requests_and_notifications_are_told_apart():
    assert wire.read_call([0, 5, "ping", [1]]) == wire.Call(5, "ping", [1])
    assert wire.read_call([2, "ping", []]) == wire.Call(None, "ping", [])
