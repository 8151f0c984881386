"""The API of an appliance over HTTP; no other package knows its methods, paths, headers and JSON bodies."""

import sys

# httpx imports its command line if it can, and with it all of rich (35 ms). A module that is None cannot be imported,
# which httpx allows for (https://docs.python.org/3/reference/import.html#the-module-cache).
sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]
