"""Whom a scope trusts and how it is reached, judged before anything is said or sent; an error names what to change."""

import shlex
from typing import TYPE_CHECKING

from backupctl.cli.appliance_settings import Scope
from backupctl.config.option_table import CA_FILE, CONFIG, FINGERPRINT, INSECURE, PROXY
from backupctl.config.proxy import Proxy
from backupctl.config.proxy_selection import find_proxy
from backupctl.config.value import DEFAULT, FILE, Value, attribute_errors
from backupctl.secrets.permissions import reject_pipes

if TYPE_CHECKING:
    from backupctl.tls.trust_settings import TrustSettings


def tls_settings_of(scope: Scope, *, pinned: bool = True) -> "TrustSettings":
    """Return whom to believe at an appliance; without ``pinned``, whatever pin there is.

    Raises ConfigError and UsageError.
    """
    from backupctl.api.connect import check_pin
    from backupctl.tls.trust_settings import TrustSettings, tls_context

    ca_file, insecure, pin = scope.sourced(CA_FILE), scope.sourced(INSECURE), scope.sourced(FINGERPRINT)
    with attribute_errors(insecure.source, pin.source):
        trust = TrustSettings(ca_file.value, insecure=insecure.value, fingerprint=pin.value if pinned else None)
    with attribute_errors(pin.source):
        check_pin(scope.profile.address.base_url, trust)
    if ca_file.value is not None:
        with attribute_errors(ca_file.source):
            reject_pipes(ca_file.value)
            tls_context(trust)
    return trust


def words_for(scope: Scope) -> str:
    """Return what names the appliance to ``backupctl trust`` as it is named here, ready to be copied into a shell.

    Neither the CA file nor the pin of this run is repeated: the hint is about what takes their place.
    """
    address, configuration = scope.profile.address, scope.sourced(CONFIG)
    words = ["-s", address.name]
    if configuration.source != DEFAULT and configuration.source.kind != FILE:
        words += [CONFIG.flag, str(configuration.value)]
    return shlex.join(words)


def find_route(scope: Scope) -> Value[Proxy | None]:
    """Return the proxy on the way to an appliance, None for the straight way; raises ConfigError and UsageError."""
    from backupctl.api.connect import route_to

    given = scope.app.given.get(PROXY.key)
    address, layers = scope.profile.address, scope.profile.layers
    with attribute_errors(scope.address_source):
        route_to(address.base_url, None, scope.clock)
    found = find_proxy(address, given if isinstance(given, str) else None, scope.app.environ, layers)
    if found.value is not None:
        with attribute_errors(found.source):
            route_to(address.base_url, found.value.url.reveal(), scope.clock)
    return found
