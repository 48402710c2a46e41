"""Poses joined by quaternions against poses joined by matrices; the Earth against a sphere's own numbers."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airsim_seg.builtin import geometry
from airsim_seg.types import Pose

FEW = settings(max_examples=30)  # formulas without branches: what holds for thirty holds for a hundred
angle = st.floats(-3.1, 3.1)
metre = st.floats(-1e4, 1e4)
poses = st.builds(
    lambda n, e, d, yaw, pitch, roll: Pose.from_euler((n, e, d), yaw_rad=yaw, pitch_rad=pitch, roll_rad=roll),
    metre, metre, metre, angle, st.floats(-1.5, 1.5), angle,
)  # fmt: skip


@FEW
@given(poses, poses)
def test_joining_poses_multiplies_their_matrices(parent, offset):
    joined = geometry.attached(parent, offset)
    assert np.allclose(joined.rotation(), parent.rotation() @ offset.rotation(), atol=1e-9)
    assert np.allclose(joined.position_m, parent.position_m + parent.rotation() @ offset.position_m, atol=1e-6)


@FEW
@given(poses)
def test_no_offset_changes_no_bit(pose):
    joined = geometry.attached(pose, Pose.from_euler((0.0, 0.0, 0.0)))
    assert np.array_equal(joined.position_m, pose.position_m)
    assert np.array_equal(joined.orientation_wxyz, pose.orientation_wxyz)


@FEW
@given(angle, st.floats(-1.5, 1.5), st.floats(-1.5, 1.5))
def test_yaw_is_read_back(yaw, pitch, roll):
    pose = Pose.from_euler((0, 0, 0), yaw_rad=yaw, pitch_rad=pitch, roll_rad=roll)
    assert geometry.wrapped_rad(geometry.yaw_of(pose) - yaw) == pytest.approx(0, abs=1e-6)


@FEW
@given(st.floats(-1000, 1000))
def test_wrapping_keeps_the_angle(angle_rad):
    wrapped = geometry.wrapped_rad(angle_rad)
    assert -math.pi <= wrapped <= math.pi
    assert math.cos(wrapped) == pytest.approx(math.cos(angle_rad), abs=1e-9)
    assert math.sin(wrapped) == pytest.approx(math.sin(angle_rad), abs=1e-9)


@FEW
@given(st.floats(-5e4, 5e4), st.floats(-5e4, 5e4), st.floats(-500, 500))
def test_the_geo_point_lies_as_far_from_home_as_the_position(north, east, down):
    """Haversine distance on the same sphere, computed another way."""
    point = geometry.geo_point(np.array([north, east, down]))
    lat0, lat1 = math.radians(geometry.HOME.latitude_deg), math.radians(point["latitude"])
    delta = math.radians(point["longitude"] - geometry.HOME.longitude_deg)
    h = math.sin((lat1 - lat0) / 2) ** 2 + math.cos(lat0) * math.cos(lat1) * math.sin(delta / 2) ** 2
    distance = 2 * geometry.EARTH_RADIUS_M * math.asin(math.sqrt(h))
    assert distance == pytest.approx(math.hypot(north, east), rel=1e-6, abs=1e-2)
    assert point["altitude"] == pytest.approx(122 - down)


@FEW
@given(st.floats(-5e4, 5e4), st.floats(-5e4, 5e4), st.floats(-500, 500))
def test_a_geo_point_leads_back_to_its_position(north, east, down):
    back = geometry.ned_position(geometry.geo_point(np.array([north, east, down])))
    assert np.allclose(back, (north, east, down), atol=1e-6)


def test_home_is_the_origin_and_the_poles_have_positions():
    home = {"latitude": geometry.HOME.latitude_deg, "longitude": geometry.HOME.longitude_deg, "altitude": 122.0}
    assert geometry.ned_position(home).tolist() == [0, 0, 0]
    quarter = geometry.EARTH_RADIUS_M * math.radians(90 - geometry.HOME.latitude_deg)
    pole = geometry.ned_position({"latitude": 90.0, "longitude": 17.0, "altitude": 0.0})
    assert pole == pytest.approx([quarter, 0, 122], abs=1e-6)
