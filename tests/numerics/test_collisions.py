"""Running into things: gaps against a naive loop, and what AirSim's formulas say of a bounce."""

import itertools
import math

import numpy as np
import pytest
from small_scenes import LEVEL, floor, scene_of, wall

from airsim_seg.builtin import gaps
from airsim_seg.builtin.environments.meshes import Mesh, box, joined, moved, placed
from airsim_seg.builtin.environments.scene_builder import SceneBuilder
from airsim_seg.builtin.obstacles import REACH_M
from airsim_seg.builtin.rays import IN_PLACE, tree_of
from airsim_seg.builtin.rendering.materials import Material
from airsim_seg.builtin.scene import Scene
from airsim_seg.builtin.settings import Settings, SimMode, VehicleSettings, default_settings
from airsim_seg.builtin.traffic import Way
from airsim_seg.builtin.vehicles.base import Kinematics
from airsim_seg.builtin.vehicles.car import Car, CarControls
from airsim_seg.builtin.vehicles.ground import RESTITUTION
from airsim_seg.builtin.vehicles.hulls import car_hull, drone_hull
from airsim_seg.builtin.vehicles.multirotor import Multirotor
from airsim_seg.builtin.vehicles.quadrotor import INERTIA_KGM2, rows_of
from airsim_seg.builtin.world import World
from airsim_seg.types import Pose

BLOCK = box((10, -5, 0), (11, 5, 6), Material.SIDING)
FAR_BELOW = (1e9, 0.0, 0.0)
NOSE_M = float((car_hull().balls[:, 0] + car_hull().balls[:, 3]).max())
ROTOR_M = float((drone_hull().balls[:, 0] + drone_hull().balls[:, 3]).max())


def to_segment(point, start, end):
    share = np.clip((point - start) @ (end - start) / ((end - start) @ (end - start)), 0, 1)
    return float(np.linalg.norm(start + share * (end - start) - point))


def to_triangle(point, corners):
    """The distance, from the plane where the foot is inside and from the sides where it is not."""
    a, b, c = corners
    normal = np.cross(b - a, c - a)
    normal /= np.linalg.norm(normal)
    foot = point - normal * ((point - a) @ normal)
    sides = [(a, b), (b, c), (c, a)]
    if all(np.cross(q - p, foot - p) @ normal >= 0 for p, q in sides):
        return abs(float((point - a) @ normal))
    return min(to_segment(point, p, q) for p, q in sides)


@pytest.mark.parametrize("seed", range(3))
def test_the_gap_is_that_of_a_loop_over_all_balls_and_triangles(seed):
    rng = np.random.default_rng(seed)
    corners = (rng.uniform(-8, 8, (80, 1, 3)) + rng.normal(0, 1.5, (80, 3, 3))).astype(np.float32)
    owners, skipped = np.arange(80, dtype=np.int32), rng.random(80) < 0.2
    tree = tree_of(corners, owners)
    overlaps = 0
    for _ in range(10):
        hull = np.column_stack([rng.normal(0, 0.8, (3, 3)), rng.uniform(0.3, 1.2, 3)])
        wxyz = rng.normal(size=4)
        rows = rows_of(tuple((wxyz / np.linalg.norm(wxyz)).tolist()))
        place = tuple(rng.uniform(-8, 8, 3).tolist())
        centres = hull[:, :3] @ np.array(rows).T + np.array(place)
        each = {
            (k, s): to_triangle(centres[s], corners[k].astype(np.float64)) - hull[s, 3]
            for k in np.flatnonzero(~skipped)
            for s in range(3)
        }
        (owner, ball), expected = min(each.items(), key=lambda item: item[1])
        gap, found, point, centre, _middle = gaps.nearest(
            *tree, owners, skipped, IN_PLACE, hull, place, rows, FAR_BELOW, REACH_M
        )
        assert gap == pytest.approx(min(expected, REACH_M), abs=1e-5)
        if expected < REACH_M:
            assert found == owner
            assert centre == pytest.approx(centres[ball], abs=1e-9)
            assert np.linalg.norm(np.subtract(point, centre)) - hull[ball, 3] == pytest.approx(gap, abs=1e-9)
        overlaps += expected < 0
    assert overlaps >= 1, "some of them touch"


