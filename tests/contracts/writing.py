"""The contract of every record: who reaches it, how edits are locked, and how refusals look."""

import json
import re
from typing import Any, ClassVar
from uuid import uuid4

import pytest

from tests.cast import Cast
from tests.contracts.envelope import invalid, refused
from tests.contracts.kinds import MODELS, Kind

INSIDE, OUTSIDE = ("anna", "sergei", "ivan"), ("olga", "pyotr", "timur")
NOWHERE = "0190a2b4-0000-7000-8000-000000000000"


class ScopeContract:
    """Who sees a record of Moscow's centre (Ivan's own visit there), and who must not."""

    kind: ClassVar[Kind]

    @pytest.mark.parametrize("name", INSIDE)
    def test_in_sight(self, cast: Cast, name: str) -> None:
        record = self.kind.make(cast)
        api, field = cast.api(getattr(cast, name)), self.kind.edit
        path = f"{self.kind.url}/{record.pk}"
        assert api.get(path).json()["id"] == str(record.pk)
        assert api.get(self.kind.url).json()["total"] == 1
        assert api.get(self.kind.url, {"cursor": ""}).json()["items"][0]["id"] == str(record.pk)
        assert api.patch(path, {field[0]: field[1]}).json()[field[0]] == field[1]
        created = api.post(self.kind.url, self.kind.body(cast))
        assert (created.status_code, created["ETag"]) == (201, '"1"')
        assert api.get(f"{self.kind.url}/{created.json()['id']}").json() == created.json()
        answer = api.delete(path)
        assert answer.status_code == (403 if name == "ivan" else 204)

    @pytest.mark.parametrize("name", OUTSIDE)
    def test_out_of_sight(self, cast: Cast, name: str) -> None:
        record = self.kind.make(cast)
        api, field = cast.api(getattr(cast, name)), self.kind.edit
        path = f"{self.kind.url}/{record.pk}"
        for query in ({}, {"q": "Тверская"}, {"q": "Мария"}, {"count": "exact"}):
            body = api.get(self.kind.url, query).json()
            assert (body["items"], body["total"], body["pages"]) == ([], 0, 0)
        assert api.get(self.kind.url, {"cursor": ""}).json()["items"] == []
        for answer in (
            api.get(path),
            api.patch(path, {field[0]: field[1]}),
            api.patch(path, {field[0]: field[1], "version": 99}),
            api.patch(path, {field[0]: field[1], "force": True}),
            api.delete(path),
        ):
            refused(answer, 404)
        assert MODELS[self.kind.name].objects.get(pk=record.pk).version == 1
        if self.kind.name != "objects":
            before = MODELS[self.kind.name].objects.count()
            invalid(api.post(self.kind.url, self.kind.body(cast)), "object_id")
            assert MODELS[self.kind.name].objects.count() == before

    def test_nobody(self, cast: Cast) -> None:
        record = self.kind.make(cast)
        path = f"{self.kind.url}/{record.pk}"
        for headers in ({}, {"authorization": "Bearer x"}, {"authorization": "Bearer"}):
            api = cast.api(None, **headers)
            for answer in (
                api.get(self.kind.url), api.post(self.kind.url, {}), api.get(path), api.patch(path, {}),
                api.delete(path), api.post(f"{path}/restore"), api.get(f"{self.kind.url}/{NOWHERE}"),
            ):  # fmt: skip
                refused(answer, 401)
                assert answer["WWW-Authenticate"] == "Bearer"

    def test_ids_that_name_nothing(self, cast: Cast) -> None:
        api = cast.api(cast.anna)
        for bad in (
            NOWHERE,
            "not-an-id",
            "1",
            "%00",
            "0190a2b4-0000-7000-8000-00000000000",
            "%D1%91",
        ):
            path = f"{self.kind.url}/{bad}"
            for answer in (
                api.get(path),
                api.patch(path, {}),
                api.delete(path),
                api.post(f"{path}/restore"),
            ):
                refused(answer, 404)

    def test_references_to_nothing(self, cast: Cast) -> None:
        record = self.kind.make(cast)
        api = cast.api(cast.anna)
        serializer = self.kind.viewset.serializer_class()  # type: ignore[misc]
        for name, field in serializer.fields.items():
            if name.endswith("_id") and not field.read_only:
                for bad, code in ((str(uuid4()), 422), ("x", 422), (5, 422), ([], 422)):
                    refused(api.patch(f"{self.kind.url}/{record.pk}", {name: bad}), code)

    def test_the_deleted_are_absent(self, cast: Cast) -> None:
        record = self.kind.make(cast)
        anna, path = cast.api(cast.anna), f"{self.kind.url}/{record.pk}"
        assert anna.delete(path).status_code == 204
        for name in INSIDE:
            api = cast.api(getattr(cast, name))
            assert api.get(self.kind.url, {"count": "exact"}).json()["total"] == 0
            assert api.get(self.kind.url, {"cursor": ""}).json()["items"] == []
            for answer in (api.get(path), api.patch(path, {}), api.delete(path)):
                refused(answer, 404)
            if name != "anna":
                refused(api.get(self.kind.url, {"deleted": "true"}), 403)
        gone = anna.get(self.kind.url, {"deleted": "true"}).json()["items"]
        assert [row["id"] for row in gone] == [str(record.pk)]
        step = anna.get(self.kind.url, {"deleted": "true", "cursor": ""}).json()["items"]
        assert [row["id"] for row in step] == [str(record.pk)]
        restored = anna.post(f"{path}/restore")
        assert (restored.status_code, restored["ETag"]) == (200, '"1"')
        assert anna.get(self.kind.url, {"deleted": "true"}).json()["total"] == 0


