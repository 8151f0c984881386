"""Read the fields of a certificate that people ask about from its DER form (RFC 5280); nothing is verified here.

Python's ssl module decodes only certificates that it has verified, and those need no explanation. This module reads a
few fields of one fixed structure, which does not justify a library of 20 MB. Trust never depends on it: OpenSSL
verifies, and a pin is a hash of the whole certificate.
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from typing import Final, NamedTuple

from backupctl.models import Certificate
from backupctl.rules.fingerprint import fingerprint_of

_BOOLEAN, _INTEGER, _OCTETS, _OID, _SEQUENCE = 0x01, 0x02, 0x04, 0x06, 0x30
_UTC_TIME, _GENERALIZED_TIME = 0x17, 0x18
_VERSION, _EXTENSIONS = 0xA0, 0xA3
_DNS_NAME, _IP_ADDRESS = 0x82, 0x87

_ENCODINGS: Final = {0x1E: "utf-16-be", 0x1C: "utf-32-be", 0x14: "latin-1"}
"""Encodings of BMPString, UniversalString and TeletexString; all other strings are UTF-8 or a subset of it."""

_ATTRIBUTES: Final = {
    "2.5.4.3": "CN",
    "2.5.4.5": "serialNumber",
    "2.5.4.6": "C",
    "2.5.4.7": "L",
    "2.5.4.8": "ST",
    "2.5.4.10": "O",
    "2.5.4.11": "OU",
    "0.9.2342.19200300.100.1.25": "DC",
    "1.2.840.113549.1.9.1": "emailAddress",
}
_ALTERNATIVE_NAMES: Final = "2.5.29.17"
_BASIC_CONSTRAINTS: Final = "2.5.29.19"


class _Element(NamedTuple):
    """An ASN.1 element: tag and content."""

    tag: int
    content: bytes

    def inner(self, *tags: int) -> list["_Element"]:
        """Return the inner elements.

        Raises ValueError: unless the first ones have ``tags``.
        """
        elements = list(_elements(self.content))
        if tuple(element.tag for element in elements[: len(tags)]) != tags:
            raise ValueError(f"unexpected structure: {elements!r:.80}")
        return elements


def read_certificate(der: bytes, now: datetime) -> Certificate:
    """Return the facts of a certificate; ``now`` is needed for the days until it expires.

    Raises ValueError: if ``der`` is not one certificate.
    """
    elements = list(_elements(der))
    if len(elements) != 1:
        raise ValueError("not a single certificate")
    signed = elements[0].inner(_SEQUENCE, _SEQUENCE)[0]
    fields = signed.inner()
    if fields and fields[0].tag == _VERSION:
        fields = fields[1:]
    expected = (_INTEGER, _SEQUENCE, _SEQUENCE, _SEQUENCE, _SEQUENCE, _SEQUENCE)
    if tuple(field.tag for field in fields[:6]) != expected:
        raise ValueError("unexpected fields")
    serial, _, issuer, validity, subject, _ = fields[:6]
    not_before, not_after = (_time(time) for time in validity.inner()[:2])
    extensions = _extensions(fields[6:])
    return Certificate(
        subject=_name(subject),
        issuer=_name(issuer),
        names=tuple(_alternative_names(extensions.get(_ALTERNATIVE_NAMES, b""))),
        not_before=not_before,
        not_after=not_after,
        expires_in_days=(not_after - now) // timedelta(days=1),
        is_ca=_is_ca(extensions.get(_BASIC_CONSTRAINTS, b"")),
        serial_number=serial.content.hex(),
        fingerprint=fingerprint_of(der),
    )


def _elements(data: bytes) -> Iterator[_Element]:
    """Yield the consecutive elements in ``data`` (X.690, definite lengths only)."""
    position = 0
    while position < len(data):
        header = data[position : position + 2]
        if len(header) < 2 or header[0] & 0x1F == 0x1F:
            raise ValueError("invalid element")
        length, position = header[1], position + 2
        if length & 0x80:
            size = length & 0x7F
            if not 1 <= size <= 4:
                raise ValueError("invalid length")
            length, position = int.from_bytes(data[position : position + size]), position + size
        content = data[position : position + length]
        if len(content) < length:
            raise ValueError("truncated")
        yield _Element(header[0], content)
        position += length


def _extensions(fields: list[_Element]) -> dict[str, bytes]:
    found = {}
    for field in fields:
        if field.tag == _EXTENSIONS:
            for extension in field.inner(_SEQUENCE)[0].inner():
                name, *_, value = extension.inner(_OID)
                if value.tag == _OCTETS:
                    found[_oid(name.content)] = value.content
    return found


def _oid(content: bytes) -> str:
    if not content:
        raise ValueError("invalid object identifier")
    numbers, number = [], 0
    for byte in content:
        number = number << 7 | byte & 0x7F
        if not byte & 0x80:
            numbers.append(number)
            number = 0
    if not numbers:
        raise ValueError("invalid object identifier")
    first = min(numbers[0] // 40, 2)
    return ".".join(map(str, (first, numbers[0] - 40 * first, *numbers[1:])))


def _name(name: _Element) -> str:
    """Return a distinguished name in its own order: ``CN=vc01.example.com, O=Example``."""
    words = []
    for relative in name.inner():
        for attribute in relative.inner():
            kind, value = attribute.inner(_OID)[:2]
            oid = _oid(kind.content)
            words.append(f"{_ATTRIBUTES.get(oid, oid)}={_text(value)}")
    return ", ".join(words)


def _text(value: _Element) -> str:
    return value.content.decode(_ENCODINGS.get(value.tag, "utf-8"), errors="replace")


def _time(time: _Element) -> datetime:
    """Return a time; two-digit years are before 2050 (RFC 5280, section 4.1.2.5)."""
    text = time.content.decode("ascii", errors="replace")
    match = re.fullmatch(r"(\d{2}|\d{4})(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})Z", text, re.ASCII)
    if match is None or time.tag not in {_UTC_TIME, _GENERALIZED_TIME}:
        raise ValueError("invalid time")
    year, *rest = map(int, match.groups())
    if len(match[1]) == 2:
        year += 1900 if year >= 50 else 2000
    return datetime(year, *rest, tzinfo=UTC)  # type: ignore[arg-type,misc]


def _alternative_names(content: bytes) -> Iterator[str]:
    for sequence in _elements(content):
        for name in sequence.inner():
            if name.tag == _DNS_NAME:
                yield _text(name)
            elif name.tag == _IP_ADDRESS and len(name.content) in {4, 16}:
                yield str(ip_address(name.content))


def _is_ca(content: bytes) -> bool:
    return any(
        field.tag == _BOOLEAN and field.content != b"\0"
        for constraints in _elements(content)
        for field in constraints.inner()[:1]
    )
