"""Evaluates IAM policies. Pure.

Moto's own evaluation (moto.iam.access_control) does not fit: it knows no resource of a call, takes dots of a pattern
as wildcards, and takes a condition that does not hold for a Deny.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
"""

import re
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import Any, Literal

import msgspec
from msgspec import Struct, field

Decision = Literal["allowed", "not allowed", "denied"]
"""``denied``: a Deny statement matches. ``not allowed``: no statement matches."""

ELEMENTS = frozenset({"Sid", "Effect", "Action", "NotAction", "Resource", "NotResource", "Condition"})
# An ARN is compared part by part: arn, partition, service, region, account, resource.
ARN_PARTS = 6


class UnreadablePolicy(Exception):  # noqa: N818  # says what the policy is
    """A policy has something in it that is not evaluated here; the text names it."""


class Demand(Struct, frozen=True):
    """One thing that a call needs: an action on a resource. ``context`` has the values for conditions, by their key."""

    action: str
    resource: str
    context: Mapping[str, str] = field(default_factory=dict)


class Statement(Struct, frozen=True):
    """One statement of a policy. ``actions`` and ``resources`` are patterns; ``not_`` turns one around."""

    effect: Literal["Allow", "Deny"]
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    not_actions: bool = False
    not_resources: bool = False
    conditions: tuple[tuple[str, str, tuple[str, ...]], ...] = ()
    """Operator, key, and the values of which one has to match."""

    def covers(self, demand: Demand) -> bool:
        """Whether the statement is about a demand."""
        action = any(matches(pattern.lower(), demand.action.lower()) for pattern in self.actions)
        resource = any(matches(pattern, demand.resource) for pattern in self.resources)
        return (
            action is not self.not_actions
            and resource is not self.not_resources
            and all(self._holds(condition, demand.context) for condition in self.conditions)
        )

    @staticmethod
    def _holds(condition: tuple[str, str, tuple[str, ...]], context: Mapping[str, str]) -> bool:
        operator, key, wanted = condition
        given = next((value for name, value in context.items() if name.lower() == key.lower()), None)
        return given is not None and any(OPERATORS[operator](value, given) for value in wanted)


def read(document: str | Mapping[str, Any]) -> tuple[Statement, ...]:
    """Read the statements of a policy, as JSON or decoded. Raises UnreadablePolicy."""
    return _decoded(document) if isinstance(document, str) else _statements(document)


def decide(statements: Iterable[Statement], demand: Demand) -> Decision:
    """Decide a demand by all statements of a role: a Deny wins, and without an Allow it is not allowed."""
    effects = {statement.effect for statement in statements if statement.covers(demand)}
    if "Deny" in effects:
        return "denied"
    return "allowed" if effects else "not allowed"


def matches(pattern: str, value: str) -> bool:
    """Whether a value matches a pattern, in which ``*`` stands for any characters, and ``?`` for one."""
    return _compiled(pattern).fullmatch(value) is not None


def arn_matches(pattern: str, value: str) -> bool:
    """Whether an ARN matches a pattern, in each of its six parts."""
    wanted, given = pattern.split(":", ARN_PARTS - 1), value.split(":", ARN_PARTS - 1)
    return len(wanted) == len(given) and all(map(matches, wanted, given))


OPERATORS: Mapping[str, Callable[[str, str], bool]] = {
    "StringEquals": str.__eq__,
    "StringLike": matches,
    "ArnEquals": arn_matches,
    "ArnLike": arn_matches,
    "Bool": lambda wanted, given: wanted.lower() == given.lower(),
}
"""The operators of conditions that are evaluated. Each takes the value of the policy, and that of the call."""


@lru_cache(maxsize=4096)
def _compiled(pattern: str) -> re.Pattern[str]:
    wild = {"*": ".*", "?": "."}
    return re.compile("".join(wild.get(character) or re.escape(character) for character in pattern), re.DOTALL)


@lru_cache(maxsize=1024)
def _decoded(document: str) -> tuple[Statement, ...]:
    return _statements(msgspec.json.decode(document, type=dict[str, Any]))


def _statements(document: Mapping[str, Any]) -> tuple[Statement, ...]:
    return tuple(map(_statement, _listed(document["Statement"])))


def _statement(raw: Mapping[str, Any]) -> Statement:
    if unknown := raw.keys() - ELEMENTS:
        raise UnreadablePolicy(f"the element {min(unknown)} is not evaluated on this machine")
    conditions = tuple(
        (_known(operator), key, tuple(map(_text, _listed(values))))
        for operator, keys in raw.get("Condition", {}).items()
        for key, values in keys.items()
    )
    resources = tuple(map(str, _listed(raw.get("Resource", raw.get("NotResource", ())))))
    for text in (*resources, *(value for _, _, values in conditions for value in values)):
        if "${" in text:
            raise UnreadablePolicy(f"the policy variable in {text} is not evaluated on this machine")
    return Statement(
        raw["Effect"],
        tuple(map(str, _listed(raw.get("Action", raw.get("NotAction", ()))))),
        resources,
        not_actions="NotAction" in raw,
        not_resources="NotResource" in raw,
        conditions=conditions,
    )


def _known(operator: str) -> str:
    if operator not in OPERATORS:
        raise UnreadablePolicy(f"the condition operator {operator} is not evaluated on this machine")
    return operator


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _listed(value: Any) -> Iterable[Any]:
    return value if isinstance(value, list | tuple) else (value,)
