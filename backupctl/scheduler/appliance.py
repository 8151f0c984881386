"""The appliance that a task works on: its API, its name, and where its events go."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import msgspec

from backupctl.results.result_redaction import redacted

if TYPE_CHECKING:
    from collections.abc import Callable

    from backupctl.api.recovery_api import RecoveryApi
    from backupctl.clock import Clock
    from backupctl.results.events import RunEvent


class Appliance(msgspec.Struct, frozen=True):
    """One appliance of a run: its ``name`` as requested, its ``host``, and the ``user`` who is logged in.

    ``show`` shows an event. ``attach`` returns the command line that follows a job later, None for a reconciliation.
    ``name_warning`` says why the name may be a typing error, for the case that no host has it.
    """

    name: str
    host: str
    user: str
    api: RecoveryApi
    clock: Clock
    show: Callable[[RunEvent], None]
    attach: Callable[[str], str | None]
    simulated: bool = False
    name_warning: str | None = None

    def emit(self, event: RunEvent) -> None:
        """Show an event of now with secrets masked; an exception in this never stops the task."""
        with suppress(Exception):
            complete = msgspec.structs.replace(event, time=self.clock.now(), server=self.name)
            self.show(redacted(complete, self.api.redact))
