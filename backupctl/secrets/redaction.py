"""Redact secrets in text, however a peer spells them."""

import re
import sys
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Final, NamedTuple, Protocol

from backupctl.secrets.secret import MASK, Secret

CUT_OFF: Final = "..."

MIN_SECRET_LENGTH: Final = 4
"""Shorter secrets are not searched for in text: they would match parts of common words, and the mask there would reveal
them. In fields that hold a secret they are masked like any other."""

MAX_TEXT_LENGTH: Final = 64 * 1024
"""Characters of a text that are searched and shown; the rest is cut off."""

MAX_ANSWER_LENGTH: Final = 4 * MAX_TEXT_LENGTH
"""Characters of all texts of one answer: enough for the messages of a long history of failed jobs."""

_WORD: Final = re.compile(r"[A-Za-z]?[a-z]{0,15}|[A-Z]{0,16}|[0-9]{0,16}")
"""A common word or number, as they occur in messages of this program."""


class Redactor:
    """Masks the secrets of a run in texts that a peer sent.

    Each spelling of a secret (``_spellings``) is searched for in the text as it is, and with the escapes of one kind
    decoded (``_ESCAPES``). The time is linear in the length of the text, for any text.
    """

    def __init__(self) -> None:
        self._known: dict[str, _Known] = {}

    def add(self, *secrets: Secret) -> None:
        """Mask these secrets from now on; those shorter than MIN_SECRET_LENGTH are ignored."""
        for secret in secrets:
            text = secret.reveal()
            if len(text) >= MIN_SECRET_LENGTH:
                self._known[text] = _known(text)

    def redact(self, text: str, *, skip_common_words: bool = False) -> str:
        """Return ``text`` with a mask in place of each secret, cut off after ``MAX_TEXT_LENGTH`` characters.

        ``skip_common_words`` is for sentences of this program: a secret that is a common word or number is not masked,
        as a mask in a well-known sentence would reveal it.
        """
        known = list(self._known.values())  # a copy, as another thread may add secrets
        spellings = [each for secret in known for each in (secret.encoded if skip_common_words else secret.spellings)]
        # A secret that begins before the cut must be found as a whole.
        searched = text[: MAX_TEXT_LENGTH + max((secret.widest for secret in known), default=0)]
        return _masked(
            text, [span for plain, begins in _readings(searched) for span in _spans(plain, begins, spellings)]
        )


class Redact(Protocol):
    """A function that masks the secrets in a text."""

    def __call__(self, text: str, *, skip_common_words: bool = False) -> str:
        """Return ``text`` with secrets masked; with ``skip_common_words``, common words are kept."""
        ...


class RedactionBudget:
    """Masks the texts of one answer, event or result, up to ``MAX_ANSWER_LENGTH`` characters in all.

    The text that exceeds the budget is still masked as a whole. Each text costs its length plus one, as empty ones take
    time too.
    """

    def __init__(self, redact: Redact) -> None:
        self._redact = redact
        self._left = MAX_ANSWER_LENGTH

    @property
    def spent(self) -> bool:
        """Whether the budget is used up."""
        return self._left <= 0

    def spend(self, characters: int) -> None:
        """Count characters that were shown without masking."""
        self._left -= characters

    def redact(self, text: str) -> str:
        """Return a text with secrets masked, ``CUT_OFF`` once the budget is used up."""
        if self.spent:
            return CUT_OFF
        self.spend(len(text) + 1)
        return self._redact(text)


class _Spelling(NamedTuple):
    """One way to write a secret.

    ``before`` and ``after`` count characters around it that depend on the secret in part.
    """

    text: str
    before: int = 0
    after: int = 0


class _Known(NamedTuple):
    """The spellings of a secret.

    ``encoded`` leaves out the plain one of a common word; ``widest`` is the most characters that one takes in a text.
    """

    spellings: tuple[_Spelling, ...]
    encoded: tuple[_Spelling, ...]
    widest: int


@lru_cache(maxsize=64)
def _known(text: str) -> _Known:
    """Return the spellings of a secret, cached, as many appliances share one."""
    plain, *encoded = dict.fromkeys(_spellings(text))  # most are the same in both alphabets of base64
    spellings = (plain, *encoded)
    widest = _WIDEST_ESCAPE * max(len(each.text) for each in spellings)
    return _Known(spellings, tuple(encoded) if _WORD.fullmatch(text) else spellings, widest)


