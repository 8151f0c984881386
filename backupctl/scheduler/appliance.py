"""An appliance as operations meet it: its API, and who it is."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import msgspec

from backupctl.results.result_redaction import redacted

if TYPE_CHECKING:
    from collections.abc import Callable

    from backupctl.api.recovery import RecoveryApi
    from backupctl.clock import Clock
    from backupctl.results.events import RunEvent


class Appliance(msgspec.Struct, frozen=True):
    """One appliance in a run: ``name`` as it was asked for, ``host`` where it is, ``user`` as whom we come.

    ``show`` takes the events; ``attach`` returns the command line that follows a job of this appliance later, None
    where there is no later. ``name_warning`` says why the name may be a mistake, in case no host has it.
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
        """Show what happened, without secrets that the appliance says again; a bug in that never costs the work."""
        with suppress(Exception):
            self.show(redacted(event, self.api.redact))