class LockingContract:
    """Optimistic locking."""

    kind: ClassVar[Kind]

    def test_the_version_in_the_body(self, cast: Cast) -> None:
        record = self.kind.make(cast)
        name, first, second = self.kind.edit
        api, path = cast.api(cast.sergei), f"{self.kind.url}/{record.pk}"
        edited = api.patch(path, {name: first, "version": 1})
        assert (edited.status_code, edited.json()["version"], edited["ETag"]) == (200, 2, '"2"')
        details = refused(api.patch(path, {name: second, "version": 1}), 409)
        assert details.keys() == {"diff"}
        diff = details["diff"]
        assert diff.keys() == {
            "expected_version", "current_version", "server_data", "client_data", "diff", "conflicting_fields",
            "resolution_hints",
        }  # fmt: skip
        assert (diff["expected_version"], diff["current_version"]) == (1, 2)
        assert diff["server_data"] == api.get(path).json()
        assert diff["client_data"] == {name: second}
        assert diff["diff"] == {name: {"server": first, "client": second}}
        assert diff["conflicting_fields"] == [name]
        hints = diff["resolution_hints"]
        assert (hints["code"], hints["strategy"]) == ("HARD_CONFLICT", "force")
        assert hints["message"]

    def test_a_stale_edit_of_another_field(self, cast: Cast) -> None:
        record = self.kind.make(cast)
        name, first, _ = self.kind.edit
        other, value = self.kind.other
        api, path = cast.api(cast.sergei), f"{self.kind.url}/{record.pk}"
        assert api.patch(path, {name: first, "version": 1}).status_code == 200
        diff = refused(api.patch(path, {other: value, "version": 1}), 409)["diff"]
        assert (diff["conflicting_fields"], list(diff["diff"])) == ([], [other])
        hints = diff["resolution_hints"]
        assert (hints["code"], hints["strategy"]) == ("STALE_VERSION", "merge")
        # Both fields: only the one that both sides changed is in conflict.
        diff = refused(api.patch(path, {other: value, name: None, "version": 1}), 409)["diff"]
        assert diff["conflicting_fields"] == [name]

    def test_equal_values_are_no_difference(self, cast: Cast) -> None:
        record = self.kind.make(cast)
        name, first, _ = self.kind.edit
        api, path = cast.api(cast.sergei), f"{self.kind.url}/{record.pk}"
        assert api.patch(path, {name: first, "version": 1}).status_code == 200
        same = api.patch(path, {name: first, "version": 2})
        assert (same.status_code, same.json()["version"]) == (200, 2)
        # Both sides changed the field to the same value: stale, and nothing to choose from.
        diff = refused(api.patch(path, {name: first, "version": 1}), 409)["diff"]
        assert (diff["diff"], diff["conflicting_fields"]) == ({}, [])
        assert diff["resolution_hints"]["code"] == "STALE_VERSION"
        whole = api.get(path).json()
        echoed = api.patch(path, whole)
        assert (echoed.status_code, echoed.json()) == (200, whole)

    def test_if_match(self, cast: Cast) -> None:
        record = self.kind.make(cast)
        name, first, second = self.kind.edit
        api, path = cast.api(cast.ivan), f"{self.kind.url}/{record.pk}"
        tag = api.get(path)["ETag"]
        assert tag == '"1"'
        assert api.patch(path, {name: first}, headers={"if-match": tag}).status_code == 200
        diff = refused(api.patch(path, {name: second}, headers={"if-match": tag}), 409)["diff"]
        assert (diff["expected_version"], diff["current_version"]) == (1, 2)
        assert api.patch(path, {name: second}, headers={"if-match": "*"}).json()["version"] == 3
        both = api.patch(path, {name: first, "version": 2}, headers={"if-match": '"3"'})
        invalid(both, "version")
        for bad in ("x", '"x"', "-1", '"1", "2"', "1.5", "99999999999999999999"):
            invalid(api.patch(path, {name: first}, headers={"if-match": bad}), "If-Match")

    def test_a_version_above_the_current_one_is_stale(self, cast: Cast) -> None:
        record = self.kind.make(cast)
        name, first, _ = self.kind.edit
        api, path = cast.api(cast.ivan), f"{self.kind.url}/{record.pk}"
        diff = refused(api.patch(path, {name: first, "version": 7}), 409)["diff"]
        assert (diff["expected_version"], diff["current_version"]) == (7, 1)
        assert diff["conflicting_fields"] == [name]
        assert diff["resolution_hints"]["code"] == "HARD_CONFLICT"

    def test_force_and_no_version_overwrite(self, cast: Cast) -> None:
        record = self.kind.make(cast)
        name, first, second = self.kind.edit
        api, path = cast.api(cast.ivan), f"{self.kind.url}/{record.pk}"
        assert api.patch(path, {name: first}).json()["version"] == 2
        forced = api.patch(path, {name: second, "version": 1, "force": True}).json()
        assert (forced["version"], forced[name]) == (3, second)
        assert "force" not in forced
        refused(api.patch(path, {name: first, "version": 1, "force": False}), 409)
        for bad in ("yes", 1, None):
            invalid(api.patch(path, {name: first, "force": bad}), "force")
        no_versions: list[Any] = [0, -1, "1", 1.5, True, None, 2**40]
        for value in no_versions:
            invalid(api.patch(path, {name: first, "version": value}), "version")
        assert MODELS[self.kind.name].objects.get(pk=record.pk).version == 3

    def test_details_never_answer_304(self, cast: Cast) -> None:
        record = self.kind.make(cast)
        api, path = cast.api(cast.ivan), f"{self.kind.url}/{record.pk}"
        for tag in ('"1"', "*"):
            assert api.get(path, headers={"if-none-match": tag}).status_code == 200

    def test_an_empty_edit_changes_nothing(self, cast: Cast) -> None:
        record = self.kind.make(cast)
        api, path = cast.api(cast.ivan), f"{self.kind.url}/{record.pk}"
        before = api.get(path).json()
        for body in ({}, {"version": 1}, {"colour": "red"}):
            assert api.patch(path, body).json() == before


