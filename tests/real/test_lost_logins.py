"""A login whose response is lost may have failed, so it is sent three times at most."""

import socket
import threading

import pytest

from tests import wording
from tests.support.processes import Program

pytestmark = pytest.mark.real


def test_login_without_a_response_is_sent_three_times_and_ends_with_5(program: Program) -> None:
    logins: list[bytes] = []

    def hang_up(listener: socket.socket) -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                logins.append(connection.recv(65536))

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=hang_up, args=(listener,), daemon=True).start()
        environ = {
            "BACKUPCTL_SERVER": f"http://127.0.0.1:{listener.getsockname()[1]}",
            "BACKUPCTL_USERNAME": "administrator@vsphere.local",
            "BACKUPCTL_PASSWORD": "VMware1!",
        }
        run = program.run("list", "-o", "json", environ=environ, seconds=60)
    assert (run.code, run.result["error"]["slug"]) == (5, "connection")
    assert wording.NOT_SENDING_ANOTHER_LOGIN(run.result["server"], 3) in run.result["error"]["message"]
    assert len([login for login in logins if b"authorization" in login.lower()]) == 3
