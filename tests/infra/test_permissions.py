"""Roles: each may do what its handler's code calls, and no more."""

from collections.abc import Iterator
from typing import Any

import boto3
import pytest

from docferry.config.deployment import Described
from docferry.indexes import service
from docferry.runtime.lambdas import DEPLOYED, Function
from docferry_laptop.iam.calls import actions
from tests.infra.api_calls import ApiCall, Code
from tests.infra.synthesis import NAMES, Assembly, Template

CLASSES = {
    "kendra": "Kendra",
    "qbusiness": "QBusiness",
    "bedrock": "Bedrock",
    "s3": "S3",
    "files": "Files",
    "web": "Web",
}
TRANSFERS = {"upload_fileobj", "download_fileobj", "upload_file", "download_file", "copy"}

# What boto3 calls in place of its own methods for transfers.
OPERATIONS = {"upload_fileobj": "PutObject", "download_fileobj": "GetObject"}
BASES = frozenset({"staff", "manuals"})
"""Connectors of a knowledge base, which reads with a role of its own and knows no groups."""
TELL_GROUPS = frozenset({"handbook-q", "wiki"})
"""Connectors that tell the index of groups."""
OF_ANY_FUNCTION = {
    "logs:CreateLogStream",
    "logs:PutLogEvents",
    "xray:PutTraceSegments",
    "xray:PutTelemetryRecords",
}
OF_THE_QUEUE = {"sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"}


@pytest.fixture(scope="module")
def code() -> Code:
    """The code of the functions, with the methods of each boto3 client."""
    clients = {
        service: boto3.client(service, region_name="eu-west-1", aws_access_key_id="x", aws_secret_access_key="x")
        for service in (
            "s3",
            "kendra",
            "qbusiness",
            "bedrock-agent",
            "bedrock-agent-runtime",
            "stepfunctions",
            "events",
            "sns",
        )
    }
    methods = {service: frozenset(client.meta.method_to_api_mapping) for service, client in clients.items()}
    return Code({**methods, "s3": methods["s3"] | TRANSFERS})


def actions_of(call: ApiCall) -> set[str]:
    """The actions that IAM asks for when a boto3 method is called."""
    service = call.service.replace("stepfunctions", "states").removesuffix("-agent")
    operation = OPERATIONS.get(call.method) or call.method.title().replace("_", "")
    return set(actions(service, operation))


def listed(value: Any) -> list[Any]:
    """A member of a policy statement, which is one value or a list."""
    return value if isinstance(value, list) else [value]


def roles(assembly: Assembly) -> Iterator[tuple[str, Template, Function, list[dict[str, Any]]]]:
    """Every function of every connector, with the statements of its role."""
    for name in NAMES:
        template = assembly.template(name)
        for function in DEPLOYED:
            role = template.functions()[function.name]["Role"]
            yield name, template, function, list(template.statements(role))


def test_every_call_of_a_client_can_be_found(code: Code) -> None:
    """A client under another name would be a call that no test sees; name it as the others are."""
    assert code.unknown_receivers() == []


def test_a_role_has_the_actions_that_its_handler_calls(
    code: Code, assembly: Assembly, described: dict[str, Described]
) -> None:
    """Not one more, not one less; on top come Lambda's log and trace, the queue, the key, and the way into a VPC."""
    for name, _, function, statements in roles(assembly):
        connector, deploy = described[name].connector, described[name].deploy
        kinds = {"index": CLASSES[connector.index.kind], "source": CLASSES[connector.source.kind]}
        wanted = set(OF_ANY_FUNCTION).union(*map(actions_of, code.calls(function.name, kinds)))
        if not connector.index.settings.get("declare"):
            wanted -= {"kendra:UpdateIndex", "qbusiness:UpdateIndex"}
        if connector.groups is None:
            groups = service(connector.index.kind).on_groups
            wanted -= {f"{connector.index.kind}:{action}" for calls in groups.values() for action in calls}
            wanted -= {"iam:PassRole"} if function.name == "sync_groups" else set()
        if not (deploy and deploy.messages):
            wanted -= {"sns:Publish"}
        if function.name == "trigger":
            wanted |= OF_THE_QUEUE
        if deploy and deploy.kms:
            wanted |= {"kms:Decrypt"} | ({"kms:GenerateDataKey"} if "s3:PutObject" in wanted else set())

        found = {action for statement in statements for action in listed(statement["Action"])}

        if function.source and deploy and deploy.vpc:
            assert "ec2:CreateNetworkInterface" in found
            found = {action for action in found if not action.startswith(("ec2:", "elasticfilesystem:"))}
        assert found == wanted, f"{name}: {function.name}"


def test_the_walk_finds_what_hides(code: Code) -> None:
    """Calls through callbacks, generators, a method's name as a text, and a paginator."""
    methods = {call.method for call in code.calls("commit", {"index": "QBusiness", "source": "Files"})}

    assert {"list_documents", "list_data_source_sync_jobs", "list_objects_v2", "delete_objects"} <= methods


def test_no_role_may_do_everything_of_a_service(template: Template) -> None:
    """No action has a wildcard."""
    for policy in template.resources("AWS::IAM::Policy").values():
        for statement in policy["PolicyDocument"]["Statement"]:
            assert statement["Effect"] == "Allow"
            assert not [action for action in listed(statement["Action"]) if "*" in action]


