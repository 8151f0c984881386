"""A Samba server as processes of the tests: with its own configuration, account and port, and nothing in /etc."""

import os
import pwd
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.support.processes import require_program, wait_until

USER, PASSWORD = "backup", "Pa55 wörd!"

_CONFIGURATION = """
[global]
server role = standalone server
passdb backend = tdbsam:{folder}/passdb.tdb
username map = {folder}/users
map to guest = Bad User
guest account = {account}
interfaces = 127.0.0.1
bind interfaces only = yes
smb ports = {port}
disable netbios = yes
disable spoolss = yes
load printers = no
printing = bsd
log file = {folder}/log
lock directory = {folder}
state directory = {folder}
cache directory = {folder}
pid directory = {folder}
private dir = {folder}
ncalrpc dir = {folder}/rpc
binddns dir = {folder}
"""
_SHARE = """
[{name}]
path = {path}
msdfs root = yes
read only = {read_only}
"""


@contextmanager
def samba(folder: Path, shares: Mapping[str, Path], *, read_only: tuple[str, ...] = ()) -> Iterator[int]:
    """Serve folders as shares on a port of loopback, and yield the port.

    The only account is that of the tests under another name, with a password that only this server knows.
    """
    account = pwd.getpwuid(os.geteuid()).pw_name
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    configuration = folder / "smb.conf"
    text = _CONFIGURATION.format(folder=folder, account=account, port=port)
    for name, path in shares.items():
        text += _SHARE.format(name=name, path=path, read_only="yes" if name in read_only else "no")
    configuration.write_text(text)
    (folder / "users").write_text(f"{account} = {USER} {USER}@example.com\n")
    subprocess.run(
        [require_program("smbpasswd"), "-c", configuration, "-a", "-s", account],
        input=f"{PASSWORD}\n{PASSWORD}\n".encode(),
        check=True,
        capture_output=True,
        timeout=30,
    )
    program = shutil.which("smbd", path=f"{os.defpath}:/usr/sbin") or require_program("smbd")
    process = subprocess.Popen(
        [program, "--foreground", "--no-process-group", "-s", configuration],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        wait_until(lambda: _listens(port), "smbd listens")
        yield port
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(10)


def _listens(port: int) -> bool | None:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0 or None
