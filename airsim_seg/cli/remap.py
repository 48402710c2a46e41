import click


@click.command("remap")
def remap() -> None:
    """To come."""