class MannersContract:
    """Slashes, envelopes, request ids, bodies."""

    kind: ClassVar[Kind]

    def test_both_slash_forms(self, cast: Cast) -> None:
        name, first, _ = self.kind.edit
        api = cast.api(cast.anna)
        for slash in ("", "/"):
            created = api.post(f"{self.kind.url}{slash}", {**self.kind.body(cast), "phone": None})
            assert created.status_code == 201, created.json()
            path = f"{self.kind.url}/{created.json()['id']}"
            assert api.get(f"{self.kind.url}{slash}?limit=1").status_code == 200
            assert api.get(f"{path}{slash}").status_code == 200
            assert api.head(f"{path}{slash}").status_code == 200
            assert api.patch(f"{path}{slash}", {name: first}).json()[name] == first
            assert api.delete(f"{path}{slash}").status_code == 204
            assert api.post(f"{path}/restore{slash}").status_code == 200
            refused(api.put(f"{path}{slash}", {}), 405)
            if self.kind.name == "units":
                assert api.delete(path).status_code == 204

    def test_request_ids(self, cast: Cast) -> None:
        api = cast.api(cast.ivan)
        answer = api.get(self.kind.url, headers={"x-request-id": "a-Sane_id.1"})
        assert answer["X-Request-ID"] == "a-Sane_id.1"
        refusal = api.get(f"{self.kind.url}/x", headers={"x-request-id": "a-Sane_id.1"})
        assert refusal.json()["error"]["request_id"] == "a-Sane_id.1"
        for odd in ("", "two words", "x" * 129, "<script>", "ё"):
            given = api.get(self.kind.url, headers={"x-request-id": odd})["X-Request-ID"]
            assert re.fullmatch(r"[0-9a-f]{32}", given)

    @pytest.mark.parametrize("method", ["POST", "PATCH"])
    def test_bodies_that_cannot_be_read(self, cast: Cast, method: str) -> None:
        record = self.kind.make(cast)
        api = cast.api(cast.sergei)
        path = self.kind.url if method == "POST" else f"{self.kind.url}/{record.pk}"
        before = MODELS[self.kind.name].objects.count()
        for raw in (
            b"{", b"{'a': 1}", b'{"a": NaN}', b'{"a": 1e999}', b'\xff\xfe{"a": 1}', b'{"a": "\\ud800"}',
            b'{"notes": "\\u0000"}', b"[]", b"[{}]", b"null", b"5", b'"text"', b"true", b"[" * 5000,
        ):  # fmt: skip
            refused(api.generic(method, path, raw, content_type="application/json"), 400)
        for kind in (
            "text/plain",
            "application/x-www-form-urlencoded",
            "multipart/form-data; boundary=x",
            "text/xml",
        ):
            refused(api.generic(method, path, b"{}", content_type=kind), 415)
        ok = api.generic(
            method, path, b'{"unknown": 1}', content_type="application/json; charset=utf-8"
        )
        assert ok.status_code in {200, 422}
        assert MODELS[self.kind.name].objects.count() == before

    def test_refusals_name_fields_in_the_callers_language(self, cast: Cast) -> None:
        for language in ("en", "ru", "en-GB,en;q=0.9", "de", ""):
            api = cast.api(cast.sergei, **{"accept-language": language})
            required = refused(api.post(self.kind.url, {}), 422)["fields"]
            assert set(required) == {
                "objects": {"type", "address"}, "units": {"object_id", "unit_number"},
                "customers": {"object_id"}, "visits": {"object_id"},
            }[self.kind.name]  # fmt: skip
            refused(api.get(f"{self.kind.url}/{NOWHERE}"), 404)

    def test_values_of_the_wrong_type(self, cast: Cast) -> None:
        record = self.kind.make(cast)
        api, path = cast.api(cast.sergei), f"{self.kind.url}/{record.pk}"
        serializer = self.kind.viewset.serializer_class()  # type: ignore[misc]
        writable = [name for name, field in serializer.fields.items() if not field.read_only]
        assert len(writable) > 4
        odd: list[Any] = [
            {},
            {"a": 1},
            [],
            [[]],
            True,
            -(10**20),
            1.5,
            "",
            " ",
            "x" * 20_000,
            "ё🦔",
            None,
        ]
        for name in writable:
            for value in odd:
                for answer in (
                    api.patch(path, {name: value}),
                    api.post(self.kind.url, {**self.kind.body(cast), name: value}),
                ):
                    assert answer.status_code in {200, 201, 409, 422}, (name, value, answer.content)
                    if answer.status_code > 400:
                        refused(answer, answer.status_code, answer.json()["error"]["code"])

    def test_text_is_utf8_and_readable(self, cast: Cast) -> None:
        self.kind.make(cast)
        text = cast.api(cast.ivan).get(self.kind.url).content.decode()
        assert "Тверская" in text
        assert "\\u0" not in text
        assert json.loads(text)["items"]

    def test_nested_summaries(self, cast: Cast) -> None:
        record = self.kind.make(cast)
        item = cast.api(cast.ivan).get(f"{self.kind.url}/{record.pk}").json()
        for name, nullable in self.kind.nested.items():
            assert f"{name}_id" in item
            if item[f"{name}_id"] is None:
                assert (item[name], nullable) == (None, True)
            else:
                assert item[name]["id"] == item[f"{name}_id"]
        for name in ("created_at", "updated_at"):
            assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", item[name])
