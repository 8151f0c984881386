"""One secret by the ladder, as a run finds it."""

from collections.abc import Mapping, Sequence

from backupctl.clock import Clock
from backupctl.secrets.from_file import StandardInput
from backupctl.secrets.secret import Secret
from backupctl.settings.configuration import Layer
from backupctl.settings.option import SecretName
from backupctl.settings.secrets import GivenSecret, Secrets
from backupctl.settings.value import Value


def find_secret(  # noqa: PLR0917 - as the ladder has it
    name: SecretName,
    given: GivenSecret,
    environ: Mapping[str, str],
    stdin: StandardInput,
    clock: Clock | None = None,
    layers: Sequence[Layer] = (),
) -> Value[Secret] | None:
    """Return the secret with its source, None where nothing names one."""
    return Secrets(environ, stdin, clock).find(name, given, layers)
