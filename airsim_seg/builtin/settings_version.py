"""SettingsVersion of settings.json, judged as AirSim does (AirSimSettings.hpp, checkSettingsVersion)."""

from airsim_seg.builtin.settings_table import Table
from airsim_seg.errors import CorruptFile

CURRENT_VERSION = 1.2
# What version 1.0 called otherwise, and what it is called now (AirSim's docs/upgrade_settings.md).
OLD_KEYS = {
    "UsageScenario": 'SimMode "ComputerVision"',
    "CaptureSettings": "CameraDefaults.CaptureSettings",
    "NoiseSettings": "CameraDefaults.NoiseSettings",
    "AdditionalCameras": "Cameras of each of Vehicles",
    "SimpleFlight": "Vehicles",
    "PX4": "Vehicles",
}


def check_version(root: Table) -> None:
    """Warn of a file that is older than 1.2.

    Args:
        root: the whole file.

    Raises:
        CorruptFile: it is of version 1 and has keys that changed their meaning since.
    """
    # AirSim once wrote the second name itself.
    misspelt = root.number("SettingdVersion", 0.0)
    version = root.number("SettingsVersion", misspelt)
    if version >= CURRENT_VERSION:
        return
    old = [key for key in OLD_KEYS if root.has(key)]
    if version == 1 and old:
        now = ", ".join(f"{key} is {OLD_KEYS[key]}" for key in old)
        raise CorruptFile(f"{root.book.source} is of SettingsVersion 1: rewrite it as 1.2, where {now}.")
    if len(root):
        root.book.warnings.append(
            f"{root.book.source}: SettingsVersion is {version:g}, older than {CURRENT_VERSION}: the file is read as "
            f"{CURRENT_VERSION}; write that into it"
        )
