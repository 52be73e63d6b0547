"""A client lean enough not to be what is measured: a socket, ready requests, nothing parsed but lengths.

The runner measures an empty answer first: that rate is the most that this client could show.
"""

import socket
import time
from collections.abc import Callable
from threading import Thread

CHUNK = 1 << 18


class Connection:
    """One kept-alive connection."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def ask(self, request: bytes) -> tuple[int, bytes]:
        """The answer's status and body."""
        self.socket.sendall(request)
        received = self.socket.recv(CHUNK)
        while b"\r\n\r\n" not in received:
            received += self._more()
        head, _, body = received.partition(b"\r\n\r\n")
        lower = head.lower()
        status = int(head[9:12])
        if b"transfer-encoding: chunked" in lower:
            parts = [body]
            while not parts[-1].endswith(b"0\r\n\r\n"):
                parts.append(self._more())
            return status, unchunked(b"".join(parts))
        start = lower.find(b"content-length:")
        length = int(lower[start + 15 :].split(b"\r\n", 1)[0]) if start >= 0 else 0
        parts, have = [body], len(body)
        while have < length:
            parts.append(self._more())
            have += len(parts[-1])
        return status, b"".join(parts)

    def _more(self) -> bytes:
        more = self.socket.recv(CHUNK)
        if not more:
            raise ConnectionError("the server closed the connection")
        return more

    def close(self) -> None:
        """Hang up."""
        self.socket.close()


def unchunked(body: bytes) -> bytes:
    """The content of a chunked body."""
    content, rest = b"", body
    while rest:
        size, _, rest = rest.partition(b"\r\n")
        length = int(size, 16)
        content, rest = content + rest[:length], rest[length + 2 :]
        if length == 0:
            break
    return content


def one_by_one(call: Callable[[], object], seconds: float) -> list[float]:
    """Call for so long; how long each took, in seconds."""
    took: list[float] = []
    end = time.perf_counter() + seconds
    while (begun := time.perf_counter()) < end:
        call()
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
