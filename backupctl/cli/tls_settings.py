"""TLS and proxy settings of an appliance, checked before anything is sent."""

from typing import TYPE_CHECKING

from backupctl.cli.appliance_settings import ApplianceSettings
from backupctl.config.option_table import CA_FILE, CONFIG, FINGERPRINT, INSECURE, PROXY
from backupctl.config.proxy import Proxy
from backupctl.config.proxy_selection import find_proxy
from backupctl.config.value import DEFAULT, FILE, Value, attribute_errors
from backupctl.secrets.permissions import reject_pipes

if TYPE_CHECKING:
    from backupctl.tls.trust_settings import TrustSettings


def tls_settings_of(settings: ApplianceSettings, *, pinned: bool = True) -> "TrustSettings":
    """Return whom to believe at an appliance; without ``pinned``, whatever pin there is.

    Raises ConfigError and UsageError.
    """
    from backupctl.api.connect import check_pin
    from backupctl.tls.trust_settings import TrustSettings, tls_context

    ca_file, insecure, pin = settings.resolve(CA_FILE), settings.resolve(INSECURE), settings.resolve(FINGERPRINT)
    with attribute_errors(insecure.source, pin.source):
        trust = TrustSettings(ca_file.value, insecure=insecure.value, fingerprint=pin.value if pinned else None)
    with attribute_errors(pin.source):
        check_pin(settings.profile.address.base_url, trust)
    if ca_file.value is not None:
        with attribute_errors(ca_file.source):
            reject_pipes(ca_file.value)
            tls_context(trust)
    return trust


def selector_words(settings: ApplianceSettings) -> tuple[str, ...]:
    """Return the words that select the appliance for ``backupctl trust`` as it is selected here.

    Neither the CA file nor the pin of this run is repeated: the hint is about what takes their place.
    """
    address, configuration = settings.profile.address, settings.resolve(CONFIG)
    if configuration.source != DEFAULT and configuration.source.kind != FILE:
        return "-s", address.name, CONFIG.flag, str(configuration.value)
    return "-s", address.name


def proxy_of(settings: ApplianceSettings) -> Value[Proxy | None]:
    """Return the proxy on the way to an appliance, None for the straight way; raises ConfigError and UsageError."""
    from backupctl.api.connect import connection_to

    given = settings.context.given.get(PROXY.key, ())
    address, layers = settings.profile.address, settings.profile.layers
    with attribute_errors(settings.address_source):
        connection_to(address.base_url, None, settings.clock)
    found = find_proxy(address, given, settings.context.environ, layers)
    if found.value is not None:
        with attribute_errors(found.source):
            connection_to(address.base_url, found.value.url.reveal(), settings.clock)
    return found
