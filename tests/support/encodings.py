"""The ways in which somebody who says a text again may write it."""

import base64
import html
import json
from collections.abc import Callable, Mapping
from urllib.parse import quote, quote_plus

ENCODERS: Mapping[str, Callable[[str], str]] = {
    "raw": str,
    "json": lambda text: json.dumps(text)[1:-1],
    "json-upper": lambda text: json.dumps(text)[1:-1].replace("\\u00e", "\\u00E"),
    "json-unicode": lambda text: json.dumps(text, ensure_ascii=False)[1:-1],
    "json-for-html": lambda text: json.dumps(text)[1:-1].replace("<", "\\u003c").replace("/", "\\/"),
    "json-in-json": lambda text: json.dumps(json.dumps(text))[3:-3],
    "percent": lambda text: quote(text, safe=""),
    "percent-lower": lambda text: quote(text, safe="").replace("%C3%A4", "%c3%a4"),
    "percent-twice": lambda text: quote(quote(text, safe=""), safe=""),
    "form": quote_plus,
    "path": quote,
    "html": html.escape,
    "html-ascii": lambda text: html.escape(text).encode("ascii", "xmlcharrefreplace").decode(),
    "repr": lambda text: repr(text)[1:-1],
    "bytes": lambda text: repr(text.encode())[2:-1],
    "wrong-encoding": lambda text: text.encode().decode("latin-1"),
    "ascii": lambda text: text.encode("ascii", "replace").decode(),
    "undecodable": lambda text: text.encode("latin-1", "replace").decode(errors="replace"),
    "base64": lambda text: base64.b64encode(text.encode()).decode(),
    "base64-url": lambda text: base64.urlsafe_b64encode(text.encode()).decode(),
    "basic": lambda text: base64.b64encode(f"root:{text}".encode()).decode(),
    "basic-quoted": lambda text: quote(base64.b64encode(f"administrator:{text}".encode()).decode(), safe=""),
}
