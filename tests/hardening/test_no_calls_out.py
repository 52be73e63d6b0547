"""The server fetches nothing that a caller names."""

import ast
from pathlib import Path
from typing import Any

import orjson

from crm.api.schema_generation import schema_json
from tests.test_house_rules import ROOT, product_files

# What opens a connection to wherever one likes.
FETCHING = {
    "aiohttp", "ftplib", "http.client", "httpx", "pycurl", "requests", "smtplib", "socket", "telnetlib",
    "urllib.request", "urllib3", "websockets",
}  # fmt: skip
# Starts the demo on this machine, and asks it whether it is up.
ALLOWED = {Path("crm/demo.py")}


def imported(path: Path) -> set[str]:
    """The modules that a file imports."""
    found = set()
    for node in ast.walk(ast.parse((ROOT / path).read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


def test_no_code_of_ours_fetches_anything() -> None:
    served = [path for path in product_files() if path.parts[0] != "docs"]
    fetching = {path for path in served if imported(path) & FETCHING}
    assert fetching == ALLOWED


def fields(schema: Any, name: str = "") -> list[tuple[str, dict[str, Any]]]:
    """Every property and parameter of the schema, with its name."""
    found = []
    if isinstance(schema, dict):
        if name and ("type" in schema or "format" in schema):
            found.append((name, schema))
        for key, inner in schema.items():
            if key == "properties":
                for each, its in inner.items():
                    found += fields(its, each)
            elif key == "parameters":
                for each in inner:
                    found += fields(each["schema"], each["name"])
            else:
                found += fields(inner, name if key in {"items", "schema"} else "")
    elif isinstance(schema, list):
        for each in schema:
            found += fields(each)
    return found


def test_no_field_takes_an_address() -> None:
    known = fields(orjson.loads(schema_json()))
    assert len(known) > 200
    suspects = {
        name
        for name, schema in known
        if schema.get("format") in {"uri", "uri-reference", "iri", "hostname", "ipv4"}
        or any(word in name.lower() for word in ("url", "uri", "href", "webhook", "callback_"))
    }
    assert suspects == set()
