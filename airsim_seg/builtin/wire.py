"""MessagePack-RPC on the wire: messages in with limits, replies out without copying pictures.

A request is [0, msgid, method, [args]], a reply [1, msgid, error, result], a notification [2, method, [args]]; they lie
back to back with no framing. Source: the MessagePack-RPC specification and rpclib 2.3 (lib/rpc/dispatcher.cc).
"""

from collections.abc import Iterator, Mapping, Sequence, Sized
from dataclasses import dataclass

import msgpack
import numpy as np
import numpy.typing as npt

REQUEST, REPLY, NOTIFICATION = 0, 1, 2
# What clients send is far smaller: a path of 65,536 points is 3 MB.
MAX_MESSAGE_BYTES = 16 * 2**20
# A 5-byte header can claim 2^32 elements, and the decoder makes room for them at once: claims are capped far lower.
MAX_ELEMENTS = 65_536
# One byte can be an empty array, which takes 64 in memory: all arrays and maps of a message and all that is in them
# are counted. The largest that has a meaning, 65,536 poses with names, has 920,000. None takes more than 80 bytes. The
# calls of one client that are under way hold that many together, or are one.
MAX_MESSAGE_ELEMENTS = 1_000_000

Buffer = bytes | memoryview


@dataclass(frozen=True, eq=False)
class Encoded:
    """A value that is MessagePack already: its buffers go out as they are."""

    buffers: tuple[Buffer, ...]


class ProtocolError(ValueError):
    """The peer sent a value that is no MessagePack-RPC message; only closing the connection helps."""


@dataclass(frozen=True)
class Call:
    """One request, or one notification where msgid is None."""

    msgid: int | None
    method: str
    args: Sequence[object]


class MessageUnpacker:
    """A decoder for one connection: str as text, bin as bytes, everything capped.

    Text that is not UTF-8 is kept (surrogate escapes); where an answer quotes it, it goes back as it came.

    Attributes:
        num_elements: all arrays and maps of the last message and what is in them, counted.
    """

    def __init__(self) -> None:
        """Begin with nothing received."""
        self.num_elements = self._counted_so_far = 0
        self._unpacker = msgpack.Unpacker(
            raw=False,
            unicode_errors="surrogateescape",
            max_buffer_size=MAX_MESSAGE_BYTES,
            max_array_len=MAX_ELEMENTS,
            max_map_len=MAX_ELEMENTS,
            list_hook=self._counted,
            object_hook=self._counted,
        )

    def feed(self, data: bytes) -> None:
        """Take what has arrived.

        Raises:
            msgpack.BufferFull: a message of more than MAX_MESSAGE_BYTES. Close the connection.
        """
        self._unpacker.feed(data)

    def __iter__(self) -> Iterator[object]:
        """Every message that is whole.

        Raises:
            ValueError: no MessagePack, or too much of it. Close the connection.
            msgpack.UnpackException: likewise.
        """
        for message in self._unpacker:
            self.num_elements, self._counted_so_far = self._counted_so_far, 0
            yield message

    def _counted(self, container: Sized) -> Sized:
        self._counted_so_far += 1 + len(container)
        if self._counted_so_far > MAX_MESSAGE_ELEMENTS:
            raise ProtocolError("the message has too many elements")
        return container


def read_call(message: object) -> Call:
    """Take a decoded message apart.

    Raises:
        ProtocolError: not a request and not a notification. Close the connection.
    """
    match message:
        case [int(kind), int(msgid), str(method), list(args)] if kind == REQUEST and 0 <= msgid < 2**32:
            return Call(msgid, method, args)
        case [int(kind), str(method), list(args)] if kind == NOTIFICATION:
            return Call(None, method, args)
    raise ProtocolError("not a MessagePack-RPC request")


def reply(msgid: int, error: str | None, result: object) -> list[Buffer]:
    """The buffers of one reply, in order.

    Floats go out as float64 (real AirSim: float32), so that a pose comes back with the bits it was set with.
    """
    packer = msgpack.Packer(autoreset=False, use_bin_type=True, unicode_errors="surrogateescape")
    out: list[Buffer] = []
    _pack([REPLY, msgid, error, result], packer, out)
    out.append(packer.bytes())
    return out


def _pack(value: object, packer: msgpack.Packer, out: list[Buffer]) -> None:
    if isinstance(value, Encoded):
        out.append(packer.bytes())
        packer.reset()
        out.extend(value.buffers)
    elif isinstance(value, list):
        packer.pack_array_header(len(value))
        for element in value:
            _pack(element, packer, out)
    elif isinstance(value, Mapping):
        packer.pack_map_header(len(value))
        for key, element in value.items():
            packer.pack(key)
            _pack(element, packer, out)
    else:
        packer.pack(value)


def binary(data: bytes | npt.NDArray[np.uint8]) -> Encoded:
    """A msgpack bin of bytes or of a C-contiguous uint8 array, which is not copied."""
    view = (memoryview(data) if isinstance(data, bytes) else data.data).cast("B")
    return Encoded((b"\xc6" + view.nbytes.to_bytes(4, "big"), view))


def float_array(values: npt.NDArray[np.float32]) -> Encoded:
    """A msgpack array of float32, row-major: 1 ms for 307,200 values where a packed list takes 40.

    Each element is the byte 0xca and the value, most significant byte first (MessagePack specification, float 32).
    """
    elements = np.empty(values.size, np.dtype([("tag", "u1"), ("value", ">f4")]))
    elements["tag"] = 0xCA
    elements["value"] = values.reshape(-1)
    return Encoded((b"\xdd" + values.size.to_bytes(4, "big"), elements.view(np.uint8).data))
