// Which triangle does every sample see? Corners to the screen.
in vec3 corner_m;
in uint sway;  // see wind.sways_of
#ifdef CUTOUT
in vec2 texture_uv;
out vec2 uv;
#endif
uniform vec3 eye_m;       // the camera, world NED,
uniform vec3 eye_rest_m;  // and what single precision leaves of it
uniform vec3 offsets_m[SWAYS];  // by sway, what the wind adds
uniform mat3 to_clip;     // world direction -> x, y and w of clip space; in parallel views x, y and metres ahead
flat out int triangle;
#ifdef PARALLEL
uniform vec2 clip_shift;  // x and y of the camera itself
out float ahead_m;
#endif

void main() {
    // Nearly equal numbers have an exact difference: as if it were subtracted in double precision.
    vec3 clip = to_clip * (((corner_m + offsets_m[sway]) - eye_m) - eye_rest_m);
#ifdef PARALLEL
    // z >= -w is in front of the camera's plane.
    gl_Position = vec4(clip.xy + clip_shift, 2.0 / FAR_DEPTH_M * clip.z - 1.0, 1.0);
    ahead_m = clip.z;
#else
    // z >= -w is w >= NEAR_M: what is nearer is cut off.
    gl_Position = vec4(clip.xy, clip.z - 2.0 * NEAR_M, clip.z);
#endif
    triangle = gl_VertexID / 3;
#ifdef CUTOUT
    uv = texture_uv;
#endif
}
