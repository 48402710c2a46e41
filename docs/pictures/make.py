"""Makes this folder's pictures from a recording: the frame, its raw ids in AirSim's palette, its eleven classes.

python docs/pictures/make.py data/raw/Neighborhood/drone-s0-000.h5 50 docs/pictures/neighborhood_drone.png
"""

import sys
from pathlib import Path

import cv2
import numpy as np

from airsim_seg.label_maps import load_label_map
from airsim_seg.palette import palette
from airsim_seg.recordings import RecordingReader
from airsim_seg.taxonomy import CLASSES, IGNORE_COLOUR

PANEL_WIDTH_PX = 400


def main(recording: Path, frame: int, target: Path) -> None:
    """Write one strip of three panels."""
    with RecordingReader(recording) as reader:
        rgb, raw_ids = reader.rgb(frame), reader.raw_ids(frame)
        label_map = load_label_map(reader.environment, objects=reader.objects)
    colours = np.zeros((256, 3), np.uint8)
    colours[:] = IGNORE_COLOUR
    for label_class in CLASSES:
        colours[label_class.train_id] = label_class.colour
    size = (PANEL_WIDTH_PX, PANEL_WIDTH_PX * rgb.shape[0] // rgb.shape[1])
    panels = [
        cv2.resize(rgb, size, interpolation=cv2.INTER_AREA),
        cv2.resize(palette()[raw_ids], size, interpolation=cv2.INTER_NEAREST_EXACT),
        cv2.resize(colours[label_map.lut[raw_ids]], size, interpolation=cv2.INTER_NEAREST_EXACT),
    ]
    cv2.imwrite(str(target), np.hstack(panels)[..., ::-1], [cv2.IMWRITE_PNG_COMPRESSION, 9])


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3]))
