// Leaves, water and snow on what faces up: albedo.py's covered.
uniform float wet_amount, snow_amount, litter_amount;

// 0..1 by chance for a cell of leaves; whole numbers wrap around, and shifts bring in zeros, as in the kernels.
float chance_of(int i, int j) {
    uint mixed = (uint(i) * 73856093u) ^ (uint(j) * 19349663u);
    mixed = (mixed ^ (mixed >> 13)) * 1274126177u;
    return float(((mixed ^ (mixed >> 16)) >> 5) & 1023u) / 1023.0;
}

// The albedo under them; wet: how wet the place is. pixel_m: how wide a pixel is there.
vec3 covered(vec3 colour, vec3 point_m, float up, bool leafy, float pixel_m, out float wet) {
    float scale = float(textureSize(patches, 0).x) / COVER_TILE_M;
    float stain = 0.5 + 0.5 * smooth_at(patches, point_m.x * scale, point_m.y * scale);
    float fine = 0.5 + 0.5 * smooth_at(patches, point_m.x * scale * 9.0, point_m.y * scale * 9.0);
    float level = clamp((up - 0.35) * 3.0, 0.0, 1.0);
    float snow_on = leafy ? 0.55 * level : level;
    if (leafy) level = 0.0;
    float share = litter_amount * min(0.35 + 0.9 * stain, 1.0);
    float chance = chance_of(int(floor(point_m.x / LEAF_M)), int(floor(point_m.y / LEAF_M)));
    float leaves = level * mix(share, chance < share ? 1.0 : 0.0, min(LEAF_M / pixel_m, 1.0));
    float hue = 0.5 + chance;
    colour = mix(colour, vec3(0.20 * hue, 0.085 * hue, 0.02), leaves);
    wet = level * wet_amount * min(0.55 + 0.9 * max(stain - 0.3, 0.0), 1.0);
    colour *= 1.0 - 0.5 * wet;
    float rough = 0.6 * stain + 0.4 * fine;
    float snow = snow_on * clamp((snow_amount * 1.5 - rough) * 5.0, 0.0, 1.0);
    wet *= 1.0 - snow;
    return mix(colour, vec3(0.80, 0.83, 0.88), snow);
}
