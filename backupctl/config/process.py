"""The environment and the core dumps of this process."""

import os
from collections.abc import Mapping


def process_environment() -> Mapping[str, str]:
    """Return the environment of this process; all other code gets it as an argument."""
    return os.environ  # noqa: TID251 - this is the one place that reads it


def forbid_core_dumps() -> None:
    """Prevent core dumps, as memory contains passwords (core(5)).

    Access by other processes of the same user (ptrace) is left to the system: they can read the password files too.
    """
    import resource

    _, hard = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (0, hard))


def resume_garbage_collection() -> None:
    """Turn garbage collection on again, which ``__main__`` turns off while the program loads.

    It then leaves out what was loaded: to look through all modules once costs 6 % of the CPU time of ``list``.
    """
    import gc

    if not gc.isenabled():
        gc.freeze()
        gc.enable()
