"""The environment of this process: the one place that reads it; everything else gets it as an argument."""

import os
from collections.abc import Mapping


def process_environment() -> Mapping[str, str]:
    """Return the environment of this process; everything else gets it as an argument."""
    return os.environ  # noqa: TID251 - this is the one place that reads it
