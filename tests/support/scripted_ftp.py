"""An FTP server that answers as a test says: wrongly, slowly, or not at all."""

import socket
import ssl
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from threading import Event

from tests.support.socket_server import serve_connections

Send = Callable[[socket.socket, Event], None]
"""Sends the content of a data connection; the event says that the test is over."""

FOREIGN_ADDRESS = "192,0,2,1"
"""An address for documentation (RFC 5737), which nobody can connect to."""


@contextmanager
def scripted_ftp(
    replies: Mapping[str, bytes | None] = {},
    send: Send = lambda _, __: None,
    *,
    tls: ssl.SSLContext | None = None,
    data_tls: ssl.SSLContext | None = None,
) -> Iterator[tuple[int, list[str]]]:
    """Serve on loopback; yield the port, and the commands that arrive.

    ``replies`` has the reply to each verb ("" is the greeting), None for silence. ``AUTH`` starts ``tls``. PASV answers
    with the right port and a foreign address.
    """
    commands: list[str] = []

    def serve(connection: socket.socket, over: Event) -> None:
        with ExitStack() as stack:
            listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
            port = listener.getsockname()[1]
            known: dict[str, bytes | None] = {
                "": b"220 ready\r\n",
                "PWD": b'257 "/"\r\n',
                "PASV": f"227 passive ({FOREIGN_ADDRESS},{port >> 8},{port & 255})\r\n".encode(),
                "end": b"226 sent\r\n",
                **dict.fromkeys(("LIST", "RETR"), b"150 coming\r\n"),
                **replies,
            }
            verb = ""
            received = bytearray()
            while True:
                reply = known.get(verb, b"200 done\r\n")
                if reply is None:
                    over.wait()
                    return
                connection.sendall(reply)
                if verb == "AUTH" and reply.startswith(b"2") and tls is not None:
                    connection = stack.enter_context(tls.wrap_socket(connection, server_side=True))
                if reply.startswith(b"150"):
                    _transfer(listener, send, over, data_tls or tls)
                    verb = "end"
                    continue
                while b"\r\n" not in received:
                    received += (part := connection.recv(4096))
                    if not part:
                        return
                line, _, rest = received.partition(b"\r\n")
                received = bytearray(rest)
                commands.append(line.decode())
                verb = commands[-1].partition(" ")[0]

    with serve_connections(serve) as (address, _):
        yield int(address.rpartition(":")[2]), commands


def _transfer(listener: socket.socket, send: Send, over: Event, tls: ssl.SSLContext | None) -> None:
    data, _ = listener.accept()
    with data if tls is None else tls.wrap_socket(data, server_side=True) as connection:
        send(connection, over)
