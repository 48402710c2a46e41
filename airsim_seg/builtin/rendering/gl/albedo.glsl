// What colour is the surface itself? Linear RGB. The same arithmetic as albedo.py, whose functions these names recall.
uniform sampler2D patches;

// Bilinear look-up in a repeating square map.
float smooth_at(sampler2D map, float row, float column) {
    int mask = textureSize(map, 0).x - 1;
    ivec2 cell = ivec2(floor(vec2(column, row)));
    vec2 part = vec2(column, row) - vec2(cell);
    ivec2 low = cell & mask, high = (cell + 1) & mask;
    float upper = mix(texelFetch(map, low, 0).r, texelFetch(map, ivec2(high.x, low.y), 0).r, part.x);
    float lower = mix(texelFetch(map, ivec2(low.x, high.y), 0).r, texelFetch(map, high, 0).r, part.x);
    return mix(upper, lower, part.y);
}

// The pyramid level whose texels are about a pixel wide.
int level_of(float footprint) {
    int level = 0;
    float texels_wide = 1.7;
    for (int k = 0; k < 6; k++) {
        level += int(footprint > texels_wide);
        texels_wide += texels_wide;
    }
    return level;
}

vec3 texel_at(int material, int level, int column, int row) {
    int side = TEXTURE_SIZE >> level;
    int place = side * side + (row & (side - 1)) * (side + 1) + (column & (side - 1));
    uint texel = texels[material * TEXELS + place];
    return vec3(texel & 0xFFu, (texel >> 8) & 0xFFu, (texel >> 16) & 0xFFu);
}

// The nearest texel: leaves are smaller than pixels.
vec3 leaf(int material, vec2 uv, int level) {
    float side = float(TEXTURE_SIZE >> level);
    vec3 root = texel_at(material, level, int(uv.x * side), int(uv.y * side)) / 255.0;
    return root * root;
}

// Bilinear, with weights in 256ths as albedo.py has them.
vec3 painted(int material, vec2 uv, int level) {
    vec2 place = uv * float(TEXTURE_SIZE >> level) - 0.5;
    ivec2 cell = ivec2(floor(place));
    uvec2 part = uvec2((place - vec2(cell)) * 256.0);
    float w11 = float((part.x * part.y) >> 8);
    float w10 = float(part.x) - w11, w01 = float(part.y) - w11, w00 = 256.0 - float(part.x) - w01;
    vec3 sum = texel_at(material, level, cell.x, cell.y) * w00 + texel_at(material, level, cell.x + 1, cell.y) * w10 +
               texel_at(material, level, cell.x, cell.y + 1) * w01 +
               texel_at(material, level, cell.x + 1, cell.y + 1) * w11;
    vec3 root = sum / (255.0 * 256.0);
    return root * root;
}

vec3 albedo(int triangle, int material, vec2 uv, float footprint, vec3 point_m) {
    int level = level_of(footprint), face = FACE_SIZE * triangle;
    vec3 tint = vec3(faces[face + 17], faces[face + 18], faces[face + 19]);
    if (is_foliage(material)) return leaf(material, uv, level) * tint;
    vec3 colour = painted(material, uv, level);
    float patchy = faces[face + 21];
    if (patchy > 0.0) {
        float scale = float(textureSize(patches, 0).x) / PATCH_TILE_M;
        float stain = patchy * smooth_at(patches, point_m.x * scale, point_m.y * scale);
        colour *= vec3(1.0 + stain, 1.0 + 0.75 * stain, 1.0 + 0.5 * stain);
    }
    return colour * tint;
}
