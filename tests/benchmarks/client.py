"""A client lean enough not to be what is measured: a socket, ready requests, nothing parsed but lengths.

The runner measures an empty answer first: that rate is the most that this client could show.
"""

import socket
import time
from collections.abc import Callable
from threading import Thread
from typing import TypeVar

CHUNK = 1 << 18

T = TypeVar("T")


class Connection:
    """One kept-alive connection."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.connect()

    def connect(self) -> None:
        """Begin, or begin anew."""
        self.socket = socket.create_connection(("127.0.0.1", self.port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def ask(self, request: bytes) -> tuple[int, bytes]:
        """The answer's status and body."""
        self.socket.sendall(request)
        received = self.socket.recv(CHUNK)
        if not received:
            # The server hangs up on who has been silent for half a minute.
            self.connect()
            self.socket.sendall(request)
        while b"\r\n\r\n" not in received:
            received += self._more()
        head, _, body = received.partition(b"\r\n\r\n")
        lower = head.lower()
        status = int(head[9:12])
        if b"transfer-encoding: chunked" in lower:
            return status, self._unchunked(body)
        start = lower.find(b"content-length:")
        length = int(lower[start + 15 :].split(b"\r\n", 1)[0]) if start >= 0 else 0
        parts, have = [body], len(body)
        while have < length:
            parts.append(self._more())
            have += len(parts[-1])
        return status, b"".join(parts)

    def _unchunked(self, body: bytes) -> bytes:
        """The content of a chunked body whose beginning has come."""
        held = bytearray(body)
        content: list[bytes] = []
        while True:
            while (end := held.find(b"\r\n")) < 0:
                held += self._more()
            length = int(held[:end], 16)
            while len(held) < end + length + 4:
                held += self._more()
            if length == 0:
                return b"".join(content)
            content.append(bytes(held[end + 2 : end + 2 + length]))
            del held[: end + length + 4]

    def _more(self) -> bytes:
        more = self.socket.recv(CHUNK)
        if not more:
            raise ConnectionError("the server closed the connection")
        return more

    def close(self) -> None:
        """Hang up."""
        self.socket.close()


def one_by_one(
    prepare: Callable[[], T], call: Callable[[T], object], seconds: float, at_least: int = 1
) -> list[float]:
    """Call for so long, and at least so often; how long each took, in seconds, without its preparation."""
    took: list[float] = []
    end = time.perf_counter() + seconds
    while len(took) < at_least or time.perf_counter() < end:
        prepared = prepare()
        begun = time.perf_counter()
        call(prepared)
        took.append(time.perf_counter() - begun)
    return took


def side_by_side(port: int, ask: Callable[[], bytes], connections: int, seconds: float) -> float:
    """Requests a second over several connections at once."""
    counts = [0] * connections

    def run(number: int) -> None:
        connection = Connection(port)
        end = time.perf_counter() + seconds
        while time.perf_counter() < end:
            connection.ask(ask())
            counts[number] += 1
        connection.close()

    threads = [Thread(target=run, args=(number,)) for number in range(connections)]
    begun = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(counts) / (time.perf_counter() - begun)
