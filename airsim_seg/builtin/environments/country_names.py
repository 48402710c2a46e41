"""What the objects of Country are called, and what they are. Ids follow from names: palette.id_from_name."""

# Object-name prefix -> class of airsim_seg.taxonomy, or "ignore". See names.py.
CLASS_OF_PREFIX: dict[str, str] = {
    "Road": "road",
    "Car": "vehicle",
    "Tractor": "vehicle",
    "Trailer": "vehicle",
    "Landscape": "vegetation",  # verges, meadows, hills
    "Field": "vegetation",  # crops, stubble and bare soil
    "Hedgerow": "vegetation",
    "Bush": "vegetation",
    "Reeds": "vegetation",
    "Hay_Bale": "vegetation",
    "InstancedFoliageActor": "tree",  # woods and copses
    "Far_Woods": "tree",
    "Oak": "tree",
    "Poplar": "tree",
    "Birch": "tree",
    "Pine": "tree",
    "Apple_Tree": "tree",
    "Power_Line": "traffic fixture",  # poles and wires
    "Road_Sign": "traffic fixture",
    "Reflector_Post": "traffic fixture",
    "Guard_Rail": "traffic fixture",
    "Fence": "fence",
    "Gate": "fence",
    "Cart_Track": "stone",  # gravel, as Driveway of the Neighborhood
    "Farmyard": "stone",
    "Dry_Stone_Wall": "stone",
    "Rock": "stone",
    "Trough": "stone",
    "Farmhouse": "house",
    "Barn": "house",
    "Shed": "house",
    "Silo": "house",
    "Shutters": "house",
    "Pond": "pool",
    "Roof": "roof",
    "Chimney": "roof",
    "Silo_Dome": "roof",
    "Cow": "ignore",
    "Sheep": "ignore",
    "Pedestrian": "ignore",
    "Dog": "ignore",
}
