"""A pytest plugin that brings a real database and a real Redis along, and says on which engine it runs.

- `pytest --dist=each --tx=2*popen`: the whole suite twice in one run, worker gw0 on SQLite and gw1 on
  PostgreSQL (what `make test` does).
- `pytest [--engine=postgresql] tests/objects`: one engine, SQLite unless told otherwise.

Each test's id ends in its engine, and such an id may be given on the command line. The servers live
in a temporary directory (see tests.throwaway); `TEST_DATABASE_URL` and `TEST_REDIS_URL` name servers
to use instead. Each test flushes its Redis database: the one that the URL names, and for gw1 the next.
"""

import json
import logging
import os
import subprocess
import sys
import tempfile
from collections.abc import Generator
from pathlib import Path
from typing import IO
from urllib.parse import parse_qsl, urlencode

import environ
import pytest
from redis.connection import parse_url

ENGINES = ("sqlite", "postgresql")
ROOT = Path(__file__).resolve().parent.parent
# How the first process tells its xdist workers which engines take part.
ENGINES_VARIABLE = "CRM_TEST_ENGINES"

ENGINE = pytest.StashKey[str]()
GUARDIAN_INPUT = pytest.StashKey[IO[bytes]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--engine", choices=ENGINES, help="database engine (default: sqlite)")


def pytest_unconfigure() -> None:
    """The servers are about to go: a thread that misses them has nobody to tell."""
    logging.disable()


@pytest.hookimpl(wrapper=True)
def pytest_load_initial_conftests(
    early_config: pytest.Config, args: list[str]
) -> Generator[None, None, None]:
    """Choose the engine and set the environment before pytest-django makes Django read it."""
    worker = os.environ.get("PYTEST_XDIST_WORKER")
    options = early_config.known_args_namespace
    if worker:
        engines = os.environ[ENGINES_VARIABLE].split(",")
        engine = engines[worker_number() % len(engines)]
    else:
        both = getattr(options, "dist", "no") == "each"
        engine = options.engine or engine_of_ids(args) or ENGINES[0]
        os.environ[ENGINES_VARIABLE] = ",".join(ENGINES) if both else engine
    early_config.stash[ENGINE] = engine
    if not (options.help or options.version):
        # The first process of a parallel run only hands out work: it needs settings, but no servers.
        hands_out = not worker and bool(getattr(options, "tx", None) or options.numprocesses)
        set_environment(early_config, engine, servers=not hands_out)
    return (yield)


def engine_of_ids(args: list[str]) -> str | None:
    """The engine that the last test id on the command line ends in, as this plugin prints them."""
    ids = [argument for argument in args if "::" in argument]
    for engine in ENGINES:
        if ids and ids[-1].endswith((f"[{engine}]", f"-{engine}]")):
            return engine
    return None


def set_environment(config: pytest.Config, engine: str, *, servers: bool) -> None:
    """Set what crm.settings reads, the same on every machine, with the servers' addresses in it."""
    # What a developer has in .env or exported must not change what the tests see.
    environ.Env.read_env = staticmethod(lambda *_, **__: None)
    for line in (ROOT / ".env.example").read_text(encoding="utf-8").splitlines():
        name = line.removeprefix("#").partition("=")[0]
        if name.isidentifier():
            os.environ.pop(name, None)
    directory = Path(tempfile.gettempdir()) / "no-tests-run-in-this-process"
    if servers:
        directory = Path(tempfile.mkdtemp(prefix="crm-tests-"))
        # PostgreSQL may have to run as somebody else, who must be able to enter.
        directory.chmod(0o755)
    os.environ.update(
        SECRET_KEY="not-a-secret-but-long-enough-for-the-tests",
        JWT_SECRET="nor-is-this-one-and-just-as-long-as-needed",
        # Hundreds of requests a minute are what a test run is; tests of the limits turn them on.
        RATE_LIMIT_ENABLED="false",
        REPORTS_PATH=str(directory / "reports"),
        LOG_LEVEL="WARNING",
        # A file, not memory: races need several connections to one database.
        DATABASE_URL=f"sqlite:///{directory}/unused.sqlite3",
        SQLITE_TEST_NAME=f"{directory}/test.sqlite3",
    )
    urls = start_servers(config, directory, engine) if servers else {}
    if engine == "postgresql":
        os.environ["DATABASE_URL"] = os.environ.get("TEST_DATABASE_URL") or urls.get(
            "postgresql", os.environ["DATABASE_URL"]
        )
    given_redis = os.environ.get("TEST_REDIS_URL")
    os.environ["REDIS_URL"] = own_database(given_redis) if given_redis else urls.get("redis", "")


def own_database(redis_url: str) -> str:
    """The URL of this worker's own database on a shared Redis: each test flushes what it uses."""
    address, _, query = redis_url.partition("?")
    number = parse_url(redis_url).get("db", 0) + worker_number()  # type: ignore[no-untyped-call]
    return f"{address}?{urlencode(dict(parse_qsl(query)) | {'db': number})}"


def worker_number() -> int:
    """0 for the first worker, or without xdist."""
    return int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))


