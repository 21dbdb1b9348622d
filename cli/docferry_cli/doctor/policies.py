"""What the policies of a role allow.

Permissions boundaries and the policies of an organization may refuse more. They are not looked at.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from docferry_laptop.iam.policy import matches

Statement = Mapping[str, Any]


def role_name(arn: str) -> str:
    """The name of a role in its ARN, which may have a path before it."""
    return arn.rpartition("/")[2]


def statements(iam: Any, role: str) -> list[Statement]:
    """Every statement of the role's own policies and of those attached to it."""
    return list(_statements(iam, role))


def allows(of_role: Sequence[Statement], action: str, resource: str) -> bool:
    """Whether the statements allow an action on a resource. Conditions are taken to hold for Allow only."""
    hits = [one for one in of_role if _about(one, action, resource)]
    refused = any(one["Effect"] == "Deny" and not one.get("Condition") for one in hits)
    return not refused and any(one["Effect"] == "Allow" for one in hits)


def trusts(document: Mapping[str, Any], service: str, account: str, resource: str) -> bool:
    """Whether a trust policy lets a service take the role on for a resource of an account.

    ``resource`` is the end of its ARN, such as ``index/ID``.
    """
    return any(
        one["Effect"] == "Allow"
        and "sts:AssumeRole" in _listed(one.get("Action"))
        and service in _listed((one.get("Principal") or {}).get("Service"))
        and _fits(one.get("Condition") or {}, account, resource)
        for one in _listed(document["Statement"])
    )


def _statements(iam: Any, role: str) -> Iterator[Statement]:
    for page in iam.get_paginator("list_role_policies").paginate(RoleName=role):
        for name in page["PolicyNames"]:
            document = iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
            yield from _listed(document["Statement"])
    for page in iam.get_paginator("list_attached_role_policies").paginate(RoleName=role):
        for policy in page["AttachedPolicies"]:
            arn = policy["PolicyArn"]
            version = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
            document = iam.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"]
            yield from _listed(document["Statement"])


def _about(statement: Statement, action: str, resource: str) -> bool:
    actions = [one.lower() for one in _listed(statement.get("Action"))]
    return any(matches(one, action.lower()) for one in actions) and any(
        matches(one, resource) for one in _listed(statement.get("Resource"))
    )


def _fits(condition: Mapping[str, Mapping[str, Any]], account: str, resource: str) -> bool:
    """Whether the conditions on the caller's account and ARN hold. Others are taken to hold."""
    for keys in condition.values():
        for key, wanted in keys.items():
            if key.lower() == "aws:sourceaccount" and account not in _listed(wanted):
                return False
            arn = f"arn:x:x:x:{account}:{resource}"
            ends = [f"arn:*:*:*:{one.split(':', 4)[-1]}" for one in _listed(wanted)]
            if key.lower() == "aws:sourcearn" and not any(matches(one, arn) for one in ends):
                return False
    return True


def _listed(value: Any) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]
