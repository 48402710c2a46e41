"""Networks without a training, their random weights always the same: as objects, and as runs with one cell."""

import torch

from airsim_seg.benchmark import checkpoints
from airsim_seg.benchmark.experiments import Experiment, NetworkPlan, save_experiment
from airsim_seg.benchmark.networks import build_network
from airsim_seg.benchmark.recipe import Recipe
from airsim_seg.benchmark.results import write_json
from airsim_seg.deploy.runtimes import TorchModel
from airsim_seg.deploy.segmenter import Segmenter
from airsim_seg.deploy.streaming_graph import StreamingGraph
from airsim_seg.taxonomy import CLASS_NAMES
from fanet import FANet

INPUT_HW = (40, 56)


def network(aggregation="sum"):
    """A narrow FANet that remembers two frames."""
    torch.manual_seed(0)
    return FANet(width=1 / 8, tca_depth=2, aggregation=aggregation).eval()


def segmenter(aggregation="sum", trained_motion=None):
    """The same behind a Segmenter, in PyTorch."""
    return Segmenter(TorchModel(StreamingGraph(network(aggregation), INPUT_HW), CLASS_NAMES), trained_motion)


def write_trained(
    folder, *, depth=2, aggregation="sum", motion="flow", classes=CLASS_NAMES, input_hw=INPUT_HW, width=0.125
):
    """Write a run of one step, as `airsim-seg train` leaves it; returns the folder of its cell."""
    experiment = Experiment(
        name="tiny",
        training=Recipe(steps=1, input_hw=input_hw),
        aggregations=(aggregation,),
        tca_depths=(depth,),
        network=NetworkPlan(width=width, motion=motion),
    )
    (cell,) = experiment.cells()
    (folder / cell.name).mkdir(parents=True)
    save_experiment(experiment, folder / "config.toml")
    write_json(folder / "environment.json", {"classes": list(classes), "videos": {"v": {"environment": "Testland"}}})
    net = build_network(
        cell.model,
        tca_depth=depth,
        aggregation=aggregation,
        num_classes=len(classes),
        width=width,
        seed=0,
        auxiliary=experiment.training.auxiliary_weight > 0,
    )
    checkpoints.save(
        folder / cell.name / checkpoints.FILE_NAME,
        {
            "schema": checkpoints.SCHEMA,
            "schema_version": checkpoints.SCHEMA_VERSION,
            "step": 1,
            "net": net.state_dict(),
        },
    )
    return folder / cell.name
