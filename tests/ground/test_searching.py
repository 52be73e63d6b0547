"""Search: each word of the query begins a word of the record, whatever the case, `ё` or punctuation."""

import sqlite3

import pytest
from django.db import connection
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from crm import folding
from crm.db import postgresql, sqlite
from crm.searching import (
    MAX_WORD_LENGTH,
    MAX_WORDS,
    matching,
    normalise_text,
    query_words,
    search_condition,
)
from tests.ground.scratch import Place, engine, evaluate, make_place_table, plan_of

FOLDED = [
    ("ул. Ёлочная, д. 5", " ул елочная д 5 "),
    ("  Санкт-Петербург\t\n", " санкт петербург "),
    ("Кафе «Café» №7/2 (вход со двора)", " кафе cafe 7 2 вход со двора "),
    ("АБВГДЕЁЖЗИЙКЛМНОПРСТУФХЦЧШЩЪЫЬЭЮЯ", " абвгдеежзийклмнопрстуфхцчшщъыьэюя "),
    ("Әлмәт, Үзбәк, Ґудзь, Ўладзімір, Ҡариҙел", " әлмәт үзбәк ґудзь ўладзімір ҡариҙел "),
    # Decomposed: «Ёлочная» and «Майский» as macOS writes them; a stress mark; a soft hyphen.
    ("Е\u0308лочная Маи\u0306ский до\u0301м эле\xadватор", " елочная майский дом элеватор "),
    ("50%_\\'\"#50", " 50 50 "),
    ("...", " "),
    ("", " "),
    ("a" + " " * 1000 + "b", " a b "),
    ("😀Дом", " 😀дом "),
]
on_the_engine = settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=200
)
storable = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=60)
# Text that meets every table: each listed character often, among plain ones.
listed = st.text(
    st.sampled_from(
        folding.FOLD_FROM
        + folding.FOLD_TO
        + folding.PUNCTUATION
        + folding.DROPPED
        + "AZaz09 иуіИУІ"
    ),
    max_size=60,
)


@pytest.mark.parametrize(("text", "folded"), FOLDED)
def test_folding(text: str, folded: str, db: None) -> None:
    assert normalise_text(text) == folded
    assert evaluate(engine().search_text_sql(["a"]), text) == folded


def test_the_tables_are_in_step() -> None:
    assert len(folding.FOLD_FROM) == len(folding.FOLD_TO)
    every = folding.FOLD_FROM + folding.PUNCTUATION + folding.DROPPED
    assert len(set(every)) == len(every)
    # What comes out of one table must not be changed by another, or the databases' order would matter.
    assert not set(folding.FOLD_TO) & set(every)
    # The three steps' marks: the collapse of spaces works with < and >, private words with #.
    assert {"<", ">", "#"} <= set(folding.PUNCTUATION)


@on_the_engine
@given(text=storable | listed)
@example(text="\x01\x1f\x7f")
@example(text="İıſK")
def test_folded_alike_in_python_and_sql(db: None, text: str) -> None:
    assert evaluate(engine().search_text_sql(["a"]), text) == normalise_text(text)


@given(st.text(max_size=60) | listed)
def test_folding_twice_is_folding_once(text: str) -> None:
    assert normalise_text(normalise_text(text)) == normalise_text(text)


def test_every_listed_character_in_the_database(db: None) -> None:
    text = " ".join(folding.FOLD_FROM + folding.PUNCTUATION + folding.DROPPED)
    assert evaluate(engine().search_text_sql(["a"]), text) == normalise_text(text)


def test_parts_are_joined_and_missing_ones_skipped(db: None) -> None:
    expression = engine().search_text_sql(["a", "b", "c"])
    assert evaluate(expression, "ул. Мира", None, "Центр") == " ул мира центр "
    assert evaluate(expression, None, None, None) == " "
    assert evaluate(engine().search_text_sql([]), "unused") == " "


PHONE_WORDS = [
    ("+79991234567", " #79991234567 #89991234567 #9991234567 "),
    ("+4930123456", " #4930123456 "),
    ("+7999123456", " #7999123456 "),
    ("", " "),
    (None, " "),
]


@pytest.mark.parametrize(("phone", "words"), PHONE_WORDS)
def test_phone_words(phone: str | None, words: str, db: None) -> None:
    sql = engine()
    assert evaluate(sql.search_text_sql([sql.phone_words_sql("a")]), phone) == words


@pytest.mark.parametrize(
    ("email", "words"),
    [
        ("Ivan.Ёжиков@Example.com", " #ivan #ежиков #example #com "),
        ("@", " "),
        ("", " "),
        (None, " "),
    ],
)
def test_email_words(email: str | None, words: str, db: None) -> None:
    sql = engine()
    assert evaluate(sql.search_text_sql([sql.email_words_sql("a")]), email) == words


def test_nobody_can_write_a_private_word_into_plain_text(db: None) -> None:
    sql = engine()
    expression = sql.search_text_sql(["a", sql.phone_words_sql("b")])
    assert (
        evaluate(expression, "#79990000000 Иван", "+4930123456") == " 79990000000 иван #4930123456 "
    )


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("  Ёлочная, 5 ", ["елочная", "5"]),
        ("санкт-петербург САНКТ", ["санкт", "петербург"]),
        ("#79991234567", ["79991234567"]),
        ("a\x00b \ud800c", ["a", "b", "c"]),
        ("...", []),
        ("", []),
    ],
)
def test_query_words(query: str, words: list[str]) -> None:
    assert query_words(query) == words


