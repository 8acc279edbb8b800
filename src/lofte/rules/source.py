"""A policy directory as read: declarations, words and texts, each with the line it came from.

`read` takes the files as a mapping from relative name to text and never raises: whatever is wrong becomes a Problem,
the broken part is set aside, and everything that can still be understood goes on, so that `check` reports all faults.
"""

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from types import UnionType
from typing import Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from lofte.kernel.problems import Place, Problem
from lofte.rules.codes import fault
from lofte.rules.known import filling
from lofte.rules.model import Policy
from lofte.rules.texts import Block, parse_blocks

POLICY_FILE = "policy.yaml"
MAX_DEPTH = 32  # the deepest honest path has 7 steps
MAX_VALUES = 100_000  # the example policy has about 2,000

Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Tree:
    """The content of one YAML file, and the line on which each key path stands."""

    file: str
    content: Any
    lines: Mapping[Path, int]

    def place(self, *path: str | int) -> Place:
        """Where a key stands; for one that is not there, the line of its nearest parent."""
        known = path
        while known and known not in self.lines:
            known = known[:-1]
        return Place(self.file, self.lines.get(known, 1), ".".join(map(str, path)))


@dataclass(frozen=True, slots=True)
class Source:
    """Everything a policy directory holds. ``set_aside`` names the (section, id) pairs that could not be read."""

    policy: Policy | None
    tree: Tree
    words: Mapping[str, Tree]
    texts: Mapping[str, Sequence[Block]]
    text_files: Mapping[str, Sequence[str]]
    set_aside: frozenset[tuple[str, str]]
    problems: Sequence[Problem]

    def place(self, *path: str | int) -> Place:
        return self.tree.place(*path)


def read(files: Mapping[str, str]) -> Source:
    """Understand as much of a policy directory as can be understood. Undecodable bytes arrive as surrogate escapes."""
    problems: list[Problem] = []
    readable = {name: text for name, text in files.items() if not _demand_text(name, text, problems)}
    if POLICY_FILE in readable:
        tree = parse_yaml(POLICY_FILE, readable[POLICY_FILE], problems)
        policy, set_aside = _validate(tree, problems) if isinstance(tree.content, dict) else (None, frozenset())
    else:
        tree, policy, set_aside = Tree(POLICY_FILE, None, {}), None, frozenset()
        if POLICY_FILE not in files:
            problems.append(fault("file.missing", "the directory holds no policy.yaml", Place(POLICY_FILE, 1)))
    words, texts, text_files = _read_texts(readable, problems)
    if isinstance(tree.content, dict):
        words = {locale: _with_known_words(spoken, locale, tree.content) for locale, spoken in words.items()}
    return Source(policy, tree, words, texts, text_files, set_aside, tuple(problems))


def parse_yaml(name: str, text: str, problems: list[Problem]) -> Tree:
    """The content of a YAML 1.2 file whose root is a mapping; None as content when it cannot be read."""
    lines: dict[Path, int] = {}
    node = _compose(name, text, problems)
    if node is None:
        return Tree(name, None, lines)
    if not isinstance(node, MappingNode):
        problems.append(fault("yaml.not-a-mapping", "the file holds no keys", Place(name, node.start_mark.line + 1)))
        return Tree(name, None, lines)
    return Tree(name, _build(node, (), name, lines, problems), lines)


def _demand_text(name: str, text: str, problems: list[Problem]) -> bool:
    """Note undecodable bytes and control characters; true when the file must be set aside."""
    found = re.search(r"[\ud800-\udfff\x00-\x08\x0b\x0c\x0e-\x1f\x7f]", text)
    if found:
        line = text.count("\n", 0, found.start()) + 1
        problems.append(
            fault("file.unreadable", "bytes that are not UTF-8 text", Place(name, line), expected="UTF-8 text")
        )
    return found is not None


