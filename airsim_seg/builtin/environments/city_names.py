"""What the objects of the City are called, what they are, and which ids they have.

Elsewhere AirSim's ids follow from names, so that all trees are one colour. Here each object has an id of its own, as
levels have whose author numbered the meshes: a class owns a range of ids, and its objects take turns in it. Neighbours
of one class so differ, and an id still has one meaning. label_maps/City.toml says the same.
"""

# Object-name prefix -> class of airsim_seg.taxonomy, or "ignore". The sky is no object: it is id 0.
CLASS_OF_PREFIX: dict[str, str] = {
    "Street": "road",  # a stretch between two crossings, with its markings
    "Crossing": "road",
    "Car_Park": "road",
    "Parked_Car": "vehicle",
    "Parked_Van": "vehicle",
    "Moving_Car": "vehicle",
    "Taxi": "vehicle",
    "Delivery_Van": "vehicle",
    "City_Bus": "vehicle",
    "Outskirts": "vegetation",  # the grass around the city
    "Lawn": "vegetation",
    "Hedge": "vegetation",
    "Flower_Bed": "vegetation",
    "Shrub": "vegetation",  # in planters and courtyards
    "Tree_Pit": "vegetation",
    "Street_Tree": "tree",
    "Park_Tree": "tree",
    "Park_Fir": "tree",
    "Traffic_Light": "traffic fixture",
    "Lamp_Post": "traffic fixture",
    "Road_Sign": "traffic fixture",
    "Name_Plate": "traffic fixture",
    "Bus_Shelter": "traffic fixture",
    "Bollard": "traffic fixture",
    "Iron_Railing": "fence",
    "Wire_Fence": "fence",
    "Hoarding": "fence",
    "Pavement": "stone",
    "Paving": "stone",  # courtyards, paths, squares, pool decks
    "Planter": "stone",
    "Bench": "stone",
    "Fountain": "stone",  # its rim and column
    "Tower_Block": "house",  # six storeys or more
    "Town_House": "house",
    "Shop_Front": "house",
    "Ground_Floor": "house",
    "Awning": "house",
    "Pavilion": "house",
    "Skyline": "house",  # what stands far away
    "Basin": "pool",  # water, and the tiles around it
    "Flat_Roof": "roof",
    "Steep_Roof": "roof",
    "Roof_Works": "roof",  # stair heads, vents, chimneys
    "Water_Tank": "roof",
    "Pedestrian": "ignore",
    "Street_Bin": "ignore",
    "Post_Box": "ignore",
    "Hydrant": "ignore",
    "Cafe_Table": "ignore",
}

# First and last id of each class; together they are 1 to 255.
IDS_OF_CLASS: dict[str, tuple[int, int]] = {
    "road": (1, 20),
    "vehicle": (21, 60),
    "vegetation": (61, 84),
    "tree": (85, 116),
    "traffic fixture": (117, 156),
    "fence": (157, 172),
    "stone": (173, 200),
    "house": (201, 228),
    "pool": (229, 232),
    "roof": (233, 248),
    "ignore": (249, 255),
}
