"""The eleven classes of the study, in order: the position in this table is the train id in every video.

| id | class           | what AirSim draws that belongs here                                            |
|----|-----------------|--------------------------------------------------------------------------------|
| 0  | road            | asphalt and its markings                                                       |
| 1  | vehicle         | cars, vans, parked or moving                                                   |
| 2  | vegetation      | grass, hedges, bushes, flower beds: green that is not a tree                   |
| 3  | tree            | broadleaf and fir trees, trunk and crown, painted foliage                      |
| 4  | traffic fixture | signs, lamps, traffic lights, poles, power lines                               |
| 5  | sky             | everything behind the last surface (raw id 0 in the real captures)             |
| 6  | fence           | fences, railings                                                               |
| 7  | stone           | pavements, driveways, kerbs, rocks, walls of stone                             |
| 8  | house           | walls, windows, doors, porches, garages                                        |
| 9  | pool            | swimming pools with their water                                                |
| 10 | roof            | roofs, chimneys, gutters                                                       |
| 255| (ignore)        | seen but without a class: never trained on, never scored                       |

The order is the study's (section 2.2) and a contract of the file format. Colours are for people only.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class LabelClass:
    """One row of the taxonomy.

    Attributes:
        train_id: position in CLASSES, 0..10.
        name: as written in every video's `classes` attribute.
        colour: RGB 0..255 for pictures; nothing is ever decoded from it.
    """

    train_id: int
    name: str
    colour: tuple[int, int, int]


IGNORE = 255
IGNORE_COLOUR = (0, 0, 0)

CLASSES: tuple[LabelClass, ...] = tuple(
    LabelClass(index, name, colour)
    for index, (name, colour) in enumerate(
        (
            ("road", (128, 100, 128)),
            ("vehicle", (225, 45, 45)),
            ("vegetation", (152, 205, 80)),
            ("tree", (34, 110, 50)),
            ("traffic fixture", (250, 200, 30)),
            ("sky", (110, 170, 225)),
            ("fence", (190, 140, 90)),
            ("stone", (170, 170, 165)),
            ("house", (230, 190, 165)),
            ("pool", (20, 200, 215)),
            ("roof", (150, 60, 60)),
        )
    )
)

CLASS_NAMES: tuple[str, ...] = tuple(c.name for c in CLASSES)
TRAIN_ID_OF: dict[str, int] = {c.name: c.train_id for c in CLASSES}
