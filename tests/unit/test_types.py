"""Poses against the official client's quaternions, and against products of elementary rotations."""

import numpy as np
import pytest

from airsim_seg.types import Pose, camera_matrix

ANGLES = [(0, 0, 0), (0.3, 0, 0), (0, 0.4, 0), (0, 0, 0.5), (1.2, -0.7, 0.4), (-3.0, 1.5, 3.1), (np.pi, 0, 0)]


@pytest.mark.parametrize(("yaw", "pitch", "roll"), ANGLES)
def test_quaternions_are_the_official_clients(yaw: float, pitch: float, roll: float) -> None:
    airsim = pytest.importorskip("airsim", reason="the airsim client is not installed")
    q = airsim.to_quaternion(pitch, roll, yaw)
    pose = Pose.from_euler([1, 2, 3], yaw_rad=yaw, pitch_rad=pitch, roll_rad=roll)
    assert np.allclose(pose.orientation_wxyz, [q.w_val, q.x_val, q.y_val, q.z_val], atol=1e-12)
    assert pose.position_m.tolist() == [1, 2, 3]


@pytest.mark.parametrize(("yaw", "pitch", "roll"), ANGLES)
def test_rotation_is_yaw_then_pitch_then_roll(yaw: float, pitch: float, roll: float) -> None:
    c, s = np.cos, np.sin
    about_down = np.array([[c(yaw), -s(yaw), 0], [s(yaw), c(yaw), 0], [0, 0, 1]])
    about_right = np.array([[c(pitch), 0, s(pitch)], [0, 1, 0], [-s(pitch), 0, c(pitch)]])
    about_forward = np.array([[1, 0, 0], [0, c(roll), -s(roll)], [0, s(roll), c(roll)]])
    pose = Pose.from_euler([0, 0, 0], yaw_rad=yaw, pitch_rad=pitch, roll_rad=roll)
    assert np.allclose(pose.rotation(), about_down @ about_right @ about_forward, atol=1e-12)


def test_signs_of_the_axes() -> None:
    east = Pose.from_euler([0, 0, 0], yaw_rad=np.pi / 2).rotation()
    assert np.allclose(east[:, 0], [0, 1, 0]), "yaw +90 degrees looks east"
    up = Pose.from_euler([0, 0, 0], pitch_rad=0.1).rotation()
    assert up[2, 0] < 0, "positive pitch raises the nose (down is positive)"
    right = Pose.from_euler([0, 0, 0], roll_rad=0.1).rotation()
    assert right[2, 1] > 0, "positive roll lowers the right wing"


def test_rotation_takes_quaternions_of_any_length() -> None:
    pose = Pose(np.zeros(3), 3 * Pose.from_euler([0, 0, 0], yaw_rad=1).orientation_wxyz)
    assert np.allclose(pose.rotation() @ pose.rotation().T, np.eye(3), atol=1e-12)


def test_camera_matrix_puts_the_edge_of_view_on_the_edge_of_the_picture() -> None:
    matrix = camera_matrix((480, 640), 90)
    for angle, column in ((-45, 0), (0, 320), (45, 640)):
        ray = np.array([np.tan(np.radians(angle)), 0, 1])
        assert np.allclose((matrix @ ray)[:2], [column, 240])
    assert matrix[0, 0] == matrix[1, 1], "square pixels"
