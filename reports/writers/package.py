"""The small parts of a workbook: everything but sheets and texts (ECMA-376, parts 1 and 2)."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final
from xml.sax.saxutils import quoteattr

from reports.writers.text import clean, xml_text

DECLARATION: Final = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
MAIN: Final = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_PACKAGE: Final = "http://schemas.openxmlformats.org/package/2006"
_OFFICE: Final = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_SHEETML: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_FORBIDDEN: Final = re.compile(r"[\[\]:*?/\\]")
_MAX_NAME: Final = 31


def sheet_name(title: str, number: int) -> str:
    """The name of the sheet: «Objects», «Objects 2»; as short and as plain as Excel demands."""
    plain = _FORBIDDEN.sub(" ", clean(title).replace("\n", " ")).strip(" '") or "1"
    if number == 1:
        return plain[:_MAX_NAME]
    ending = f" {number}"
    return plain[: _MAX_NAME - len(ending)] + ending


def relationships_xml() -> str:
    """What the package consists of."""
    return (
        f'{DECLARATION}<Relationships xmlns="{_PACKAGE}/relationships">'
        f'<Relationship Id="rId1" Type="{_OFFICE}/officeDocument" Target="xl/workbook.xml"/>'
        f'<Relationship Id="rId2" Type="{_PACKAGE}/relationships/metadata/core-properties"'
        ' Target="docProps/core.xml"/></Relationships>'
    )


def properties_xml(title: str, language: str) -> str:
    """What the file says about itself."""
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return (
        f'{DECLARATION}<cp:coreProperties xmlns:cp="{_PACKAGE}/metadata/core-properties"'
        ' xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:dcterms="http://purl.org/dc/terms/"'
        ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">'
        f"<dc:title>{xml_text(title)}</dc:title><dc:language>{xml_text(language)}</dc:language>"
        f'<dcterms:created xsi:type="dcterms:W3CDTF">{now}</dcterms:created></cp:coreProperties>'
    )


def workbook_xml(names: Sequence[str], last_column: str, rows: Sequence[int]) -> str:
    """The sheets, and of each the filtered range and the header that is printed on every page."""
    sheets, defined = [], []
    for number, name in enumerate(names, 1):
        sheets.append(f'<sheet name={quoteattr(name)} sheetId="{number}" r:id="rId{number}"/>')
        quoted = xml_text("'" + name.replace("'", "''") + "'")
        local = f'localSheetId="{number - 1}"'
        defined.append(
            f'<definedName name="_xlnm._FilterDatabase" {local} hidden="1">'
            f"{quoted}!$A$1:${last_column}${rows[number - 1]}</definedName>"
            f'<definedName name="_xlnm.Print_Titles" {local}>{quoted}!$1:$1</definedName>'
        )
    return (
        f'{DECLARATION}<workbook xmlns="{MAIN}" xmlns:r="{_OFFICE}">'
        '<bookViews><workbookView windowWidth="28800" windowHeight="15000"/></bookViews>'
        f"<sheets>{''.join(sheets)}</sheets><definedNames>{''.join(defined)}</definedNames></workbook>"
    )


def workbook_relationships_xml(sheets: int) -> str:
    """Where the workbook's parts lie."""
    parts = [("worksheet", f"worksheets/sheet{number}.xml") for number in range(1, sheets + 1)]
    parts += [("styles", "styles.xml"), ("sharedStrings", "sharedStrings.xml")]
    told = "".join(
        f'<Relationship Id="rId{number}" Type="{_OFFICE}/{kind}" Target="{target}"/>'
        for number, (kind, target) in enumerate(parts, 1)
    )
    return f'{DECLARATION}<Relationships xmlns="{_PACKAGE}/relationships">{told}</Relationships>'


def content_types_xml(sheets: int) -> str:
    """What each part is."""
    parts = [("workbook.xml", "sheet.main"), ("styles.xml", "styles")]
    parts += [("sharedStrings.xml", "sharedStrings")]
    parts += [(f"worksheets/sheet{number}.xml", "worksheet") for number in range(1, sheets + 1)]
    told = "".join(
        f'<Override PartName="/xl/{name}" ContentType="{_SHEETML}.{kind}+xml"/>'
        for name, kind in parts
    )
    return (
        f'{DECLARATION}<Types xmlns="{_PACKAGE}/content-types"><Default Extension="rels"'
        ' ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Default Extension="xml" ContentType="application/xml"/>{told}'
        '<Override PartName="/docProps/core.xml"'
        ' ContentType="application/vnd.openxmlformats-package.core-properties+xml"/></Types>'
    )
