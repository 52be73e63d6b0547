"""How text becomes searchable words.

The databases fold by these same tables, so nothing here may follow a locale.

A folded text is its words in lower case, separated by single spaces, with one space before and one after
(`" ул елочная 5 "`; no words: `" "`), so that « word» at any place means: a word begins so.
Steps, in this order: ASCII capitals to small ones, FOLD_FROM → FOLD_TO, PUNCTUATION → space, COMPOSED, then
DROPPED disappears.

The tables named COMMON cover nearly all Russian text; the databases take the other steps only for a text
with a character beyond them, because each character of a table costs time on every written row.
"""

import re
from typing import Final

_RUSSIAN: Final = "абвгдежзийклмнопрстуфхцчшщъыьэюя"
COMMON_FROM: Final = _RUSSIAN.upper() + "Ёё"
COMMON_TO: Final = _RUSSIAN + "ее"
COMMON_PUNCTUATION: Final = ',.-/()"№:;!?+«»–—\n'

# Ukrainian, Belarusian, Serbian; then the letters of Tatar, Bashkir, Kazakh, Chuvash, Mari, Udmurt, Komi,
# Yakut, Buryat, Tajik, Uzbek and of the Caucasus.
_CYRILLIC: Final = "ђѓєѕіїјљњћќѝўџ" + "ґғҕҗҙқҡңҥҫүұҳҷһӏӑӓӗәӝӟӣӥӧөӯӱӳӵӹ"
# Accents of Latin-1 go too: «Café» is found by «cafe».
_ACCENTED: Final = "àáâãäåçèéêëìíîïñòóôõöùúûüýÿ"
_PLAIN: Final = "aaaaaaceeeeiiiinooooouuuuyy"
_LATIN: Final = "æðøþ"
RARE_FROM: Final = _CYRILLIC.upper() + _ACCENTED.upper() + _ACCENTED + _LATIN.upper()
RARE_TO: Final = _CYRILLIC + _PLAIN * 2 + _LATIN
RARE_PUNCTUATION: Final = (
    "#$%&'*<=>@[\\]^_`{|}~"
    "\t\x0b\x0c\r\x85\xa0"
    "¡¢£¤¥¦§¨©¬®¯°±´¶·¸¿×÷"
    "\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u200b\u2028\u2029\u202f\u205f\u3000"
    "\u2010\u2011\u2012\u2015\u2212‘’‚‛“”„‟†‡•․‥…‰′″‹›‼⁄₽€™"
)
# A decomposed letter (as macOS and iOS write file names) is the letter.
COMPOSED: Final = (("и\u0306", "й"), ("у\u0306", "ў"), ("і\u0308", "ї"))
# Stress marks and the rest of decomposed letters; soft hyphen, joiners, byte order mark.
DROPPED: Final = "\u0300\u0301\u0306\u0308\xad\u200c\u200d\u2060\ufeff"

FOLD_FROM: Final = COMMON_FROM + RARE_FROM
FOLD_TO: Final = COMMON_TO + RARE_TO
PUNCTUATION: Final = COMMON_PUNCTUATION + RARE_PUNCTUATION

# Words that only those may match who see phones and e-mails begin with this. Being punctuation, it is in
# no word that somebody typed.
PRIVATE_MARK: Final = "#"

MAX_WORDS: Final = 10
MAX_WORD_LENGTH: Final = 64

_CAPITALS: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_FOLD: Final = str.maketrans(
    _CAPITALS + FOLD_FROM + PUNCTUATION, _CAPITALS.lower() + FOLD_TO + " " * len(PUNCTUATION)
)
_DROP: Final = str.maketrans("", "", DROPPED)
_UNSTORABLE: Final = re.compile("[\x00\ud800-\udfff]")


def normalise_text(text: str) -> str:
    """The folded form of `text`; equal to what `search_text_sql` of either engine makes of it."""
    folded = text.translate(_FOLD)
    for decomposed, letter in COMPOSED:
        folded = folded.replace(decomposed, letter)
    return re.sub(" +", " ", f" {folded.translate(_DROP)} ")


def query_words(query: str) -> list[str]:
    """The distinct words of a query, in order: at most MAX_WORDS, each cut to MAX_WORD_LENGTH characters.

    NUL and lone surrogates, which no database stores, separate words.
    """
    words = normalise_text(_UNSTORABLE.sub(" ", query)).split(" ")
    return list(dict.fromkeys(word[:MAX_WORD_LENGTH] for word in words if word))[:MAX_WORDS]
