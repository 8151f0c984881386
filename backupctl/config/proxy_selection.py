"""The way to an appliance: straight, or through a proxy; the HTTP library never looks into the environment itself."""

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
"""In the order of curl; ``http_proxy`` is not among them, as http:// is for this machine only, which needs no proxy."""


def find_proxy(
    server: ServerAddress, given: str | None, environ: Mapping[str, str], layers: Sequence[Layer] = ()
) -> Value[Proxy | None]:
    """Return the proxy for ``server``: our own option, variable and key of the file, else the standard variables.

    Of the standard ones, NO_PROXY names exceptions (host names, suffixes of them, addresses, networks such as
    10.0.0.0/8, ``*``), and this machine is always one.
    """
    ours = resolve(PROXY, given, environ, layers)
    if ours.source.kind == FLAG and ours.value is not None and ours.value.has_credentials:
        raise UsageError(
            f"{PROXY.flag}: a password on the command line is visible to every user of this machine",
            hint=f"put the URL into the environment variable {PROXY.environment}",
        )
    if server.scheme == "http":
        return _no_proxy_on_this_machine(server, ours)
    if ours.source != DEFAULT:
        return ours
    name = next((name for name in _STANDARD if environ.get(name)), None)
    exceptions = environ.get("no_proxy") or environ.get("NO_PROXY") or ""
    if name is None or server.is_loopback or _is_exception(server, exceptions):
        return Value(None, DEFAULT)
    source = Source(ENVIRONMENT, name)
    return Value(parse_from(source, parse_proxy, environ[name]), source)


def _no_proxy_on_this_machine(server: ServerAddress, ours: Value[Proxy | None]) -> Value[Proxy | None]:
    """Return that there is none: http:// is for this machine only, and a proxy would read the passwords in it."""
    if ours.source.kind == FLAG and ours.value is not None:
        raise UsageError(
            f"{PROXY.flag}: there is none on the way to {server}, which is this machine",
            hint="leave it out, or name the appliance with https://",
        )
    return Value(None, DEFAULT)


def _is_exception(server: ServerAddress, exceptions: str) -> bool:
    return any(_covers(word.strip().lower(), server) for word in exceptions.split(",") if word.strip())


def _covers(word: str, server: ServerAddress) -> bool:
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
