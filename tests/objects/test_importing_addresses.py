"""Which writings of an address are one building, and which addresses lie in a city."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from objects.importing.addresses import address_key, normal_address, other_settlement

SAME = [
    ("г. Москва, ул. Академическая Б., д. 6, к. 1", "Большая Академическая улица, дом 6 корпус 1"),
    ("г. Москва, ул. Новопесчаная, д. 6, к. 1", "Москва, Новопесчаная 6к1"),
    ("г. Москва, пр-кт. Ленинский, д. 17/50", "Ленинский проспект, 17/50"),
    ("г. Москва, ул. Ёлочная, д. 5", "ул. ЕЛОЧНАЯ 5"),
    ("г. Москва, ул. Лескова, д. 9 А", "улица Лескова, 9а."),
    ("г. Москва, ул. Лескова, д. 9А", "ул. Лескова, д. 9A"),  # the second A is Latin
    ("г. Москва, пер. Михалковский 3-й, д. 1", "3-й Михалковский переулок, 1"),
    ("г. Москва, ул. Гиляровского, д. 36, стр. 1", "ул.Гиляровского,д.36,строение 1"),
    ("г. Москва, ул. Мира, д. 4, стр. 2", "ул. Мира 4с2"),
    ("г. Москва, ш. Открытое, д. 21, к. 9", "д. г Москва ш Открытое д.21 кор.9"),
    ("г. Москва, ул. Первомайская, д. 42", "109000, Россия, Москва г, Первомайская ул, 42"),
    ("г. Москва, пер. Денежный, д. 8—10", "пер. Денежный, д. 8-10"),
]
DIFFERENT = [
    ("ул. Мира, д. 1", "ул. Мира, д. 11"),
    ("ул. Мира, д. 1, к. 2", "ул. Мира, д. 12"),
    ("ул. Мира, д. 1/3", "ул. Мира, д. 13"),
    ("ул. Мира, д. 1, к. 2", "ул. Мира, д. 1, стр. 2"),
    ("ул. Мира, д. 7, к. А", "ул. Мира, д. 7А"),
    ("ул. Мира, д. 5", "пер. Мира, д. 5"),
    ("ул. Мира, д. 5", "вл. 5, ул. Мира"),
    ("ул. Парковая 3-я, д. 1", "ул. Парковая 16-я, д. 1"),
    ("ул. Одинарка, д. 2е", "ул. Одинарка, д. 2"),
    ("п. Внуково, ул. Мира, д. 5", "ул. Мира, д. 5"),
    ("ул. Академическая Б., д. 4", "ул. Академическая М., д. 4"),
]
EKATERINBURG = "Екатеринбург"


@pytest.mark.parametrize(("one", "other"), SAME)
def test_two_writings_of_one_building_meet(one: str, other: str) -> None:
    assert normal_address(one, city="Москва") == normal_address(other, city="Москва")
    assert address_key(one, city="Москва") == address_key(other, city="Москва")


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_two_buildings_stay_two(one: str, other: str) -> None:
    assert address_key(one, city="Москва") != address_key(other, city="Москва")


@pytest.mark.parametrize(
    ("address", "elsewhere"),
    [
        ("обл. Свердловская, п. Глубокое, ул. Алая, д. 1", "п. Глубокое"),
        ("обл. Свердловская, с.  Горный Щит, ул. Ленина, д. 36", "с. Горный Щит"),
        ("обл. Свердловская, мкр. Светлый, д. 3", "мкр. Светлый"),
        ("620000, Свердловская область, ст. Палкино, д. 4", "ст. Палкино"),
        ("г. Казань, ул. Баумана, д. 9", "г. Казань"),
        ("обл. Свердловская, г. Екатеринбург, ул. Баумана, д. 9", None),
        ("обл. Свердловская, г. Екатеринбург, ст. Исток, ул. Мира, д. 1", None),
        ("д. г. Екатеринбург,  ул.Баумана, д.9", None),
        ("Екатеринбург, Баумана 9", None),
        ("ул. Баумана, д. 9", None),
        ("ул. Баумана, д. 9, с. 1", None),
    ],
)
def test_an_address_that_names_another_settlement_lies_outside(
    address: str, elsewhere: str | None
) -> None:
    assert other_settlement(address, city=EKATERINBURG) == elsewhere


@given(st.text(max_size=80), st.text(max_size=20))
def test_any_text_has_a_key_that_ignores_case_and_outer_space(address: str, city: str) -> None:
    key = address_key(address, city=city)
    assert len(key) == 16
    assert address_key(f"  {address} ", city=city) == key
    other_settlement(address, city=city)
