"""The world at run time: one clock, the vehicles, the object table. Everything happens in the event loop's thread."""

from airsim_seg import elementary
from airsim_seg.builtin.clock import DEFAULT_EPOCH_NS, Clock
from airsim_seg.builtin.embodied import drawn_pose, with_vehicles
from airsim_seg.builtin.geometry import product, shifted
from airsim_seg.builtin.objects import ObjectTable
from airsim_seg.builtin.obstacles import Obstacles
from airsim_seg.builtin.plots import Plot, Plots
from airsim_seg.builtin.rays import Rays
from airsim_seg.builtin.scene import Moment, Scene
from airsim_seg.builtin.scenery import Scenery, in_leaves
from airsim_seg.builtin.settings import Settings, SimMode, VehicleSettings
from airsim_seg.builtin.spawning import Spawner
from airsim_seg.builtin.things import Thing
from airsim_seg.builtin.traces import Traces
from airsim_seg.builtin.vehicles.base import Collision, Vehicle
from airsim_seg.builtin.weather import Sky
from airsim_seg.types import Float64Array, Pose

# AirSim's physics step (SimModeWorldBase.h).
STEP_NS = 3_000_000
# What a vehicle touches that touches the terrain, where no object is seen there; Blocks calls its own so.
GROUND_NAME = "Ground"


