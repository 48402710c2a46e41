"""The experiment that a command line means: a file or a shipped name, with what the options say otherwise."""

from typing import TYPE_CHECKING, Any

from airsim_seg.errors import UsageError

if TYPE_CHECKING:
    from airsim_seg.benchmark.experiments import Experiment


def read_experiment(config: str) -> "Experiment":
    """Read what --config names.

    Raises:
        UsageError: no such experiment, or a mistake in it.
    """
    from airsim_seg.benchmark.experiments import find_experiment, load_experiment

    return load_experiment(find_experiment(config))


def adapt(
    experiment: "Experiment",
    *,
    steps: int | None,
    environment: str | None,
    weights: str | None,
    workers: int | None,
    axes: dict[str, Any],
) -> "Experiment":
    """Change what the options change.

    Args:
        experiment: as its file has it.
        steps: of --steps; None leaves the experiment's.
        environment: of --environment; None likewise.
        weights: of --weights; None likewise.
        workers: of --workers; None likewise.
        axes: models, aggregations, tca_depths and seeds, as far as they were given.

    Raises:
        UsageError: a name or number that means nothing.
    """
    from dataclasses import replace

    def given(**options: Any) -> dict[str, Any]:
        return {name: value for name, value in options.items() if value is not None}

    try:
        recipe = replace(experiment.training, **given(steps=steps, workers=workers))
        network = replace(experiment.network, **given(weights=weights))
        return replace(experiment, training=recipe, network=network, **given(environment=environment), **axes)
    except ValueError as error:
        raise UsageError(f"{str(error).removesuffix('.')}.") from error
