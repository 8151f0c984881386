"""``simulator serve`` as its own process."""

import signal
from pathlib import Path

import pytest

from tests.support.command_line import write_private
from tests.support.processes import Program

pytestmark = pytest.mark.real


@pytest.mark.parametrize(
    ("listen", "password", "warned"),
    [
        ("0.0.0.0:0", None, True),
        ("0.0.0.0:0", "VMware1!", True),
        ("0.0.0.0:0", "another", False),
        ("127.0.0.1:0", None, False),
        ("localhost:0", None, False),
    ],
)
def test_simulator_open_to_the_network_with_the_default_password_warns(
    program: Program, tmp_path: Path, listen: str, password: str | None, warned: bool
) -> None:
    given = []
    if password is not None:
        write_private(tmp_path / "password", password)
        given = ["--accept-password-file", str(tmp_path / "password")]
    serving = program.start("simulator", "serve", "--no-tls", "--listen", listen, *given)
    serving.wait_for_stdout("appliances")
    serving.signal(signal.SIGTERM)
    ended = serving.wait()
    assert ("default password" in ended.err, ended.code) == (warned, 0)
