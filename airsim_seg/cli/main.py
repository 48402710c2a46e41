"""The command `airsim-seg`: one group, one file a command, one place where errors become sentences and exit codes.

Exit codes: 0 done, 1 failed, 2 usage, 3 a quality gate refused, 130 interrupted.
"""

from typing import IO, Any

import click

from airsim_seg import __version__
from airsim_seg.cli.benchmark import benchmark
from airsim_seg.cli.collect import collect
from airsim_seg.cli.export_model import export_model
from airsim_seg.cli.importing import import_group
from airsim_seg.cli.live import live
from airsim_seg.cli.predict import predict
from airsim_seg.cli.remap import remap
from airsim_seg.cli.sim import sim
from airsim_seg.cli.train import train
from airsim_seg.cli.view import view
from airsim_seg.errors import AirsimSegError

EPILOG = """\b
Example, from nothing to a report:
  airsim-seg collect --env Neighborhood
  airsim-seg remap
  airsim-seg benchmark --tca-depths 0 2 4 6
"""


class _Refusal(click.ClickException):
    """An AirsimSegError on its way out: its own exit code, its own sentence, no traceback."""

    def __init__(self, error: AirsimSegError) -> None:
        super().__init__(str(error))
        # click declares exit_code on the class; each of our errors brings its own.
        setattr(self, "exit_code", error.exit_code)  # noqa: B010

    def show(self, file: IO[Any] | None = None) -> None:
        """Print the sentence to stderr, as every message of the command is printed."""
        click.echo(f"airsim-seg: {self.format_message()}", file=file, err=file is None)


class _Group(click.Group):
    def invoke(self, ctx: click.Context) -> object:
        """Run the command; an error of ours becomes a sentence and an exit code, Ctrl-C becomes 130."""
        try:
            return super().invoke(ctx)
        except AirsimSegError as error:
            raise _Refusal(error) from error
        except KeyboardInterrupt:
            click.echo("airsim-seg: interrupted; what was committed is kept.", err=True)
            ctx.exit(130)


@click.group(cls=_Group, epilog=EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="airsim-seg")
def main() -> None:
    """Make labelled segmentation video from AirSim, and measure what a network gains from time."""


main.add_command(collect)
main.add_command(remap)
main.add_command(import_group)
main.add_command(train)
main.add_command(benchmark)
main.add_command(export_model)
main.add_command(predict)
main.add_command(live)
main.add_command(sim)
main.add_command(view)

if __name__ == "__main__":
    main()
