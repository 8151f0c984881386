"""The TLS and proxy settings of an appliance, checked before anything is sent."""

from contextlib import suppress
from typing import TYPE_CHECKING

from backupctl.cli.appliance_settings import SIMULATED, ApplianceSettings
from backupctl.config.option_table import CA_FILE, CONFIG, FINGERPRINT, INSECURE, PROXY
from backupctl.config.proxy import Proxy
from backupctl.config.proxy_selection import find_proxy
from backupctl.config.server_address import ServerAddress
from backupctl.config.value import DEFAULT, Value, attribute_errors
from backupctl.errors import BackupctlError
from backupctl.secrets.permissions import reject_pipes

if TYPE_CHECKING:
    from backupctl.tls.trust_settings import TrustSettings


def tls_settings_of(settings: ApplianceSettings, *, pinned: bool = True) -> "TrustSettings":
    """Return which certificates to trust for an appliance; without ``pinned``, its pin is ignored.

    Raises ConfigError and UsageError: for invalid settings.
    """
    from backupctl.api.connect import check_pin_has_tls
    from backupctl.tls.trust_settings import TrustSettings, tls_context

    ca_file, insecure, pin = settings.resolve(CA_FILE), settings.resolve(INSECURE), settings.resolve(FINGERPRINT)
    with attribute_errors(insecure.source, pin.source):
        trust = TrustSettings(ca_file.value, insecure=insecure.value, fingerprint=pin.value if pinned else None)
    with attribute_errors(pin.source):
        check_pin_has_tls(settings.profile.address.base_url, trust)
    if ca_file.value is not None:
        with attribute_errors(ca_file.source):
            reject_pipes(ca_file.value)
            tls_context(trust)
    return trust


def may_pin(settings: ApplianceSettings) -> bool:
    """Return whether a pin may be offered: there is TLS, and only the system's store decides on the certificate."""
    from backupctl.tls.trust_settings import TrustSettings

    address = settings.profile.address
    with suppress(BackupctlError):  # an invalid setting, which ``connect`` reports
        has_tls = address.scheme == "https" and address != SIMULATED and settings.context.transport_for is None
        return has_tls and tls_settings_of(settings) == TrustSettings()
    return False


def selector_words(settings: ApplianceSettings, address: ServerAddress) -> tuple[str, ...]:
    """Return the options that select the same appliance, at ``address``, for ``backupctl trust``, for hints.

    An appliance that waits for a restore answers only on another port than the configured one. The CA file and the pin
    are left out, as such a hint is about replacing them.
    """
    is_configured = address == settings.profile.address
    name = settings.name if is_configured else address.base_url.removeprefix("https://")
    config = settings.resolve(CONFIG)
    if config.source != DEFAULT:
        return "-s", name, CONFIG.flag, str(config.value)
    return "-s", name


def proxy_of(settings: ApplianceSettings) -> Value[Proxy | None]:
    """Return the proxy for an appliance, None for a direct connection.

    Raises ConfigError and UsageError: for an invalid address or proxy.
    """
    from backupctl.api.connect import connection_to

    given = settings.context.given.get(PROXY.key, ())
    address, layers = settings.profile.address, settings.profile.layers
    with attribute_errors(settings.address_source):
        connection_to(address.base_url, None, settings.clock)
    proxy = find_proxy(address, given, settings.context.environ, layers)
    if proxy.value is not None:
        with attribute_errors(proxy.source):
            connection_to(address.base_url, proxy.value.url.reveal(), settings.clock)
    return proxy