def test_every_resource_is_allowed_only_where_aws_has_none_smaller(template: Template) -> None:
    """X-Ray, log deliveries, network interfaces, and an index's metrics: each is a list that is looked up."""
    smallest = (
        "xray:",
        "logs:",
        "ec2:",
        "cloudwatch:PutMetricData",
    )
    deliveries = {"logs:PutLogEvents", "logs:CreateLogStream", "logs:CreateLogGroup"}
    for policy in template.resources("AWS::IAM::Policy").values():
        for statement in policy["PolicyDocument"]["Statement"]:
            if "*" in listed(statement["Resource"]):
                actions = listed(statement["Action"])
                assert all(action.startswith(smallest) for action in actions), actions
                assert not deliveries & set(actions)


def test_a_function_calls_its_own_index_and_data_source_alone(assembly: Assembly) -> None:
    """The ARNs are those of the connector; contract 5.3 says which calls take which."""
    data_source = "0a1b2c3d-0000-0000-0000-000000000002"
    for name, _, function, statements in roles(assembly):
        for statement in statements:
            if name == "contracts" and str(listed(statement["Action"])[0]).startswith("kendra:"):
                ends = [
                    "".join(map(str, arn["Fn::Join"][1])).rpartition(":")[2] for arn in listed(statement["Resource"])
                ]
                jobs = any(what in listed(statement["Action"])[0] for what in ("SyncJob", "PrincipalMapping"))
                index = "index/0a1b2c3d-0000-0000-0000-000000000001"
                assert ends == [index, *([f"{index}/data-source/{data_source}"] if jobs else [])], function.name


def test_a_role_is_passed_only_to_the_index_service(assembly: Assembly) -> None:
    """By the one function that puts documents, and, where there are groups, the one that puts them."""
    for name, _, function, statements in roles(assembly):
        passing = [statement for statement in statements if "iam:PassRole" in listed(statement["Action"])]
        passes = {"put_batch", *(["sync_groups"] if name in TELL_GROUPS else [])}
        assert bool(passing) == (name not in BASES and function.name in passes), name
        for statement in passing:
            service = "kendra" if name in {"contracts", "wiki"} else "qbusiness"
            assert statement["Condition"] == {"StringEquals": {"iam:PassedToService": f"{service}.amazonaws.com"}}
            assert statement["Resource"] != "*"


def test_the_list_of_groups_is_read_by_one_function_and_is_one_object(assembly: Assembly) -> None:
    """Nobody else may know who is in which group."""
    for name, _, function, statements in roles(assembly):
        reads = [one for one in statements if "example-directory/" in str(one["Resource"])]
        readers = {**dict.fromkeys(TELL_GROUPS, "sync_groups"), "staff": "crawl"}
        assert bool(reads) == (readers.get(name) == function.name), (name, function.name)
        for statement in reads:
            assert listed(statement["Action"]) == ["s3:GetObject"]
            assert "example-directory/groups.csv" in str(statement["Resource"])


def test_groups_are_changed_by_one_function(assembly: Assembly) -> None:
    """In this index, and in Kendra in this data source."""
    for name, _, function, statements in roles(assembly):
        actions = {action for statement in statements for action in listed(statement["Action"])}
        changes = function.name == "sync_groups" and name in TELL_GROUPS
        assert bool({"kendra:PutPrincipalMapping", "qbusiness:PutGroup"} & actions) == changes


@pytest.mark.parametrize(("name", "resource"), [("contracts", "index"), ("handbook-q", "application")])
def test_the_content_role_trusts_the_service_for_this_index_alone(assembly: Assembly, name: str, resource: str) -> None:
    """Another index, or another account, cannot have the service read our documents for it."""
    role = assembly.template(name).only("AWS::IAM::Role", "ContentRole")
    (statement,) = role["AssumeRolePolicyDocument"]["Statement"]

    assert statement["Principal"]["Service"] in {"kendra.amazonaws.com", "qbusiness.amazonaws.com"}
    assert statement["Condition"]["StringEquals"] == {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}
    source = "".join(map(str, statement["Condition"]["ArnLike"]["aws:SourceArn"]["Fn::Join"][1]))
    assert f":{resource}/" in source
    assert "*" not in source


def test_a_role_that_exists_is_used_as_it_is(assembly: Assembly) -> None:
    """No content role is made beside it."""
    template = assembly.template("intranet")

    assert not [name for name in template.resources("AWS::IAM::Role") if "ContentRole" in name]


def test_secrets_are_granted_one_by_one() -> None:
    """Wherever in the settings of a source their ARNs stand, and to no function that does not call the source."""
    from docferry_infra.source_access import secrets  # noqa: PLC0415  # what is tested

    one, two = (f"arn:aws:secretsmanager:eu-west-1:123456789012:secret:{name}-AbCdEf" for name in ("one", "two"))
    settings = {"url": "https://wiki.example.com", "login": {"password": one}, "headers": [{"token_arn": two}], "n": 1}

    assert list(secrets(settings)) == [one, two]
