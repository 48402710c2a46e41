import click


@click.group("import")
def import_group() -> None:
    """To come."""
