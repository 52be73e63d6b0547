"""The contract of every list: pages, orders, cursors, filters."""

import math
import re
from datetime import datetime
from typing import Any, ClassVar
from urllib.parse import quote

import pytest
from rest_framework.test import APIClient

from tests.cast import Cast
from tests.contracts.envelope import invalid, refused
from tests.contracts.kinds import MODELS, Kind

MOMENT = re.compile(r"\d{4}-\d\d-\d\dT.*Z")
# Public sort names that are no field of the same name in the answer.
PATHS = {
    "city": "city.name",
    "district": "district.name",
    "engineer": "engineer.full_name",
    "address": "address",
}


def key_of(item: dict[str, Any], path: str) -> tuple[bool, Any]:
    """A row's place in an order by `path`; what is missing comes last."""
    value: Any = item
    for part in path.split("."):
        value = None if value is None else value[part]
    if isinstance(value, str) and MOMENT.fullmatch(value):
        value = datetime.fromisoformat(value)
    return value is None, 0 if value is None else value


def in_order(items: list[dict[str, Any]], path: str, *, descending: bool) -> list[dict[str, Any]]:
    """The rows as the order wants them, by Python's own sort."""
    return sorted(items, key=lambda item: (key_of(item, path), item["id"]), reverse=descending)


def walk(api: APIClient, url: str, query: str, size: int) -> list[dict[str, Any]]:
    """All rows by cursor."""
    rows: list[dict[str, Any]] = []
    cursor: str | None = ""
    while cursor is not None:
        answer = api.get(f"{url}?size={size}&cursor={quote(cursor)}{query}")
        assert answer.status_code == 200, answer.json()
        body = answer.json()
        assert body.keys() == {"items", "next_cursor", "has_more"}
        assert body["has_more"] is (body["next_cursor"] is not None)
        assert len(body["items"]) == size or not body["has_more"]
        rows += body["items"]
        cursor = body["next_cursor"]
        assert len(rows) < 1000
    return rows


