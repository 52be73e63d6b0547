"""Keep the Russian catalogue complete: `translations.py check` judges it, `update` brings it up to date.

Works without the GNU gettext tools. The sentences are found in the code by Babel; the catalogue
(`.po`) and its compiled form (`.mo`, committed too) are read and written by polib.
"""

import re
import sys
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import django
import polib
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import DEFAULT_KEYWORDS, extract
from django.conf import settings
from django.utils.translation.template import templatize

ROOT = Path(__file__).resolve().parent.parent
CATALOGUE = ROOT / "crm" / "locale" / "ru" / "LC_MESSAGES" / "django.po"
NOT_OURS = {".venv", "data", "tests", "migrations", ".ci", "node_modules"}
KEYWORDS = {
    **DEFAULT_KEYWORDS,
    "gettext_lazy": None,
    "gettext_noop": None,
    "ngettext_lazy": (1, 2),
    "pgettext_lazy": ((1, "c"), 2),
    "npgettext_lazy": ((1, "c"), 2, 3),
}
PLACEHOLDER = re.compile(r"%\(\w+\)[a-z]|%[a-z]|\{\w*\}")
RUSSIAN_FORMS = 3
RUSSIAN_PLURALS = (
    "nplurals=3; plural=(n%10==1 && n%100!=11 ? 0 : "
    "n%10>=2 && n%10<=4 && (n%100<10 || n%100>=20) ? 1 : 2);"
)

# What tells one sentence from another: its context ("" for none) and its singular.
Key = tuple[str, str]


def sources() -> Iterator[tuple[Path, bytes]]:
    """Every file that may hold a sentence: (path, its text as Python source)."""
    for path in sorted(ROOT.rglob("*")):
        parts = path.relative_to(ROOT).parts
        if NOT_OURS.intersection(parts) or not path.is_file():
            continue
        if path.suffix == ".py":
            yield path, path.read_bytes()
        elif "templates" in parts and path.suffix in {".html", ".txt"}:
            source = templatize(path.read_text(encoding="utf-8"))
            # A template's indentation means nothing; Python would stumble upon it.
            yield path, "\n".join(line.lstrip() for line in source.splitlines()).encode()


def sentences() -> Catalog:
    """All sentences in the code."""
    found = Catalog()
    for path, text in sources():
        for _line, message, _comments, context in extract("python", BytesIO(text), KEYWORDS):
            if not message or not (message[0] if isinstance(message, tuple) else message):
                raise SystemExit(f"{path}: an empty sentence is marked for translation")
            found.add(message, context=context)
    return found


def key_of_message(message: Message) -> Key:
    """What tells this sentence from others: its context and its singular."""
    singular = message.id if isinstance(message.id, str) else message.id[0]
    return message.context or "", singular


def texts(entry: polib.POEntry) -> list[str]:
    """Every translated form of an entry."""
    return list(entry.msgstr_plural.values()) if entry.msgid_plural else [entry.msgstr]


def faults(wanted: dict[Key, Message], catalogue: polib.POFile) -> Iterator[str]:
    """Sentences about what is wrong with the catalogue."""
    entries = {(entry.msgctxt or "", entry.msgid): entry for entry in catalogue}
    for _context, sentence in wanted.keys() - entries.keys():
        yield f"missing: {sentence!r}"
    for key, entry in entries.items():
        if entry.obsolete or key not in wanted:
            yield f"no longer in the code: {entry.msgid!r}"
        elif entry.fuzzy:
            yield f"marked fuzzy: {entry.msgid!r}"
        elif not all(texts(entry)) or (entry.msgid_plural and len(texts(entry)) != RUSSIAN_FORMS):
            yield f"not translated: {entry.msgid!r}"
        elif bad := bad_placeholders(entry):
            yield f"other placeholders than in {entry.msgid!r}: {bad!r}"
    compiled = CATALOGUE.with_suffix(".mo")
    if not compiled.exists() or compiled.read_bytes() != catalogue.to_binary():
        yield "the compiled catalogue (.mo) is not that of the .po: run `make messages`"


def bad_placeholders(entry: polib.POEntry) -> str | None:
    """The first translated form whose placeholders differ from the sentence's, if any.

    A singular may leave its number out ("one object"), so the plural counts where there is one.
    """
    expected = sorted(PLACEHOLDER.findall(entry.msgid_plural or entry.msgid))
    for text in texts(entry):
        if sorted(PLACEHOLDER.findall(text)) != expected:
            return text
    return None


def read_catalogue() -> polib.POFile:
    """The catalogue as it is, or an empty one."""
    if CATALOGUE.exists():
        return polib.pofile(str(CATALOGUE), wrapwidth=100)
    empty = polib.POFile(wrapwidth=100)
    empty.metadata = {
        "Project-Id-Version": "crm-backend",
        "Language": "ru",
        "MIME-Version": "1.0",
        "Content-Type": "text/plain; charset=utf-8",
        "Content-Transfer-Encoding": "8bit",
        "Plural-Forms": RUSSIAN_PLURALS,
    }
    return empty


def update(wanted: dict[Key, Message], catalogue: polib.POFile) -> None:
    """Add new sentences untranslated, drop those no longer in the code, compile."""
    for entry in list(catalogue):
        if entry.obsolete or (entry.msgctxt or "", entry.msgid) not in wanted:
            catalogue.remove(entry)
    known = {(entry.msgctxt or "", entry.msgid) for entry in catalogue}
    for (context, sentence), message in wanted.items():
        if (context, sentence) in known:
            continue
        entry = polib.POEntry(msgid=sentence, msgctxt=context or None)
        if not isinstance(message.id, str):
            entry.msgid_plural = message.id[1]
            entry.msgstr_plural = {0: "", 1: "", 2: ""}
        catalogue.append(entry)
    catalogue.sort(key=lambda entry: (entry.msgid, entry.msgctxt or ""))
    CATALOGUE.parent.mkdir(parents=True, exist_ok=True)
    catalogue.save(str(CATALOGUE))
    catalogue.save_as_mofile(str(CATALOGUE.with_suffix(".mo")))


def main() -> None:
    """Run `check` or `update`; exits with 1 and the faults when something is left to translate."""
    if sys.argv[1:] not in (["check"], ["update"]):
        raise SystemExit("usage: translations.py check | update")
    settings.configure()  # templatize() asks for a few settings; the product's own are not needed
    django.setup()
    wanted = {key_of_message(message): message for message in sentences() if message.id}
    if sys.argv[1] == "update":
        update(wanted, read_catalogue())
    found = sorted(faults(wanted, read_catalogue()))
    for fault in found:
        print(fault)
    if found:
        raise SystemExit(f"{len(found)} faults in {CATALOGUE.relative_to(ROOT)}")
    print(f"{len(wanted)} sentences, all translated")


if __name__ == "__main__":
    main()
