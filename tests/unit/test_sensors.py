"""The sensors' models against closed forms, and their clockwork: what is sampled when, and what noise depends on."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest
from small_scenes import scene_of, wall

from airsim_seg.builtin.environments.meshes import box
from airsim_seg.builtin.geometry import HOME, geo_point
from airsim_seg.builtin.rays import Rays
from airsim_seg.builtin.rendering.materials import Material
from airsim_seg.builtin.scene import STILL, Moment
from airsim_seg.builtin.sensor_settings import SensorReader, default_sensors
from airsim_seg.builtin.sensors import barometer, noise
from airsim_seg.builtin.sensors.barometer import Barometer
from airsim_seg.builtin.sensors.base import Carrier, Sample, Schedule
from airsim_seg.builtin.sensors.distance import Distance
from airsim_seg.builtin.sensors.gps import Gps
from airsim_seg.builtin.sensors.imu import PERIOD_NS, Imu
from airsim_seg.builtin.sensors.lidar import Lidar, beams
from airsim_seg.builtin.sensors.magnetometer import Magnetometer, dipole_field_gauss
from airsim_seg.builtin.sensors.parameters import (
    BarometerSettings,
    DistanceSettings,
    GpsSettings,
    ImuSettings,
    LidarSettings,
    MagnetometerSettings,
)
from airsim_seg.builtin.sensors.suite import SensorSuite
from airsim_seg.builtin.settings import Settings, VehicleSettings, load_settings
from airsim_seg.builtin.settings_table import Book, Table
from airsim_seg.builtin.traffic import Mover, Traffic, Way
from airsim_seg.builtin.vehicles.base import Kinematics, Vehicle
from airsim_seg.builtin.world import World
from airsim_seg.errors import CorruptFile
from airsim_seg.types import Pose

MS = 1_000_000
CARRIER = Carrier(np.zeros(3), np.zeros(3), "7/Drone")
LEVEL = Pose.from_euler((0.0, 0.0, 0.0))


def at(pose=LEVEL, number=1, **state):
    return Sample(number, 10**9, 10**9, Kinematics(pose, **state))


class Puppet(Vehicle):
    """Is where the test says."""

    def __init__(self):
        super().__init__("Puppet", np.zeros(3), LEVEL, {}, lambda north_m, east_m: 0.0)  # noqa: ARG005

    def go(self, north_m):
        self.place(Pose.from_euler((north_m, 0.0, 0.0)))


def run(suite, puppet, clock_ns, until_ns, step_ns=3 * MS, north_m=lambda time_ns: time_ns / MS):
    """Steps with the puppet a metre north for each millisecond of the clock."""
    suite.arrive(clock_ns)
    while clock_ns < until_ns:
        clock_ns += min(step_ns, until_ns - clock_ns)
        puppet.go(north_m(clock_ns))
        suite.step(clock_ns)
    suite.leave()
    return clock_ns


def suite_of(puppet, **settings):
    return SensorSuite(puppet, settings, CARRIER, 0)


def test_an_imu_at_rest_feels_the_ground_push_up_and_one_that_falls_feels_nothing():
    exact = Imu(ImuSettings(generate_noise=False), CARRIER, "imu")
    assert exact.measure(at()).linear_acceleration_mps2.tolist() == [0, 0, -9.80665]
    fall = exact.measure(at(linear_acceleration_mps2=np.array([0, 0, 9.80665])))
    assert np.abs(fall.linear_acceleration_mps2).max() == 0
    # Nose straight up: what pushes comes along the body's forward axis. Speeding up north then presses from below.
    upright = Pose.from_euler((0, 0, 0), pitch_rad=math.pi / 2)
    reading = exact.measure(at(upright, linear_acceleration_mps2=np.array([2.0, 0, 0])))
    assert reading.linear_acceleration_mps2 == pytest.approx([9.80665, 0, 2.0], abs=1e-12)
    rates = np.array([0.1, -0.2, 0.3])
    assert exact.measure(at(angular_velocity_radps=rates)).angular_velocity_radps.tolist() == rates.tolist()


def test_the_imus_noise_has_the_spread_of_its_data_sheet():
    settings = ImuSettings()
    imu = Imu(settings, CARRIER, "imu")
    count = 6000
    rows = np.array(
        [
            np.concatenate([r.angular_velocity_radps, r.linear_acceleration_mps2 - np.array([0, 0, -9.80665])])
            for r in (imu.measure(at(number=k)) for k in range(count))
        ]
    )
    root_s = math.sqrt(PERIOD_NS / 1e9)
    gyro, accel = math.radians(0.3) / 60 / root_s, 0.24e-3 * 9.80665 / root_s
    assert rows[:, :3].std(0) == pytest.approx([gyro] * 3, rel=0.05)
    assert rows[:, 3:].std(0) == pytest.approx([accel] * 3, rel=0.05)
    # The bias alone: after t seconds it has strayed by stability x sqrt(t / tau), over many vehicles.
    still = ImuSettings(angular_random_walk=0.0, velocity_random_walk=0.0)
    strayed = [
        Imu(still, Carrier(np.zeros(3), np.zeros(3), str(k)), "imu").measure(at(number=count)) for k in range(200)
    ]
    gyro_bias = np.concatenate([r.angular_velocity_radps for r in strayed]).std()
    share = math.sqrt(count * PERIOD_NS / 1e9 / 500)
    assert gyro_bias == pytest.approx(math.radians(4.6) / 3600 * share, rel=0.1)


def test_pressure_and_altitude_are_those_of_the_standard_atmosphere():
    # ISO 2533: pressures at geopotential heights.
    for geopotential_m, pascals in ((0, 101325), (1000, 89874.6), (5000, 54019.9), (11000, 22632.1), (15000, 12044.6)):
        radius = 6378137
        assert barometer.standard_pressure_pa(radius * geopotential_m / (radius - geopotential_m)) == pytest.approx(
            pascals, rel=1e-4
        )
    for metres in (-100.0, 0.0, 122.0, 3000.0):
        assert barometer.pressure_altitude_m(barometer.standard_pressure_pa(metres)) == pytest.approx(
            metres, abs=0.2 + 1e-3 * metres
        )
    exact = Barometer(BarometerSettings(generate_noise=False), CARRIER, "b")
    low, high = exact.measure(at()), exact.measure(at(Pose.from_euler((0, 0, -100.0))))
    assert low.altitude_m == pytest.approx(122, abs=0.2)
    assert high.altitude_m - low.altitude_m == pytest.approx(100, abs=0.1)
    assert low.qnh_hpa == 1013.25


def test_the_barometers_noise_is_27_hundredths_of_a_hectopascal_and_drifts_slowly():
    exact = Barometer(BarometerSettings(generate_noise=False), CARRIER, "b").measure(at()).pressure_pa
    noisy = Barometer(BarometerSettings(), CARRIER, "b")
    readings = np.array([noisy.measure(at(number=k)).pressure_pa for k in range(4000)])
    assert readings.std() == pytest.approx(2.7, rel=0.05)
    drift = Barometer(
        BarometerSettings(uncorrelated_noise_sigma_pa=0, pressure_factor_sigma=0.01, pressure_factor_tau_s=0.1),
        CARRIER, "b",
    )  # fmt: skip
    shares = np.array([drift.measure(at(number=k)).pressure_pa / exact - 1 for k in range(20_000)])
    decay = math.exp(-0.02 / 0.1)
    assert shares.std() == pytest.approx(0.01 * math.sqrt((1 - decay) / (1 + decay)), rel=0.05)
    assert np.corrcoef(shares[:-1], shares[1:])[0, 1] == pytest.approx(decay, abs=0.02)


def test_the_dipole_is_the_one_that_airsims_source_prints():
    # EarthUtils.hpp, comment of getMagField: two places near Redmond, tesla.
    for place, tesla in (
        ((47.637, -122.147, 622), (2.50394e-05, 3.40771e-06, 3.6567e-05)),
        ((47.646, -122.134, -378), (2.5047e-05, 3.41024e-06, 3.65953e-05)),
    ):
        field = dipole_field_gauss(dict(zip(("latitude", "longitude", "altitude"), place, strict=True)))
        assert field == pytest.approx(np.array(tesla) * 1e4, rel=2e-4)


def test_the_magnetometer_turns_with_the_body_and_errs_by_5_milligauss():
    exact = Magnetometer(MagnetometerSettings(generate_noise=False), CARRIER, "m")
    north = exact.measure(at()).field_gauss
    east = exact.measure(at(Pose.from_euler((0, 0, 0), yaw_rad=math.pi / 2))).field_gauss
    assert east == pytest.approx([north[1], -north[0], north[2]], abs=1e-12)
    assert north == pytest.approx(dipole_field_gauss(geo_point(np.zeros(3))), abs=1e-12)
    noisy = Magnetometer(MagnetometerSettings(scale_factor=2.0), CARRIER, "m")
    errors = np.array([noisy.measure(at(number=k)).field_gauss - 2 * north for k in range(3000)])
    assert errors.std(0) == pytest.approx([0.005] * 3, rel=0.06)
    assert np.abs(errors.mean(0)).max() < 4e-4
    biased = [
        Magnetometer(MagnetometerSettings(noise_sigma_gauss=0, noise_bias_gauss=0.1), CARRIER, f"m{k}")
        .measure(at()).field_gauss - north
        for k in range(200)
    ]  # fmt: skip
    assert np.abs(biased).max() <= 0.1
    assert np.std(biased) == pytest.approx(0.2 / math.sqrt(12), rel=0.1)


def test_a_gps_gets_its_fix_as_the_dilution_settles():
    gps = Gps(GpsSettings(), CARRIER, "gps")

    def after(seconds):
        return gps.measure(Sample(1, 0, round(seconds * 1e9), Kinematics(LEVEL)))

    assert after(0).eph == 100
    # 0.1 + 99.9 exp(-t / 0.9 s) comes down to 4 after 2.92 s and to 3 after 3.19 s.
    fixes = [after(t).fix_type for t in (0, 2.91, 2.93, 3.18, 3.19, 60)]
    assert fixes == [0, 0, 2, 2, 3, 3]
    assert after(60).epv == pytest.approx(0.1)
    home = after(60).geo_point
    assert (home["latitude"], home["longitude"]) == pytest.approx((HOME.latitude_deg, HOME.longitude_deg), abs=1e-12)


def test_gps_readings_are_200_ms_old_and_invalid_in_the_first_second():
    puppet = Puppet()
    suite = suite_of(puppet, gps=GpsSettings())
    gps = suite.find(Gps, "")
    seen = {}
    clock = 0
    for until in (0, 900 * MS, 1000 * MS, 1190 * MS, 1200 * MS, 2000 * MS, 2019 * MS):
        clock = run(suite, puppet, clock, until)
        reading = gps.measure(suite.sample(gps, clock))
        seen[until // MS] = (reading.is_valid, reading.time_ns // MS)
    assert seen == {
        0: (False, 0), 900: (False, 0), 1000: (True, 0), 1190: (True, 0), 1200: (True, 1000), 2000: (True, 1800),
        2019: (True, 1800),
    }  # fmt: skip


def test_a_schedule_counts_samples_from_the_start_and_finds_the_next():
    schedule = Schedule.of(50.0)
    assert [schedule.newest(t * MS) for t in (0, 19, 20, 59)] == [(1, 0), (1, 0), (2, 20 * MS), (3, 40 * MS)]
    assert [schedule.next_ns(t * MS) // MS for t in (0, 19, 20, 59)] == [20, 20, 40, 60]
    late = Schedule.of(50.0, 0.03, 1.0)
    assert [late.newest(t * MS) for t in (0, 999, 1000, 1039, 1040, 1060)] == [
        (0, 0), (0, 0), (0, 0), (0, 0), (1, 1000 * MS), (2, 1020 * MS),
    ]  # fmt: skip
    assert [late.next_ns(t * MS) // MS for t in (0, 999, 1000)] == [1000, 1000, 1020]


@pytest.mark.parametrize("step_ms", [1, 3, 7])
def test_samples_are_taken_by_the_first_step_that_reaches_their_time(step_ms):
    puppet = Puppet()
    suite = suite_of(puppet, m=MagnetometerSettings(), b=BarometerSettings(update_latency_s=0.05))
    clock = run(suite, puppet, 0, 400 * MS, step_ms * MS)
    slow, quick = suite.find(Barometer, ""), suite.find(Magnetometer, "m")

    def first_step(time_ms):
        return min(400, math.ceil(time_ms / step_ms) * step_ms)

    for sensor, taken_ms in ((quick, 400), (slow, 340)):
        sample = suite.sample(sensor, clock)
        assert sample.time_ns == first_step(taken_ms) * MS
        assert sample.kinematics.pose.position_m[0] == first_step(taken_ms)


def test_what_is_put_somewhere_is_there_for_every_sensor_at_once():
    puppet = Puppet()
    suite = suite_of(puppet, gps=GpsSettings(), m=MagnetometerSettings(), imu=ImuSettings())
    clock = run(suite, puppet, 0, 3000 * MS)
    puppet.go(-777.0)
    for sensor in suite.sensors.values():
        sample = suite.sample(sensor, clock)
        assert (sample.time_ns, sample.kinematics.pose.position_m[0]) == (3000 * MS, -777.0)
    # A step later, asked or not asked before, nobody remembers where it came from.
    puppet.go(-888.0)
    clock = run(suite, puppet, clock, 3010 * MS, north_m=lambda _: -889.0)
    assert suite.sample(suite.find(Gps, ""), clock).kinematics.pose.position_m[0] == -888.0
    assert suite.sample(suite.find(Imu, ""), clock).kinematics.pose.position_m[0] == -889.0
    suite.restart(clock)
    assert suite.sample(suite.find(Gps, ""), clock).age_ns == 0


def test_noise_depends_on_the_clock_and_not_on_who_reads():
    def read(every_ms):
        puppet = Puppet()
        suite = suite_of(puppet, imu=ImuSettings(), b=BarometerSettings(), m=MagnetometerSettings())
        sensors, clock, values = list(suite.sensors.values()), 0, []
        while clock < 9000 * MS:
            clock = run(suite, puppet, clock, clock + every_ms * MS, 3 * MS)
            values = [vars(sensor.measure(suite.sample(sensor, clock))) for sensor in sensors]
        return values

    often, once = read(300), read(9000)
    for one, other in zip(often, once, strict=True):
        for key in one:
            np.testing.assert_array_equal(one[key], other[key])


def test_sensors_err_alike_for_equal_seeds_and_names_and_otherwise_not():
    def value(seed, name):
        carrier = Carrier(np.zeros(3), np.zeros(3), seed)
        return Barometer(BarometerSettings(), carrier, name).measure(at(number=5)).pressure_pa

    assert value("0/A", "b") == value("0/A", "b")
    assert len({value(seed, name) for seed in ("0/A", "1/A", "0/B") for name in ("b", "c")}) == 6


def test_walks_are_the_sums_of_their_steps_in_any_order_of_asking():
    count = 2 * noise.BLOCK + 100
    steps = np.concatenate([noise.White("k", 2).block(index) for index in range(3)])[:count]
    walk = noise.Walk("k", 2, np.array([1.0, 10.0]))
    for number in (count, 3, noise.BLOCK, 0, noise.BLOCK + 1):
        np.testing.assert_allclose(walk.at(number), steps[:number].sum(0) * (1, 10), atol=1e-9)
    decaying = noise.Walk("k", 2, 1.0, 0.5)
    expected = np.zeros(2)
    for number in range(noise.BLOCK + 5):
        np.testing.assert_allclose(decaying.at(number), expected, atol=1e-12)
        expected = 0.5 * expected + steps[number]
    assert np.array_equal(noise.White("k", 2).at(noise.BLOCK + 7), steps[noise.BLOCK + 7])
    assert abs(steps.mean()) < 0.06
    assert steps.std() == pytest.approx(1, abs=0.05)


ROOM = scene_of(wall(10, (-30, 30), (-30, 30)), box((-8, -30, -30), (-7, 30, 30), Material.SIDING))


def test_a_distance_sensor_measures_to_the_wall_it_looks_at():
    rays = Rays(ROOM)

    def metres(mount, pose=LEVEL, *, noisy=False, number=1, far_m=40.0):
        settings = DistanceSettings(generate_noise=noisy, max_distance_m=far_m, mount=mount)
        return Distance(settings, CARRIER, "d").measure(at(pose, number), rays, STILL).distance_m

    ahead = Pose.from_euler((0.5, 0, 0))
    assert metres(ahead) == 9.5
    assert metres(Pose.from_euler((0, 0, 0), yaw_rad=math.pi)) == pytest.approx(7.0)
    assert metres(ahead, Pose.from_euler((1, 0, 0), yaw_rad=math.pi)) == pytest.approx(7.5)
    assert metres(ahead, Pose.from_euler((0, 0, 0), pitch_rad=math.radians(60))) == pytest.approx(2 * (10 - 0.25))
    assert metres(ahead, far_m=5.0) == 5.0, "where nothing is near enough it says how far it can look"
    errors = [metres(ahead, noisy=True, number=k) - 9.5 for k in range(1500)]
    assert np.std(errors) == pytest.approx(0.2, rel=0.08)


def test_a_lidar_sees_a_wall_as_a_wall():
    settings = LidarSettings(
        points_per_second=3600, vertical_fov_upper_deg=20, vertical_fov_lower_deg=-20, number_of_channels=5,
        data_frame="SensorLocalFrame", mount=Pose.from_euler((1.0, 0, -0.5), yaw_rad=math.radians(30)), range_m=25.0,
    )  # fmt: skip
    pose = Pose.from_euler((2.0, 3.0, -4.0), yaw_rad=0.3, pitch_rad=-0.1, roll_rad=0.05)
    local = Lidar(settings, CARRIER, "l").measure(at(pose), Rays(ROOM), STILL)
    inertial = Lidar(LidarSettings(**{**vars(settings), "data_frame": ""}), CARRIER, "l").measure(
        at(pose), Rays(ROOM), STILL
    )
    points = inertial.points_m.astype(float)
    on_wall = inertial.object_index == 0
    assert 50 < on_wall.sum() < 360
    np.testing.assert_allclose(points[on_wall, 0], 10, atol=1e-5)
    np.testing.assert_allclose(points[~on_wall, 0], -7, atol=1e-5)
    assert np.linalg.norm(local.points_m, axis=1).max() <= 25
    np.testing.assert_allclose(local.points_m @ local.pose.rotation().T + local.pose.position_m, points, atol=1e-4)
    assert local.pose.position_m == pytest.approx(pose.position_m + pose.rotation() @ (1.0, 0, -0.5))


def test_beams_go_laser_by_laser_from_the_upper_one_and_clockwise():
    settings = LidarSettings(points_per_second=1600, number_of_channels=16, rotations_per_second=10)
    directions = beams(settings, 0).reshape(16, 10, 3)
    np.testing.assert_allclose(np.linalg.norm(directions, axis=2), 1)
    heights = -np.degrees(np.arcsin(directions[:, 0, 2]))
    np.testing.assert_allclose(heights, np.linspace(-15, -45, 16))
    turns = np.degrees(np.arctan2(directions[3, :, 1], directions[3, :, 0])) % 360
    np.testing.assert_allclose(turns, np.arange(10) * 36, atol=1e-9)


@pytest.mark.parametrize(
    ("start_deg", "end_deg", "kept"),
    [(0, 359, 360), (0, 360, 360), (-20, 20, 41), (340, 20, 41), (90, 100, 11), (20, 340, 321)],
)
def test_the_horizontal_field_of_view_goes_clockwise_through_the_front(start_deg, end_deg, kept):
    settings = LidarSettings(
        points_per_second=3600, number_of_channels=1, horizontal_fov_start_deg=start_deg, horizontal_fov_end_deg=end_deg
    )
    assert len(beams(settings, 0)) == kept


def test_a_slow_lidar_goes_on_where_it_stopped_and_no_scan_has_more_points_than_airsims():
    slow = LidarSettings(points_per_second=100, number_of_channels=1, rotations_per_second=3)
    scans = np.concatenate([beams(slow, scan) for scan in range(11)])
    turns = np.unwrap(np.arctan2(scans[:, 1], scans[:, 0]))
    # 108 degrees and ten points a scan; the last direction is 359 degrees, and none of these lies beyond.
    np.testing.assert_allclose(np.degrees(np.diff(turns)), 10.8, atol=1e-9)
    assert len(beams(LidarSettings(points_per_second=10_000_000, horizontal_fov_end_deg=360), 0)) == 100_000
    assert len(beams(LidarSettings(points_per_second=1), 0)) == 0


def read(listed, mode="Multirotor", defaults=None):
    outer = Table(Book("settings.json"), {"Sensors": listed})
    return SensorReader(mode).read(outer, "Sensors", default_sensors(mode) if defaults is None else defaults)


def test_default_sensors_are_airsims():
    assert sorted(default_sensors("Multirotor")) == ["barometer", "gps", "imu", "magnetometer"]
    assert list(default_sensors("Car")) == ["gps"]
    assert default_sensors("ComputerVision") == {}


def test_a_listed_sensor_replaces_the_default_of_its_type_even_where_it_is_not_enabled():
    sensors = read(
        {
            "MyImu": {"SensorType": 2, "Enabled": True, "AngularRandomWalk": 1.5, "GenerateNoise": False},
            "off": {"SensorType": 1, "Enabled": False},
            "forgotten": {"SensorType": 3},
            "Eye": {"SensorType": 5, "Enabled": True, "X": 1, "Pitch": -90, "MaxDistance": 7},
        }
    )
    assert sorted(sensors) == ["Eye", "MyImu", "magnetometer"]
    assert (sensors["MyImu"].angular_random_walk, sensors["MyImu"].generate_noise) == (1.5, False)
    assert sensors["Eye"].mount.position_m.tolist() == [1, 0, 0]
    assert sensors["Eye"].mount.rotation()[:, 0] == pytest.approx([0, 0, 1])
    assert isinstance(sensors["Eye"].max_distance_m, float)
    assert sensors["Eye"].max_distance_m == 7


def test_lidars_look_down_from_drones_and_around_from_the_roofs_of_cars():
    listed = {"L": {"SensorType": 6, "Enabled": True, "DrawDebugPoints": True}}
    drone, car = read(listed)["L"], read(listed, "Car")["L"]
    assert (drone.vertical_fov_upper_deg, drone.vertical_fov_lower_deg, drone.mount.position_m[2]) == (-15, -45, 0)
    assert (car.vertical_fov_upper_deg, car.vertical_fov_lower_deg, car.mount.position_m[2]) == (10, -10, -1)
    assert read({"L": {"SensorType": 6, "Enabled": True, "Z": 0.5}}, "Car")["L"].mount.position_m[2] == 0.5


def test_gps_keys_go_by_both_their_names():
    for key in ("EphTimeConstant", "EPH_TimeConstant"):
        assert read({"g": {"SensorType": 3, "Enabled": True, key: 2.5}})["g"].eph_time_constant_s == 2.5


@pytest.mark.parametrize(
    ("listed", "named"),
    [
        ([], "Sensors is"),
        ({"a": 5}, "Sensors.a is"),
        ({"a": {"Enabled": True}}, "Sensors.a.SensorType is missing"),
        ({"a": {"SensorType": 7, "Enabled": True}}, "Sensors.a.SensorType is 7"),
        ({"a": {"SensorType": True}}, "Sensors.a.SensorType is True"),
        ({"a": {"SensorType": 2, "Enabled": 1}}, "Sensors.a.Enabled is 1"),
        ({"a": {"SensorType": 2, "Enabled": True, "AngularRandomWalk": -1}}, "AngularRandomWalk is -1"),
        ({"a": {"SensorType": 6, "Enabled": True, "NumberOfChannels": 1.5}}, "NumberOfChannels is 1.5"),
        ({"a": {"SensorType": 6, "Enabled": True, "DataFrame": "World"}}, "DataFrame is 'World'"),
        ({"a": {"SensorType": 6, "Enabled": True, "Range": float("nan")}}, "Range is nan"),
        ({"a": {"SensorType": 5, "Enabled": True, "Yaw": "east"}}, "Yaw is 'east'"),
        ({"a": {"SensorType": 5, "Enabled": True, "Z": 1e9}}, "Sensors.a.Z is"),
    ],
)
def test_faults_are_named(listed, named):
    with pytest.raises(CorruptFile) as caught:
        read(listed)
    assert named in str(caught.value)


def settings_of(tmp_path, content):
    path = tmp_path / "settings.json"
    path.write_text(json.dumps(content), encoding="utf-8")
    return load_settings(path).vehicles


def test_settings_json_gives_vehicles_their_sensors(tmp_path):
    lidar = {"SensorType": 6, "Enabled": True}
    vehicles = settings_of(
        tmp_path,
        {
            "SimMode": "Car",
            "DefaultSensors": {"air": {"SensorType": 1, "Enabled": True}, "off": {"SensorType": 2}},
            "Vehicles": {"A": {"Sensors": {"top": lidar}}, "B": {}, "C": {"Sensors": {"x": {"SensorType": 1}}}},
        },
    )
    assert {name: sorted(own.sensors) for name, own in vehicles.items()} == {"A": ["air", "top"], "B": ["air"], "C": []}
    assert vehicles["A"].sensors["top"].vertical_fov_upper_deg == 10
    [car] = settings_of(tmp_path, {"SimMode": "Car", "DefaultSensors": {}}).values()
    assert car.sensors == {}
    with pytest.raises(CorruptFile, match=r"settings\.json: Vehicles\.A\.Sensors\.top\.Range is -1"):
        settings_of(tmp_path, {"Vehicles": {"A": {"Sensors": {"top": {**lidar, "Range": -1}}}}})


def test_rays_find_traffic_where_it_was_when_the_sample_was_taken():
    way = Way(np.array([[0.0, 0, 200], [1000, 0, 200], [1000, 1000, 200], [0, 1000, 200]]))
    driver = Mover(0, way, 10.0, 100.0)
    scene = replace(ROOM, movers=frozenset({0}), traffic=(driver,))
    eye = DistanceSettings(generate_noise=False, mount=Pose.from_euler((0.0, 0, -10.0)))
    world = World(scene, Settings("Car", {"V": VehicleSettings(sensors={"eye": eye})}), paused=True)
    start_ns, suite = world.now_ns, world.sensors["V"]
    world.advance(530 * MS)
    sample = suite.sample(suite.find(Distance, "eye"), world.now_ns)
    assert sample.time_ns == start_ns + 522 * MS, "520 ms, by the step that reached it"
    eye_of = suite.find(Distance, "eye")
    metres = eye_of.measure(sample, world.rays, world.arrangement(sample.time_ns)).distance_m
    assert metres == pytest.approx(10 + 10.0 * 0.522, abs=0.01)
    assert metres == eye_of.measure(sample, world.rays, Moment(Traffic([driver]).placements(522 * MS))).distance_m
