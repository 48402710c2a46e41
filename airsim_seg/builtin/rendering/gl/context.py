"""OpenGL without a window: a context through EGL, on a graphics card or, where there is none, in software."""

from typing import Any

from airsim_seg.errors import UsageError

GL_VERSION = 430  # storage buffers and indirect draws


def open_context() -> Any:
    """A moderngl.Context, current in this thread; environment variable GLCONTEXT_DEVICE_INDEX chooses among devices.

    Raises:
        UsageError: moderngl is not installed, or this machine has no EGL with OpenGL 4.3; the message has the remedy.
    """
    try:
        import moderngl
    except ImportError:
        raise UsageError(
            "--renderer gl needs the package moderngl: pip install 'airsim-seg[gl]', or leave --renderer away."
        ) from None
    try:
        return moderngl.create_context(standalone=True, backend="egl", require=GL_VERSION)
    except Exception as error:  # glcontext raises bare Exceptions
        raise UsageError(
            f"--renderer gl found no OpenGL 4.3 through EGL ({error}): install the graphics card's driver or Mesa "
            "(Debian, Ubuntu: libegl1, libgl1, libgl1-mesa-dri), or leave --renderer away."
        ) from error


def device_name(context: Any) -> str:
    """What draws, in the driver's own words: "NVIDIA ...", or "llvmpipe ..." for Mesa's software."""
    return str(context.info["GL_RENDERER"])


def is_software(device: str) -> bool:
    """Whether a device is a processor that stands in for a graphics card, as Mesa and SwiftShader name theirs."""
    return any(word in device.lower() for word in ("llvmpipe", "softpipe", "swiftshader", "software rasterizer"))