class World(Clock):
    """Objects, vehicles and the clock they share.

    Attributes:
        mode: the kind of every vehicle.
        scenery_ns: how long traffic has driven and rain has fallen; it goes with the clock, and can be set.
        rays: through the scene.
        sensors: of each vehicle, by its name.
        sky: weather and sun.
        home: where on the Earth the API's world NED begins.
        plots: what clients have drawn into it.
        traces: the lines that vehicles leave.
    """

    def __init__(self, scene: Scene, settings: Settings, epoch_ns: int = DEFAULT_EPOCH_NS, *, paused: bool = False):
        """Populate a scene.

        Args:
            scene: the environment; its player start becomes the origin of the API's world NED.
            settings: vehicles and cameras.
            epoch_ns: what the clock shows at first.
            paused: whether it stands until somebody continues it.
        """
        super().__init__(epoch_ns, settings.world.clock_speed, paused=paused)
        self.scene = scene
        self.settings = settings
        self.mode: SimMode = settings.mode
        self.objects = ObjectTable(scene, settings.world.segmentation)
        self.home, sun = settings.world.home, settings.world.time_of_day
        self.sky = Sky(self.home.latitude_deg, self.home.longitude_deg)
        self.sky.set_time_of_day(sun.enabled, sun.start, sun.is_dst, sun.speed, sun.interval_s, sun.move_sun, epoch_ns)
        self.plots, self.traces = Plots(), Traces()
        self._moments: dict[tuple[bool, str], tuple[tuple[object, ...], Moment]] = {}
        self.rays = Rays(scene)
        # ComputerVision's camera goes through walls.
        self._obstacles = None if self.mode == "ComputerVision" else Obstacles(scene, epoch_ns)
        self._scenery = Scenery(scene, epoch_ns)
        self._wind_mps = settings.world.wind_mps
        self.vehicles: dict[str, Vehicle] = {}
        self._spawner = Spawner(scene, settings, self._obstacles, lambda: self.vehicles)
        for name, own in sorted(settings.vehicles.items()):
            self.vehicles[name] = self._new_vehicle(name, own)
        flown = (name for name in self.vehicles if settings.vehicles[name].is_fpv)
        self._default_name = next(flown, next(iter(self.vehicles)))
        self.sensors = {
            name: self._spawner.sensors(self.vehicles[name], own, self.now_ns)
            for name, own in settings.vehicles.items()
        }

    def _new_vehicle(self, name: str, own: VehicleSettings) -> Vehicle:
        vehicle = self._spawner.vehicle(name, own, self.now_ns, self._wind_mps)
        self.traces.add(vehicle, is_on=own.leaves_trace)
        return vehicle

    def add_vehicle(self, name: str, start: Pose) -> bool:
        """Put another vehicle of the mode's kind into the world (simAddVehicle).

        Args:
            name: not taken yet.
            start: where it starts, API world NED, metres.

        Returns:
            Whether there is one now; a name that is taken or empty makes none.
        """
        if not name or name in self.vehicles:
            return False
        own = VehicleSettings(start, world_heading=True)
        self.vehicles[name] = self._new_vehicle(name, own)
        self.objects.embody(name)
        self.sensors[name] = self._spawner.sensors(self.vehicles[name], own, self.now_ns)
        return True

    def set_wind(self, wind_mps: tuple[float, float, float]) -> None:
        """Let the air move [3], NED, beside the breeze in the leaves; it carries multirotors."""
        self._wind_mps = wind_mps
        for vehicle in self.vehicles.values():
            vehicle.wind_mps = wind_mps

    def vehicle(self, name: str) -> Vehicle | None:
        """The vehicle of that name; "" is the one of settings.json with IsFpvVehicle, or else its first by name."""
        return self.vehicles.get(name or self._default_name)

    @property
    def scenery_ns(self) -> int:
        """Where in its time what moves by itself is; the day goes by the clock alone."""
        return self.now_ns - self._scenery.began_ns

    def set_scenery(self, time_ns: int) -> None:
        """Put what moves by itself where it is at a time of its own, so that a recording can be made twice."""
        self._scenery.began_ns = self.now_ns - time_ns
        if self._obstacles is not None:
            self._obstacles.begin_traffic(self._scenery.began_ns)

    def moment(self, *, labels: bool = False, unseen: str = "") -> Moment:
        """What a picture of now shows: the same value until something changes.

        Args:
            labels: for the Segmentation image, which what has no id is not in.
            unseen: a vehicle whose body is left out, as its own cameras look out of it.
        """
        arranged, weather, sun = self.objects.moment(labels=labels), self.sky.weather(), self.sky.sun(self.now_ns)
        labels = labels and arranged is not self.objects.moment()
        seen_bodies = (body for body in self.objects.bodies() if body.vehicle != unseen)
        riders = [drawn_pose(self.vehicles[body.vehicle]) for body in seen_bodies]
        time_ns, wind_mps, absent = self.scenery_ns, in_leaves(self._wind_mps), self._absent()
        seen, key = (arranged, weather, sun, absent, time_ns, wind_mps, *riders), (labels, unseen)
        if key not in self._moments or self._moments[key][0] != seen:
            bodies = [body for body in self.objects.bodies() if body.has_id or not labels]
            among = self._scenery.put_into(arranged, self.now_ns, absent)
            shown = with_vehicles(among, self.scene, bodies, self.vehicles, unseen)
            self._moments[key] = seen, shown.under(weather, sun, time_ns, wind_mps)
        return self._moments[key][1]

    def arrangement(self, time_ns: int, unseen: str = "") -> Moment:
        """Where things are, or were at a time, for what measures and does not look; its sky means nothing.

        Only traffic has a past: vehicles and what clients moved are where they are now.

        Args:
            time_ns: the clock.
            unseen: a vehicle that is left out.
        """
        among = self._scenery.put_into(self.objects.moment(), time_ns, self._absent())
        return with_vehicles(among, self.scene, self.objects.bodies(), self.vehicles, unseen)

    def _absent(self) -> frozenset[int]:
        """What of the traffic stays away for a vehicle's sake."""
        if self.mode == "ComputerVision":
            return self._scenery.met_by([v.world_pose().position_m for v in self.vehicles.values()], self.now_ns)
        return self._scenery.over([vehicle.origin_m for vehicle in self.vehicles.values()])

    def strokes(self) -> tuple[Plot, ...]:
        """What is drawn into it now, besides what is there: the vehicles' lines and what clients plotted."""
        self.traces.follow(self.vehicles)
        return (*self.traces.plots(), *self.plots.live(self.now_ns))

    def touched(self, touch: Collision | None) -> tuple[str, int]:
        """Name and id of what a vehicle ran into; the ground's where it was the ground, "" and -1 for nothing."""
        if touch is None:
            return "", -1
        thing = self.objects.find(touch.vehicle) if touch.vehicle else self.objects.at(touch.object_index)
        if thing is not None:
            return thing.name, thing.raw_id
        return (touch.vehicle, -1) if touch.vehicle else (GROUND_NAME, -1)

    def put(self, thing: Thing, pose: Pose, scale: Float64Array) -> None:
        """Place a thing, and the vehicle whose body it is; see ObjectTable.put."""
        if not thing.vehicle:
            self.objects.put(thing, pose, scale)
            return
        thing.scale = scale
        self._moments.clear()
        vehicle = self.vehicles[thing.vehicle]
        vehicle.place(shifted(pose, -vehicle.origin_m))

    def pose_of(self, thing: Thing) -> Pose:
        """Where a thing is now, API world NED, whether it was put there or drove."""
        if thing.vehicle:
            return self.vehicles[thing.vehicle].world_pose()
        driver = next((mover for mover in self.scene.traffic if mover.object_index == thing.index), None)
        if thing.put or driver is None:
            return thing.pose
        driven, origin_m = (
            self._scenery.traffic.placements(self.scenery_ns)[thing.index],
            self.scene.player_start.position_m,
        )
        turn = driven[:, :3]
        foot_m = product(turn, thing.pose.position_m + origin_m) + driven[:, 3] - origin_m
        return Pose.from_euler(foot_m, yaw_rad=elementary.atan2(turn[1, 0], turn[0, 0]))

    def advance(self, duration_ns: int) -> None:
        """Step everything forward, exactly this long: 3 ms steps and a remainder."""
        end_ns = self.now_ns + duration_ns
        if self._obstacles is not None:
            self._obstacles.arrange(self.objects.moment(), self._absent())
        for suite in self.sensors.values():
            suite.arrive(self.now_ns)
        while self.now_ns < end_ns:
            step_ns = min(STEP_NS, end_ns - self.now_ns)
            self.now_ns += step_ns
            for vehicle in self.vehicles.values():
                vehicle.step(self.now_ns, step_ns / 1e9)
            for suite in self.sensors.values():
                suite.step(self.now_ns)
            self.traces.step(self.now_ns, self.vehicles)
            if self.watcher is not None:
                self.watcher.look()
        for suite in self.sensors.values():
            suite.leave()

    def reset(self) -> None:
        """Every vehicle back to its start; ids, pause and clock stay."""
        for vehicle in self.vehicles.values():
            vehicle.reset()
        self.traces.restart(self.vehicles)
        for suite in self.sensors.values():
            suite.restart(self.now_ns)
