import click


@click.command("benchmark")
def benchmark() -> None:
    """To come."""
