"""The flying camera of AirSim's ComputerVision mode: no body, no physics; it is where it is put."""

from airsim_seg.builtin.vehicles.base import Vehicle


class FlyingCamera(Vehicle):
    """Goes only where simSetVehiclePose puts it. It has no vehicle API: no control, no arming, no moves."""
