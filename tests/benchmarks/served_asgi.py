"""The same for servers that speak ASGI: the product by its own ASGI application."""

from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import parse_qsl

from asgiref.sync import sync_to_async

from crm.asgi import application as product
from tests.benchmarks import bare
from tests.benchmarks.served import with_an_empty_view

__all__ = ["application", "with_an_empty_view"]
Send = Callable[[dict[str, Any]], Awaitable[None]]


async def application(scope: dict[str, Any], receive: Any, send: Send) -> None:
    """The ASGI application."""
    if not scope.get("path", "").startswith("/bare/"):
        await product(scope, receive, send)
        return
    view = sync_to_async(bare.VIEWS[scope["path"]])
    body = await view(**dict(parse_qsl(scope["query_string"].decode())))
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
    ]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})
