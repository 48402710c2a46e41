// What the programs read of the scene and of the materials. Layouts: buffers.py, materials.py.
layout(std430, binding = 0) readonly buffer Corners { float corners_m[]; };  // 9 a triangle, world NED
layout(std430, binding = 1) readonly buffer Faces { float faces[]; };        // FACE_SIZE a triangle
layout(std430, binding = 2) readonly buffer Materials { float materials[]; };  // MATERIAL_SIZE a material
layout(std430, binding = 3) readonly buffer Objects { int objects[]; };      // of every triangle
layout(std430, binding = 4) readonly buffer Texels { uint texels[]; };       // TEXELS a material, all its levels
layout(std430, binding = 5) readonly buffer Tone { uint tone[]; };           // linear light * 1024 -> 8-bit sRGB
layout(std430, binding = 6) readonly buffer Sways { uint sways[]; };        // a corner each, three a triangle

int material_of(int triangle) { return int(faces[FACE_SIZE * triangle + 16]); }
uint sway_of(int triangle) { return sways[3 * triangle]; }
int cutout_of(int material) { return int(materials[MATERIAL_SIZE * material]); }
bool is_foliage(int material) { return materials[MATERIAL_SIZE * material + 1] != 0.0; }
