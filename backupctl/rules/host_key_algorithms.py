"""Which SSH host keys of a backup server appliances accept.

Sources: https://knowledge.broadcom.com/external/article/437603 (VCF 9), 441702 and 425273 (SDDC Manager, which takes
the same backup servers).
"""

import re
from collections.abc import Collection
from typing import Final

_NEEDED: Final = (
    ((9,), "ecdsa-sha2-.+", "release 9 needs an ECDSA host key, and the server has none (KB 437603)"),
    (
        (),
        "(?!ssh-rsa$|ssh-dss$).+",
        'the server offers only SHA-1; a backup may fail with "no matching host key type" (KB 441702, KB 425273)',
    ),
)
"""Since which release, a pattern for algorithms of which one is needed, and the warning if there is none."""


def host_key_warnings(offered: Collection[str], release: str) -> tuple[str, ...]:
    """Return why an appliance may not accept these algorithms; ``release`` is empty if unknown."""
    numbers = tuple(map(int, re.findall("[0-9]{1,9}", release)))
    return tuple(
        warning
        for since, pattern, warning in _NEEDED
        if numbers >= since and not any(re.fullmatch(pattern, name) for name in offered)
    )