def test_query_words_are_bounded() -> None:
    assert query_words("x" * 1000) == ["x" * MAX_WORD_LENGTH]
    assert len(query_words(" ".join(map(str, range(1000))))) == MAX_WORDS


@pytest.fixture
def places(db: None) -> None:
    make_place_table()
    Place.objects.bulk_create(
        Place(id=number, search_text=text)
        for number, text in enumerate(
            [
                " ",
                " ул елочная д 5 ",
                " ул новоелочная д 15 ",
                " иванов иван #79991234567 #89991234567 #9991234567 ",
                " петров кв 999 ",
                " %_ ' \\ :* & ",
                f" {'ы' * 3000} дальний ",
            ]
        )
    )


def found(query: str, *, private: bool = False) -> list[int]:
    return list(
        Place.objects.filter(matching("search_text", query, private=private))
        .order_by("id")
        .values_list("id", flat=True)
    )


@pytest.mark.parametrize(
    ("query", "public", "private"),
    [
        ("", [0, 1, 2, 3, 4, 5, 6], [0, 1, 2, 3, 4, 5, 6]),
        ("«»", [0, 1, 2, 3, 4, 5, 6], [0, 1, 2, 3, 4, 5, 6]),
        ("ЁЛОЧ", [1], [1]),
        ("елочная", [1], [1]),
        ("5, ёлочная!", [1], [1]),
        ("лочная", [], []),
        ("ул д", [1, 2], [1, 2]),
        ("ул 15", [2], [2]),
        ("ул 16", [], []),
        ("999", [4], [3, 4]),
        ("иванов 7999", [], [3]),
        ("#7999", [], [3]),
        ("8 (999) 123-45-67", [], [3]),
        ("+7 999 123", [], [3]),
        ("9991234567", [], [3]),
        ("99912345678", [], []),
        ("+7 999 124", [], []),
        ("ы" * 3000, [6], [6]),
        ("дальний", [6], [6]),
        ("' OR 1=1 --", [], []),
    ],
)
def test_who_finds_what(query: str, public: list[int], private: list[int], places: None) -> None:
    assert found(query) == public
    assert found(query, private=True) == private


@pytest.mark.parametrize(
    "word", ["%", "_", "'", "\\", "\\'", ":*", "&", "'' | ''", "%s", "$1", "\t"]
)
def test_strange_words_are_words(word: str, places: None) -> None:
    """Folded words hold no such characters, yet nothing may break when somebody passes them."""
    condition = search_condition("search_text", [word], private=True)
    expected = [5] if word in {"%", "'", "\\", ":*", "&"} else []
    assert list(Place.objects.filter(condition).values_list("id", flat=True)) == expected


def test_conditions_combine(places: None) -> None:
    both = search_condition("search_text", ["ул"], private=False) & ~search_condition(
        "search_text", ["15"], private=False
    )
    assert list(Place.objects.filter(both).values_list("id", flat=True)) == [1]


@pytest.mark.postgresql_only
@pytest.mark.parametrize("private", [False, True])
def test_search_uses_its_index(private: bool, places: None) -> None:
    query = Place.objects.filter(matching("search_text", "ёлоч 5 8 999 123", private=private))
    assert "scratch_place_search" in plan_of(query, "enable_seqscan = off")


@pytest.mark.postgresql_only
@pytest.mark.parametrize(
    "text",
    [
        "",
        "  two  spaces  ",
        "\n",
        "'" * 3000,
        "ы" * 3000,
        " ".join(f"{n:064}😀" for n in range(20_000)),
    ],
    ids=["empty", "spaces", "line end", "quotes", "long word", "long text"],
)
def test_any_text_can_be_indexed(text: str, db: None) -> None:
    """PostgreSQL does not refuse what a vector cannot hold: it makes a broken one."""
    words = {word[:65] for word in text[:200_000].split(" ") if word}
    vector = postgresql.search_vector_sql("a")
    assert set(evaluate(f"tsvector_to_array({vector})", text)) == words


@pytest.mark.sqlite_only
def test_triggers_work_without_django() -> None:
    """The sqlite3 shell has no functions of ours: neither may the expression."""
    plain = sqlite3.connect(":memory:")
    plain.execute(
        "CREATE TABLE person (id INTEGER PRIMARY KEY, name TEXT, phone TEXT, email TEXT, words TEXT)"
    )
    parts = ["NEW.name", sqlite.phone_words_sql("NEW.phone"), sqlite.email_words_sql("NEW.email")]
    plain.execute(
        "CREATE TRIGGER fold AFTER INSERT ON person BEGIN UPDATE person SET words ="
        f" CASE WHEN NEW.id > 0 THEN ({sqlite.search_text_sql(parts)}) END WHERE id = NEW.id; END"
    )
    plain.execute("INSERT INTO person VALUES (1, 'Ёлкин, Әнвәр', '+4930123456', 'E@x.org', NULL)")
    assert plain.execute("SELECT words FROM person").fetchone() == (
        " елкин әнвәр #4930123456 #e #x #org ",
    )


def test_text_of_another_locale_folds_alike(db: None) -> None:
    """A Turkish or accent-blind collation of the column must not change the words."""
    if connection.vendor == "sqlite":
        assert (
            evaluate(engine().search_text_sql(["a COLLATE NOCASE"]), "ISPARTA İ é")
            == " isparta İ e "
        )
        return
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT collname FROM pg_collation WHERE collname IN ('tr-x-icu', 'ucs_basic') LIMIT 1"
        )
        (collation,) = cursor.fetchone()
    text = f'a COLLATE "{collation}"'
    assert evaluate(engine().search_text_sql([text]), "ISPARTA İ é") == " isparta İ e "
