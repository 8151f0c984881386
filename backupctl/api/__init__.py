"""The appliance over HTTP: the only floor that knows methods, paths, headers and JSON bodies."""

import sys

# httpx imports its own command line where it can, and with it all of rich (35 ms). None keeps a module from being
# imported, which httpx expects (https://docs.python.org/3/reference/import.html#the-module-cache).
sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]
