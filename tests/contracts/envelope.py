"""How a test looks at a refusal: always through the whole envelope."""

from typing import Any

CODES = {
    400: "MALFORMED",
    401: "UNAUTHORIZED",
    403: "FORBIDDEN",
    404: "NOT_FOUND",
    405: "METHOD_NOT_ALLOWED",
    409: "CONFLICT",
    410: "RESYNC_REQUIRED",
    415: "UNSUPPORTED_MEDIA_TYPE",
    422: "VALIDATION_ERROR",
}


def refused(answer: Any, status: int, code: str | None = None) -> dict[str, Any]:
    """The `details` of a refusal with that status, after checking everything else about its envelope."""
    assert answer.status_code == status, answer.content.decode()
    assert answer["Content-Type"].startswith("application/json")
    body: dict[str, Any] = answer.json()
    assert body.keys() == {"detail", "error"}
    error = body["error"]
    assert error.keys() == {"code", "message", "details", "request_id"}
    assert error["code"] == (code or CODES[status])
    assert body["detail"] == error["message"]
    assert body["detail"].strip()
    if status in {401, 404}:
        assert body["detail"].endswith(f"({status})")
    assert error["request_id"] == answer["X-Request-ID"]
    details: dict[str, Any] = error["details"]
    return details


def invalid(answer: Any, *fields: str) -> str:
    """The sentences of a 422 that refuses exactly these fields, joined."""
    found = refused(answer, 422)["fields"]
    assert set(found) == set(fields), found
    assert all(sentence.strip() for sentences in found.values() for sentence in sentences)
    return " ".join(sentence for sentences in found.values() for sentence in sentences)