def thrown() -> float:
    """What a wall adds to a drone's speed, in terms of what it had towards the wall.

    Two rotors hit it, a little below the centre: that lever takes its share of the impulse.
    """
    lever_m = drone_hull().balls[1, 2]
    return float((1 + RESTITUTION) / (1 + lever_m**2 / INERTIA_KGM2[1]))


def flying(scene: Scene, position_m, velocity_mps, mode: SimMode = "Multirotor") -> tuple[World, Multirotor]:
    world = World(scene, default_settings(mode))
    drone = world.vehicle("")
    assert isinstance(drone, Multirotor)
    drone.set_kinematics(Kinematics(Pose.from_euler(position_m), np.array(velocity_mps, np.float64)))
    return world, drone


def driving(scene: Scene, yaw_deg: float = 0.0, throttle: float = 1.0) -> tuple[World, Car]:
    world = World(scene, default_settings("Car"))
    car = world.vehicle("")
    assert isinstance(car, Car)
    car.place(Pose.from_euler(LEVEL, yaw_rad=math.radians(yaw_deg)))
    car.enable_api(True)
    car.set_controls(CarControls(throttle=throttle))
    return world, car


def test_a_drone_bounces_off_a_wall_as_fast_as_its_restitution_says():
    world, drone = flying(scene_of(floor(0.0), BLOCK), (9.0, 0.0, -3.0), (8.0, 0.0, 0.0))
    before_mps = 0.0
    for _ in range(300):
        if drone.has_collided:
            break
        before_mps = drone.body.velocity_mps[0]
        world.advance(3_000_000)
    north, _, down = drone.body.velocity_mps
    assert north == pytest.approx(before_mps * (1 - thrown()), rel=0.02)
    assert down > 0, "it goes on falling"
    touch = drone.collision
    assert world.touched(touch) == ("Thing_2", world.objects.get_id("Thing_2"))
    assert touch.normal == pytest.approx([-1, 0, 0], abs=1e-6)
    assert touch.point_m[0] == pytest.approx(10, abs=1e-6)
    assert 0 < touch.depth_m < 8 * 0.003
    assert touch.position_m[0] == pytest.approx(10 - ROTOR_M + touch.depth_m, abs=1e-6)
    assert touch.time_ns == world.now_ns
    assert drone.body.position_m[0] < 10 - ROTOR_M


def test_one_rotor_on_a_post_turns_the_drone_away_from_it():
    post = box((10, -0.2, 0), (10.1, -0.15, 6), Material.WOOD)  # 0.175 m to the right
    world, drone = flying(scene_of(floor(0.0), post), (9.5, 0.0, -3.0), (5.0, 0.0, 0.0))
    for _ in range(300):
        if drone.has_collided:
            break
        world.advance(3_000_000)
    assert drone.body.rate_radps[2] > 0.1, "clockwise seen from above: the right side is held back"


@pytest.mark.parametrize("speed_mps", [60.0, 300.0, 1500.0])
def test_no_speed_carries_a_drone_through_a_sheet(speed_mps):
    world, drone = flying(scene_of(floor(0.0), wall(10, (-5, 5), (0, 40))), (8.0, 0.0, -20.0), (speed_mps, 0.0, 0.0))
    for _ in range(100):
        world.advance(3_000_000)
        assert drone.body.position_m[0] < 10
    assert drone.has_collided


def test_a_drone_lands_on_a_roof_and_takes_off_from_it():
    world, drone = flying(scene_of(floor(0.0), BLOCK), (10.5, 0.0, -7.0), LEVEL)
    drone.pilot.enable_api(False)
    drone.pilot.arm(False)
    world.advance(3_000_000_000)
    assert drone.grounded
    assert drone.body.position_m[2] == pytest.approx(-6.15, abs=1e-6)
    assert world.touched(drone.collision)[0] == "Thing_2"