def _compose(name: str, text: str, problems: list[Problem]) -> Node | None:
    tab = re.search(r"^ *\t[ \t]*\S", text, re.MULTILINE)
    if tab:
        line = text.count("\n", 0, tab.start()) + 1
        problems.append(fault("yaml.tab", "a tab indents this line", Place(name, line), expected="spaces"))
        return None
    try:
        # pure: the C reader is YAML 1.1, where the country NO is False
        node: Node | None = YAML(typ="safe", pure=True).compose(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        detail = error.problem or error.context or "not YAML"
        problems.append(fault("yaml.syntax", " ".join(str(detail).split()), Place(name, line), expected="YAML 1.2"))
        return None
    except (
        YAMLError,
        RecursionError,
        ValueError,
        TypeError,
        AttributeError,
        IndexError,
        KeyError,
        AssertionError,
    ) as error:
        # the reader has bare failures of its own on garbled input; a broken file must never end in a traceback
        problems.append(fault("yaml.syntax", f"not YAML ({type(error).__name__})", Place(name, 1), expected="YAML 1.2"))
        return None
    if node is None:
        problems.append(fault("yaml.not-a-mapping", "the file is empty", Place(name, 1)))
    return node


def _build(node: Node, path: Path, file: str, lines: dict[Path, int], problems: list[Problem]) -> Any:
    """Plain values of a node; lines are noted on the way, duplicates and foreign tags reported."""
    if len(path) > MAX_DEPTH or len(lines) > MAX_VALUES:  # an alias may point at its own parent, or at ten others
        if not any(problem.code == "yaml.too-large" for problem in problems):
            problems.append(
                fault("yaml.too-large", "nested too deeply or too many values", Place(file, node.start_mark.line + 1))
            )
        return None
    lines.setdefault(path, node.start_mark.line + 1)
    if isinstance(node, MappingNode):
        return _build_mapping(node, path, file, lines, problems)
    if isinstance(node, SequenceNode):
        return [_build(item, (*path, index), file, lines, problems) for index, item in enumerate(node.value)]
    if not isinstance(node, ScalarNode):
        return None
    return _scalar(node, path, file, problems)


def _build_mapping(
    node: MappingNode, path: Path, file: str, lines: dict[Path, int], problems: list[Problem]
) -> dict[str, Any]:
    built: dict[str, Any] = {}
    for key_node, value_node in node.value:
        line = key_node.start_mark.line + 1
        if not isinstance(key_node, ScalarNode):
            problems.append(fault("yaml.syntax", "a key that is not text", Place(file, line, ".".join(map(str, path)))))
            continue
        name = str(key_node.value)
        here = (*path, name)
        if name in built:
            first = lines[here]
            detail = f"`{name}` stands twice, first on line {first}"
            problems.append(
                fault(
                    "yaml.duplicate-key", detail, Place(file, line, ".".join(map(str, here))), expected="each key once"
                )
            )
            continue
        lines[here] = line
        built[name] = _build(value_node, here, file, lines, problems)
    return built


def _scalar(node: ScalarNode, path: Path, file: str, problems: list[Problem]) -> Any:
    kind, text = str(node.tag).rpartition(":")[2], str(node.value)
    match kind:
        case "str" | "timestamp":
            return text
        case "null":
            return None
        case "bool":
            return text.lower() == "true"
        case "int" | "float":
            try:
                return int(text.replace("_", ""), 0) if kind == "int" else float(text.replace("_", ""))
            except ValueError:
                return text
        case _:
            place = Place(file, node.start_mark.line + 1, ".".join(map(str, path)))
            problems.append(fault("yaml.tag", f"the tag {node.tag}", place, expected="a plain value"))
            return text


# Declarations against the model


def _validate(tree: Tree, problems: list[Problem]) -> tuple[Policy | None, frozenset[tuple[str, str]]]:
    """The policy without its broken parts; each part set aside has its problem."""
    whole = filling.filled(tree.content)
    content = {name: dict(value) if isinstance(value, dict) else value for name, value in whole.items()}
    problems += _unknown(tree)
    set_aside: set[tuple[str, str]] = set()
    for _ in range(MAX_DEPTH):
        try:
            return Policy.model_validate(content), frozenset(set_aside)
        except ValidationError as error:
            faults = [_Fault.of(item, tree) for item in error.errors(include_url=False)]
        problems += _worded(faults, tree, problems)
        mended = [_set_aside(item, content, set_aside) for item in faults]
        if not all(mended):
            return None, frozenset(set_aside)
    return None, frozenset(set_aside)


def _unknown(tree: Tree) -> Iterator[Problem]:
    for section, key, name, names in filling.unknown(tree.content):
        detail = f"the catalogue has no {section} called `{name}`"
        yield fault("known.unknown", detail, tree.place(section, key, "known"), expected=f"one of {', '.join(names)}")


def _with_known_words(words: Tree, locale: str, declared: Mapping[str, Any]) -> Tree:
    if not isinstance(words.content, dict):
        return words
    return replace(words, content=filling.with_words(words.content, locale, filling.filled(declared)))


@dataclass(frozen=True, slots=True)
class _Fault:
    """One pydantic error with its path cut to what stands in the file."""

    path: Path
    kind: str
    message: str
    context: Mapping[str, Any]

    @classmethod
    def of(cls, error: Mapping[str, Any], tree: Tree) -> "_Fault":
        path: Path = ()
        for step in error["loc"]:
            if (*path, step) not in tree.lines:
                break
            path = (*path, step)
        if error["type"] == "missing":
            path = (*path, error["loc"][-1])
        kind = "bad_key" if error["loc"][-1:] == ("[key]",) else error["type"]
        return cls(path, kind, error["msg"], error.get("ctx", {}))


def _set_aside(item: _Fault, content: dict[str, Any], set_aside: set[tuple[str, str]]) -> bool:
    """Take the smallest broken part out of the content; false when nothing less than the whole is broken."""
    section = content.get(str(item.path[0])) if item.path else None
    if item.kind == "extra_forbidden":
        return _drop(content, item.path)
    if len(item.path) < 2 or not isinstance(section, dict) or item.path[0] == "organisation":
        return False
    section.pop(str(item.path[1]), None)
    set_aside.add((str(item.path[0]), str(item.path[1])))
    return True


def _drop(content: dict[str, Any], path: Path) -> bool:
    """Remove one key, copying what lies on the way so that the tree keeps what was written."""
    here: Any = content
    for step in path[:-1]:
        try:
            here[step] = here[step].copy()
        except (KeyError, IndexError):
            return True  # its parent was set aside already
        here = here[step]
    here.pop(path[-1], None)
    return True


_FORMS = {
    r"^[a-z][a-z0-9-]*$": "an id of small letters, digits and hyphens",
    r"^P\d{2,3}$": "a promise id such as P15",
    r"^[A-Z]{2}$": "two capital letters such as SE or NO (the United Kingdom is GB)",
    r"^[A-Z]{2}(-[A-Z]{2,3})?$": "a law pack such as SE or US-CO",
    r"^[a-z]{2}(-[A-Z]{2})?$": "a locale such as sv or en-GB",
    r"^P(\d+[YMWD]){1,3}$|^PT(\d+[HMS]){1,3}$": "a period such as P24M, P1Y or P30D",
    r"^\d{4}-\d{2}-\d{2}$": "a day such as 2026-11-22",
    r"^\d{4}-(0[1-9]|1[0-2])$": "a month such as 2023-01",
    r"^[^@\s]+@[^@\s]+\.[^@\s]+$": "an e-mail address",
    r"^/([a-z0-9-]+)?$": "a path such as /se",
    r"^[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:\d+)?$": "a host name in small letters",
    r"^(\*\.)?[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:\d+)?$": "a host name in small letters, with *. for its sub-domains",
    r"^https?://[^\s<>\"]+$": "an address that starts with https://",
    r"^\d{4}-\d{2}(\.\d+)?$": "a version such as 2023-01 or 2023-01.1",
    r"^[a-z][a-z0-9_]*$": "a control id of small letters, digits and underscores",
}

_KEY_LAW = (
    # (path pattern, code, law): a missing or malformed key the law asks for is named as such
    (r"purposes\.[^.]+\.basis", "purpose.no-basis"),
    (r"controllers\.[^.]+\.(name|email|phone|post)(\.\d+)?", "controller.no-identity"),
    (r"controllers", "controller.no-identity"),
    (r"clocks\.[^.]+\.period", "clock.no-period"),
)


def _worded(faults: Iterable[_Fault], tree: Tree, known: Sequence[Problem]) -> Iterator[Problem]:
    said = {(problem.place.key, problem.code) for problem in known}
    grouped: dict[Path, list[_Fault]] = {}
    for item in faults:  # the branches of a union each complain: one key, one problem
        grouped.setdefault(item.path, []).append(item)
    for path, group in grouped.items():
        problem = _word(group, tree.place(*path), path)
        if (problem.place.key, problem.code) not in said:
            yield problem


def _word(group: Sequence[_Fault], place: Place, path: Path) -> Problem:
    first, name = group[0], str(path[-1]) if path else "the file"
    if first.kind == "extra_forbidden":
        known = _known_keys(path[:-1])
        near = difflib.get_close_matches(name, known, 1)
        expected = f"`{near[0]}`" if near else "one of " + ", ".join(known)
        return fault("policy.unknown-key", f"`{name}` is not a key here", place, expected=expected)
    special = next((code for pattern, code in _KEY_LAW if re.fullmatch(pattern, place.key)), None)
    if first.kind == "missing":
        detail, expected = f"`{name}` is missing", _described(path)
        return fault(special or "policy.missing-key", detail, place, expected=expected)
    forms = list(dict.fromkeys(filter(None, map(_form, group))))
    expected = " or ".join(forms) or first.message
    return fault(
        special or "policy.wrong-value",
        f"`{name}` does not have a value of the form it takes",
        place,
        expected=expected,
    )


def _form(item: _Fault) -> str:
    match item.kind:
        case "string_pattern_mismatch":
            return _FORMS.get(item.context.get("pattern", ""), item.message)
        case "bad_key":
            return _FORMS.get(item.context.get("pattern", ""), "a key of the form this section takes")
        case "enum" | "literal_error":
            return f"one of {item.context.get('expected', '')}"
        case "value_error":
            return "a day of the calendar"
        case "string_type":
            return "text (a bare number or true/false needs quotes)"
        case "dict_type" | "model_type" | "model_attributes_type":
            return "keys with values"
        case "list_type" | "too_short":
            return "at least one item"
        case "string_too_short":
            return "text"
        case _:
            return item.message[:1].lower() + item.message[1:]


def _described(path: Path) -> str:
    """What the model's own description says of a key."""
    model = _model_at(path[:-1])
    if model is None or not path:
        return ""
    for name, field in model.model_fields.items():
        if path[-1] in (name, field.alias):
            return field.description or _phrase(field.annotation)
    return ""


def _phrase(annotation: Any) -> str:
    members = getattr(annotation, "__members__", None)
    return "one of " + ", ".join(str(member.value) for member in members.values()) if members else "a value"


def _known_keys(path: Path) -> list[str]:
    model = _model_at(path)
    return [field.alias or name for name, field in model.model_fields.items()] if model else []


@lru_cache(maxsize=512)
def _model_at(path: Path) -> type[BaseModel] | None:
    here: Any = Policy
    for step in path:
        here = _step(here, step)
    return _as_model(here)


def _step(annotation: Any, step: str | int) -> Any:
    model = _as_model(annotation)
    if model is not None:
        return next(
            (field.annotation for name, field in model.model_fields.items() if step in (name, field.alias)), None
        )
    inner = get_args(annotation)
    return inner[-1] if get_origin(annotation) in (dict, list) and inner else None


def _as_model(annotation: Any) -> type[BaseModel] | None:
    if get_origin(annotation) in (Union, UnionType):
        annotation = next((item for item in get_args(annotation) if item is not type(None)), None)
    return annotation if isinstance(annotation, type) and issubclass(annotation, BaseModel) else None


# Words and texts


def _read_texts(
    files: Mapping[str, str], problems: list[Problem]
) -> tuple[dict[str, Tree], dict[str, list[Block]], dict[str, list[str]]]:
    words: dict[str, Tree] = {}
    texts: dict[str, list[Block]] = {}
    names: dict[str, list[str]] = {}
    for name in sorted(files):
        found = re.fullmatch(r"text/([^/]+)/([^/]+)\.(yaml|md)", name)
        if found is None:
            continue
        locale, stem, kind = found.groups()
        if kind == "yaml" and stem == "words":
            words[locale] = parse_yaml(name, files[name], problems)
        elif kind == "md":
            names.setdefault(locale, []).append(name)
            texts.setdefault(locale, []).extend(parse_blocks(name, files[name], problems))
        else:
            problems.append(
                fault("file.unknown", f"{name} is read by nothing", Place(name, 1), expected="words.yaml or *.md")
            )
    return words, texts, names
