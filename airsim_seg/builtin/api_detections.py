"""The RPCs of object detection."""

import math
from collections import defaultdict
from weakref import WeakKeyDictionary

from airsim_seg.builtin.api import Methods, method
from airsim_seg.builtin.api_images import CameraApi, image_type
from airsim_seg.builtin.arguments import boolean, finite, pose_map, text, vector_map
from airsim_seg.builtin.cameras import Camera
from airsim_seg.builtin.detections import Detection, Filter, box_in_camera, boxes_px, relative_pose
from airsim_seg.builtin.forms import Forms, box_m
from airsim_seg.builtin.geometry import GeoPoint, geo_point, shifted
from airsim_seg.builtin.scene import SKY_INDEX, Renderer
from airsim_seg.builtin.shots import ImageRequest
from airsim_seg.builtin.world import World
from airsim_seg.types import Float64Array

CM_PER_M = 100.0


class DetectionApi:
    """Filters by camera and image type, and what they let through."""

    def __init__(self, world: World, cameras: CameraApi) -> None:
        """Take the world, and who draws it."""
        self._world = world
        self._cameras = cameras
        self._forms = Forms(world.scene)
        self._filters: WeakKeyDictionary[Camera, defaultdict[int, Filter]] = WeakKeyDictionary()

    def methods(self) -> Methods:
        """The table of this file."""
        at = (text, image_type)
        return {
            "simAddDetectionFilterMeshName": method(self._add, *at, text, text, boolean),
            "simSetDetectionFilterRadius": method(self._set_radius, *at, finite, text, boolean),
            "simClearDetectionMeshNames": method(self._clear, *at, text, boolean),
            "simGetDetections": method(self._detections, *at, text, boolean),
        }

    def _filter(self, camera_name: str, kind: int, vehicle_name: str, external: bool) -> Filter:
        camera = self._cameras.find(camera_name, vehicle_name, external)
        return self._filters.setdefault(camera, defaultdict(Filter))[kind]

    def _add(self, camera_name: str, kind: int, wildcard: str, vehicle_name: str, external: bool) -> None:
        wildcards = self._filter(camera_name, kind, vehicle_name, external).wildcards
        if wildcard not in wildcards:
            wildcards.append(wildcard)

    def _set_radius(self, camera_name: str, kind: int, radius_cm: float, vehicle_name: str, external: bool) -> None:
        self._filter(camera_name, kind, vehicle_name, external).radius_m = radius_cm / CM_PER_M

    def _clear(self, camera_name: str, kind: int, vehicle_name: str, external: bool) -> None:
        self._filter(camera_name, kind, vehicle_name, external).wildcards.clear()

    async def _detections(
        self, camera_name: str, kind: int, vehicle_name: str, external: bool
    ) -> list[dict[str, object]]:
        """What the camera sees of what its filter wants, in the order of the scene."""
        wanted = self._filter(camera_name, kind, vehicle_name, external)
        shot = self._cameras.shot(ImageRequest(camera_name, kind, False, True), vehicle_name, external)
        view, warp, moment, origin_m = shot.view, shot.warp, shot.moment, self._world.scene.player_start.position_m
        home = self._world.settings.world.home
        named = (thing for thing in self._world.objects if wanted.wants((thing.name, thing.kind)))
        placed = ((thing, shifted(self._world.pose_of(thing), origin_m)) for thing in named)
        near = [
            (thing, where)
            for thing, where in placed
            if math.dist(where.position_m, view.pose.position_m) <= wanted.radius_m
        ]

        def look(renderer: Renderer) -> list[dict[str, object]]:
            seen = renderer.render(view, moment).object_index
            seen = seen if warp is None else warp.picked_index(seen, SKY_INDEX)
            boxes = boxes_px(seen, [thing.index for thing, _pose in near])
            found = []
            for thing, where in near:
                if thing.index in boxes:
                    corners_m = self._forms.placed_m(thing.index, moment)
                    # A thing that is drawn without triangles of its own (a renderer may) is where it stands.
                    around_m = box_m(corners_m if len(corners_m) else where.position_m)
                    detection = Detection(
                        boxes[thing.index], box_in_camera(view.pose, around_m), relative_pose(view.pose, where)
                    )
                    found.append(_detection_map(thing.name, detection, where.position_m - origin_m, home))
            return found

        return await self._cameras.draw(look) if near else []


def _detection_map(name: str, detection: Detection, position_m: Float64Array, home: GeoPoint) -> dict[str, object]:
    """A DetectionInfo for the client."""
    low_px, high_px = ({"x_val": float(x), "y_val": float(y)} for x, y in detection.box_px)
    low_m, high_m = (vector_map(corner) for corner in detection.box_m)
    return {
        "name": name,
        "geo_point": geo_point(position_m, home),
        "box2D": {"min": low_px, "max": high_px},
        "box3D": {"min": low_m, "max": high_m},
        "relative_pose": pose_map(detection.relative),
    }
