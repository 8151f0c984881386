"""The configuration file as values: defaults, servers and groups, each key judged before anything is done.

The file is TOML (https://toml.io/en/v1.0.0). Its keys are the names of options, in ``[defaults]`` for every appliance
and in ``[servers.NAME]`` for one; a secret never stands in it, only where the secret is.
"""

import re
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final

import msgspec
from msgspec.structs import replace

from backupctl.config.config_keys import SERVER_ONLY, check_table, key_outside_tables_error, unknown_name_error
from backupctl.config.option_table import GROUP, SECRETS
from backupctl.config.server_address import ServerAddress, parse_server
from backupctl.config.value import DEFAULT, FILE, Source, Value, parse_from
from backupctl.errors import ConfigError

SERVER_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*(?:\.[A-Za-z0-9_-]+)*")
"""How a configured appliance and a group may be called: it stands in folder names and in command lines."""


class Layer(msgspec.Struct, frozen=True):
    """One table of the file: its values by key, judged and parsed, and what to call the table in a message."""

    label: str
    values: Mapping[str, Any] = msgspec.field(default_factory=dict)

    def source(self, key: str) -> Source:
        """Return where the value of ``key`` came from."""
        return Source(FILE, f"{self.label}.{key}")


class Profile(msgspec.Struct, frozen=True):
    """One appliance of a run: where it is, what it is called, and the layers of the file, the nearest first."""

    address: ServerAddress
    layers: tuple[Layer, ...] = ()
    configured: bool = False

    @property
    def name(self) -> str:
        """What the appliance is called in results and on command lines."""
        return self.address.name

    def layers_at_or_below(self, source: Source) -> tuple[Layer, ...]:
        """Return the layers from the one on where a value came from; none for what does not stand in the file."""
        table = source.name.rpartition(".")[0] if source.kind == FILE else None
        first = next((at for at, layer in enumerate(self.layers) if layer.label == table), len(self.layers))
        return self.layers[first:]

    @property
    def read_only(self) -> Value[bool]:
        """Whether nothing may be changed on this appliance, and what says so."""
        key = "read-only"
        found = (Value(bool(layer.values[key]), layer.source(key)) for layer in self.layers if key in layer.values)
        return next(found, Value(False, DEFAULT))


class Configuration(msgspec.Struct, frozen=True):
    """What a file says; without a file, nothing. ``servers`` and ``groups`` are in the order of the file."""

    path: Path | None = None
    defaults: Layer = Layer("")
    servers: Mapping[str, Profile] = msgspec.field(default_factory=dict)
    groups: Mapping[str, tuple[str, ...]] = msgspec.field(default_factory=dict)

    @property
    def secret_variables(self) -> frozenset[str]:
        """The environment variables that hold secrets, as it says; no program that is started has a use for them."""
        layers = [self.defaults, *(layer for profile in self.servers.values() for layer in profile.layers)]
        keys = [key for secret in SECRETS for key in secret.file_keys if key.endswith("-env")]
        return frozenset(layer.values[key] for layer in layers for key in keys if key in layer.values)

    def profile(self, text: str) -> Profile:
        """Return the appliance that ``text`` names: a configured name, or an address that may be a configured one's.

        Raises UsageError for what is no address.
        """
        known = self.servers.get(text)
        if known is not None:
            return known
        address = parse_server(text)
        return self._configured_at(address) or Profile(address, (self.defaults,))

    def group(self, name: str) -> tuple[Profile, ...]:
        """Return the appliances of a group; raises ConfigError where there is no such group."""
        if name not in self.groups:
            known = configured_names_hint(name, self.groups) if self.groups else "no group is configured"
            raise ConfigError(f"there is no group {name!r}{self._in_file()}", hint=known)
        return tuple(self.servers[server] for server in self.groups[name])

    def name_warning(self, profile: Profile) -> str | None:
        """Return why the name of an appliance may be a mistake, None if it is configured or no server is."""
        if profile.configured or not self.servers:
            return None
        group = next((name for name in self.groups if name.lower() == profile.name), None)
        if group is not None:
            return f"{profile.name!r} is a group{self._in_file()}; is {GROUP.flag} {group} meant?"
        hint = configured_names_hint(profile.name, self.servers)
        return f"{profile.name!r} is no configured name{self._in_file()}; {hint}"

    def all_servers(self) -> tuple[Profile, ...]:
        """Return all configured appliances; raises ConfigError where there is none."""
        if not self.servers:
            raise ConfigError(
                f"no server is configured{self._in_file()}", hint="`backupctl config init` writes a file to start from"
            )
        return tuple(self.servers.values())

    def _in_file(self) -> str:
        return f" in {self.path}" if self.path else ""

    def _configured_at(self, address: ServerAddress) -> Profile | None:
        """Return the configured appliance at an address, by whichever of its two ports, with the port as asked for.

        So a pin, or that it is read-only, holds on both ports; another name for the host, its address or another port
        that leads there cannot be recognized.
        """
        for profile in self.servers.values():
            if profile.address.key == address.key:
                return profile
        for profile in self.servers.values():
            if profile.address.appliance == address.appliance:
                return replace(profile, address=replace(profile.address, port=address.port))
        return None


