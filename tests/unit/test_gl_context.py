"""What a user without OpenGL is told, whatever this machine has."""

import sys
from types import SimpleNamespace

import pytest

from airsim_seg.builtin.rendering.gl.context import is_software, open_context
from airsim_seg.errors import UsageError


def test_without_the_package_the_sentence_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "moderngl", None)  # importing None raises ImportError
    with pytest.raises(UsageError, match=r"moderngl: pip install 'airsim-seg\[gl\]'"):
        open_context()


def test_without_egl_the_sentence_tells_why_and_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(**_: object) -> None:
        raise Exception("libEGL.so not loaded")

    monkeypatch.setitem(sys.modules, "moderngl", SimpleNamespace(create_context=refuse))
    with pytest.raises(UsageError, match=r"libEGL.so not loaded.*libegl1.*leave --renderer away\."):
        open_context()


@pytest.mark.parametrize(
    ("device", "software"),
    [
        ("llvmpipe (LLVM 15.0.6, 256 bits)", True),
        ("softpipe", True),
        ("ANGLE (Google, Vulkan 1.3.0 (SwiftShader Device (Subzero)))", True),
        ("NVIDIA GeForce RTX 4090/PCIe/SSE2", False),
        ("AMD Radeon RX 7900 XTX (radeonsi, navi31, LLVM 17.0.6, DRM 3.57)", False),
        ("Mesa Intel(R) UHD Graphics 770 (ADL-S GT1)", False),
    ],
)
def test_software_is_never_mistaken_for_a_graphics_card(device: str, software: bool) -> None:
    assert is_software(device) == software
