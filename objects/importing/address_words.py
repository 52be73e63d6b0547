"""The vocabulary of Russian addresses: which words mean the same, which say nothing.

All words are as addresses.py makes them: lower case, «е» for «ё».
"""

COUNTRY = frozenset({"россия", "рф"})
REGION = frozenset({"обл", "область", "край", "респ", "республика", "ао", "аобл"})
TOWN = frozenset({"г", "гор", "город"})
# «улица» is what a street is when nothing else is said.
SILENT = frozenset({"ул", "улица", "им", "имени"}) | TOWN


def _same(*groups: str) -> dict[str, str]:
    """Each word of a group → the group's first word."""
    return {word: words[0] for words in map(str.split, groups) for word in words}


SETTLEMENT = _same(
    "п пос поселок",
    "с село",
    "д дер деревня",
    "пгт",
    "рп",
    "дп",
    "кп",
    "х хутор",
    "ст станция",
    "ст-ца станица",
    "снт",
    "днт",
    "нп",
    "аул",
    "сл слобода",
)
STREET = _same(
    "пр-кт проспект просп пр-т",
    "проезд пр-д",
    "пер переулок",
    "ш шоссе",
    "б-р бул бульв бульвар",
    "наб набережная",
    "пл площадь",
    "туп тупик",
    "мкр мкрн мкр-н микрорайон",
    "кв-л квартал",
    "ал аллея",
    "тракт",
    "линия",
    "тер территория",
)
ADJECTIVE = _same(
    "б большой большая большое большие",
    "м малый малая малое малые",
    "ср средний средняя среднее средние",
    "верхн верхний верхняя верхнее верхние",
    "нижн нижний нижняя нижнее нижние",
    "академика ак акад",
)
HOUSE = _same(
    "дом д",
    "вл влад владение домовладение двлд",
    "зд здание",
    "к кор корп корпус",
    "стр строение",
    "соор сооружение",
    "лит литер литера",
    "под подъезд",
)
# The other words of HOUSE name a part of one.
WHOLE_HOUSE = frozenset({"дом", "вл", "зд", "соор"})