def test_a_car_stops_at_a_wall_and_stays_there_with_full_throttle():
    world, car = driving(scene_of(floor(0.0), BLOCK))
    world.advance(2_000_000_000)
    assert car.has_collided
    assert world.touched(car.collision)[0] == "Thing_2"
    north, east, _ = car.kinematics.pose.position_m
    assert north == pytest.approx(10 - NOSE_M, abs=0.01)
    assert abs(east) < 1e-6
    assert abs(car.speed_mps) < 0.1
    car.set_controls(CarControls(throttle=1.0, is_manual_gear=True, manual_gear=-1))
    world.advance(2_000_000_000)
    assert car.speed_mps < -1, "it backs away"


def test_a_car_that_scrapes_a_wall_is_turned_along_it():
    side = box((3, -2.4, 0), (40, -1.9, 3), Material.SIDING)  # 1.9 m to the right, along the way
    world, car = driving(scene_of(floor(0.0), side), yaw_deg=8)
    world.advance(4_000_000_000)
    north, east, _ = car.kinematics.pose.position_m
    assert car.has_collided
    assert north > 12, "it slides on"
    assert car.speed_mps > 2
    assert east < 1.9 - 0.9, "and stays on its side"
    yaw_rad = math.atan2(*reversed(car.kinematics.pose.rotation()[:2, 0]))
    assert abs(math.degrees(yaw_rad)) < 4


def leafy() -> Mesh:
    return Mesh(BLOCK.corners, BLOCK.normals, BLOCK.uv, np.full(len(BLOCK), Material.LEAVES, np.int32))


@pytest.mark.parametrize(
    "harmless",
    [leafy(), box((10, -5, 0), (11, 5, 0.15), Material.CONCRETE), box((10, -5, 2.5), (11, 5, 3), Material.WOOD)],
    ids=["leaves", "a kerb", "a beam overhead"],
)
def test_a_car_drives_on_through_under_and_over(harmless):
    world, car = driving(scene_of(floor(0.0), harmless))
    world.advance(4_000_000_000)
    assert car.kinematics.pose.position_m[0] > 12
    assert not car.has_collided


def rolling(speed_mps: float) -> Scene:
    """A box of 2 m that comes south along the axis, from 20 m away."""
    builder = SceneBuilder()
    builder.add("Ground", LEVEL, [placed(floor(0.0), LEVEL)])
    north_m = (60.0, 40.0, 20.0, 0.0, -20.0, -40.0)
    way = Way(np.array([*((north, 0.0, 0.0) for north in north_m), (-40.0, 60.0, 0.0), (60.0, 60.0, 0.0)]))
    builder.add_mover("Cart", moved(box((-1, -1, 0), (1, 1, 2), Material.PAINT), LEVEL), way, speed_mps, 40.0)
    start = Pose.from_euler(LEVEL)
    return builder.scene(
        environment="Tiny", seed=0, player_start=start, ground_down_m=lambda north, east: 0.0 * (north + east)
    )


def in_the_lane(mode: SimMode, up_m: float = 0.0) -> tuple[World, Car | Multirotor]:
    """A vehicle put in the cart's way, 20 m ahead of it; where vehicles start, nobody drives."""
    own = VehicleSettings(Pose.from_euler((0.0, -30.0, 0.0)))
    world = World(rolling(10.0), Settings(mode, {"Own": own}))
    vehicle = world.vehicle("")
    vehicle.set_kinematics(Kinematics(Pose.from_euler((0.0, 30.0, -up_m))))
    return world, vehicle


def test_what_drives_pushes_a_parked_car_and_says_who_it_was():
    world, car = in_the_lane("Car")
    for _ in range(700):
        world.advance(3_000_000)
        cart_m = world.pose_of(world.objects.find("Cart_1")).position_m[0]
        if car.has_collided:
            break
        assert cart_m - 1 > NOSE_M - 0.05
    assert world.touched(car.collision)[0] == "Cart_1"
    world.advance(600_000_000)
    cart_m = world.pose_of(world.objects.find("Cart_1")).position_m[0]
    assert car.kinematics.pose.position_m[0] + NOSE_M < cart_m - 1 + 0.2, "it was pushed ahead"


