"""The README's picture: a run against the embedded simulator, as an SVG by rich.

Regenerate it: ``python -m tests.support.readme_picture > .github/create.svg``.
"""

import io
import re
from datetime import UTC

from rich.console import Console
from rich.text import Text

from backupctl.cli.context import Context
from backupctl.cli.root import run
from backupctl.output.terminal.human_view import HumanView
from backupctl.output.terminal.live_progress import LiveProgress
from backupctl.output.terminal.rich_console import RichConsole
from backupctl.simulator.simulated_appliance import SimulatedAppliance
from backupctl.simulator.simulator_transport import SimulatorTransport
from tests.support.clock import FakeClock
from tests.support.command_line import TO_APPLIANCE, ScriptedPrompter
from tests.support.workers import TimedWorkers

COLUMNS = 88
WORDS = ["create", "--location", "sftp://backup.example.com/vcenter", "--location-user", "backup"]
SECRETS = {"BACKUPCTL_LOCATION_PASSWORD": "x", "BACKUPCTL_BACKUP_PASSWORD": "VMw@re123"}


def picture() -> str:
    """Return the SVG."""
    clock, screen = FakeClock(), io.StringIO()
    console = RichConsole(file=screen, width=COLUMNS, force_terminal=True, color_system="standard", highlight=False)
    app = Context(
        argv=WORDS,
        stdin=None,
        stdout=io.StringIO(),
        stderr=io.StringIO(),
        environ=TO_APPLIANCE | SECRETS,
        clock=clock,
        prompter=ScriptedPrompter(),
        transport_for=lambda _: SimulatorTransport(SimulatedAppliance(clock, job_duration=1260), clock),
        workers=TimedWorkers(clock),
    )
    app.view = HumanView(
        console, console, LiveProgress(console, clock=clock, auto_refresh=False), clock=clock, zone=UTC
    )
    assert run(app) == 0
    drawing = Console(file=io.StringIO(), record=True, width=COLUMNS, highlight=False)
    drawing.print(f"[bold]$[/] backupctl {' '.join(WORDS)}")
    for line in last_frame(screen.getvalue()):
        drawing.print(Text.from_ansi(line))
    return drawing.export_svg(title="backupctl", unique_id="backupctl")


def last_frame(written: str) -> list[str]:
    """Return the lines on the terminal at the end, without erased and overwritten ones."""
    lines, row = [""], 0
    for code, text in re.findall(r"\x1b\[([0-9;?]*[A-Zhl])|((?:\x1b\[[0-9;]*m|[^\x1b])+)", written):
        if code.endswith("A"):
            row = max(0, row - int(code[:-1] or 1))
        elif code.endswith("K"):
            lines[row] = ""
        for piece in re.split(r"(\n)", text.replace("\r", "")):
            if piece == "\n":
                row += 1
                lines += [""] * (row - len(lines) + 1)
            else:
                lines[row] += piece
    return [line for line in lines if line.strip()]


if __name__ == "__main__":
    print(picture())  # noqa: T201 - this program prints
