"""One secret by the ladder, as a run finds it."""

from collections.abc import Mapping, Sequence

from backupctl.clock import Clock
from backupctl.config.configuration import Layer
from backupctl.config.option import SecretName
from backupctl.config.secret_ladder import GivenSecret, SecretLadder
from backupctl.config.value import Value
from backupctl.secrets.from_file import StandardInput
from backupctl.secrets.secret import Secret


def find_secret(  # noqa: PLR0917 - as the ladder has it
    name: SecretName,
    given: GivenSecret,
    environ: Mapping[str, str],
    stdin: StandardInput,
    clock: Clock | None = None,
    layers: Sequence[Layer] = (),
) -> Value[Secret] | None:
    """Return the secret with its source, None where nothing names one."""
    return SecretLadder(environ, stdin, clock).find(name, given, layers)
