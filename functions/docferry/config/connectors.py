"""Reads connectors.yaml. Reports every mistake at once, each with its place and its cure.

For the laptop only: the functions in AWS get their one connector as JSON, and carry neither yaml nor jsonschema.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any, cast, get_args

import msgspec
import yaml
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

from docferry import indexes, sources
from docferry.changes import access
from docferry.config import plain_secrets, schedule
from docferry.config.deployment import Deploy, Described, Schedule
from docferry.config.places import Place, spelled
from docferry.connector import Connector, DeleteGuard, Groups, Part, Policy
from docferry.errors import ConfigurationError
from docferry.sources import own

_TEXT = {"type": "string"}
_NAMES = {**_TEXT, "pattern": "^[a-z0-9][a-z0-9-]{0,39}$", "description": "1 to 40 lower-case letters, digits, hyphens"}
_ACCESS = {"enum": list(get_args(Policy))}
_ROLES = ("source", "index")
_OPTIONAL: dict[str, type[msgspec.Struct]] = {
    "deletes": DeleteGuard,
    "groups": Groups,
    "schedule": Schedule,
    "deploy": Deploy,
}
_ANY_USER = re.compile(r"^[a-z][a-z0-9+.-]*://[^/]*@")
_WORDS = {"string": "a text", "integer": "a whole number", "boolean": "true or false", "array": "a list"}


def load_connectors(path: str | Path) -> dict[str, Connector]:
    """Read every connector of a connectors.yaml, as its functions need it. Raises as ``describe`` does."""
    return {name: described.connector for name, described in describe(path).items()}


def describe(path: str | Path) -> dict[str, Described]:
    """Read every connector of a connectors.yaml, and how it is deployed.

    Raises ConfigurationError with one line for each mistake, such as
    ``connectors.handbook.source.bucket: is required (the name of a bucket ...)``.
    """
    read, twice = _parse(Path(path))
    own.beside(Path(path).parent)
    return checked(read, str(path), twice)


def checked(read: Any, where: str, problems: Iterable[str] = ()) -> dict[str, Described]:
    """The connectors of what was read, or made by a program. Raises ConfigurationError, which begins with ``where``.

    A value that CDK knows only when a stack is deployed is taken as it is.
    """
    problems = list(dict.fromkeys([*problems, *_problems(read)]))
    if problems:
        count = f"{len(problems)} mistakes" if len(problems) > 1 else "a mistake"
        raise ConfigurationError("\n  ".join([f"{where} has {count}:", *problems]))
    return {
        name: Described(
            Connector(
                name,
                _part(parts["source"]),
                _part(parts["index"]),
                msgspec.convert(parts.get("deletes", {}), DeleteGuard),
                parts.get("access"),
                msgspec.convert(parts.get("groups"), Groups | None),
            ),
            msgspec.convert(parts.get("schedule"), Schedule | None),
            msgspec.convert(parts.get("deploy"), Deploy | None),
        )
        for name, parts in read["connectors"].items()
    }


def _part(written: Mapping[str, Any]) -> Part:
    return Part(written["kind"], {name: value for name, value in written.items() if name != "kind"})


def _parse(path: Path) -> tuple[Any, list[str]]:
    """Read YAML, and list the keys that are given twice: the loader itself would keep the last one silently."""
    try:
        loader = yaml.SafeLoader(path.read_text(encoding="utf-8"))
        node = loader.get_single_node()
        twice = list(_twice(node, (), set()))
        return loader.construct_document(node) if node else None, twice
    except OSError as error:
        raise ConfigurationError(
            f"{path} cannot be read ({error.strerror}): give the place of a connectors.yaml, or write one here"
        ) from error
    except (yaml.YAMLError, ValueError) as error:  # not UTF-8; the 31st of February
        raise ConfigurationError(f"{path} is not YAML: {error}") from error


def _twice(node: yaml.Node | None, place: Place, seen: set[int]) -> Iterator[str]:
    if id(node) in seen:  # an alias
        return
    seen.add(id(node))
    if isinstance(node, yaml.SequenceNode):
        for number, member in enumerate(node.value):
            yield from _twice(member, (*place, number), seen)
    if isinstance(node, yaml.MappingNode):
        lines: dict[str, int] = {}
        for key, value in node.value:
            name, line = str(key.value), key.start_mark.line + 1
            if name in lines:
                yield f"{spelled((*place, name))}: is given twice, in lines {lines[name]} and {line}; keep one"
            lines[name] = line
            yield from _twice(value, (*place, name), seen)


def _problems(read: Any) -> Iterator[str]:
    """Check the shape first, then each part against the settings of its kind."""
    kinds = {"source": sources.kinds(), "index": indexes.KINDS}
    yield from _invalid(read, _shape(kinds), ())
    connectors = read.get("connectors") if isinstance(read, dict) else None
    for name, parts in connectors.items() if isinstance(connectors, dict) else ():
        for role in _ROLES if isinstance(parts, dict) else ():
            written = parts.get(role)
            kind = written.get("kind") if isinstance(written, dict) else None
            if isinstance(kind, str) and (kind in kinds[role] or (role == "source" and own.is_own(kind))):
                yield from _part_problems(role, written, ("connectors", name, role))
        if isinstance(parts, dict):
            yield from plain_secrets.found({role: parts.get(role) for role in _ROLES}, ("connectors", name))
            yield from _optional_problems(parts, ("connectors", name))
            yield from _access_problems(parts, ("connectors", name))


def _shape(kinds: Mapping[str, Iterable[str]]) -> dict[str, Any]:
    parts: dict[str, Any] = {
        role: {
            "type": "object",
            "required": ["kind"],
            "properties": {"kind": {"enum": sorted(kinds[role]), "description": " or ".join(sorted(kinds[role]))}},
        }
        for role in _ROLES
    }
    # A source of one's own is written as module:Class; own.load says what is wrong with one.
    kind = parts["source"]["properties"]["kind"]
    parts["source"]["properties"]["kind"] = {"if": {"not": {"pattern": ":"}}, "then": kind}
    connector = {
        "type": "object",
        "required": [*parts],
        "additionalProperties": False,
        "properties": {**parts, **{name: {"type": "object"} for name in _OPTIONAL}, "access": _ACCESS},
    }
    connectors = {"type": "object", "minProperties": 1, "propertyNames": _NAMES, "additionalProperties": connector}
    return {
        "type": "object",
        "required": ["connectors"],
        "additionalProperties": False,
        "properties": {"connectors": connectors},
    }


def _part_problems(role: str, written: Mapping[str, Any], place: Place) -> Iterator[str]:
    part = _part(written)
    load = sources.source_class if role == "source" else indexes.index_class
    try:
        settings = load(part.kind).Settings
    except ConfigurationError as error:
        yield f"{spelled((*place, 'kind'))}: {error}"
        return
    problems = list(_invalid(part.settings, msgspec.json.schema(settings), place))
    yield from problems
    if not problems:
        yield from _excluded(part.settings, settings, place)


def _excluded(written: Mapping[str, Any], kind: type[msgspec.Struct], place: Place) -> Iterator[str]:
    """Find what a schema cannot say: two settings that exclude each other."""
    if any(map(_is_token, written.values())):
        return
    try:
        msgspec.convert(written, kind)
    except msgspec.ValidationError as error:
        yield f"{spelled(place)}: {error}"


def _optional_problems(parts: Mapping[str, Any], place: Place) -> Iterator[str]:
    for name, kind in _OPTIONAL.items():
        written = parts.get(name)
        if isinstance(written, dict):
            problems = list(_invalid(written, msgspec.json.schema(kind), (*place, name)))
            yield from problems or _excluded(written, kind, (*place, name))
    times = parts.get("schedule")
    if isinstance(times, dict):
        checks = {"expression": schedule.problem, "timezone": schedule.timezone_problem}
        for name, check in checks.items():
            if isinstance(times.get(name), str) and (problem := check(times[name])):
                yield f"{spelled((*place, 'schedule', name))}: {problem}"


def _access_problems(parts: Mapping[str, Any], place: Place) -> Iterator[str]:
    """Find an ``access`` that the index contradicts."""
    try:
        part = _part(parts["index"])
        settings = msgspec.convert(part.settings, indexes.index_class(part.kind).Settings)
    except (LookupError, TypeError, AttributeError, msgspec.ValidationError, ConfigurationError):
        return  # which is told elsewhere
    if found := access.contradiction(parts.get("access"), getattr(settings, "unprotected", "everybody")):
        yield f"{spelled((*place, 'access'))}: {found}"


def _invalid(instance: Any, schema: Mapping[str, Any], place: Place) -> Iterator[str]:
    for error in Draft202012Validator(schema).iter_errors(instance):
        yield from _said(error, place)


def _is_token(value: object) -> bool:
    """Whether a text is, or has in it, a token of the CDK: a value that is known only when a stack is deployed."""
    return isinstance(value, str) and "${Token[" in value


def _said(error: ValidationError, base: Place) -> Iterator[str]:
    """Say in plain words what jsonschema found; ``base`` is where the checked part stands in the file."""
    place: Place = (*base, *error.absolute_path)
    if error.validator == "pattern" and _is_token(error.instance):
        return
    if "propertyNames" in error.absolute_schema_path:
        yield f"{spelled(place)}: {error.instance!r} is not a valid name; wanted: {_NAMES['description']}"
    elif error.validator == "anyOf":  # a setting that may be left out: its type, or null
        for branch in error.context or []:
            if branch.schema != {"type": "null"}:
                yield from _said(branch, base)
    elif error.validator in ("required", "additionalProperties"):
        yield from _wrong_keys(error, place)
    elif isinstance(error.instance, str) and _ANY_USER.match(error.instance):
        yield f"{spelled(place)}: names a user or a password before its host; write the address without"
    elif not plain_secrets.is_secret(place[-1] if place else "", error.instance):  # which is told without the value
        yield f"{spelled(place)}: {_wrong_value(error)}"


def _wrong_keys(error: ValidationError, place: Place) -> Iterator[str]:
    schema, value = cast("dict[str, Any]", error.schema), cast("dict[str, Any]", error.instance)
    known = schema["properties"]
    if error.validator == "required":
        for name in (name for name in schema["required"] if name not in value):
            meaning = known[name].get("description")
            yield f"{spelled((*place, name))}: is required" + (f" ({meaning})" if meaning else "")
    else:
        for name in (name for name in value if name not in known):
            yield f"{spelled((*place, name))}: is unknown; {_nearest(name, sorted(known))}"


def _wrong_value(error: ValidationError) -> str:
    schema, value = cast("dict[str, Any]", error.schema), error.instance
    match error.validator:
        case "type":
            return f"must be {_WORDS.get(schema['type'], 'a mapping')}, not {_kind(value)}"
        case "enum":
            return f"{value!r} is unknown; {_nearest(value, [str(one) for one in schema['enum']])}"
        case "minProperties":
            return "is empty; describe at least one"
        case "minimum" | "maximum" as rule:
            return f"must be {'at least' if rule == 'minimum' else 'at most'} {schema[rule]}, not {value}"
        case "minItems":
            return f"is empty; wanted: {schema.get('description') or 'at least one'}"
        case rule:
            return f"{value!r} is not valid; wanted: {schema.get('description') or schema[cast('str', rule)]}"


def _nearest(name: object, allowed: list[str]) -> str:
    found = get_close_matches(str(name), allowed, n=1)
    return (f"did you mean {found[0]}? " if found else "") + f"allowed: {', '.join(allowed)}"


def _kind(value: Any) -> str:
    match value:
        case None:
            return "nothing"
        case bool():
            return "true or false (in quotes it is a text)"
        case str():
            return "a text"
        case list():
            return "a list"
        case dict():
            return "a mapping"
        case _:
            return f"{value} (in quotes it is a text)"
