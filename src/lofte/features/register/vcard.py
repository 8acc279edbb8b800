"""vCard: reads 2.1, 3.0 and 4.0 (RFC 6350, RFC 2426, versit 2.1) as far as people in a register need, writes 4.0.

A module of our own and no dependency: the ready-made ones bring libraries for calendars, and six properties are all we need.
"""

import quopri
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from uuid import UUID

from lofte.kernel.problems import Place, Problem

_FOLD = 75  # octets a line, RFC 6350 3.2
_LINE = re.compile(r'((?:[^":]|"[^"]*")*):(.*)', re.DOTALL)
_PARAMETER = re.compile(r';((?:[^";]|"[^"]*")*)')
_LEAST_PREFERRED = 101
_GIVEN_FIRST = (1, 2, 0)  # N is family;given;additional;prefix;suffix


@dataclass(frozen=True, slots=True)
class Property:
    name: str
    parameters: Mapping[str, str]
    value: str


def read(text: str) -> list[dict[str, str]]:
    """The cards of a file, each property once: the preferred one, else the first. Raises Problem `vcard.broken` with the line."""
    cards: list[dict[str, tuple[int, str]]] = []
    inside = False
    for number, line in _unfolded(text):
        if not line.strip():
            continue
        found = _property(line, number)
        if found.name == "BEGIN":
            if inside or found.value.strip().upper() != "VCARD":
                raise _broken(number, "a card begins inside another")
            inside = True
            cards.append({})
        elif found.name == "END":
            if not inside:
                raise _broken(number, "a card ends that never began")
            inside = False
        elif not inside:
            raise _broken(number, "this stands outside of every card")
        elif value := _plain(found):
            rank = _rank(found.parameters)
            if found.name not in cards[-1] or rank < cards[-1][found.name][0]:
                cards[-1][found.name] = rank, value
    if inside:
        raise _broken(text.count("\n") + 1, "the last card does not end")
    return [{name: value for name, (_, value) in card.items()} for card in cards]


def write(person: UUID, values: Mapping[str, str]) -> str:
    """One card of version 4.0. ``values`` by property name (FN, EMAIL, TEL, ORG, TITLE, ROLE)."""
    lines = ["BEGIN:VCARD", "VERSION:4.0", f"UID:urn:uuid:{person}"]
    name = (
        values.get("FN") or values.get("EMAIL") or values.get("TEL") or str(person)
    )  # RFC 6350 6.2.1: FN must be there
    for key, value in {"FN": name, **{each: values[each] for each in values if each != "FN"}}.items():
        if not value:
            continue
        is_number = key == "TEL" and re.fullmatch(r"\+[0-9 ()./-]+", value)
        if is_number:
            lines.append(f"TEL;VALUE=uri:tel:+{re.sub(r'[^0-9]', '', value)}")
        else:
            lines.append(f"{key}:{_escaped(value)}")
    lines.append("END:VCARD")
    return "".join(_folded(line) for line in lines)


def _unfolded(text: str) -> Iterable[tuple[int, str]]:
    """Whole lines with the number of the first; a quoted-printable value of 2.1 goes on where its line ends in ``=``."""
    number, whole = 0, ""
    for at, line in enumerate(re.split(r"\r\n|\n|\r", text), start=1):
        if line[:1] in (" ", "\t") and whole and not _is_soft(whole):
            whole += line[1:]
        elif whole and _is_soft(whole):
            whole = whole[:-1] + line
        else:
            if whole:
                yield number, whole
            number, whole = at, line
    if whole:
        yield number, whole


def _is_soft(line: str) -> bool:
    return line.endswith("=") and "QUOTED-PRINTABLE" in line.partition(":")[0].upper()


def _property(line: str, number: int) -> Property:
    found = _LINE.fullmatch(line)
    if found is None:
        raise _broken(number, "this is no property")
    head, value = found.groups()
    name = re.split(";", head, maxsplit=1)[0].rpartition(".")[2].strip().upper()
    parameters: dict[str, str] = {}
    for each in _PARAMETER.findall(head):
        key, is_named, said = each.partition("=")
        key, said = (key, said) if is_named else ("TYPE", key)
        said = said.replace('"', "").upper()
        parameters[key.strip().upper()] = ",".join(filter(None, (parameters.get(key.strip().upper()), said)))
    if not name:
        raise _broken(number, "a property has no name")
    if "QUOTED-PRINTABLE" in (*parameters.get("ENCODING", "").split(","), *parameters.get("TYPE", "").split(",")):
        try:
            value = quopri.decodestring(value.encode()).decode(parameters.get("CHARSET", "UTF-8"))
        except (UnicodeDecodeError, LookupError):
            raise _broken(number, "the letters of this value cannot be read") from None
    return Property(name, parameters, value)


def _plain(found: Property) -> str:
    """The value as one text: names in the order people say them, the organisation without its departments."""
    parts = [_unescaped(part) for part in re.split(r"(?<!\\);", found.value)]
    if found.name == "N":
        return " ".join(parts[at] for at in _GIVEN_FIRST if at < len(parts) and parts[at])
    if found.name == "ORG":
        return parts[0]
    if found.name == "TEL" and found.value[:4].lower() == "tel:":
        return found.value[4:].partition(";")[0].strip()
    if found.name == "EMAIL" and found.value[:7].lower() == "mailto:":
        return found.value[7:].strip()
    return _unescaped(found.value)


def _rank(parameters: Mapping[str, str]) -> int:
    said = parameters.get("PREF", "")
    if said.isdecimal():
        return int(said)
    return 1 if "PREF" in parameters.get("TYPE", "").split(",") else _LEAST_PREFERRED


def _unescaped(value: str) -> str:
    letters = {"n": "\n", "N": "\n"}
    return re.sub(r"\\(.)", lambda found: letters.get(found.group(1), found.group(1)), value).strip()


def _escaped(value: str) -> str:
    return re.sub(r"([\\,;])", r"\\\1", value).replace("\r\n", "\n").replace("\n", "\\n")


def _folded(line: str) -> str:
    """Lines of at most 75 octets, never broken inside a letter."""
    out, length = "", 0
    for letter in line:
        size = len(letter.encode())
        if length + size > _FOLD:
            out, length = out + "\r\n ", 1
        out, length = out + letter, length + size
    return out + "\r\n"


def _broken(line: int, what: str) -> Problem:
    return Problem("vcard.broken", what, Place(line=line), expected="vCard 2.1, 3.0 or 4.0", status=422)
