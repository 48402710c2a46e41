// What light arrives, and from where? The same arithmetic as lighting.py.
uniform vec3 sun_direction, sun, ambient, bounce, haze;
uniform float haze_per_m, shadow_shift, heights_extent_m, sky_scale;
uniform vec4 shadow_rows[3];  // world -> column, row, nearness
uniform sampler2D shadow_map, heights, sky_map;

float at_least(ivec2 texel, float nearness) { return texelFetch(shadow_map, texel, 0).r <= nearness ? 1.0 : 0.0; }

// Share of the sun that arrives, 0..1: a 3x3 tent over the shadow map (16 comparisons).
float sunlit(vec3 point_m, vec3 normal, float facing) {
    vec4 point = vec4(point_m + normal * (shadow_shift * (0.08 + 0.14 * (1.0 - facing))), 1.0);
    vec2 place = vec2(dot(shadow_rows[0], point), dot(shadow_rows[1], point)) - 1.0;
    float nearness = dot(shadow_rows[2], point) + shadow_shift * 0.06;
    ivec2 cell = ivec2(floor(place));
    int size = textureSize(shadow_map, 0).x;
    if (any(lessThan(cell, ivec2(0))) || any(greaterThan(cell, ivec2(size - 4)))) return 1.0;
    vec2 part = place - vec2(cell);
    float total = 0.0;
    for (int k = 0; k < 4; k++) {
        float weight = k == 0 ? 1.0 - part.y : (k == 3 ? part.y : 1.0);
        total += weight * ((1.0 - part.x) * at_least(cell + ivec2(0, k), nearness) +
                           at_least(cell + ivec2(1, k), nearness) + at_least(cell + ivec2(2, k), nearness) +
                           part.x * at_least(cell + ivec2(3, k), nearness));
    }
    return total / 9.0;
}

// How much of the sky a point sees, 0..1.
float openness(vec3 point_m) {
    float side = float(textureSize(heights, 0).x);
    vec2 place = (point_m.xy + heights_extent_m) * (side / (2.0 * heights_extent_m)) - 0.5;  // row, column
    if (any(lessThan(place, vec2(0.0))) || any(greaterThan(place, vec2(side - 2.0)))) return 1.0;
    return 1.0 - 0.19 * clamp(smooth_at(heights, place.x, place.y) + point_m.z, 0.0, 4.8);
}

// Colour of the sky in a unit direction (NED).
vec3 sky_at(vec3 direction) {
    int side = textureSize(sky_map, 0).x;
    float scale = sky_scale / (1.0 + max(-direction.z, -0.15));
    ivec2 texel = clamp(ivec2(direction.yx * scale + float(side / 2)), 0, side - 1);
    return texelFetch(sky_map, texel, 0).rgb;
}

// lighting.py's: off by 0.001.
float sine(float x) {
    x = (x / (2.0 * PI) - floor(x / (2.0 * PI) + 0.5)) * 2.0;
    float y = 4.0 * x * (1.0 - abs(x));
    return y + 0.225 * (y * abs(y) - y);
}

// Mix in the mirrored sky (Schlick's Fresnel) and a glint of the sun.
vec3 reflected(vec3 colour, float base, vec3 point_m, bool pool, vec3 normal, vec3 view, float lit) {
    if (pool) {  // ripples
        float wave = point_m.x * 5.0 + sine(point_m.y * 3.0);
        normal = vec3(0.04 * sine(wave + point_m.y * 2.0), 0.04 * sine(point_m.y * 6.0 - wave * 0.5), -0.998);
    }
    float facing = max(-dot(normal, view), 0.0);
    vec3 mirrored = view + 2.0 * facing * normal;
    float grazing = (1.0 - facing) * (1.0 - facing);
    float mirror = base + (0.9 - base) * grazing * grazing * (1.0 - facing);
    vec3 there = mirrored.z < 0.0 ? sky_at(mirrored) : haze * vec3(0.3, 0.3, 0.28);
    float glint = max(dot(mirrored, sun_direction), 0.0);
    for (int k = 0; k < 6; k++) glint *= glint;
    return colour * (1.0 - mirror) + there * mirror + glint * lit * GLINT * sun;
}
