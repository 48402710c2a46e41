"""How a car that has run into something gets out of it: on the ground, without bouncing.

The car is moved and turned just so far that the point that touches is free, as an impulse there would do it (M. Mueller
et al., "Detailed Rigid Body Simulation with Extended Position Based Dynamics", 2020, section 3.3.1): what it meets with
a corner turns it along the wall. A crash leaves no speed into the wall; sheet metal does not spring back.
"""

import math

from airsim_seg.builtin.contacts import Contact

# Unreal's default for a wheeled vehicle (WheeledVehicleMovementComponent.cpp).
MASS_KG = 1500.0
# A box of 4.7 m by 1.9 m about its middle.
_YAW_INERTIA_KGM2 = MASS_KG / 12 * (4.7**2 + 1.9**2)
# What is touched from above, more steeply than this, is driven over.
_MOST_UPRIGHT = 0.95
# A car that was put inside something comes out of it little by little.
_MOST_PUSH_M = 0.2


def give_way(touch: Contact, place_m: tuple[float, float]) -> tuple[float, float, float] | None:
    """The move that frees a car from a contact.

    Args:
        touch: in the car's local NED.
        place_m: north and east of the car.

    Returns:
        Metres north and east, and radians clockwise; None where the car is above what it touches.
    """
    north, east, down = touch.normal
    if abs(down) > _MOST_UPRIGHT:
        return None
    level = math.sqrt(north * north + east * east)
    north, east = north / level, east / level
    depth_m = min(_MOST_PUSH_M, touch.depth_m / level)
    lever = (touch.point_m[0] - place_m[0]) * east - (touch.point_m[1] - place_m[1]) * north
    push = depth_m / (1 / MASS_KG + lever * lever / _YAW_INERTIA_KGM2)
    return push * north / MASS_KG, push * east / MASS_KG, push * lever / _YAW_INERTIA_KGM2
