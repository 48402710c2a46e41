"""Which world the simulator shows, and what is known of it: the survey of an earlier collection, or a new one."""

import hashlib
import json
from collections.abc import Callable

from airsim_seg.collection.request import Request
from airsim_seg.collection.survey import (
    Survey,
    is_same_place,
    load_survey,
    save_survey,
    take_middle,
    take_survey,
)
from airsim_seg.errors import MissingData, StorageError, UsageError
from airsim_seg.simulators.base import Simulator


def check_world(request: Request, simulator: Simulator) -> None:
    """Refuse a simulator that shows another world than was asked for; Unreal's worlds have no seed.

    Raises:
        UsageError: says which it shows.
    """
    environment = simulator.info.environment
    if environment not in ("", request.environment):
        raise UsageError(
            f"the simulator shows {environment}, not {request.environment}: give --env {environment}, or another --sim."
        )
    if request.world_seed is None:
        return
    info = simulator.info
    shown = json.loads(info.settings).get("Seed") if info.kind == "built-in" else None
    if shown != request.world_seed:
        what = "is not the built-in one" if shown is None else f"shows world seed {shown}"
        raise UsageError(
            f"--world-seed {request.world_seed} was asked for, but the simulator that answers {what}: leave it out, or "
            f"start one with airsim-seg sim --vehicle camera --env {request.environment} --world-seed "
            f"{request.world_seed} and give its address to --sim."
        )


def survey_for(
    request: Request,
    simulator: Simulator,
    objects: tuple[tuple[str, int], ...],
    *,
    say: Callable[[str], None],
    on_progress: Callable[[int, int], None],
) -> Survey:
    """The stored one where it still holds: plans then come out the same, and interrupted videos can go on.

    Args:
        request: whose folder keeps it.
        simulator: paused.
        objects: names and raw ids in the scene.
        say: told why a stored one is not used.
        on_progress: (done, total) while one is taken.

    Raises:
        StorageError: it cannot be kept.
    """
    path = request.folder / f"survey{request.world}.npz"
    key = _world_key(request, simulator, objects)
    try:
        survey, middle = load_survey(path, key)
        if is_same_place(middle, take_middle(simulator, survey)):
            return survey
        say(f"{path} no longer agrees with what the simulator shows: taking it again")
    except MissingData:
        pass  # the first collection here, or another world before: look around
    survey = take_survey(simulator, on_progress=on_progress)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        save_survey(survey, take_middle(simulator, survey), path, key)
    except OSError as error:
        raise StorageError(f"{path} cannot be written ({error.strerror}): choose another --out.") from error
    return survey


def _world_key(request: Request, simulator: Simulator, objects: tuple[tuple[str, int], ...]) -> str:
    """Names the world, as far as it can be told from outside."""
    info, camera = simulator.info, simulator.camera
    seen = [info.kind, request.environment, camera.size_hw, camera.fov_deg, objects]
    return hashlib.sha256(json.dumps(seen).encode()).hexdigest()