def test_what_drives_throws_a_hovering_drone_ahead_of_it():
    world, drone = in_the_lane("Multirotor", 1.0)
    for _ in range(1000):
        if drone.has_collided:
            break
        drone.body.velocity_mps = (drone.body.velocity_mps[0], 0.0, 0.0)
        drone.body.position_m = (drone.body.position_m[0], 30.0, -1.0)
        world.advance(3_000_000)
    # As a body at rest is thrown by a wall that comes at 10 m/s.
    assert drone.body.velocity_mps[0] == pytest.approx(-10 * thrown(), rel=0.02)
    assert world.touched(drone.collision)[0] == "Cart_1"


def test_things_that_clients_move_spawn_and_destroy_are_in_the_way_where_they_are():
    scene = scene_of(floor(0.0), BLOCK)

    def reached(change) -> float:
        world, car = driving(scene)
        change(world.objects)
        world.advance(3_000_000_000)
        return float(car.kinematics.pose.position_m[0])

    turned = Pose.from_euler((6.0, 0.0, 0.0))
    assert reached(lambda _: None) == pytest.approx(10 - NOSE_M, abs=0.01)
    free = reached(lambda objects: objects.destroy("Thing_2"))
    assert free > 12
    assert reached(lambda objects: objects.put(objects.find("Thing_2"), turned, np.ones(3))) == pytest.approx(
        16 - NOSE_M, abs=0.01
    )
    assert reached(
        lambda objects: objects.spawn("Other", "Thing", Pose.from_euler((0.0, 0.0, -40.0)), np.ones(3))
    ) == pytest.approx(10 - NOSE_M, abs=0.01)


def test_two_cars_meet_and_both_know_whom():
    vehicles = {
        name: VehicleSettings(Pose.from_euler((north, 0.0, 0.0), yaw_rad=yaw))
        for name, north, yaw in (("One", 0.0, 0.0), ("Two", 20.0, math.pi))
    }
    world = World(scene_of(floor(0.0)), Settings("Car", vehicles))
    for name in vehicles:
        world.vehicles[name].enable_api(True)
        world.vehicles[name].set_controls(CarControls(throttle=1.0))
    world.advance(4_000_000_000)
    one, two = (vehicle.world_pose().position_m[0] for vehicle in world.vehicles.values())
    assert two - one == pytest.approx(2 * NOSE_M, abs=0.02)
    assert [world.touched(vehicle.collision)[0] for vehicle in world.vehicles.values()] == ["Two", "One"]


@pytest.mark.parametrize("mode", ["Multirotor", "Car"])
@pytest.mark.parametrize(("collides", "passes_through"), [(False, False), (True, True)])
def test_settings_let_a_vehicle_through_and_tell_or_do_not(mode, collides, passes_through):
    own = VehicleSettings(collides=collides, passes_through=passes_through)
    world = World(scene_of(floor(0.0), BLOCK), Settings(mode, {"Own": own}))
    vehicle = world.vehicle("")
    vehicle.set_kinematics(Kinematics(Pose.from_euler((5.0, 0.0, -3.0)), np.array([15.0, 0.0, 0.0])))
    world.advance(600_000_000)
    assert vehicle.kinematics.pose.position_m[0] > 11.5
    assert (vehicle.collision is not None and vehicle.collision.object_index == 1) == passes_through


def test_the_camera_of_computer_vision_goes_through_walls():
    world = World(scene_of(floor(0.0), BLOCK), default_settings("ComputerVision"))
    camera = world.vehicle("")
    for north in range(20):
        camera.place(Pose.from_euler((float(north), 0.0, -1.0)))
        world.advance(40_000_000)
    assert not camera.has_collided
    assert camera.kinematics.pose.position_m[0] == 19


def test_a_corner_of_two_walls_holds_a_car():
    walls = joined([box((10, -5, 0), (11, 5, 3), Material.SIDING), box((-5, -3.5, 0), (11, -3, 3), Material.SIDING)])
    world, car = driving(scene_of(floor(0.0), walls), yaw_deg=30)
    for _ in itertools.repeat(None, 10):
        world.advance(500_000_000)
        centres = car.hull.placed(car.in_scene(), car.turned())
        assert (centres[:, 0] + centres[:, 3]).max() < 10.01
        assert (centres[:, 1] + centres[:, 3]).max() < 3.01