class ListContract:
    """Inherit, and name the kind."""

    kind: ClassVar[Kind]

    def sort_paths(self) -> dict[str, str]:
        """Every public sort name → where its value stands in the answer."""
        paths = {name: PATHS.get(name, name) for name in self.kind.viewset.sorts}
        if self.kind.name == "visits":
            paths["address"] = "object.address"
        return paths

    # --- pages --------------------------------------------------------------------------------

    def test_pages(self, cast: Cast) -> None:
        self.kind.spread(cast, 7)
        api = cast.api(cast.sergei)
        seen: list[str] = []
        for page in (1, 2, 3, 4):
            body = api.get(self.kind.url, {"page": page, "limit": 3}).json()
            assert body.keys() == {
                "items",
                "page",
                "limit",
                "total",
                "pages",
                "has_next",
                "has_prev",
            }
            total = body["total"]
            assert total == MODELS[self.kind.name].objects.count()
            assert (body["page"], body["limit"], body["pages"]) == (page, 3, math.ceil(total / 3))
            assert (body["has_prev"], body["has_next"]) == (page > 1, page * 3 < total)
            seen += [row["id"] for row in body["items"]]
        assert len(seen) == len(set(seen)) == min(12, total)
        beyond = api.get(self.kind.url, {"page": 10**6, "limit": 1000}).json()
        assert (beyond["items"], beyond["has_next"], beyond["has_prev"], beyond["total"]) == (
            [],
            False,
            True,
            total,
        )

    def test_an_empty_list(self, cast: Cast) -> None:
        body = cast.api(cast.sergei).get(self.kind.url).json()
        assert body == {
            "items": [],
            "page": 1,
            "limit": 20,
            "total": 0,
            "pages": 0,
            "has_next": False,
            "has_prev": False,
        }
        step = cast.api(cast.sergei).get(f"{self.kind.url}?cursor=").json()
        assert step == {"items": [], "next_cursor": None, "has_more": False}

    @pytest.mark.parametrize("name", ["limit", "size"])
    def test_the_size_of_a_page(self, cast: Cast, name: str) -> None:
        api = cast.api(cast.sergei)
        for size in ("1", "1000"):
            assert api.get(self.kind.url, {name: size}).json()["limit"] == int(size)
        for bad in ("1001", "0", "-1", "x", "1.5", "99999999999999999999", "١", "1e2", "%31"):
            assert name in refused(api.get(self.kind.url, {name: bad}), 422)["fields"], bad
            assert (
                name in refused(api.get(self.kind.url, {name: bad, "cursor": ""}), 422)["fields"]
            ), bad

    def test_bad_pages(self, cast: Cast) -> None:
        api = cast.api(cast.sergei)
        for bad in ("0", "-1", "x", "99999999999999999999"):
            invalid(api.get(self.kind.url, {"page": bad}), "page")
        invalid(api.get(self.kind.url, {"count": "roughly"}), "count")
        assert api.get(self.kind.url, {"count": "exact"}).json()["total"] == 0
        invalid(api.get(self.kind.url, {"page": "1", "cursor": ""}), "cursor")

    # --- order --------------------------------------------------------------------------------

    def test_every_order_with_ties_and_missing_values(self, cast: Cast) -> None:
        self.kind.spread(cast)
        api = cast.api(cast.sergei)
        for name, path in self.sort_paths().items():
            for sign in ("", "+", "-"):
                items = api.get(self.kind.url, {"sort": sign + name, "limit": "1000"}).json()[
                    "items"
                ]
                assert items == in_order(items, path, descending=sign == "-"), sign + name
                # A plus that was not encoded arrives as a space.
                if sign == "+":
                    assert (
                        api.get(f"{self.kind.url}?limit=1000&sort=+{name}").json()["items"] == items
                    )
        names = list(self.sort_paths())[:2]
        items = api.get(f"{self.kind.url}?limit=1000&sort=-{names[0]},+{names[1]}").json()["items"]
        first = [key_of(item, self.sort_paths()[names[0]]) for item in items]
        assert first == sorted(first, reverse=True)

    def test_the_default_order(self, cast: Cast) -> None:
        self.kind.spread(cast)
        api = cast.api(cast.sergei)
        expected = "-scheduled_at" if self.kind.name == "visits" else "-updated_at"
        assert self.kind.viewset.default_sort == expected
        items = api.get(self.kind.url, {"limit": "1000"}).json()["items"]
        assert items == in_order(items, expected[1:], descending=True)
        for blank in ("", " "):
            assert api.get(self.kind.url, {"limit": "1000", "sort": blank}).json()["items"] == items

    def test_unknown_orders_are_refused_with_the_known_ones(self, cast: Cast) -> None:
        api = cast.api(cast.sergei)
        for bad in (
            "colour",
            "-",
            "updated_at,colour",
            "search_text",
            "object__city",
            "pk",
            "?",
            "updated_at,,id",
        ):
            for mode in ({}, {"cursor": ""}):
                text = invalid(api.get(self.kind.url, {"sort": bad, **mode}), "sort")
                assert all(name in text for name in self.kind.viewset.sorts)

    # --- cursors ------------------------------------------------------------------------------

    @pytest.mark.parametrize("size", [1, 2, 7])
    def test_a_cursor_walks_every_order_as_a_page_shows_it(self, cast: Cast, size: int) -> None:
        self.kind.spread(cast)
        api = cast.api(cast.sergei)
        for position, name in enumerate(self.kind.viewset.sorts):
            # One by one is slow: half of the orders will do, both ways in turn.
            for sign in ("", "-") if size > 1 else ("-",) if position % 2 else ("",):
                page = api.get(self.kind.url, {"sort": sign + name, "limit": "1000"}).json()[
                    "items"
                ]
                assert walk(api, self.kind.url, f"&sort={sign}{name}", size) == page, sign + name

    def test_a_cursor_without_sort_goes_by_id(self, cast: Cast) -> None:
        self.kind.spread(cast)
        ids = [row["id"] for row in walk(cast.api(cast.sergei), self.kind.url, "", 2)]
        assert ids == sorted(ids)
        assert len(ids) == MODELS[self.kind.name].objects.count()

    @pytest.mark.parametrize("size", [1, 3])
    def test_no_row_that_stands_still_is_skipped_or_repeated(self, cast: Cast, size: int) -> None:
        model, field = MODELS[self.kind.name], self.kind.edit[0]
        rows = self.kind.spread(cast, 6)
        standing = {str(pk) for pk in model.objects.values_list("pk", flat=True)}
        api = cast.api(cast.sergei)
        extra = 6
        for position, name in enumerate(self.kind.viewset.sorts):
            for sign in ("", "-") if size > 1 else ("",) if position % 2 else ("-",):
                cursor: str | None = ""
                seen: list[str] = []
                for step in range(500):
                    query = f"size={size}&sort={sign}{name}&cursor={quote(cursor or '', safe='')}"
                    body = api.get(f"{self.kind.url}?{query}").json()
                    seen += [row["id"] for row in body["items"]]
                    cursor = body["next_cursor"]
                    if cursor is None:
                        break
                    if step < 2:
                        # Others write: a row before and a row after, and edits of rows already seen and not.
                        self.kind.row(cast, extra)
                        extra += 1
                        if name not in {"updated_at", field}:
                            model.objects.filter(pk=rows[step].pk).update(
                                **{field: f"{extra}{step}"}
                            )
                assert len(seen) == len(set(seen)), sign + name
                assert standing <= set(seen), sign + name

    def test_foreign_and_broken_cursors(self, cast: Cast) -> None:
        self.kind.spread(cast, 4)
        api, url = cast.api(cast.sergei), self.kind.url
        cursor = api.get(url, {"cursor": "", "size": "1", "sort": "created_at"}).json()[
            "next_cursor"
        ]
        good = {"cursor": cursor, "sort": "created_at"}
        assert api.get(url, {**good, "size": "2"}).status_code == 200
        assert api.get(url, {**good, "limit": "2"}).status_code == 200
        for other in (
            {"sort": "-created_at"},
            {"sort": "updated_at"},
            {"sort": ""},
            {"updated_from": "2020-01-01"},
            {"q": "ул"},
        ):
            invalid(api.get(url, {**good, **other}), "cursor")
        swapped = cursor[:10] + ("A" if cursor[10] != "A" else "B") + cursor[11:]
        for broken in (
            cursor[:-1],
            swapped,
            cursor + "x",
            "x",
            "null",
            "....",
            "0",
            "é",
            "\ud7ff",
            "a" * 3000,
        ):
            invalid(api.get(url, {**good, "cursor": broken}), "cursor")
        for kind in ("objects", "units", "customers", "visits"):
            if kind != self.kind.name:
                # A cursor of one list says nothing of another.
                assert api.get(f"/api/v1/{kind}", good).status_code == 422, kind

    # --- filters ------------------------------------------------------------------------------

    def value(self, cast: Cast, word: str, rows: list[Any]) -> str:
        """A filter's value for a word of the kind's table."""
        places = {"moscow": cast.moscow, "centre": cast.centre, "ivan": cast.ivan}
        if word in places:
            return str(places[word].pk)
        match word:
            case "parent":
                return str(rows[0].object_id)
            case "number":
                return str(rows[0].unit_number)
            case "none":
                return "0190a2b4-0000-7000-8000-000000000000"
        return word

    def test_both_ways_to_write_a_filter(self, cast: Cast) -> None:
        rows = self.kind.spread(cast)
        api = cast.api(cast.sergei)
        everything = api.get(self.kind.url, {"limit": "1000"}).json()["total"]
        for name, (word, unknown) in self.kind.filters.items():
            value = self.value(cast, word, rows)
            plain = api.get(self.kind.url, {name: value, "limit": "1000"}).json()
            assert (
                api.get(self.kind.url, {f"filters[{name}]": value, "limit": "1000"}).json() == plain
            )
            assert word == "none" or plain["total"] > 0, name
            assert (
                word in {"moscow", "centre", "ivan", "number", "7d"} or plain["total"] < everything
            ), name
            assert api.get(self.kind.url, {name: ""}).json()["total"] == everything
            if unknown is not None:
                for key in (name, f"filters[{name}]"):
                    invalid(api.get(self.kind.url, {key: unknown}), name)

    def test_every_filter_of_the_view_is_in_the_table(self) -> None:
        shared = {"updated_from", "updated_to", "phone", "near", "radius", "bbox"}
        assert set(self.kind.viewset.filters.base_filters) - shared == set(self.kind.filters)

    def test_a_comma_means_any_of(self, cast: Cast) -> None:
        rows = self.kind.spread(cast)
        api = cast.api(cast.sergei)
        for name, values in {
            "type": ["CAFE", "MKD"],
            "status": sorted({row.status for row in rows if hasattr(row, "status")}),
            "interests": ["TV", "CCTV"],
            "object_id": sorted({str(getattr(row, "object_id", "")) for row in rows})[:3],
        }.items():
            if name not in self.kind.filters:
                continue
            found = [
                {
                    row["id"]
                    for row in api.get(self.kind.url, {name: value, "limit": "1000"}).json()[
                        "items"
                    ]
                }
                for value in values
            ]
            union = set[str]().union(*found)
            for joined in (",".join(values), " , ".join(values) + ","):
                answer = api.get(self.kind.url, {name: joined, "limit": "1000"}).json()
                assert {row["id"] for row in answer["items"]} == union, name
            assert union > min(found, key=len)

    def test_unknown_parameters_are_refused_with_the_known_ones(self, cast: Cast) -> None:
        api = cast.api(cast.sergei)
        for query in (
            "colour=red",
            "filters[colour]=red",
            "status__in=NEW",
            "Page=1",
            "id=1",
            "filters=1",
            "city__name=x",
        ):
            name = re.sub(r"filters\[(\w+)\]", r"\1", query).partition("=")[0]
            for mode in ("", "&cursor=", "&page=2"):
                text = invalid(api.get(f"{self.kind.url}?{query}{mode}"), name)
                assert all(
                    known in text
                    for known in (*self.kind.filters, "updated_from", "cursor", "sort", "q")
                )

    def test_odd_parameters_are_the_callers_mistake(self, cast: Cast) -> None:
        api = cast.api(cast.sergei)
        for query in (
            "q=%00",
            "sort=%00",
            "cursor=%00",
            "limit=%00",
            f"q={'x' * 8001}",
            "updated_from=%00",
        ):
            refused(api.get(f"{self.kind.url}?{query}"), 422)
        twice = api.get(f"{self.kind.url}?sort=updated_at&filters[sort]=created_at")
        invalid(twice, "sort")
        assert api.get(f"{self.kind.url}?q=%FF%FE&search=").status_code in {200, 422}
        assert api.get(f"{self.kind.url}?q=%ED%A0%80").status_code in {200, 422}

    def test_a_date_is_the_whole_local_day(self, cast: Cast) -> None:
        """TIME_ZONE is Europe/Moscow, three hours ahead of UTC."""
        api = cast.api(cast.sergei)
        record = self.kind.make(cast)
        updated = datetime.fromisoformat(
            api.get(f"{self.kind.url}/{record.pk}").json()["updated_at"]
        )

        def found(**query: str) -> bool:
            answer = api.get(self.kind.url, query)
            assert answer.status_code == 200, answer.json()
            return str(record.pk) in {row["id"] for row in answer.json()["items"]}

        exact = updated.isoformat().replace("+00:00", "Z")
        naive = updated.replace(tzinfo=None).isoformat()
        for moment in (exact, naive, f"{naive}+00:00"):
            assert found(updated_from=moment, updated_to=moment), moment
        assert not found(updated_from="2999-01-01")
        assert not found(updated_to="2001-01-01")
        for bad in (
            "yesterday",
            "2026-02-30",
            "2026-02-01T25:00",
            "1",
            "0000-01-01",
            "9999-12-31T23:59:59-23:00",
        ):
            for name in ("updated_from", "updated_to"):
                invalid(api.get(self.kind.url, {name: bad}), name)
