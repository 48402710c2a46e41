"""Where vehicles' bodies are at a moment, for whoever looks."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from airsim_seg.builtin.geometry import shifted
from airsim_seg.builtin.scene import Moment, Scene, Spawned
from airsim_seg.builtin.things import Thing
from airsim_seg.builtin.vehicles.base import Vehicle
from airsim_seg.types import Float64Array, Pose


def drawn_pose(vehicle: Vehicle) -> Pose:
    """Where pictures show a vehicle, its local NED."""
    return vehicle.kinematics.pose if vehicle.drawn_pose is None else vehicle.drawn_pose


def with_vehicles(
    around: Moment, scene: Scene, bodies: Sequence[Thing], vehicles: Mapping[str, Vehicle], unseen: str
) -> Moment:
    """A moment, and every vehicle's body but one where its vehicle is.

    Args:
        around: everything else.
        scene: with its player start, where the API's world NED begins.
        bodies: those that are there.
        vehicles: by name.
        unseen: the name of the one that is left out, or "".
    """
    if not bodies:
        return around
    own, start_m = len(scene.objects), scene.player_start.position_m
    hidden = around.hidden | {body.index for body in bodies if body.vehicle == unseen}
    where = {body.index: _placement(body, vehicles[body.vehicle], start_m) for body in bodies}
    placements = {index: placement for index, placement in where.items() if index < own and index not in hidden}
    copies = tuple(Spawned(body.index, body.source, where[body.index]) for body in bodies if body.index >= own)
    return replace(
        around, placements={**around.placements, **placements}, hidden=hidden, spawned=(*around.spawned, *copies)
    )


def _placement(body: Thing, vehicle: Vehicle, start_m: Float64Array) -> Float64Array:
    """[3,4], from the scene's origin, where bodies lie, to where the vehicle is."""
    pose = shifted(drawn_pose(vehicle), vehicle.origin_m + start_m)
    return np.column_stack([pose.rotation() * body.scale, pose.position_m])
