"""This process: its environment, which only this place reads, and what is left of it when it dies."""

import os
from collections.abc import Mapping


def process_environment() -> Mapping[str, str]:
    """Return the environment of this process; everything else gets it as an argument."""
    return os.environ  # noqa: TID251 - this is the one place that reads it


def forbid_core_dumps() -> None:
    """Leave no image of the memory behind, in which passwords stand, whatever ends this process (core(5)).

    That others of the same user look into it while it runs (ptrace) is left to the system: they can read the files
    with the passwords as well.
    """
    try:
        import resource
    except ImportError:  # Windows
        return
    _, hard = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (0, hard))
