// Which triangle does every sample see? The triangle's number where it is nearest.
flat in int triangle;
layout(location = 0) out float seen;  // whole numbers up to 2^24 are exact, and a float target can be cleared to -1
#ifdef PARALLEL
in float ahead_m;
#endif
#ifdef CUTOUT
in vec2 uv;
uniform usampler2DArray masks;
#endif

void main() {
#ifdef CUTOUT
    int cutout = cutout_of(material_of(triangle));
    ivec2 texel = ivec2(uv * float(MASK_SIZE)) & (MASK_SIZE - 1);
    if (cutout >= 0 && texelFetch(masks, ivec3(texel, cutout), 0).r == 0u) discard;
#endif
    seen = float(triangle);
#ifdef PARALLEL
    gl_FragDepth = log2(1.0 + max(ahead_m, 0.0)) / log2(1.0 + FAR_DEPTH_M);
#else
    // Core GL maps depth to 0..1 and keeps 24 bits of it. The logarithm gives every distance the same relative
    // precision, 1e-6; w itself would leave 0.1 m at 500 m.
    gl_FragDepth = -log2(NEAR_M * gl_FragCoord.w) / log2(FAR_DEPTH_M / NEAR_M);
#endif
}
