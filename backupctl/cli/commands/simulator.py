"""``backupctl simulator``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from backupctl.cli.context import Context
from backupctl.cli.options import SectionedCommand
from backupctl.rules.duration import parse_duration
from backupctl.simulator.progress_curves import CURVES
from backupctl.simulator.releases import RELEASE_NAMES


@click.group("simulator")
def command() -> None:
    """Serve an appliance to try things on: tests, runbooks, the first minute with backupctl."""


@command.command(
    "serve",
    cls=SectionedCommand,
    epilog="""\b
Examples:
  backupctl simulator serve --history
  backupctl simulator serve --listen 127.0.0.1:8443 --release 6.7 --fault fail-at=40 --ready-file ready.json

When it listens it prints one line of JSON: {"appliances": [{"url", "username", "password", "ca_file",
"fingerprint"}, ...]}. It speaks REST, not vAPI JSON-RPC (VMware's Python SDK, dcli).

Exit status: 0 it was stopped by INT or TERM.""",
)
@click.option("--listen", metavar="HOST:PORT", default="127.0.0.1:0", show_default=True, help="Port 0: any free one.")
@click.option("--tls/--no-tls", default=True, help="HTTPS with a certificate of its own CA (default), or HTTP.")
@click.option(
    "--release", type=click.Choice(list(RELEASE_NAMES)), default="8.0", show_default=True, help="What to be like."
)
@click.option(
    "--accept-username",
    metavar="USER",
    default="administrator@vsphere.local",
    show_default=True,
    help="Who may log in.",
)
@click.option(
    "--accept-password-file",
    metavar="FILE",
    type=click.Path(),
    help="The password is in this file; else it is VMware1!.",
)
@click.option("--job-duration", metavar="DURATION", default="20s", show_default=True, help="How long a backup takes.")
@click.option(
    "--progress",
    type=click.Choice(list(CURVES)),
    default="linear",
    show_default=True,
    help="How its progress moves.",
)
@click.option("--history", is_flag=True, help="Begin with a small past: some jobs, one of them failed.")
@click.option("--fresh", is_flag=True, help="An appliance that waits for a restore: no SSO, basic authentication only.")
@click.option("--store", type=click.Path(path_type=Path, file_okay=False), help="Write finished backups below it.")
@click.option("--appliances", metavar="N", type=click.IntRange(1, 10_000), default=1, help="How many, each on a port.")
@click.option("--fault", "faults", metavar="SPEC", multiple=True, help="KIND[=VALUE][@PHASE], repeatable; see README.")
@click.option("--ready-file", type=click.Path(path_type=Path), help="Write the line of JSON there too.")
@click.pass_obj
def serve(context: Context, /, accept_username: str, accept_password_file: str | None, **options: Any) -> int:  # noqa: ANN401 - the options declared above
    """Serve simulated appliances until INT or TERM."""
    from backupctl.simulator.server_options import ServerOptions
    from backupctl.simulator.simulator_server import run

    if accept_password_file is not None:
        options["password"] = _read_password(context, accept_password_file)
    options["job_duration"] = parse_duration(options["job_duration"])

    server_options = ServerOptions(username=accept_username, **options)
    if server_options.open_to_the_network:
        message = f"anyone who can reach {server_options.listen} can log in with the default password"
        context.view.warn(message, hint="use --accept-password-file, or listen on 127.0.0.1")

    try:
        run(server_options, context.clock, lambda line: context.print(f"{line}\n"))
    except KeyboardInterrupt:
        context.view.debug("stopped")
    return 0


def _read_password(context: Context, path: str) -> str:
    from backupctl.secrets.from_file import StandardInput, read_secret_file

    stdin = StandardInput(getattr(context.stdin, "buffer", None))
    return read_secret_file(path, "--accept-password-file", stdin, context.clock).reveal()
