"""`python -m airsim_seg` is `airsim-seg`."""

from airsim_seg.cli.main import main

if __name__ == "__main__":
    main(prog_name="airsim-seg")
