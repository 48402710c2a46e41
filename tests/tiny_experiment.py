"""An experiment of seconds for the tests of commands that train: everything on, everything small."""

TINY = """
name = "tiny"
tca_depths = [0, 2]

[network]
width = 0.125

[training]
input_hw = [32, 40]
steps = 4
clip_length = 4
validate_every = 2
checkpoint_every = 2

[scoring]
score_every = 3
latency_frames = 5
latency_warm_up = 1
"""
