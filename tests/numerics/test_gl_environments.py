"""All environments and kinds of cameras, drawn on a device and on the CPU: the share of ids that agree."""

import numpy as np
import pytest
from gl_device import assert_alike, skip_without_device

from airsim_seg.builtin.environments import ENVIRONMENTS, build
from airsim_seg.builtin.rendering.gl.renderer import GlRenderer
from airsim_seg.builtin.rendering.rasteriser import Rasteriser
from airsim_seg.builtin.scene import STILL, Moment, View
from airsim_seg.builtin.traffic import Traffic
from airsim_seg.types import Pose

SIZE_HW = (180, 240)


def views(start: Pose) -> dict[str, View]:
    """A drone's, a car's, one straight down, a long lens, a wide one from high up and a map."""
    north, east, down = start.position_m
    return {
        "drone": View(Pose.from_euler((north, east, down - 10), yaw_rad=0.7, pitch_rad=-0.2), SIZE_HW, 90.0),
        "car": View(Pose.from_euler((north, east, down - 1.6), yaw_rad=2.0), SIZE_HW, 90.0),
        "down": View(Pose.from_euler((north + 30, east, down - 40), yaw_rad=0.4, pitch_rad=-np.pi / 2), SIZE_HW, 70.0),
        "long lens": View(Pose.from_euler((north, east, down - 6), yaw_rad=-1.0), SIZE_HW, 15.0),
        "wide": View(
            Pose.from_euler((north - 40, east, down - 60), yaw_rad=0.2, pitch_rad=-0.9, roll_rad=0.1), SIZE_HW, 130.0
        ),
        "map": View(Pose.from_euler((north, east, down - 90), yaw_rad=0.2, pitch_rad=-np.pi / 2), SIZE_HW, 90.0, 150.0),
    }


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_both_renderers_see_the_same(environment: str) -> None:
    skip_without_device()
    scene = build(environment, 0)
    device = GlRenderer(scene, shadow_map_size=1024)
    host = Rasteriser(scene, shadow_map_size=1024)
    moments = [STILL, Moment(Traffic(scene.traffic).placements(7 * 10**9))] if scene.traffic else [STILL]
    for number, (name, view) in enumerate(views(scene.player_start).items()):
        moment = moments[number % len(moments)]
        assert_alike(device.render(view, moment), host.render(view, moment), what=name)
    device.release()
