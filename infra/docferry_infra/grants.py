"""What a role may do, statement by statement, and why where a wildcard stands in one."""

from collections.abc import Sequence
from typing import Any

from aws_cdk import Acknowledgment, Stack, Validations
from aws_cdk import aws_iam as iam
from constructs import Construct, IConstruct


def allow(
    role: iam.Role,
    actions: Sequence[str],
    resources: Sequence[str],
    *,
    because: str = "",
    conditions: dict[str, Any] | None = None,
) -> None:
    """Allow a role some actions. ``because`` is required by the tests where a resource has a wildcard in it."""
    role.add_to_policy(
        iam.PolicyStatement(actions=list(actions), resources=list(resources), conditions=conditions or {})
    )
    for resource in resources:
        spelled = _spelled(role, resource)
        if "*" in spelled and because:
            acknowledge(role, f"AwsSolutions-IAM5[Resource::{spelled}]", because)


def acknowledge(construct: IConstruct, finding: str, because: str) -> None:
    """Say why a finding of cdk-nag is meant to be so."""
    Validations.of(construct).acknowledge(Acknowledgment(id=finding, reason=because))


def service_role(scope: Construct, name: str, service: str, conditions: dict[str, Any] | None = None) -> iam.Role:
    """A role that an AWS service takes on."""
    principal = iam.ServicePrincipal(service)
    return iam.Role(scope, name, assumed_by=principal.with_conditions(conditions) if conditions else principal)


def _spelled(scope: IConstruct, value: str) -> str:
    """Spell an ARN as cdk-nag does in the id of a finding: ``<StateBucket.Arn>/runs/*``."""
    return _flat(Stack.of(scope).resolve(value))


def _flat(value: Any) -> str:
    match value:
        case {"Ref": name}:
            return f"<{name}>"
        case {"Fn::GetAtt": [name, attribute]}:
            return f"<{name}.{attribute}>"
        case {"Fn::Join": [separator, parts]}:
            return str(separator).join(map(_flat, parts))
        case _:
            return str(value)
