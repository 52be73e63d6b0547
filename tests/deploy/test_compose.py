"""docker-compose.yml and Dockerfile, as far as they can be checked where there is no Docker."""

import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.core.management import get_commands, load_command_class
from granian.cli import cli

from crm.demo import redis_command
from tests.throwaway import postgresql_binaries

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
COMPOSE: dict[str, Any] = yaml.safe_load(TEXT)
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = {
    name: one
    for name, one in SERVICES.items()
    if str(one.get("image", "")).startswith("crm-backend")
}
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ")

# https://github.com/compose-spec/compose-spec/blob/main/05-services.md: those that may stand here.
KNOWN = {
    "image", "build", "restart", "init", "read_only", "tmpfs", "security_opt", "cap_drop", "env_file",
    "environment", "volumes", "ports", "configs", "depends_on", "command", "healthcheck", "deploy",
    "stop_grace_period", "shm_size",
}  # fmt: skip
CONDITIONS = {"service_started", "service_healthy", "service_completed_successfully"}
# What compose itself is told in `.env`, beside the product's settings.
OF_COMPOSE = {
    "HOST",
    "VERSION",
    "WEB",
    "WORKERS",
    "WEB_PROCESSES",
    "SHARED_BUFFERS",
    "POSTGRES_PASSWORD",
}
SECRETS = ("SECRET_KEY", "JWT_SECRET", "POSTGRES_PASSWORD", "AWS_SECRET_ACCESS_KEY")


def settings_known() -> set[str]:
    example = (ROOT / ".env.example").read_text(encoding="utf-8")
    return set(re.findall(r"^#?([A-Z][A-Z0-9_]*)=", example, flags=re.MULTILINE))


def granian_variables() -> set[str]:
    return {f"GRANIAN_{name.upper()}" for name in (option.name for option in cli.params) if name}


def instructions(name: str) -> list[str]:
    return re.findall(rf"^{name} (.*)$", DOCKERFILE, flags=re.MULTILINE)


def image_variables() -> dict[str, str]:
    return dict(
        word.split("=", 1)
        for line in instructions("ENV")
        for word in shlex.split(line)
        if "=" in word
    )


def test_services_are_put_together_from_what_exists() -> None:
    assert set(COMPOSE) <= {"services", "volumes", "configs", "x-crm"}
    assert set(OURS) == {"migrate", "web", "worker"}
    for name, service in SERVICES.items():
        assert set(service) <= KNOWN, name
        for other, how in service.get("depends_on", {}).items():
            assert how["condition"] in CONDITIONS
            healthcheck = SERVICES[other].get("healthcheck", {})
            if how["condition"] == "service_healthy":
                # Ours have the image's.
                assert healthcheck.get("test") or (other in OURS and "HEALTHCHECK" in DOCKERFILE)
                assert not healthcheck.get("disable")
            if how["condition"] == "service_completed_successfully":
                assert SERVICES[other]["restart"] == "no"
        volumes = {each.partition(":")[0] for each in service.get("volumes", [])}
        assert volumes <= set(COMPOSE["volumes"])
        assert {each["source"] for each in service.get("configs", [])} <= set(COMPOSE["configs"])
        # What died is there again: nobody has to come.
        assert service["restart"] == ("no" if name == "migrate" else "unless-stopped")


def test_every_variable_is_known_to_somebody() -> None:
    settings, granian = settings_known(), granian_variables()
    for service in OURS.values():
        given = set(service["environment"])
        assert given - settings == {each for each in given if each.startswith("GRANIAN_")}
        assert {each for each in given if each.startswith("GRANIAN_")} <= granian
    asked = set(re.findall(r"(?<!\$)\$\{([A-Z0-9_]+)", TEXT))
    assert asked - settings == OF_COMPOSE
    mine = {name for name in image_variables() if name.startswith("GRANIAN_")}
    assert mine <= granian
    assert {"REPORTS_PATH"} == set(image_variables()) & settings


@pytest.mark.parametrize("page", ["operations.md", "operations.ru.md"])
def test_what_compose_asks_for_is_explained(page: str) -> None:
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    assert [name for name in sorted(OF_COMPOSE) if f"`{name}`" not in text] == []


def test_no_secret_stands_in_the_files() -> None:
    for name in SECRETS:
        for line in re.findall(rf"^\s*{name}: (.*)$", TEXT, flags=re.MULTILINE):
            assert re.fullmatch(r"\$\{\w+:(\?.*|-)\}", line), line
    assert "SECRET" not in DOCKERFILE.replace("Nothing in it is secret", "")
    assert ".env" in (ROOT / ".dockerignore").read_text(encoding="utf-8").split()


@pytest.mark.parametrize("name", sorted(OURS))
def test_commands_exist(name: str) -> None:
    command = OURS[name].get("command") or yaml.safe_load(instructions("CMD")[-1])
    if command[0] == "granian":
        cli.make_context("granian", list(command[1:]))
        return
    assert command[:2] == ["python", "manage.py"]
    app = get_commands()[command[2]]
    parser = load_command_class(str(app), command[2]).create_parser("manage.py", command[2])
    parser.parse_args(command[3:])


def test_redis_takes_its_options() -> None:
    binary = redis_command(Path("x"), Path())
    if binary is None:
        pytest.skip("no Redis here")
    options = [word for word in SERVICES["redis"]["command"][1:] if word != "--appendonly"]
    # It reads them before it finds that it may not listen anywhere.
    done = subprocess.run(
        (binary[0], *options[options.index("--maxmemory") :], "--port", "0", "--unixsocket", "/nowhere/x"),
        capture_output=True, text=True, timeout=20, check=False,
    )  # fmt: skip
    assert "Bad directive" not in done.stdout + done.stderr
    assert "FATAL CONFIG" not in done.stdout + done.stderr


def test_postgresql_takes_its_options(tmp_path: Path) -> None:
    command = SERVICES["postgres"]["command"]
    given = [re.sub(r"\$\{\w+:-(.*)\}", r"\1", each) for each in command[2::2]]
    assert [each for each in command[1::2] if each != "-c"] == []
    known = subprocess.run(
        (str(postgresql_binaries() / "bin/postgres"), "--describe-config"),
        capture_output=True, text=True, timeout=20, check=True,
    ).stdout  # fmt: skip
    names = {line.split("\t")[0] for line in known.splitlines()}
    assert {each.partition("=")[0] for each in given} <= names


def test_the_image_is_built_from_files_that_exist_and_runs_as_nobody_special() -> None:
    for line in instructions("COPY"):
        words = [word for word in line.split() if not word.startswith("--")]
        if "--from=" not in line:
            assert all((ROOT / word).exists() for word in words[:-1])
    assert instructions("USER") == ["crm"]
    [base] = set(re.findall(r"^FROM (\S+)", DOCKERFILE, flags=re.MULTILINE))
    version = tuple(int(part) for part in re.findall(r"python:(\d+)\.(\d+)", base)[0])
    assert version >= (3, 11)
    assert "--require-hashes" in DOCKERFILE
    health = yaml.safe_load(
        re.findall(r"HEALTHCHECK .*?CMD (\[.*\])$", DOCKERFILE, re.MULTILINE)[0]
    )
    compile(health[-1], "healthcheck", "exec")
    assert sys.version_info >= (3, 11)
