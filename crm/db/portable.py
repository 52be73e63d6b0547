"""SQL that both engines understand alike, and the one mark that their generators share."""

from crm.masking import MASK, SHOWN


class ReadyWords(str):
    """SQL whose value already is folded words, or ''. `search_text_sql` takes it as it is, with marks."""

    __slots__ = ()


def mask_email_sql(column: str) -> str:
    """`crm.masking.mask_email` of a text expression, which is evaluated several times."""
    # All but @ stripped from the right leaves the part before the last @, and that @: `head`.
    head = f"rtrim({column}, replace({column}, '@', ''))"
    shown = " ".join(f"WHEN {n} THEN {max(0, n - 2)}" for n in range(1, SHOWN + 2))
    return (
        f"CASE WHEN {column} IS NULL OR {column} = '' THEN {column}"
        f" WHEN {head} = '' THEN '{MASK}'"
        f" ELSE substr({column}, 1, CASE length({head}) {shown} ELSE {SHOWN} END)"
        f" || '{MASK}' || substr({column}, length({head})) END"
    )


def single_spaces(text: str) -> str:
    """Runs of spaces become one. `text` is folded, so that it holds neither < nor >."""
    return f"replace(replace(replace({text}, ' ', '<>'), '><', ''), '<>', ' ')"
