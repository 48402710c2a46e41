"""What the objects of the built-in Neighborhood are called, and what they are.

AirSim computes an object's start-up id from its name, so the names of the real AirSim Neighborhood give the real ids.
Where a real name's id means another class in real captures (Wall is Tree, Outdoor_Steps is Oak, Swimming_Pool is a
roof), or means nothing at all, a name stands here whose id belongs to its own class.
"""

# Object-name prefix -> class of airsim_seg.taxonomy. A number follows each prefix ("Tree_12") and adds nothing to the
# id. The sky is no object: it is id 0.
CLASS_OF_PREFIX: dict[str, str] = {
    "Road": "road",  # 171, the strip between the gardens: carriageway, kerbs, verges, pavements
    "Car": "vehicle",  # 59
    "Landscape": "vegetation",  # 176, the ground and its grass
    "Hedge": "vegetation",  # 2
    "Fern": "vegetation",  # 176, low plants and flower beds
    "InstancedFoliageActor": "tree",  # 174, woods, back-yard trees, fallen leaves
    "Tree": "tree",  # 181
    "Oak": "tree",  # 64
    "Fir": "tree",  # 70
    "Birch": "tree",  # 13
    "Power_Line": "traffic fixture",  # 218, poles and wires
    "Street_Sign": "traffic fixture",  # 77
    "Sidewalk_Lantern": "traffic fixture",  # 77, street lamps; Street_Lamp would be 70, a fir
    "Fence": "fence",  # 6
    "Driveway": "stone",  # 112
    "Walkway": "stone",  # 5, garden paths; Sidewalk is in no class, and the pavements of AirSimNH are part of its road
    "Low_Wall": "stone",  # 7, walls at the edge of front gardens
    "Garden_Pavers": "stone",  # 7, terraces and pool surrounds
    "Rock": "stone",  # 180
    "Bench": "stone",  # 5
    "Small_House": "house",  # 66
    "Garage_House": "house",  # 144; Garage is in no class
    "Shutters": "house",  # 135
    "Veranda": "house",  # 230
    "Sunken_Pool": "pool",  # 83; Swimming_Pool would be 42, a roof
    "Roof": "roof",  # 187
    "Flat_Roof": "roof",  # 98
    "Chimney": "roof",  # 242
    "Pedestrian": "ignore",  # 52; of no class, as in real captures
    "Dog": "ignore",  # 63
}


def prefix_of(name: str) -> str:
    """The prefix of an object's name: "Tree_12" -> "Tree"."""
    return name.rstrip("0123456789").rstrip("_")