def _spellings(text: str) -> Iterator[_Spelling]:
    """Yield a secret as it is, in hexadecimal, and in base64 at each of the three alignments."""
    content = text.encode(errors="surrogatepass")
    yield _Spelling(text)
    yield _Spelling(content.hex())
    yield _Spelling(content.hex().upper())
    for before in range(3):
        end = before + len(content)
        for encode in (b64encode, urlsafe_b64encode):
            # A digit holds 6 bits. Digits that hold only bits of the secret are searched for, neighbours are masked.
            digits = encode(bytes(before) + content).decode()[-(-before * 8 // 6) : end * 8 // 6]
            yield _Spelling(digits, before=int(before > 0), after=int(end % 3 > 0))


def _readings(text: str) -> Iterator[tuple[str, Sequence[int]]]:
    """Yield the text as it is and decoded, each with the offset in ``text`` of each of its characters."""
    yield text, range(len(text) + 1)
    if not _SIGN.search(text):
        return
    for escape, meaning in _ESCAPES:
        if escape.search(text):
            yield _without_escapes(text, escape, meaning)


def _without_escapes(text: str, escape: re.Pattern[str], meaning: Callable[[str], str]) -> tuple[str, list[int]]:
    plain, begins, end = [], [], 0
    for match in escape.finditer(text):
        character = meaning(match[0])[:1]  # no encoder writes the few entities that stand for two characters
        plain += [text[end : match.start()], character]
        begins += [*range(end, match.start()), *([match.start()] * len(character))]
        end = match.end()
    return "".join([*plain, text[end:]]), [*begins, *range(end, len(text) + 1)]


def _spans(plain: str, begins: Sequence[int], spellings: Iterable[_Spelling]) -> Iterator[tuple[int, int]]:
    """Yield start and end in the original text of each spelling found; ``str.find`` takes linear time."""
    for spelling, before, after in [each for each in spellings if each[0] in plain]:
        start = plain.find(spelling)
        while start >= 0:
            end = start + len(spelling)
            yield begins[max(start - before, 0)], begins[min(end + after, len(plain))]
            start = plain.find(spelling, end)


def _masked(text: str, spans: Iterable[tuple[int, int]]) -> str:
    """Return a text with one mask for each run of spans, cut off after ``MAX_TEXT_LENGTH``."""
    shown: list[str] = []
    at = 0
    for start, end in sorted(spans):
        if start < MAX_TEXT_LENGTH:
            if start > at or not shown:
                shown += [text[at:start], MASK]
            at = max(at, end)
    if at < MAX_TEXT_LENGTH:
        shown.append(text[at:MAX_TEXT_LENGTH])
        at = MAX_TEXT_LENGTH
    if at < len(text):
        shown.append(f"... ({len(text) - at} more characters)")
    return "".join(shown)


@lru_cache(maxsize=256)
def _percent_decoded(escape: str) -> str:
    return bytes.fromhex(escape.replace("%", "")).decode(errors="replace")


def _form_decoded(escape: str) -> str:
    return " " if escape == "+" else _percent_decoded(escape)


@lru_cache(maxsize=256)
def _json_decoded(escape: str) -> str:
    from json import loads

    return "'" if escape == r"\'" else str(loads(f'"{escape}"'))


@lru_cache(maxsize=256)
def _html_decoded(entity: str) -> str:
    if entity.startswith("&#"):
        code = int(entity[3:-1], 16) if entity[2] in "Xx" else int(entity[2:-1])
        return chr(min(code, sys.maxunicode))
    from html import unescape

    return unescape(entity)


_HEX: Final = "[0-9A-Fa-f]"
_NEXT: Final = f"%[89ABab]{_HEX}"
_PERCENT: Final = (
    f"%[0-7]{_HEX}|%[CDcd]{_HEX}{_NEXT}|%[Ee]{_HEX}{_NEXT}{_NEXT}|%[Ff][0-7]{_NEXT}{_NEXT}{_NEXT}"  # UTF-8
)
_UNIT: Final = rf"\\u[Dd][89ABab]{_HEX}{{2}}\\u[Dd][C-Fc-f]{_HEX}{{2}}|\\u{_HEX}{{4}}"  # UTF-16
_BASE64: Final = "[A-Za-z0-9+/=_-]"

_ESCAPES: Final[tuple[tuple[re.Pattern[str], Callable[[str], str]], ...]] = (
    (re.compile(_PERCENT), _percent_decoded),
    (re.compile(rf"\+|{_PERCENT}"), _form_decoded),
    (re.compile(rf"""{_UNIT}|\\["'\\/bfnrt]"""), _json_decoded),
    (re.compile("&(?:#[0-9]{1,7}|#[Xx][0-9A-Fa-f]{1,6}|[A-Za-z][A-Za-z0-9]{1,7});"), _html_decoded),
    (re.compile(r"'\\''|'\"'\"'"), lambda _: "'"),
    (re.compile("''"), lambda _: "'"),
    (re.compile('""'), lambda _: '"'),
    (re.compile(rf"(?<={_BASE64})\r?\n[ \t]{{0,8}}(?={_BASE64})"), lambda _: ""),
)
"""Escapes and their decoders: percent-encoding in URLs and in forms, JSON, HTML, quotes in a shell, doubled quotes, and
the folds of base64. Each pattern is bounded and matches in one way only, so that decoding takes linear time."""

_SIGN: Final = re.compile(r"[%+\\&'\"\n]")
"""A character that every escape contains."""

_WIDEST_ESCAPE: Final = 12
"""Most characters of an escape: four bytes of UTF-8, percent-encoded, or two escapes of JSON."""
