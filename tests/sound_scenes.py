"""What the renderer expects of every environment's arrays."""

import numpy as np

from airsim_seg.builtin.rendering.materials import Material, material_table
from airsim_seg.builtin.scene import Scene


def check_arrays(scene: Scene) -> None:
    """Shapes, types, ranges; every object has a triangle."""
    count, kinds = len(scene.triangles_m), len(scene.objects)
    expected = {
        "triangles_m": ((count, 3, 3), np.float32),
        "normals": ((count, 3, 3), np.float32),
        "uv": ((count, 3, 2), np.float32),
        "materials": ((count,), np.int32),
        "object_index": ((count,), np.int32),
        "tints": ((kinds, 3), np.float32),
    }
    for name, (shape, dtype) in expected.items():
        array = getattr(scene, name)
        assert array.shape == shape, name
        assert array.dtype == dtype, name
        assert np.isfinite(array).all(), name
    assert scene.materials.min() >= 0
    assert scene.materials.max() < len(Material)
    np.testing.assert_array_equal(np.unique(scene.object_index), np.arange(kinds))
    np.testing.assert_allclose(np.linalg.norm(scene.normals, axis=-1), 1, atol=1e-3)


def check_chunks(scene: Scene) -> None:
    """They cover every triangle once, and none holds two objects."""
    assert scene.chunks[0, 0] == 0
    assert scene.chunks[-1, 1] == len(scene.triangles_m)
    np.testing.assert_array_equal(scene.chunks[1:, 0], scene.chunks[:-1, 1])
    assert (scene.chunks[:, 1] > scene.chunks[:, 0]).all()
    first = np.repeat(scene.object_index[scene.chunks[:, 0]], np.diff(scene.chunks, axis=1)[:, 0])
    np.testing.assert_array_equal(scene.object_index, first)


def check_triangles(scene: Scene) -> None:
    """Nearly all have an area, and see-through ones stay within their mask: the fill truncates, it does not floor."""
    edges = scene.triangles_m[:, 1:].astype(np.float64) - scene.triangles_m[:, :1]
    area = np.linalg.norm(np.cross(edges[:, 0], edges[:, 1]), axis=1) / 2
    assert (area < 1e-7).mean() < 0.001
    see_through = material_table().cutout[scene.materials] >= 0
    assert see_through.any()
    assert scene.uv[see_through].min() >= 0
