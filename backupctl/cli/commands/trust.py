"""``backupctl trust``."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from backupctl.cli.context import Context
from backupctl.cli.options import ApplianceCommand, CommandGroup, options, shared_options
from backupctl.config.option_table import LOCATION_FINGERPRINT
from backupctl.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from backupctl.results.trust_results import CaCertificatesResult

_FILE_MODE = 0o644


command = CommandGroup("trust")


def _location_option(verb: str) -> Callable[[Callable[..., int]], Callable[..., int]]:
    help_text = f"{verb} the backup server's host key or certificate instead."
    return click.option("--location", metavar="[URL]", is_flag=False, flag_value="", help=help_text)


@command.command("show")
@_location_option("Show")
@shared_options
@click.pass_obj
def show(context: Context, location: str | None) -> int:
    """Show the certificate: names, validity, fingerprint, and whether the system trusts it."""
    if location is not None:
        from backupctl.cli.pin_location import probe_locations

        return context.finish([result for _, result in probe_locations(context, location, to_pin=False)])
    from backupctl.cli.tls_probe import probe_all, settings_to_probe
    from backupctl.operations.trust import show_certificate
    from backupctl.results.trust_results import CertificateResult

    results = probe_all(context, settings_to_probe(context), CertificateResult, show_certificate)
    return context.finish(results)


class PinCommand(ApplianceCommand):
    """A command that may create the configuration file."""

    def check(self, context: Context) -> None:
        """Check all options of the run, and let the file be missing."""
        context.allow_new_file()
        super().check(context)


@command.command("pin", cls=PinCommand)
@click.option("--yes", is_flag=True, help="Do not ask: pin the certificate that is presented now.")
@_location_option("Pin")
@options(LOCATION_FINGERPRINT)
@shared_options
@click.pass_obj
def pin_command(context: Context, yes: bool, location: str | None) -> int:
    """Store the fingerprint of the certificate, to trust this one and no other."""
    if location is not None:
        from backupctl.cli.pin_location import pin_locations

        return context.finish(pin_locations(context, location, confirmed=yes))
    from backupctl.cli.pin import pin_certificates

    return context.finish(pin_certificates(context, confirmed=yes))


@command.command("fetch")
@click.option("--to", "to", metavar="FILE", required=True, help="Write the certificates to this file, as PEM.")
@click.option("--force", is_flag=True, help="Overwrite the file.")
@shared_options
@click.pass_obj
def fetch(context: Context, to: str, force: bool) -> int:
    """Fetch the appliance's own CA certificates into a file for --ca-file."""
    from backupctl.cli.tls_probe import probe_all, settings_to_probe
    from backupctl.config.atomic_write import check_absent
    from backupctl.config.parsers import parse_path
    from backupctl.operations.trust import fetch_ca_certificates
    from backupctl.results.trust_results import CaCertificatesResult

    path, selected = parse_path(to), settings_to_probe(context)
    if len(selected) > 1:
        raise UsageError("one file cannot hold the CAs of several appliances", hint="run it once for each appliance")
    if not force:
        check_absent(path)
    work = partial(fetch_ca_certificates, write=partial(_write, path, force=force))
    results = probe_all(context, selected, CaCertificatesResult, work)
    for result in results:
        _warn_if_unverified(context, result)
    return context.finish(results)


def _warn_if_unverified(context: Context, result: CaCertificatesResult) -> None:
    if result.authorities and not result.verified:
        context.view.warn(
            f"{result.server}: the certificates were downloaded over an unverified connection",
            hint="compare their fingerprints with those on the appliance's console (`backupctl help trust`)",
            always=True,
        )


def _write(path: Path, text: str, *, force: bool) -> str:
    from backupctl.config.atomic_write import replace, write_new

    (replace if force else write_new)(path, text, _FILE_MODE)
    return str(path)
