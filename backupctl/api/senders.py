"""Send pings to a monitor such as healthchecks.io, and notices through Apprise.

The protocol of the monitor: https://healthchecks.io/docs/http_api/.
"""

import logging
import re
from typing import Final

import httpx

from backupctl import __version__
from backupctl.api.error_mapping import unreachable
from backupctl.api.handshake import Connection
from backupctl.api.transport import BoundedTransport
from backupctl.errors import INSTALL_HINT, CertificateError, ConfigError, NotSentError
from backupctl.network.http_transport import network_transport
from backupctl.secrets.redaction import Redactor
from backupctl.secrets.secret import Secret
from backupctl.tls.trust_settings import TrustSettings, tls_context

MAX_BODY_BYTES: Final = 100_000
"""healthchecks.io keeps no more of a body."""

_TIMEOUT: Final = httpx.Timeout(4.0)


def send_ping(connection: Connection, path: Secret, text: str, transport: httpx.BaseTransport | None = None) -> None:
    """Send a ping to a path, which may have a query; ``transport`` replaces the network.

    Raises BackupctlError: if the monitor does not take it; only its host is named.
    """
    host, clock = connection.host, connection.clock
    network = transport or network_transport(tls=tls_context(TrustSettings()), proxy=connection.proxy, clock=clock)
    bounded = BoundedTransport(network, clock, observe=lambda _: None)
    headers = {"user-agent": f"backupctl/{__version__}"}
    try:
        with httpx.Client(transport=bounded, trust_env=False, headers=headers) as client:
            url = connection.url.copy_with(raw_path=path.reveal().encode())
            response = client.post(url, content=text.encode(errors="replace")[:MAX_BODY_BYTES], timeout=_TIMEOUT)
    except httpx.InvalidURL:
        raise NotSentError("invalid ping URL", hint="use https://HOST/PATH") from None
    except httpx.RequestError as error:
        failure = unreachable(error, host, "send a ping")
        raise failure.with_facts(retryable=not isinstance(failure, CertificateError)) from error
    answer = response.text[:100] if response.text.startswith("OK (") else ""  # such as "OK (not found)", with 200
    if not response.is_success or answer:
        raise NotSentError(
            "$server answered $1",
            server=host,
            texts=(answer or str(response.status_code),),
            hint="check the ping URL",
            retryable=response.status_code >= 500 or response.status_code == 429,
        )


def send_notice(url: Secret, title: str, body: str, *, failed: bool) -> None:
    """Send a message to an Apprise URL.

    Raises ConfigError: without the package. Raises NotSentError: if the message is not delivered.
    """
    try:
        from apprise import Apprise, AppriseAsset
    except ImportError as error:
        hint = INSTALL_HINT.format("apprise")
        raise ConfigError("messages need the Python package apprise", hint=hint) from error
    logging.getLogger("apprise").addHandler(logging.NullHandler())  # else Python prints its warnings
    service = Apprise(asset=AppriseAsset(app_id="backupctl", async_mode=False))
    if not service.add(url.reveal()):
        raise NotSentError("not a valid Apprise URL", hint="https://github.com/caronc/apprise/wiki lists them")
    result = service.notify(body, title, notify_type="failure" if failed else "success", body_format="text")
    if not result:
        redactor = Redactor()
        redactor.add(url, *map(Secret, re.split("[/:@?&=,]+", url.reveal())[1:]))
        reason = next((entry.message for entry in result.logs()), "Apprise gives no reason")
        raise NotSentError("not delivered: $cause", cause=redactor.redact(reason))
