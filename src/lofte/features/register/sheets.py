"""Lists of people as files bring them: rows of cells, each under a declared field. Nothing is judged here but the form."""

import csv
import io
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from lofte.features.register import vcard
from lofte.kernel.problems import Place, Problem

LARGEST = 50_000_000
_MOST_ROWS = 200_000
_LONGEST_CELL = 10_000
_SAMPLE = 20_000
FORMULA = ("=", "+", "-", "@", "\t", "\r")  # what a spreadsheet would run
_NUMBERS = ("phone", "email")  # kinds that may begin so and are never run: their form is checked
VCARD = {"FN": "name", "EMAIL": "email", "TEL": "phone", "ORG": "company", "TITLE": "title", "ROLE": "role"}


@dataclass(frozen=True, slots=True)
class Row:
    """``number`` is the line a person finds it by: the row of the table with its heading as row 1, or the card."""

    number: int
    cells: Mapping[str, str]
    is_torn: bool = False


@dataclass(frozen=True, slots=True)
class Sheet:
    """``columns`` says which column of the file stands under which field; ``left_out`` are the others, never read further."""

    rows: tuple[Row, ...]
    columns: Mapping[str, str]
    left_out: tuple[str, ...]


def read(
    name: str, content: bytes, fields: tuple[str, ...], columns: Mapping[str, str], encoding: str = "",
    words: Mapping[str, str] | None = None, only: bool = False,
) -> Sheet:  # fmt: skip
    """A CSV or vCard file, by its name's ending. ``columns`` (column -> field) names what is called otherwise than its field.

    ``words`` are other names of fields, in small letters: a heading in the language of whoever made the file. With ``only`` nothing
    but ``columns`` counts, so that a column may be left out although it is called what a field is called.
    """
    named = {} if only else {**(words or {})} | {field.casefold(): field for field in fields}
    if len(content) > LARGEST:
        raise Problem("people.too-large", "the file is larger than 50 MB", way_out="Split it.", status=413)
    if wrong := sorted(set(columns.values()) - set(fields)):
        raise Problem(
            "register.undeclared", "the purpose does not declare this field, or it is no field lists may bring",
            Place(key=wrong[0]), law="GDPR 5(1)(c)", way_out=f"Fields: {', '.join(fields)}.", status=422,
        )  # fmt: skip
    text = _text(content, encoding)
    sheet = (
        _cards(text, () if only else fields, columns)
        if name.lower().endswith((".vcf", ".vcard"))
        else _table(text, named, columns)
    )
    if missing := sorted(set(columns) - set(sheet.columns)):
        raise Problem("people.no-column", "the file has no such column", Place(key=missing[0]), status=422)
    if not sheet.columns:
        raise Problem(
            "people.no-column", "no column of the file is named as a field",
            way_out='Say which is which: --column "E-post=email"', status=422,
        )  # fmt: skip
    if len(sheet.rows) > _MOST_ROWS:
        raise Problem("people.too-large", f"the file has more than {_MOST_ROWS} rows", way_out="Split it.", status=413)
    return sheet


def disarmed(kind: str, cell: str) -> str:
    """The cell without what a spreadsheet would run; an apostrophe that disarmed it before goes as well."""
    if kind in _NUMBERS:
        return cell.removeprefix("'").strip()
    if cell.startswith("'") and cell[1:].startswith(FORMULA):
        return cell[1:].strip()
    return cell.strip().lstrip("".join(FORMULA)).strip() if cell.strip().startswith(FORMULA) else cell.strip()


def armed(cell: str) -> str:
    """The cell as it may stand in a file that a spreadsheet opens: what would run begins with an apostrophe."""
    return f"'{cell}" if cell.startswith(FORMULA) else cell


def _text(content: bytes, encoding: str) -> str:
    guessed = "utf-16" if content.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig"
    try:
        return content.decode(encoding or guessed)
    except (UnicodeDecodeError, LookupError):
        raise Problem(
            "people.encoding", f"the file is not {encoding or 'UTF-8'}",
            way_out="Save it as UTF-8, or say what it is: --encoding cp1252", status=422,
        ) from None  # fmt: skip


def _table(text: str, named: Mapping[str, str], columns: Mapping[str, str]) -> Sheet:
    try:
        dialect: type[csv.Dialect] = csv.Sniffer().sniff(text[:_SAMPLE].partition("\n")[0], delimiters=",;\t")
    except csv.Error:
        dialect = csv.excel  # one column
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=dialect.delimiter)
    try:
        header = [each.strip() for each in next(reader, [])]
        lines = [(number, line) for number, line in enumerate(reader, start=2) if any(cell.strip() for cell in line)]
    except csv.Error:
        raise Problem(
            "people.no-table", "the file is no CSV, or a cell is too long", Place(line=reader.line_num), status=422
        ) from None
    if long := next((number for number, line in lines if any(len(cell) > _LONGEST_CELL for cell in line)), 0):
        raise Problem("people.too-large", "a cell is longer than any value", Place(line=long), status=422)
    chosen = _chosen(header, named, columns)
    rows = tuple(
        Row(number, {name: cell for name, cell in zip(header, line, strict=False) if name in chosen}, len(line) > len(header))
        for number, line in lines
    )  # fmt: skip
    return Sheet(rows, chosen, tuple(each for each in header if each and each not in chosen))


def _cards(text: str, fields: tuple[str, ...], columns: Mapping[str, str]) -> Sheet:
    cards = vcard.read(text)
    for card in cards:
        if "N" in card:
            card.setdefault("FN", card["N"])
    known = {name: field for name, field in VCARD.items() if field in fields and field not in columns.values()}
    there = {name for card in cards for name in card} - {"VERSION", "N"}
    chosen = {name: field for name, field in (known | dict(columns)).items() if name in there}
    rows = [Row(number, {name: card[name] for name in chosen if name in card}) for number, card in enumerate(cards, 1)]
    return Sheet(tuple(rows), chosen, tuple(sorted(there - set(chosen))))


def _chosen(header: list[str], named: Mapping[str, str], columns: Mapping[str, str]) -> dict[str, str]:
    taken = {field.casefold() for field in columns.values()} | {name.casefold() for name in header}
    chosen: dict[str, str] = {}
    for column in header:
        field = columns.get(column) or _called(column.casefold(), named, columns, taken)
        if field is None:
            continue
        if column in chosen or field in chosen.values():
            raise Problem("people.column-twice", "two columns are for the same field", Place(key=field), status=422)
        chosen[column] = field
    return chosen


def _called(
    heading: str, named: Mapping[str, str], columns: Mapping[str, str], taken: Collection[str]
) -> str | None:  # fmt: skip
    """The field of a heading. A heading that only means a field stands back for one that is called so, or was named."""
    field = named.get(heading)
    if field is None or heading in columns.values():
        return None
    return field if heading == field.casefold() or field.casefold() not in taken else None
