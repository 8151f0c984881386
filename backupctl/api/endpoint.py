"""What an operation of the appliance is: where it lives in each family of the API, how it is asked for and answered.

The families differ in more than the prefix: ``/rest`` names the parameters in a body and wraps results in
``{"value": ...}``, writes maps as lists of ``{"key", "value"}`` and puts structures into dotted queries; ``/api``
(7.0U2 and later) takes and gives the structures themselves. Source: the vSphere Automation API reference, e.g.
https://developer.broadcom.com/xapis/vsphere-automation-api/latest/appliance/recovery/backup/job/.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, StrEnum, auto
from typing import Any, Final, Generic, TypeVar
from urllib.parse import quote, urlencode

import msgspec

from backupctl.api.decoding import decode
from backupctl.errors import NotFoundError

T_co = TypeVar("T_co", covariant=True)

NoneType: Final = type(None)

FIRST_RELEASE: Final = "6.5"
"""Every release has had the operations since; a 404 for another one is remembered and not asked for again."""


MAX_ENTRIES: Final = 20_000
"""The most jobs, or archives, that are taken in: 8 MiB hold millions of tiny ones, and each is worked on and shown."""


class Family(StrEnum):
    """The two families of the API, named by the first element of their paths."""

    REST = "rest"
    API = "api"


class Encoding(Enum):
    """How the parameters of an operation travel, those that are no part of its path."""

    NAMED = auto()
    """In the body, by name: ``{"piece": {...}}``."""
    BARE = auto()
    """The only one is the body."""
    DOTTED = auto()
    """In the query, by name and field, lists counted from 1: ``filter.jobs.1=A``."""
    FLAT = auto()
    """In the query, the fields of the only one: ``jobs=A&jobs=B``."""


@dataclass(frozen=True, slots=True)
class EncodedRequest:
    """An operation with its parameters, ready to be sent: path without host, query, JSON body."""

    method: str
    path: str
    query: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    body: object = field(default=None, repr=False)

    @property
    def target(self) -> str:
        """Path and query; a space is ``%20``, because not everybody who decodes a query takes ``+`` for one."""
        return self._target(safe="")

    @property
    def shown(self) -> tuple[str, object]:
        """Path and query, in which a mask is a mask, and body."""
        return self._target(safe="*"), self.body

    def _target(self, *, safe: str) -> str:
        query = urlencode(self.query, quote_via=quote, safe=safe)
        return f"{self.path}?{query}" if query else self.path


class EndpointRoute(msgspec.Struct, frozen=True):
    """Where an operation lives in one family; ``{name}`` in ``path`` is a parameter, ``query`` is sent as it is."""

    method: str
    path: str
    encoding: Encoding = Encoding.NAMED
    query: tuple[tuple[str, str], ...] = ()

    def encode(self, family: Family, parameters: Mapping[str, object]) -> EncodedRequest:
        """Return what goes out; a parameter that is None is left out.

        Raises NotFoundError for one that cannot stand in the path.
        """
        given = {name: value for name, value in parameters.items() if value is not None}
        in_path = set(re.findall(r"{(\w+)}", self.path))
        path = self.path.format(**{name: quote(check_name(str(given.pop(name))), safe="*") for name in in_path})
        query, body = _encode(self.encoding, given)
        return EncodedRequest(self.method, f"/{family}{path}", (*self.query, *query), body)


class Endpoint(msgspec.Struct, Generic[T_co], frozen=True):
    """An operation in both families; ``operation`` completes "could not ...".

    ``since`` is the first release with it, ``until`` the first without it again. Without an ``api`` route, both
    families use the ``rest`` one. A ``result`` of type dict is a map, None a response without content.
    ``not_found_without_id`` is set if a 404 may mean a missing resource although the path holds no id; ``changes`` if
    the operation changes the appliance. ``max_entries`` limits a result that is a list or map.
    """

    operation: str
    result: type[T_co]
    rest: EndpointRoute
    api: EndpointRoute | None = None
    since: str = FIRST_RELEASE
    until: str | None = None
    not_found_without_id: bool = False
    changes: bool = False
    max_entries: int = MAX_ENTRIES

    def is_missing_in(self, release: str) -> bool:
        """Return whether a release, such as ``7.0.3.00500``, does not have the operation."""
        numbers = _version_numbers(release)
        return numbers < _version_numbers(self.since) or (
            self.until is not None and numbers >= _version_numbers(self.until)
        )

    def not_found_possible(self, family: Family) -> bool:
        """Return whether a 404 may mean a thing that is not there, and not only an operation."""
        return self.not_found_without_id or "{" in self.route(family).path

    def encode(self, family: Family, parameters: Mapping[str, object]) -> EncodedRequest:
        """Return what goes out in a family."""
        return self.route(family).encode(family, parameters)

    def route(self, family: Family) -> EndpointRoute:
        """Return where the operation lives in a family."""
        return self.api if self.api and family is Family.API else self.rest

    def decode(self, family: Family, content: bytes) -> T_co:
        """Return the result in a body, a map in the spelling of either family.

        Raises ``DECODE_ERRORS``; the text names the path of a wrong field.
        """
        if self.result is NoneType:
            _check_no_result(content)
            return None  # type: ignore[return-value]
        wrapped = family is Family.REST
        return decode(content, self.result, wrapped=wrapped, max_entries=self.max_entries)  # type: ignore[no-any-return]


_NO_RESULT: Final[tuple[object, ...]] = (None, {}, {"value": None}, {"value": {}})
"""What an answer without a result may say, if it says anything."""


def _check_no_result(content: bytes) -> None:
    """Raise ``DECODE_ERRORS`` for content that the appliance never sends: a proxy or portal answered in its place."""
    if content.strip() and msgspec.json.decode(content) not in _NO_RESULT:
        raise msgspec.ValidationError("Expected an answer without a result")


def _version_numbers(release: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"[0-9]{1,9}", release))


MAX_NAME_LENGTH: Final = 1024
"""Characters; the ids of the appliance have some twenty, and a URL of 64 kB is more than anybody takes."""


def is_valid_name(name: str) -> bool:
    """Return whether a name can stand in a path and mean itself.

    Dots would lead to another operation, a ``-`` makes an option of it in the command lines that are shown, and what
    cannot be printed, such as a byte that is no UTF-8, is in no name of the appliance.
    """
    return (
        0 < len(name) <= MAX_NAME_LENGTH and name.isprintable() and bool(name.strip(".")) and not name.startswith("-")
    )


def check_name(name: str) -> str:
    """Return a name that can stand in a path.

    Raises NotFoundError for any other, whoever gave it: nothing can be asked for by it.
    """
    if is_valid_name(name):
        return name
    shown = repr(name) if len(name) <= MAX_NAME_LENGTH else f"of {len(name)} characters"
    raise NotFoundError(f"invalid name {shown}")


def _encode(encoding: Encoding, given: Mapping[str, Any]) -> tuple[list[tuple[str, str]], object]:
    """Return query and body."""
    if not given:
        return [], None
    match encoding:
        case Encoding.NAMED:
            return [], dict(given)
        case Encoding.BARE:
            (only,) = given.values()
            return [], only
        case Encoding.DOTTED:
            return [pair for name, value in given.items() for pair in _dotted(name, value)], None
        case Encoding.FLAT:
            (only,) = given.values()
            return [(name, str(each)) for name, value in only.items() for each in _as_list(value)], None


def _dotted(name: str, value: object) -> list[tuple[str, str]]:
    if isinstance(value, Mapping):
        return [pair for field, inner in value.items() for pair in _dotted(f"{name}.{field}", inner)]
    if isinstance(value, list):
        return [pair for number, inner in enumerate(value, 1) for pair in _dotted(f"{name}.{number}", inner)]
    return [(name, str(value))]


def _as_list(value: object) -> list[object]:
    return value if isinstance(value, list) else [value]
