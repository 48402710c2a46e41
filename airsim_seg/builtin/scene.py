"""What an environment hands to the renderer and to the server: triangles, objects, materials, in world NED metres.

An environment builds one Scene; the renderer turns (Scene, View) into a Picture; the server gives ids to the objects
and speaks AirSim about them. Neither knows how the other works.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Protocol

from airsim_seg.builtin.geometry import on_grid
from airsim_seg.builtin.traffic import Mover
from airsim_seg.builtin.weather import CLEAR, DAYLIGHT, Sun, Weather
from airsim_seg.types import Float32Array, Float64Array, Int32Array, Pose, UInt8Array, camera_matrix

Wind = tuple[float, float, float]
CAMERA_GRID_M, CAMERA_TURN_GRID = 2.0**-16, 2.0**-30


@dataclass(frozen=True)
class SceneObject:
    """One thing with a name: what AirSim would list, colour and let you move an id onto.

    Attributes:
        name: as simListSceneObjects returns it ("Tree_12"); its start-up id follows from it (palette.id_from_name).
        position_m: world NED of its foot, metres.
        raw_id: its start-up id, 0..255, where the environment's author gave it one (as AirSim levels made with
            OverrideExisting = false have them); None: the one that follows from its name.
    """

    name: str
    position_m: tuple[float, float, float]
    raw_id: int | None = None


class Terrain(Protocol):
    """The ground under the wheels."""

    def __call__(self, north_m: float, east_m: float) -> float:
        """Return the down coordinate (metres, NED) of the ground at a point."""
        ...


@dataclass(frozen=True, eq=False)
class Scene:
    """A world at rest.

    Attributes:
        environment: its name, "Neighborhood".
        seed: the world seed it was made from.
        triangles_m: float32 [T,3,3], corners in world NED, front faces counter-clockwise seen from outside.
        normals: float32 [T,3,3], unit shading normals in NED.
        uv: float32 [T,3,2], texture coordinates.
        materials: int32 [T], index into the renderer's material table.
        object_index: int32 [T], index into objects.
        tints: float32 [K,3], linear RGB factor of each object.
        chunks: int32 [C,2], triangle ranges that are culled together; in order, they cover all triangles. Each is of
            one object.
        objects: the K things.
        player_start: where AirSim's origin and the vehicle's spawn point are.
        ground_down_m: terrain height, NED down.
        anchors_m: float32 [C,3], or None: the point of each chunk from which ranges_m counts, world NED.
        ranges_m: float32 [C,2], or None: a chunk is drawn by cameras at least the first and less than the second
            distance from its anchor. A crown can so have a fine form for near cameras and a coarse one for far
            ones; shadows come from what is drawn at distance 0. None draws every chunk always.
        movers: objects that are made to move, as cars that drive: what stands around them is lit without them, and
            their shadows are drawn anew for each moment. Other objects can be moved too, at half a second for the
            first picture.
        traffic: what moves by itself, all of it among the movers; see traffic.placements.
        bodies: the objects that are vehicles' bodies, by the vehicle's name; all of them among the movers.
        shelter_m: what is higher keeps the sky away as if it were only so high, metres. The renderer knows how high
            things are around a place, not which of them is the wall that it shades: tall walls would stand in the
            shade of their own house.
    """

    environment: str
    seed: int
    triangles_m: Float32Array
    normals: Float32Array
    uv: Float32Array
    materials: Int32Array
    object_index: Int32Array
    tints: Float32Array
    chunks: Int32Array
    objects: tuple[SceneObject, ...]
    player_start: Pose
    ground_down_m: Terrain
    anchors_m: Float32Array | None = None
    ranges_m: Float32Array | None = None
    movers: frozenset[int] = frozenset()
    traffic: tuple[Mover, ...] = ()
    shelter_m: float = math.inf
    bodies: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class View:
    """A camera with square pixels and its axis through the middle of the picture: a pinhole, or one of parallel rays.

    Attributes:
        pose: of the camera, body axes forward, right, down; world NED. Kept rounded, to 15 micrometres and a thousand
            millionth of a turn: poses that differ in their last bits see the same.
        size_hw: (height, width), pixels.
        fov_deg: horizontal field of view, degrees; means nothing where the rays are parallel.
        ortho_width_m: how many metres are as wide as the picture, at every distance; None is a pinhole.
    """

    pose: Pose
    size_hw: tuple[int, int]
    fov_deg: float
    ortho_width_m: float | None = None

    @property
    def is_parallel(self) -> bool:
        """Whether all its rays have the direction of its axis (an orthographic camera)."""
        return self.ortho_width_m is not None

    @property
    def metre_px(self) -> float:
        """How many pixels a metre is wide that a pinhole has 1 m ahead (the focal length), a parallel view anywhere."""
        if self.ortho_width_m is not None:
            return self.size_hw[1] / self.ortho_width_m
        return float(camera_matrix(self.size_hw, self.fov_deg)[0, 0])

    def __post_init__(self) -> None:
        place, turn = self.pose.position_m, self.pose.orientation_wxyz
        object.__setattr__(self, "pose", Pose(on_grid(place, CAMERA_GRID_M), on_grid(turn, CAMERA_TURN_GRID)))


@dataclass(frozen=True, eq=False)
class Spawned:
    """A copy of an object.

    Attributes:
        index: its own object index, at least K: what pictures show where it is seen.
        source: the object of the scene whose triangles, materials and tint it has.
        placement: float64 [3,4], as in Moment.placements: from where the scene has the source's corners to where the
            copy's are.
    """

    index: int
    source: int
    placement: Float64Array


@dataclass(frozen=True, eq=False)
class Moment:
    """What of a world can differ from picture to picture, frozen: the scene itself never changes.

    Attributes:
        placements: object index -> float64 [3,4], rotation times scale, then shift (metres): from where the scene has
            the object's corners to where they are now, in the scene's NED. Objects that are not named stand still.
        hidden: indices of objects that are not there: neither seen nor in anybody's way.
        spawned: copies of objects that the scene does not have; those that are not there are left out.
        weather: the effects in force.
        sun: what was changed about the sun.
        time_ns: since the world began, for what falls and what sways.
        wind_mps: (north, east, down), in the leaves; they are at rest where all are zero.
    """

    placements: Mapping[int, Float64Array] = field(default_factory=dict)
    hidden: frozenset[int] = frozenset()
    spawned: tuple[Spawned, ...] = ()
    weather: Weather = CLEAR
    sun: Sun = DAYLIGHT
    time_ns: int = 0
    wind_mps: Wind = (0.0, 0.0, 0.0)

    def under(self, weather: Weather, sun: Sun, time_ns: int = 0, wind_mps: Wind = (0.0, 0.0, 0.0)) -> "Moment":
        """The same things under another sky, in another wind at another time; itself where all are the same."""
        same = (self.weather, self.sun, self.time_ns, self.wind_mps) == (weather, sun, time_ns, wind_mps)
        return self if same else replace(self, weather=weather, sun=sun, time_ns=time_ns, wind_mps=wind_mps)


STILL = Moment()


@dataclass(frozen=True, eq=False)
class Picture:
    """What a view sees; every array belongs to the caller.

    Attributes:
        rgb: uint8 [H,W,3], RGB, anti-aliased.
        object_index: int32 [H,W], the object at the pixel's centre, of the scene or of Moment.spawned; -1 where nothing
            is drawn (the sky).
        depth_m: float32 [H,W], distance along the optical axis at the pixel's centre, metres; 65504 (the largest
            half float, what AirSim sends) where nothing is drawn.
        normals: float32 [H,W,3], unit normal of the flat triangle at the pixel's centre, NED, on the camera's side;
            zeros where nothing is drawn. None where nobody asked for it.
        sways: uint8 [H,W], how the triangle at the pixel's centre sways in the wind (wind.sways_of), 0 for not at all.
            None where nobody asked for normals.
    """

    rgb: UInt8Array
    object_index: Int32Array
    depth_m: Float32Array
    normals: Float32Array | None = None
    sways: UInt8Array | None = None


SKY_INDEX = -1
FAR_DEPTH_M = 65504.0


class Renderer(Protocol):
    """Anything that draws a scene. rendering.rasteriser.Rasteriser is ours, and gl.renderer.GlRenderer on a device.

    Attributes:
        name: of what draws, "cpu" or "gl: " and the device; recordings keep it.
    """

    name: str

    def render(self, view: View, moment: Moment = STILL, *, normals: bool = False) -> Picture:
        """Draw one view of the world at a moment, with normals and sways if asked; thread-safe by a lock of its own."""
        ...


def world_axes(pose: Pose) -> Float64Array:
    """float64 [3,3] whose columns are the camera's forward, right and down axes in NED."""
    return pose.rotation()
