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
"""A secret of fewer characters is not looked for in texts: it would be found in every other word of them, and the
asterisks there would tell it. Where it is known to stand it is masked like any other."""

MAX_TEXT_LENGTH: Final = 64 * 1024
"""The characters of a text in which secrets are looked for, and that are shown of it."""

MAX_ANSWER_LENGTH: Final = 4 * MAX_TEXT_LENGTH
"""The characters of all texts of one answer: enough for the messages of a long history of failed jobs."""

_WORD: Final = re.compile(r"[A-Za-z]?[a-z]{0,15}|[A-Z]{0,16}|[0-9]{0,16}")
"""What a word or a number of ours may be."""


class Redactor:
    """The secrets of a run that others may say again; ``redact`` masks them.

    Each spelling of a secret (``_spellings``) is looked for in the text as it is, and with the escapes of one kind
    decoded (``_ESCAPES``). This takes time in proportion to the length of the text, whatever is in it.
    """

    def __init__(self) -> None:
        self._known: dict[str, _Known] = {}

    def add(self, *secrets: Secret) -> None:
        """Mask these secrets from now on."""
        for secret in secrets:
            text = secret.reveal()
            if len(text) >= MIN_SECRET_LENGTH:
                self._known[text] = _known(text)

    def redact(self, text: str, *, skip_common_words: bool = False) -> str:
        """Return ``text`` with a mask in place of each secret, cut off after ``MAX_TEXT_LENGTH`` characters.

        ``skip_common_words`` is for sentences of our own: a secret that is an ordinary word or number stays in them, as
        a mask in a sentence that everybody knows would tell it.
        """
        known = list(self._known.values())  # another thread may add some meanwhile
        sought = [each for secret in known for each in (secret.encoded if skip_common_words else secret.spellings)]
        # A secret that begins before the cut is seen to its end.
        seen = text[: MAX_TEXT_LENGTH + max((secret.widest for secret in known), default=0)]
        return _masked(text, [span for plain, begins in _readings(seen) for span in _spans(plain, begins, sought)])


class Redact(Protocol):
    """Masks the secrets in a text."""

    def __call__(self, text: str, *, skip_common_words: bool = False) -> str:
        """Return ``text`` without them; with ``skip_common_words`` those that are ordinary words stay."""
        ...


class RedactionBudget:
    """Masks the texts of one answer, event or result, one after the other, ``MAX_ANSWER_LENGTH`` characters in all.

    The text in which the budget runs out is still masked as a whole. Each text costs one character more than it has,
    as empty ones take time too.
    """

    def __init__(self, redact: Redact) -> None:
        self._redact = redact
        self._left = MAX_ANSWER_LENGTH

    @property
    def spent(self) -> bool:
        """Whether nothing else is shown."""
        return self._left <= 0

    def spend(self, characters: int) -> None:
        """Count characters that need no mask."""
        self._left -= characters

    def redact(self, text: str) -> str:
        """Return a text without secrets; ``CUT_OFF`` where the budget is spent."""
        if self.spent:
            return CUT_OFF
        self.spend(len(text) + 1)
        return self._redact(text)


class _Spelling(NamedTuple):
    """A way to write a secret; so many characters ``before`` and ``after`` it depend on the secret in part."""

    text: str
    before: int = 0
    after: int = 0


class _Known(NamedTuple):
    """A secret: all its spellings, those without itself where it is a word, and what the longest may take in a text."""

    spellings: tuple[_Spelling, ...]
    encoded: tuple[_Spelling, ...]
    widest: int


@lru_cache(maxsize=64)
def _known(text: str) -> _Known:
    """Return what is looked for; the same for all appliances that share a secret."""
    plain, *encoded = dict.fromkeys(_spellings(text))  # most are the same in both alphabets of base64
    spellings = (plain, *encoded)
    widest = _WIDEST_ESCAPE * max(len(each.text) for each in spellings)
    return _Known(spellings, tuple(encoded) if _WORD.fullmatch(text) else spellings, widest)


def _spellings(text: str) -> Iterator[_Spelling]:
    """Yield a secret as it is first, then in hexadecimal, and in base64 wherever it stands in what is encoded."""
    content = text.encode(errors="surrogatepass")
    yield _Spelling(text)
    yield _Spelling(content.hex())
    yield _Spelling(content.hex().upper())
    for before in range(3):
        end = before + len(content)
        for encode in (b64encode, urlsafe_b64encode):
            # A digit holds 6 bits. Those that hold none but the secret's are looked for; others are masked with them.
            digits = encode(bytes(before) + content).decode()[-(-before * 8 // 6) : end * 8 // 6]
            yield _Spelling(digits, before=int(before > 0), after=int(end % 3 > 0))


def _readings(text: str) -> Iterator[tuple[str, Sequence[int]]]:
    """Yield the text, as it is and without escapes, and where in ``text`` each character of it begins."""
    yield text, range(len(text) + 1)
    if not _SIGN.search(text):
        return
    for escape, meaning in _ESCAPES:
        if escape.search(text):
            yield _without_escapes(text, escape, meaning)


def _without_escapes(text: str, escape: re.Pattern[str], meaning: Callable[[str], str]) -> tuple[str, list[int]]:
    plain, begins, end = [], [], 0
    for match in escape.finditer(text):
        character = meaning(match[0])[:1]  # no encoder writes the few entities that stand for two
        plain += [text[end : match.start()], character]
        begins += [*range(end, match.start()), *([match.start()] * len(character))]
        end = match.end()
    return "".join([*plain, text[end:]]), [*begins, *range(end, len(text) + 1)]


def _spans(plain: str, begins: Sequence[int], sought: Iterable[_Spelling]) -> Iterator[tuple[int, int]]:
    """Yield from where to where what is sought stands in the text; ``str.find`` takes linear time."""
    for spelling, before, after in [each for each in sought if each[0] in plain]:
        start = plain.find(spelling)
        while start >= 0:
            end = start + len(spelling)
            yield begins[max(start - before, 0)], begins[min(end + after, len(plain))]
            start = plain.find(spelling, end)


def _masked(text: str, spans: Iterable[tuple[int, int]]) -> str:
    """Return a text with a mask for each run of spans, and none of it that begins behind ``MAX_TEXT_LENGTH``."""
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
"""Escapes, each with what it stands for: percent-encoding in URLs and in forms, JSON, HTML, quotes in a shell, doubled
quotes, and the folds of base64. None can match in two ways or without bound, so each reading takes linear time."""

_SIGN: Final = re.compile(r"[%+\\&'\"\n]")
"""What stands in every escape."""

_WIDEST_ESCAPE: Final = 12
"""The most characters of a text that stand for one: four bytes of UTF-8, percent-encoded, or two escapes of JSON."""
