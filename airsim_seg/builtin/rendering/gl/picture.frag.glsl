// From what the samples of a pixel see to its colour, object, depth and normal: shading.py's resolve, a pixel each.
uniform sampler2D seen;
uniform vec3 eye_m, eye_rest_m;
uniform mat3 rays;  // see camera.ray_matrix
uniform float focal_px;
uniform vec3 offsets_m[SWAYS];  // see seen.vert.glsl
layout(location = 0) out uvec4 rgb;
layout(location = 1) out int object;
layout(location = 2) out float depth_m;
layout(location = 3) out vec4 normal;

vec3 corner_from_eye(int triangle, int c) {
    int k = 9 * triangle + 3 * c;
    vec3 corner_m = vec3(corners_m[k], corners_m[k + 1], corners_m[k + 2]) + offsets_m[sway_of(triangle)];
    return (corner_m - eye_m) - eye_rest_m;
}

#ifdef PARALLEL
uniform vec3 forward;
vec3 start_from_eye(ivec2 sample_xy) { return rays * vec3(vec2(sample_xy), 1.0); }
vec3 ray_at(ivec2 sample_xy) { return forward; }
float spread(float depth) { return 1.0; }
#else
vec3 start_from_eye(ivec2 sample_xy) { return vec3(0.0); }
vec3 ray_at(ivec2 sample_xy) { return rays * vec3(vec2(sample_xy), 1.0); }
float spread(float depth) { return depth; }
#endif
// spread: focal_px pixels are so many metres there.

// Where a ray meets a triangle: two weights, those of its second and third corner, and the depth
// (Moeller and Trumbore, "Fast, minimum storage ray-triangle intersection", 1997).
vec3 met(int triangle, vec3 start, vec3 ray) {
    vec3 a = corner_from_eye(triangle, 0);
    vec3 ab = corner_from_eye(triangle, 1) - a, ac = corner_from_eye(triangle, 2) - a;
    vec3 across = cross(ray, ac), around = cross(start - a, ab);
    float unit = 1.0 / dot(ab, across);
    return vec3(dot(start - a, across), dot(ray, around), dot(ac, around)) * unit;
}

vec3 normal_at(int face, int c) { return vec3(faces[face + 3 * c], faces[face + 3 * c + 1], faces[face + 3 * c + 2]); }
vec2 uv_at(int face, int c) { return vec2(faces[face + 9 + 2 * c], faces[face + 10 + 2 * c]); }

// Linear RGB of a triangle at a sample.
vec3 shaded(int triangle, vec3 start, vec3 ray) {
    vec3 hit = met(triangle, start, ray);
    vec3 weights = vec3(1.0 - hit.x - hit.y, hit.xy);
    int face = FACE_SIZE * triangle, material = material_of(triangle);
    vec3 n = weights.x * normal_at(face, 0) + weights.y * normal_at(face, 1) + weights.z * normal_at(face, 2);
    vec2 uv = weights.x * uv_at(face, 0) + weights.y * uv_at(face, 1) + weights.z * uv_at(face, 2);
    float depth = hit.z, reach = length(ray);
    vec3 point_m = eye_m + start + ray * depth, view = ray / reach;
    float slant = max(abs(dot(n, view)), 0.2);
    float footprint = spread(depth) * faces[face + 15] / (focal_px * sqrt(slant));
    bool leafy = is_foliage(material);
    vec3 colour = albedo(triangle, material, uv, footprint, point_m);
    float own = leafy ? 0.0 : faces[face + 20], wet = 0.0;
    bool water = own > 0.0 && own < WATER_BELOW;
    if (wet_amount + snow_amount + litter_amount > 0.0) {
        colour = covered(colour, point_m, water ? 0.0 : -n.z, leafy, spread(depth) / focal_px, wet);
    }
    float facing = dot(n, sun_direction), lit = 0.0, open;
    if (leafy) {
        facing = facing > 0.0 ? 0.2 + 0.8 * facing : 0.2 - 0.1 * facing;
        lit = dot(weights, vec3(faces[face + 20], faces[face + 21], faces[face + 22]));
        open = 0.5 * faces[face + 23];
    } else {
        if (facing > 0.0) lit = sunlit(point_m, n, facing);
        open = openness(point_m);
    }
    colour *= facing * lit * sun + (0.5 - 0.5 * n.z) * open * ambient + (0.5 + 0.5 * n.z) * open * bounce;
    float base = max(own, WET_REFLECTANCE * wet);
    if (base > 0.0) colour = reflected(colour, base, point_m, own > 0.0 && own < 0.04, n, view, lit);
    float clear = 1.0 - 0.25 * min(depth * reach * haze_per_m, 4.0);
    clear *= clear;
    clear *= clear;
    return mix(haze, colour, clear);
}

vec3 colour_of(int triangle, ivec2 sample_xy) {
    vec3 ray = ray_at(sample_xy);
    return triangle < 0 ? sky_at(normalize(ray)) : shaded(triangle, start_from_eye(sample_xy), ray);
}

// The unit normal of the flat triangle on the camera's side.
vec3 flat_normal(int triangle, vec3 ray) {
    vec3 a = corner_from_eye(triangle, 0);
    vec3 n = normalize(cross(corner_from_eye(triangle, 1) - a, corner_from_eye(triangle, 2) - a));
    return dot(n, ray) > 0.0 ? -n : n;
}

uint toned(float light) { return tone[clamp(int(light * 1024.0), 0, TONE_STEPS - 1)]; }

void main() {
    ivec2 corner = ivec2(gl_FragCoord.xy) * SAMPLES;
    int found[SAMPLES * SAMPLES];
    for (int k = 0; k < SAMPLES * SAMPLES; k++) {
        found[k] = int(texelFetch(seen, corner + ivec2(k % SAMPLES, k / SAMPLES), 0).r);
    }
    vec3 light = vec3(0.0);
    for (int k = 0; k < SAMPLES * SAMPLES; k++) {
        int count = 0;
        bool done = false;  // one shading a triangle
        for (int other = 0; other < SAMPLES * SAMPLES; other++) {
            count += int(found[other] == found[k]);
            done = done || (other < k && found[other] == found[k]);
        }
        if (done) continue;
        ivec2 sample_xy = corner + ivec2(k % SAMPLES, k / SAMPLES);
        light += colour_of(found[k], sample_xy) * (float(count) / float(SAMPLES * SAMPLES));
    }
    rgb = uvec4(toned(light.r), toned(light.g), toned(light.b), 255u);
    vec3 ray = ray_at(corner);
    int first = found[0];
    object = first < 0 ? SKY_INDEX : objects[first];
    depth_m = first < 0 ? FAR_DEPTH_M : met(first, start_from_eye(corner), ray).z;
    normal = first < 0 ? vec4(0.0) : vec4(flat_normal(first, ray), float(sway_of(first)));
}
