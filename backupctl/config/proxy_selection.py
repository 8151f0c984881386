"""Choose the proxy for an appliance; the HTTP library itself never reads the environment."""

from collections.abc import Mapping, Sequence
from typing import Final

from backupctl.config.configuration import Layer
from backupctl.config.option_table import PROXY
from backupctl.config.proxy import Proxy, parse_proxy
from backupctl.config.resolve import resolve
from backupctl.config.server_address import ServerAddress
from backupctl.config.value import DEFAULT, ENVIRONMENT, FLAG, Source, Value, parse_from
from backupctl.errors import UsageError

_STANDARD: Final = ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY")
"""Variables in the order of curl, without ``http_proxy``: http:// is only for this machine, which needs no proxy."""


def find_proxy(
    server: ServerAddress, given: Sequence[str], environ: Mapping[str, str], layers: Sequence[Layer] = ()
) -> Value[Proxy | None]:
    """Return the proxy for ``server``: from its option, variable or key in the file, else from the standard variables.

    NO_PROXY lists exceptions to the standard variables: host names, suffixes of them, addresses, networks such as
    10.0.0.0/8, ``*``. This machine is always an exception.
    """
    configured = resolve(PROXY, given, environ, layers)
    if configured.source.kind == FLAG and configured.value is not None and configured.value.has_credentials:
        raise UsageError(
            f"{PROXY.flag}: a password on the command line is visible to every user of this machine",
            hint=f"put the URL in the environment variable {PROXY.environment}",
        )
    if server.scheme == "http":
        return _no_proxy_on_this_machine(server, configured)
    if configured.source != DEFAULT:
        return configured
    name = next((name for name in _STANDARD if environ.get(name)), None)
    exceptions = environ.get("no_proxy") or environ.get("NO_PROXY") or ""
    if name is None or server.is_loopback or _is_exception(server, exceptions):
        return Value(None, DEFAULT)
    source = Source(ENVIRONMENT, name)
    return Value(parse_from(source, parse_proxy, environ[name]), source)


def _no_proxy_on_this_machine(server: ServerAddress, configured: Value[Proxy | None]) -> Value[Proxy | None]:
    """Return no proxy: http:// is only for this machine, and a proxy could read the passwords."""
    if configured.source.kind == FLAG and configured.value is not None:
        raise UsageError(
            f"{PROXY.flag} cannot be used for {server}, which is this machine",
            hint="omit it, or use https:// for the appliance",
        )
    return Value(None, DEFAULT)


def _is_exception(server: ServerAddress, exceptions: str) -> bool:
    return any(_matches(word.strip().lower(), server) for word in exceptions.split(",") if word.strip())


def _matches(word: str, server: ServerAddress) -> bool:
    if word == "*":
        return True
    if word.startswith("[") or word.count(":") == 1:
        word = word.removesuffix(f":{server.port}")
    name = word.removeprefix("*").removeprefix(".").strip("[]")
    return server.host == name or server.host.endswith(f".{name}") or _is_in_network(server.host, name)


def _is_in_network(host: str, network: str) -> bool:
    from ipaddress import ip_address, ip_network

    try:
        return ip_address(host) in ip_network(network, strict=False)
    except ValueError:
        return False
