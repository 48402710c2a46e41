"""airsim-seg: labelled segmentation video from AirSim, and what a real-time network gains from time."""

__version__ = "0.1.0"
