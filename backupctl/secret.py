"""Secrets as values that do not show themselves, and what takes them out of texts of others."""

import re
from base64 import b64encode
from collections.abc import Iterator
from functools import cached_property, lru_cache
from typing import Final, NamedTuple

MASK: Final = "***"

SHORTEST_SOUGHT: Final = 4
"""A secret of fewer characters is not looked for in texts: it would be found in every other word of them, and the
asterisks there would tell it. Where it is known to stand it is masked like any other."""

_WORD: Final = re.compile(r"[A-Za-z]?[a-z]{0,15}|[A-Z]{0,16}|[0-9]{0,16}")
"""What a word or a number of ours may be."""


class Secret:
    """A secret string: shown as ``***`` everywhere, given away by ``reveal`` only.

    It cannot be pickled, copied into JSON or formatted by accident; equality compares the hidden strings.
    """

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """Return the secret itself; call it only where the secret is sent or checked."""
        return self._value

    def __repr__(self) -> str:
        return f"Secret({MASK})"

    def __str__(self) -> str:
        return MASK

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self._value == other._value

    def __hash__(self) -> int:
        return hash(self._value)

    def __bool__(self) -> bool:
        return bool(self._value)

    def __reduce__(self) -> str:
        raise TypeError("a Secret is not to be written anywhere")


class KnownSecrets:
    """The secrets that somebody got from us and may say again: ``conceal`` takes them out of what he says.

    They are looked for as they are and in all the ways in which JSON, URLs, HTML, Python and base64 write them, these
    ways mixed as they come.
    """

    def __init__(self) -> None:
        self._traces: dict[str, _Traces] = {}

    def add(self, *secrets: Secret) -> None:
        """Take note of secrets that leave us."""
        for secret in secrets:
            text = secret.reveal()
            if len(text) >= SHORTEST_SOUGHT and text not in self._traces:
                known = {**self._traces, text: _traces_of(text)}
                # One that is part of another must not leave the rest of it standing.
                self._traces = dict(sorted(known.items(), key=lambda item: -len(item[0])))

    def conceal(self, text: str, *, spare_words: bool = False) -> str:
        """Return ``text`` with a mask where one of the secrets stood.

        ``spare_words`` is for what holds words of ours: a secret that is an ordinary word or number stays in it, as the
        mask in a sentence that everybody knows would tell it.
        """
        for traces in self._traces.values():
            if not (spare_words and traces.plain.is_word):
                text = traces.plain.concealed(text)
            for core in traces.in_base64:
                text = core.concealed(text)
        return text


class _Trace:
    """A text that is looked for; ``around`` matches all that is masked where the text is found in it."""

    def __init__(self, sought: str, around: re.Pattern[str] | None = None) -> None:
        self._sought = sought
        self._around = around
        # Whatever encoder there was, this part of the text still is as it was: mostly that is all there is to look at.
        self._anchor = max(_NEVER_ENCODED.findall(sought), key=len, default="")

    @property
    def is_word(self) -> bool:
        return _WORD.fullmatch(self._sought) is not None

    def concealed(self, text: str) -> str:
        if self._anchor not in text or not self._pattern.search(text):
            return text
        if self._around is None:
            return self._pattern.sub(MASK, text)
        return self._around.sub(lambda match: MASK if self._pattern.search(match[0]) else match[0], text)

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        runs = re.findall(r"\\+|[^\\]", self._sought, re.DOTALL)
        return re.compile("".join(_BACKSLASHES if run[0] == "\\" else _ways_to_write(run) for run in runs))


class _Traces(NamedTuple):
    plain: _Trace
    in_base64: tuple[_Trace, ...]


@lru_cache(maxsize=64)
def _traces_of(text: str) -> _Traces:
    """Return what is looked for; the same for all appliances that share a secret."""
    return _Traces(_Trace(text), tuple(_Trace(core, _BASE64) for core in _base64_cores(text)))


def _base64_cores(text: str) -> Iterator[str]:
    """Yield what base64 makes of ``text`` wherever it stands in what is encoded: the digits that depend on it alone."""
    content = text.encode(errors="surrogatepass")
    for before in range(3):
        digits = b64encode(bytes(before) + content).decode()
        yield digits[-(-before * 8 // 6) : (before + len(content)) * 8 // 6]


_NEVER_ENCODED: Final = re.compile(r"[A-Za-z0-9._-]+")
_BASE64: Final = re.compile(r"(?:[A-Za-z0-9+/=_-]|%(?:25)*(?:2[BbFf]|3[Dd])|\\+/)+")
_ESCAPES: Final = r"(?:\\|%(?:25)*5[cC]|&#92;)*+"
_BACKSLASHES: Final = r"(?:\\++(?:u005[cC])?|%(?:25)*5[cC]|&#92;|&#[xX]5[cC];)++"
"""However many: each encoder on the way doubles them."""


def _ways_to_write(character: str) -> str:
    """Return a pattern for a character as it is, and as encoders write it."""
    if _NEVER_ENCODED.fullmatch(character):
        return re.escape(character)
    code, ways = ord(character), _written(character)
    if character in _ALSO:
        ways += _written(_ALSO[character])
    if code > 127:  # read in another encoding than it was written in
        misread = character.encode(errors="surrogatepass").decode("latin-1")
        ways += [
            *_written("\ufffd"),
            *_written("?"),
            _ESCAPES.join(f"(?:{'|'.join(_written(each))})" for each in misread),
        ]
    if 127 < code < 256:
        ways += [f"%(?:25)*(?i:{code:02x})", f"x(?i:{code:02x})"]
    return f"{_ESCAPES}(?:{'|'.join(ways)})"


def _written(character: str) -> list[str]:
    """Return patterns for a character as it is, in UTF-8 in a URL or in Python, in JSON, and in HTML."""
    from html.entities import codepoint2name

    code, octets = ord(character), character.encode(errors="surrogatepass")
    units = re.findall("....", character.encode("utf-16-be", "surrogatepass").hex())
    names = [f"#0*{code}", f"#[xX]0*(?i:{code:x})", *([codepoint2name[code]] if code in codepoint2name else [])]
    entities = "|".join(names).replace("#", "(?:#|%(?:25)*23)")
    return [
        re.escape(character),
        "".join(f"%(?:25)*(?i:{octet:02x})" for octet in octets),
        _ESCAPES.join(f"x(?i:{octet:02x})" for octet in octets),
        _ESCAPES.join(f"u(?i:{unit})" for unit in units),
        f"U(?i:{code:08x})",
        f"(?:&(?:amp;)*|%(?:25)*26)(?:{entities})(?:;|%(?:25)*3[bB])",
    ]


_ALSO: Final = {" ": "+", "\t": "t", "\b": "b", "\f": "f", "+": "-", "/": "_"}
"""Forms, short escapes, and the other alphabet of base64."""
