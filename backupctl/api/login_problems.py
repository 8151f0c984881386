"""Why an appliance refuses a login, such as a locked account, as far as its response shows."""

import re
from typing import Final

from backupctl.api.vapi_error import VapiError
from backupctl.errors import AuthenticationError

LOGIN_PROBLEMS: Final = (
    (
        re.compile(r"\b(un)?lock(ed|out)\b|accountlocked", re.IGNORECASE),
        "the account is locked",
        "unlock it in the vSphere Client as an SSO administrator, or wait (by default 5 minutes)",
    ),
    (
        re.compile(r"password\W+(has\W+|is\W+)?expired|expired\W+password|passwordexpired", re.IGNORECASE),
        "the password has expired",
        "set a new password: for an SSO user in the vSphere Client, for root on the console or over ssh",
    ),
)
"""The causes of a 401, recognized by the words of the login pages, as those of the API are not documented.

Sources: https://knowledge.broadcom.com/external/article/326186 (User account is locked),
https://vswitchzero.com/2021/03/05/vcenter-vami-login-fails-due-to-expired-password/ (User password expired).
"""


def login_error(api_error: VapiError) -> AuthenticationError:
    """Return the error for a 401; the appliance rarely gives the cause, in any of its messages."""
    details = api_error.messages
    text = " ".join((*details, *api_error.ids))
    problem, hint = next(
        ((problem, hint) for pattern, problem, hint in LOGIN_PROBLEMS if pattern.search(text)),
        ("wrong user name or password", None),
    )
    return AuthenticationError(problem, hint=hint, details=details)
