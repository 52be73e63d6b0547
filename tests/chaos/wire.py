"""The network between clients and the web server: a TCP proxy that can cut connections in mid-request.

While the web server is restarting, a new connection waits for it as long as the proxy of docker-compose.yml
lets it wait. Two threads that block carry each connection, one for each direction: what has arrived is passed
on before anything else happens to the connection, however busy the clients keep this process.
"""

import random
import socket
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

TRY_SECONDS: Final = 5.0
CHUNK: Final = 1 << 16
BACKLOG: Final = 256

# Where a connection breaks: in the request, when it was answered but not heard, in the answer.
REQUEST, UNHEARD, ANSWER = "request", "unheard", "answer"


@dataclass
class Doom:
    """A connection that breaks after so many bytes of one direction."""

    place: str
    left: int


class Wire:
    """Listens on `port`, forwards to `upstream`. cutting: the share of new connections that break."""

    def __init__(self, upstream: int, seed: int) -> None:
        self.upstream = upstream
        self.cutting = 0.0
        self.cuts = 0
        self._chance = random.Random(seed)
        self._counting = threading.Lock()
        self._door = socket.create_server(("127.0.0.1", 0), backlog=BACKLOG)
        self.port = int(self._door.getsockname()[1])
        self._thread = threading.Thread(target=self._run, name="wire", daemon=True)

    def __enter__(self) -> "Wire":
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        # Closing alone does not wake who waits for a connection.
        self._door.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._door.close()

    def _run(self) -> None:
        with suppress(OSError):
            while True:
                client, _address = self._door.accept()
                threading.Thread(
                    target=self._carry, args=(client, self._doom()), name="wired", daemon=True
                ).start()

    def _carry(self, client: socket.socket, doom: Doom | None) -> None:
        """One connection, from its first byte to its last."""
        with client, suppress(OSError), self._connected() as server:
            in_request = doom is not None and doom.place == REQUEST
            asking = threading.Thread(
                target=self._forward,
                args=(client, server, doom if in_request else None),
                name="wired, there",
                daemon=True,
            )
            asking.start()
            # The answer's end is the end; a client that has said everything still listens.
            self._forward(server, client, None if in_request else doom)
            hang_up(client, server)
            # Not closed while it is being read: its number would be another connection's.
            asking.join()

    def _connected(self) -> socket.socket:
        deadline = time.monotonic() + TRY_SECONDS
        while True:
            try:
                return socket.create_connection(("127.0.0.1", self.upstream))
            except OSError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.1)

    def _doom(self) -> Doom | None:
        if self._chance.random() >= self.cutting:
            return None
        place = self._chance.choice((REQUEST, UNHEARD, ANSWER))
        return Doom(place, 1 if place == UNHEARD else self._chance.randint(1, 700))

    def _forward(self, source: socket.socket, sink: socket.socket, doom: Doom | None) -> None:
        """One direction, until it ends or breaks."""
        with suppress(OSError):
            while data := source.recv(CHUNK):
                if doom is not None:
                    doom.left -= len(data)
                    if doom.left <= 0:
                        with self._counting:
                            self.cuts += 1
                        # What came before the break still arrives, except for an answer that nobody hears.
                        if doom.place != UNHEARD:
                            sink.sendall(data[: doom.left or None])
                        hang_up(source, sink)
                        return
                sink.sendall(data)


def hang_up(*ends: socket.socket) -> None:
    """End the connections in both directions; who waits in another thread to read from one hears it."""
    for end in ends:
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
