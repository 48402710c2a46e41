import click


@click.command("sim")
def sim() -> None:
    """To come."""
