"""Which AWS calls a handler can make, read from its code alone: a walk from the handler over what it refers to.

Types are told by names, which this code base keeps: ``store`` is the state bucket, ``index`` and ``source`` are those
of the connector, ``_s3``, ``_kendra``, ``_qbusiness`` and ``step_functions`` are boto3 clients. Where a name says
nothing, every method of that name counts, so that a call is rather found too often than missed.
"""

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path

from msgspec import Struct

FUNCTIONS = Path(__file__).parents[2] / "functions"

CLIENTS = {
    "_s3": "s3",
    "_kendra": "kendra",
    "_qbusiness": "qbusiness",
    "_agent": "bedrock-agent",
    "_runtime": "bedrock-agent-runtime",
    "step_functions": "stepfunctions",
    "_events": "events",
    "_sns": "sns",
}

PARTS = {"store": "Store", "_store": "Store", "_jobs": "JobKeeper", "_reading": "Reading"}
"""The classes of what is always under one name."""
BASES = {"Store": "Objects"}
"""The class that another one inherits methods from."""


class ApiCall(Struct, frozen=True):
    """A boto3 method of a service, and the class, or else the module, that calls it."""

    service: str
    method: str
    caller: str


class Place(Struct, frozen=True):
    """A function or a method: its module, and its class if it has one."""

    module: str
    owner: str
    name: str


class Code:
    """The code of the functions, as syntax trees."""

    def __init__(self, methods: Mapping[str, frozenset[str]], root: Path = FUNCTIONS) -> None:
        self.methods = methods
        """The methods of each boto3 client."""
        self.modules = {
            ".".join(file.relative_to(root).with_suffix("").parts).removesuffix(".__init__"): ast.parse(
                file.read_text(encoding="utf-8")
            )
            for file in root.rglob("*.py")
        }
        self.imports = {module: dict(_imports(tree)) for module, tree in self.modules.items()}
        self.places: dict[Place, ast.AST] = {}
        for module, tree in self.modules.items():
            for node in tree.body:
                if isinstance(node, ast.FunctionDef):
                    self.places[Place(module, "", node.name)] = node
                elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
                    self.places[Place(module, "", node.targets[0].id)] = node
                elif isinstance(node, ast.ClassDef):
                    for member in node.body:
                        if isinstance(member, ast.FunctionDef):
                            self.places[Place(module, node.name, member.name)] = member
        self._methods_named: dict[str, list[Place]] = {}
        for place in self.places:
            if place.owner:
                self._methods_named.setdefault(place.name, []).append(place)

    def calls(self, handler: str, kinds: Mapping[str, str]) -> set[ApiCall]:
        """The calls that ``handler`` of a module can make; ``kinds`` names the classes of ``index`` and ``source``."""
        found: set[ApiCall] = set()
        ahead, seen = [Place(handler, "", "handler")], set[Place]()
        while ahead:
            place = ahead.pop()
            if place in seen or place not in self.places:
                continue
            seen.add(place)
            for node in ast.walk(self.places[place]):
                found.update(self._api_calls(node, place))
                ahead += self._referred(node, place, {**PARTS, **kinds})
        return found

    def unknown_receivers(self) -> list[str]:
        """Calls of what may be a boto3 method on something that is no known client: the walk would miss them."""
        names = frozenset[str]().union(*self.methods.values())
        return [
            f"{module}:{node.lineno}: {ast.unparse(node)}"
            for module, tree in self.modules.items()
            for node in ast.walk(tree)
            if isinstance(node, ast.Attribute)
            and node.attr in names
            and _terminal(node.value) not in CLIENTS
            # Settings of a source: ``settings.query`` is what connectors.yaml says.
            and not (module.startswith("docferry.sources.") and _terminal(node.value) in {"self", "settings"})
        ]

    def _api_calls(self, node: ast.AST, place: Place) -> Iterator[ApiCall]:
        caller = place.owner or place.module
        if isinstance(node, ast.Attribute) and (service := CLIENTS.get(_terminal(node.value))):
            if node.attr in self.methods[service]:
                yield ApiCall(service, node.attr, caller)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and place.owner:
            # A paginator, or a method, by its name.
            named = [service for service, methods in self.methods.items() if node.value in methods]
            for service in set(named) & (self._services_of(place) if named else set()):
                yield ApiCall(service, node.value, caller)

    def _services_of(self, place: Place) -> set[str]:
        methods = [
            node for other, node in self.places.items() if (other.module, other.owner) == (place.module, place.owner)
        ]
        return {
            CLIENTS[inner.attr]
            for method in methods
            for inner in ast.walk(method)
            if isinstance(inner, ast.Attribute) and inner.attr in CLIENTS
        }

    def _referred(self, node: ast.AST, place: Place, types: Mapping[str, str]) -> Iterator[Place]:
        imported = self.imports[place.module]
        if isinstance(node, ast.Name):
            yield from self._named(imported.get(node.id, f"{place.module}.{node.id}"))
        elif isinstance(node, ast.Attribute):
            receiver = _terminal(node.value)
            if receiver == "self" and place.owner:
                yield Place(place.module, place.owner, node.attr)
            elif receiver in types:
                owners = {types[receiver], BASES.get(types[receiver], "")}
                yield from (one for one in self._methods_named.get(node.attr, ()) if one.owner in owners)
            elif isinstance(node.value, ast.Name) and imported.get(receiver) in self.modules:
                yield from self._named(f"{imported[receiver]}.{node.attr}")
            elif receiver not in CLIENTS:
                apart = {
                    *PARTS.values(),
                    *BASES.values(),
                    "Index",
                    "Source",
                    "Kendra",
                    "QBusiness",
                    "Bedrock",
                    "Files",
                    "S3",
                    "Web",
                }
                yield from (one for one in self._methods_named.get(node.attr, ()) if one.owner not in apart)

    def _named(self, name: str) -> Iterator[Place]:
        module, _, last = name.rpartition(".")
        yield Place(module, "", last)
        yield Place(module, last, "__init__")


def _imports(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """What the names that a module imports stand for."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            yield from ((alias.asname or alias.name, f"{node.module}.{alias.name}") for alias in node.names)


def _terminal(node: ast.AST) -> str:
    """The last name of ``wired.index``, ``self._s3`` or ``store``."""
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""
