"""The network between clients and the web server: a TCP proxy that can cut connections in mid-request.

While the web server is restarting, a new connection waits for it as long as the proxy of docker-compose.yml
lets it wait.
"""

import asyncio
import random
import threading
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from tests.chaos.deployment import free_port

TRY_SECONDS: Final = 5.0
CHUNK: Final = 1 << 16

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
        self.upstream, self.port = upstream, free_port()
        self.cutting = 0.0
        self.cuts = 0
        self._chance = random.Random(seed)
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, name="wire", daemon=True)

    def __enter__(self) -> "Wire":
        self._thread.start()
        self._ready.wait()
        return self

    def __exit__(self, *_error: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        # A client that hangs up is no news.
        self._loop.set_exception_handler(lambda _loop, _context: None)
        self._loop.run_until_complete(asyncio.start_server(self._serve, "127.0.0.1", self.port))
        self._ready.set()
        self._loop.run_forever()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        doom = self._doom()
        try:
            there, back = await self._connected()
        except OSError:
            writer.transport.abort()
            return
        ways = [
            asyncio.ensure_future(self._forward(reader, back, doom, request=True)),
            asyncio.ensure_future(self._forward(there, writer, doom, request=False)),
        ]
        # The answer's end is the end; a client that has said everything still listens.
        _done, pending = await asyncio.wait(ways[1:])
        for way in (*ways, *pending):
            way.cancel()
        for end in (writer, back):
            if doom is not None and doom.left <= 0:
                end.transport.abort()
            else:
                end.close()

    async def _connected(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        deadline = self._loop.time() + TRY_SECONDS
        while True:
            try:
                return await asyncio.open_connection("127.0.0.1", self.upstream)
            except OSError:
                if self._loop.time() > deadline:
                    raise
                await asyncio.sleep(0.1)

    def _doom(self) -> Doom | None:
        if self._chance.random() >= self.cutting:
            return None
        place = self._chance.choice((REQUEST, UNHEARD, ANSWER))
        return Doom(place, 1 if place == UNHEARD else self._chance.randint(1, 700))

    async def _forward(
        self,
        source: asyncio.StreamReader,
        sink: asyncio.StreamWriter,
        doom: Doom | None,
        *,
        request: bool,
    ) -> None:
        watched = doom is not None and request == (doom.place == REQUEST)
        with suppress(OSError):
            while data := await source.read(CHUNK):
                if watched and doom is not None:
                    doom.left -= len(data)
                    if doom.left <= 0:
                        self.cuts += 1
                        # What came before the break still arrives, except for an answer that nobody hears.
                        if doom.place != UNHEARD:
                            sink.write(data[: doom.left or None])
                            await sink.drain()
                        sink.transport.abort()
                        source._transport.abort()  # type: ignore[attr-defined]
                        return
                sink.write(data)
                await sink.drain()
