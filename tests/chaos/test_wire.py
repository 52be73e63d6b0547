"""The network of `make chaos`: what it does not cut arrives whole, and what it cuts is cut where it says."""

import queue
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress

import pytest

from tests.chaos.wire import ANSWER, REQUEST, UNHEARD, Wire

ASKED = b"q" * 2000
ANSWERED = bytes(range(256)) * 20_000
PATIENCE_SECONDS = 20
SEEDS = range(60)


class Upstream(threading.Thread):
    """Reads a request, answers, hangs up. heard: how many bytes of each request arrived."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.door = socket.create_server(("127.0.0.1", 0))
        self.port = int(self.door.getsockname()[1])
        self.heard: queue.SimpleQueue[int] = queue.SimpleQueue()

    def run(self) -> None:
        with suppress(OSError):
            while True:
                caller, _address = self.door.accept()
                with caller, suppress(OSError):
                    heard = 0
                    while heard < len(ASKED) and (data := caller.recv(len(ASKED))):
                        heard += len(data)
                    self.heard.put(heard)
                    if heard == len(ASKED):
                        caller.sendall(ANSWERED)


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    thread = Upstream()
    thread.start()
    yield thread
    thread.door.shutdown(socket.SHUT_RDWR)
    thread.join()
    thread.door.close()


def ask(port: int, *, before_reading: float = 0.0) -> bytes:
    """What comes back for a request; a connection that breaks ends it."""
    got = b""
    caller = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_SECONDS)
    with caller, suppress(ConnectionError):
        caller.sendall(ASKED)
        time.sleep(before_reading)
        while data := caller.recv(1 << 16):
            got += data
    return got


def test_answers_arrive_whole_however_slowly_they_are_read(upstream: Upstream) -> None:
    with Wire(upstream.port, seed=1) as wire:
        for pause in (0.0, 0.3):
            assert ask(wire.port, before_reading=pause) == ANSWERED
    assert wire.cuts == 0


def test_many_at_once_are_all_answered(upstream: Upstream) -> None:
    got: list[int] = []

    def caller(port: int) -> None:
        got.extend(len(ask(port)) for _ in range(20))

    with Wire(upstream.port, seed=1) as wire:
        callers = [threading.Thread(target=caller, args=(wire.port,)) for _ in range(8)]
        for one in callers:
            one.start()
        for one in callers:
            one.join()
    assert got == [len(ANSWERED)] * 160


def test_what_is_cut_is_cut_where_it_says(upstream: Upstream) -> None:
    places = set()
    for seed in SEEDS:
        with Wire(upstream.port, seed) as wire:
            wire.cutting = 1.0
            got = ask(wire.port)
        assert wire.cuts == 1
        # The request ends for the server, too.
        heard = upstream.heard.get(timeout=PATIENCE_SECONDS)
        if heard < len(ASKED):
            places.add(REQUEST)
            assert 0 < heard <= 700
            assert got == b""
        elif got:
            places.add(ANSWER)
            assert got == ANSWERED[: len(got)]
            assert len(got) <= 700
        else:
            places.add(UNHEARD)
    assert places == {REQUEST, UNHEARD, ANSWER}


def test_a_server_that_is_starting_is_waited_for(upstream: Upstream) -> None:
    """As a proxy does it: the connection is not refused."""
    with socket.create_server(("127.0.0.1", 0)) as door:
        port = int(door.getsockname()[1])
    with Wire(port, seed=1) as wire:
        answers: list[bytes] = []
        caller = threading.Thread(target=lambda: answers.append(ask(wire.port)))
        caller.start()
        time.sleep(0.5)
        wire.upstream = upstream.port
        caller.join()
    assert answers == [ANSWERED]