def start_servers(config: pytest.Config, directory: Path, engine: str) -> dict[str, str]:
    """Start what this process needs and nobody gave it; {server: URL}. Raises UsageError."""
    wanted = []
    if engine == "postgresql" and not os.environ.get("TEST_DATABASE_URL"):
        wanted.append("postgresql")
    if not os.environ.get("TEST_REDIS_URL"):
        wanted.append("redis")
    # A session of its own: Ctrl-C reaches the test run, which then lets go of the servers.
    guardian = subprocess.Popen(
        (sys.executable, "-m", "tests.throwaway", str(directory), *wanted),
        cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True,
    )  # fmt: skip
    assert guardian.stdin is not None
    assert guardian.stdout is not None
    answer = guardian.stdout.readline()
    if not answer:
        raise pytest.UsageError(f"the servers for {engine} did not start (see above)")
    config.stash[GUARDIAN_INPUT] = guardian.stdin
    config.add_cleanup(lambda: (guardian.communicate(), None)[1])
    urls: dict[str, str] = json.loads(answer)
    return urls


def pytest_report_header(config: pytest.Config) -> str:
    if getattr(config.option, "dist", "no") == "each":
        return f"engines: {os.environ[ENGINES_VARIABLE]} (one worker each)"
    redis = os.environ.get("REDIS_URL") or "none (tests that need it are skipped)"
    return f"engine: {config.stash[ENGINE]}, redis: {redis}"


@pytest.hookimpl(trylast=True)
def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Put the engine into each test's id, as its last parameter."""
    metafunc.parametrize("engine", [metafunc.config.stash[ENGINE]], indirect=True, scope="session")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what belongs to the other engine, skip what needs a Redis that is not there."""
    others = [f"{other}_only" for other in ENGINES if other != config.stash[ENGINE]]
    kept: list[pytest.Item] = []
    left_out: list[pytest.Item] = []
    for item in items:
        (left_out if any(map(item.get_closest_marker, others)) else kept).append(item)
        if item.get_closest_marker("redis") and not os.environ["REDIS_URL"]:
            item.add_marker(pytest.mark.skip(reason="no Redis here: set TEST_REDIS_URL"))
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = kept


@pytest.fixture(scope="session", autouse=True)
def engine(request: pytest.FixtureRequest) -> str:
    """The engine of this run: `sqlite` or `postgresql`."""
    name: str = request.param
    return name


@pytest.fixture(scope="session")
def redis_url() -> str:
    """The URL of the real Redis that the settings use; skips the test where there is none."""
    url = os.environ["REDIS_URL"]
    if not url:
        pytest.skip("no Redis here: set TEST_REDIS_URL")
    return url
