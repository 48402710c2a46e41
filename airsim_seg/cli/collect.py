import click


@click.command("collect")
def collect() -> None:
    """To come."""
