"""The encodings of an echoed secret that `help secrets` promises to mask."""

import base64
import html
import json
import shlex
from collections.abc import Callable, Mapping
from urllib.parse import quote, quote_plus

ENCODERS: Mapping[str, Callable[[str], str]] = {
    "raw": str,
    "json": lambda text: json.dumps(text)[1:-1],
    "json-upper": lambda text: json.dumps(text)[1:-1].replace("\\u00e", "\\u00E"),
    "json-unicode": lambda text: json.dumps(text, ensure_ascii=False)[1:-1],
    "json-for-html": lambda text: json.dumps(text)[1:-1].replace("<", "\\u003c").replace("/", "\\/"),
    "javascript": lambda text: json.dumps(text)[1:-1].replace("'", "\\'"),
    "percent": lambda text: quote(text, safe=""),
    "percent-lower": lambda text: quote(text, safe="").replace("%C3%A4", "%c3%a4"),
    "percent-all": lambda text: "".join(f"%{octet:02x}" for octet in text.encode()),
    "form": quote_plus,
    "path": quote,
    "uri": lambda text: quote(text, safe=";,/?:@&=+$!*'()#"),
    "html": html.escape,
    "html-ascii": lambda text: html.escape(text).encode("ascii", "xmlcharrefreplace").decode(),
    "html-all": lambda text: "".join(f"&#x{ord(character):x};" for character in text),
    "html-padded": lambda text: "".join(f"&#{ord(character):07};" for character in text),
    "shell": lambda text: text.replace("'", r"'\''"),
    "shell-python": lambda text: shlex.quote(f" {text} ")[2:-2],
    "doubled": lambda text: text.replace("'", "''"),
    "doubled-double": lambda text: text.replace('"', '""'),
    "hex": lambda text: text.encode().hex(),
    "hex-upper": lambda text: text.encode().hex().upper(),
    "base64": lambda text: base64.b64encode(text.encode()).decode(),
    "base64-url": lambda text: base64.urlsafe_b64encode(text.encode()).decode(),
    "base64-folded": lambda text: folded(base64.b64encode(text.encode()).decode(), "\n"),
    "base64-url-folded": lambda text: folded(base64.urlsafe_b64encode(b"." + text.encode()).decode(), "\r\n "),
    "basic": lambda text: base64.b64encode(f"root:{text}".encode()).decode(),
    "basic-quoted": lambda text: quote(base64.b64encode(f"administrator:{text}".encode()).decode(), safe=""),
}


def folded(digits: str, fold: str) -> str:
    """Return base64 in lines of four digits, the shortest that there are."""
    return fold.join(digits[start : start + 4] for start in range(0, len(digits), 4))
