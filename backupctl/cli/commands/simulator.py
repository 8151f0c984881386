"""``backupctl simulator``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from backupctl.cli.context import Context
from backupctl.cli.options import LocalGroup
from backupctl.rules.duration import parse_duration
from backupctl.simulator.progress_curves import CURVES
from backupctl.simulator.releases import RELEASE_NAMES

command = LocalGroup("simulator")


@command.command("serve")
@click.option(
    "--listen", metavar="HOST:PORT", default="127.0.0.1:0", show_default=True, help="Address; port 0 is any free one."
)
@click.option("--tls/--no-tls", default=True, help="Serve HTTPS with a CA of its own (default), or HTTP.")
@click.option(
    "--release",
    type=click.Choice(list(RELEASE_NAMES)),
    default="8.0",
    show_default=True,
    help="vCenter release to simulate.",
)
@click.option(
    "--accept-username",
    metavar="USER",
    default="administrator@vsphere.local",
    show_default=True,
    help="User who may log in.",
)
@click.option(
    "--accept-password-file",
    metavar="FILE",
    type=click.Path(),
    help="File with that user's password (default: VMware1!).",
)
@click.option("--job-duration", metavar="DURATION", default="20s", show_default=True, help="Duration of a backup.")
@click.option(
    "--progress",
    type=click.Choice(list(CURVES)),
    default="linear",
    show_default=True,
    help="How progress advances.",
)
@click.option("--history", is_flag=True, help="Start with a few past jobs, one of them failed.")
@click.option("--fresh", is_flag=True, help="Simulate an appliance that waits for a restore.")
@click.option("--store", type=click.Path(path_type=Path, file_okay=False), help="Write the archives below this folder.")
@click.option(
    "--appliances",
    metavar="N",
    type=click.IntRange(1, 10_000),
    default=1,
    help="Number of appliances, each on its own port.",
)
@click.option(
    "--fault", "faults", metavar="SPEC", multiple=True, help="Inject a fault: KIND[=VALUE][@PHASE] (repeatable)."
)
@click.option("--ready-file", type=click.Path(path_type=Path), help="Also write the JSON line to this file.")
@click.pass_obj
def serve(context: Context, /, accept_username: str, accept_password_file: str | None, **options: Any) -> int:  # noqa: ANN401 - the options declared above
    """Serve simulated appliances until INT or TERM."""
    from backupctl.config.process import resume_garbage_collection
    from backupctl.simulator.server_options import ServerOptions
    from backupctl.simulator.simulator_server import run

    if accept_password_file is not None:
        options["password"] = _read_password(context, accept_password_file)
    options["job_duration"] = parse_duration(options["job_duration"])

    server_options = ServerOptions(username=accept_username, **options)
    if server_options.open_to_the_network:
        message = f"anyone who can reach {server_options.listen} can log in with the default password"
        context.view.warn(message, hint="use --accept-password-file, or listen on 127.0.0.1")

    resume_garbage_collection()
    try:
        run(server_options, context.clock, lambda line: context.print(f"{line}\n"))
    except KeyboardInterrupt:
        context.view.debug("stopped")
    return 0


def _read_password(context: Context, path: str) -> str:
    from backupctl.secrets.bounded_read import TimeLimit
    from backupctl.secrets.from_file import StandardInput, read_secret_file

    stdin = StandardInput(getattr(context.stdin, "buffer", None))
    return read_secret_file(path, "--accept-password-file", stdin, TimeLimit(context.clock)).reveal()
