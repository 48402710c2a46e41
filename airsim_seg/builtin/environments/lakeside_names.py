"""What the objects of Lakeside are called, and what they are. Ids follow from names: palette.id_from_name."""

# Object-name prefix -> class of airsim_seg.taxonomy, or "ignore". See names.py.
CLASS_OF_PREFIX: dict[str, str] = {
    "Road": "road",
    "Lane": "road",  # cobbled
    "Car": "vehicle",
    "Rowboat": "vehicle",
    "Motor_Boat": "vehicle",
    "Sailing_Boat": "vehicle",
    "Landscape": "vegetation",  # lawns, meadows, far hills
    "Hedge": "vegetation",
    "Flower_Bed": "vegetation",
    "Bush": "vegetation",
    "Reeds": "vegetation",
    "InstancedFoliageActor": "tree",  # the woods on the slopes
    "Far_Woods": "tree",
    "Willow": "tree",
    "Pine": "tree",
    "Birch": "tree",
    "Oak": "tree",
    "Power_Line": "traffic fixture",  # poles and wires
    "Road_Sign": "traffic fixture",
    "Quay_Lamp": "traffic fixture",  # street lamps
    "Fence": "fence",
    "Railing": "fence",
    "Promenade": "stone",  # pavements
    "Quay": "stone",
    "Mole": "stone",  # of boulders and masonry
    "Jetty": "stone",  # wooden, but what one walks on beside roads is in this class
    "Slipway": "stone",
    "Beach": "stone",  # pebbles
    "Rock": "stone",
    "Stone_Wall": "stone",
    "Garden_Path": "stone",
    "Bench": "stone",
    "Stone_House": "house",
    "Wooden_House": "house",
    "Boat_House": "house",
    "Church": "house",
    "Lighthouse": "house",
    "Shutters": "house",
    "Balcony": "house",
    "Lake": "pool",  # the only class with water in it
    "Roof": "roof",
    "Chimney": "roof",
    "Spire": "roof",
    "Pedestrian": "ignore",
    "Sheep": "ignore",
    "Dog": "ignore",
    "Duck": "ignore",
    "Buoy": "ignore",
}
