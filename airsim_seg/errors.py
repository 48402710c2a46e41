"""Every error that a user can cause, and the exit code it ends the command with.

    AirsimSegError                     1
    |-- UsageError                     2  a value, or a pair of values, that the command cannot mean
    |-- DataError                      1
    |   |-- MissingData                   a folder or file that is not there, or holds nothing of the kind
    |   |-- CorruptFile                   truncated, not HDF5, of another schema or a newer version
    |   `-- LabelMapError                 a label map that does not compile
    |-- SimulatorError                 1
    |   |-- ClientMissing                 the airsim package is not installed
    |   |-- SimulatorUnreachable          nothing answers, or what answers is not AirSim
    |   |-- SimulatorLost                 it answered once and then died, hung or sent a broken picture
    |   `-- PortInUse                     the port belongs to somebody else
    |-- StorageError                   1  the disk is full or refuses to be written
    |-- TrainingError                  1  a loss that is not finite, a checkpoint that does not fit
    |-- QualityRefused                 3  the data would give a wrong result; nothing was written over
    |   |-- UnmappedIds                   raw ids that the label map does not name
    |   `-- UnknownColours                colours that no AirSim palette holds
    `-- Interrupted                  130  Ctrl-C; the message says what was kept and how to go on

The message is one sentence (a table may follow on its own lines) that names the thing, the cause and the fix.
The command line prints it without a traceback. Catch the narrowest class you can repair.
"""


class AirsimSegError(Exception):
    """An error whose message is written for the user: the thing, the cause, the fix."""

    exit_code = 1


class UsageError(AirsimSegError):
    """A value, or a pair of values, that the command cannot mean. Mend the command line."""

    exit_code = 2


class DataError(AirsimSegError):
    """Files that are absent, damaged or of the wrong kind."""


class MissingData(DataError):
    """A folder or file that is not there, or that holds nothing of the kind. Check the path, or make the data first."""


class CorruptFile(DataError):
    """A file that does not read as what it claims to be. Collect, remap or download it again."""


class LabelMapError(DataError):
    """A label map that does not compile. The message names file, rule and reason."""


class SimulatorError(AirsimSegError):
    """Anything that a simulator, or the way to it, did wrong."""


class ClientMissing(SimulatorError):
    """The airsim client is not installed. The message gives the recipe that works."""


class SimulatorUnreachable(SimulatorError):
    """Nothing answers at the address, or what answers does not speak AirSim's RPC."""


class SimulatorLost(SimulatorError):
    """A simulator that answered before and now is dead, hangs or sends what cannot be. Start it again and resume."""


class PortInUse(SimulatorError):
    """The port that the simulator should serve belongs to another process. Choose another with --port."""


class StorageError(AirsimSegError):
    """The disk is full or cannot be written. Everything up to the last commit is kept: free space and resume."""


class TrainingError(AirsimSegError):
    """Training cannot go on: a loss that is not finite, or a checkpoint of another network."""


class QualityRefused(AirsimSegError):
    """The data would give a wrong result, so the command refuses it. Nothing was overwritten."""

    exit_code = 3


class UnmappedIds(QualityRefused):
    """Raw ids occur that the label map does not name. Add them to the map, or map them to ignore on purpose."""


class UnknownColours(QualityRefused):
    """Segmentation colours that are in no AirSim palette: another build, or lossy images."""


class Interrupted(AirsimSegError):
    """Ctrl-C. What was committed is kept; the message says how to go on."""

    exit_code = 130