def configuration_of(document: Mapping[str, Any], path: Path) -> Configuration:
    """Return the configuration that a parsed file holds.

    Raises ConfigError that names file, key and remedy, at the first mistake.
    """
    for key in document:
        if key not in _TABLES:
            raise key_outside_tables_error(path, key) or unknown_name_error(f"{path}: {key}", key, "table", _TABLES)
    defaults = _layer(document, f"{path}: defaults", "defaults", SERVER_ONLY, path.parent)
    servers: dict[str, Profile] = {}
    for name in _table(document, "servers", path):
        servers[name] = _server(name, document["servers"], defaults, path)
    _refuse_twins(servers.values(), path)
    groups = {name: _group(name, members, servers, path) for name, members in _table(document, "groups", path).items()}
    return Configuration(path, defaults, servers, groups)


def configured_names_hint(name: str, names: Iterable[str]) -> str:
    """Return which names there are, for somebody who named another: the one that may be meant, and a few."""
    every = list(names)
    close = get_close_matches(name, every, n=2)
    meant = f"is {' or '.join(each for each in every if each in close)} meant? " if close else ""
    more = f" and {len(every) - _FEW} more" if len(every) > _FEW else ""
    return f"{meant}configured are: {', '.join(every[:_FEW])}{more}"


_FEW: Final = 5
_TABLES: Final = ("defaults", "servers", "groups")


def _table(document: Mapping[str, Any], key: str, path: Path) -> Mapping[str, Any]:
    table = document.get(key, {})
    if not isinstance(table, dict):
        raise ConfigError(f"{path}: {key} is not a table", hint=f"write [{key}] on a line of its own")
    return table


def _layer(document: Mapping[str, Any], where: str, key: str, refused: Iterable[str], folder: Path) -> Layer:
    table = document.get(key, {})
    if not isinstance(table, dict):
        raise ConfigError(f"{where} is not a table", hint=f"write [{where.rpartition(': ')[2]}] on a line of its own")
    return Layer(where, check_table(table, where, refused=frozenset(refused), folder=folder))


def _server(name: str, tables: Mapping[str, Any], defaults: Layer, path: Path) -> Profile:
    where = f"{path}: servers.{name}"
    _check_name(name, where)
    _check_dots(name, tables[name], where)
    layer = _layer(tables, where, name, ("parallel",), path.parent)
    host = layer.values.get("host")
    if host is None:
        raise ConfigError(f"{where} has no host", hint='add a line such as host = "vc01.example.com"')
    address: ServerAddress = parse_from(layer.source("host"), parse_server, host)
    return Profile(replace(address, name=name), (layer, defaults), configured=True)


def _check_dots(name: str, table: object, where: str) -> None:
    """Refuse a table within that of a server, where none belongs: it is what TOML makes of dots without quotes."""
    whole = name
    while isinstance(table, dict):
        inner = next((key for key, value in table.items() if isinstance(value, dict)), None)
        if inner is None:
            break
        whole, table = f"{whole}.{inner}", table[inner]
    if whole != name:
        raise ConfigError(f"{where}: a name with dots stands in quotes", hint=f'write [servers."{whole}"]')


def _refuse_twins(servers: Iterable[Profile], path: Path) -> None:
    """Two names for one appliance would make one of them its unguarded side door, and --all make one backup of two."""
    names: dict[tuple[str, int], str] = {}
    for server in servers:
        other = names.setdefault(server.address.key, server.name)
        if other != server.name:
            raise ConfigError(
                f"{path}: servers.{other} and servers.{server.name} are one appliance ({server.address})",
                hint="keep one of them; what differs from run to run is given by options",
            )


def _group(name: str, members: object, servers: Mapping[str, Profile], path: Path) -> tuple[str, ...]:
    where = f"{path}: groups.{name}"
    _check_name(name, where)
    if not isinstance(members, list) or not members or not all(isinstance(member, str) for member in members):
        raise ConfigError(f"{where} is not a list of names", hint=f'write {name} = ["vc01", "vc02"]')
    for member in members:
        if member not in servers:
            raise unknown_name_error(f"{where}: {member}", member, "server", servers)
    return tuple(dict.fromkeys(members))


def _check_name(name: str, where: str) -> None:
    if SERVER_NAME.fullmatch(name) is None:
        raise ConfigError(
            f"{where}: the name {name!r} has characters that cannot stand in a folder's name",
            hint="use letters, digits, dots, hyphens and underscores, the first a letter or digit",
        )
