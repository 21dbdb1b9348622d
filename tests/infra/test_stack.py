"""The stack of a connector: what is in it, and how its parts hold together."""

import json
import re
from typing import Any

import pytest

from docferry import indexes
from docferry.config.deployment import Described
from docferry.errors import ConfigurationError
from docferry.runtime.assets import DEFINITION
from docferry.runtime.lambdas import DEPLOYED, FUNCTIONS
from docferry.runtime.settings import Settings
from docferry.state.runs import Input
from docferry.workflow.janitor import Request
from docferry.workflow.trigger import TriggerSettings
from docferry_infra.indexes import resources
from docferry_laptop.costs import bill
from tests.infra.synthesis import Assembly, Template, joined


def test_every_function_is_deployed_as_it_is_described(template: Template) -> None:
    """Handler, memory and timeout come from the data that the laptop runs too."""
    functions = template.functions()

    assert set(functions) == {function.name for function in DEPLOYED}
    for function in DEPLOYED:
        deployed = functions[function.name]
        assert deployed["Handler"] == function.handler
        assert (deployed["MemorySize"], deployed["Timeout"]) == (function.memory, function.timeout)
        assert (deployed["Runtime"], deployed["Architectures"]) == ("python3.13", ["arm64"])
        assert deployed["TracingConfig"] == {"Mode": "Active"}


def test_each_function_has_a_role_and_a_log_of_its_own(template: Template) -> None:
    """None can do what another may."""
    functions = template.functions().values()

    assert len({json.dumps(one["Role"]) for one in functions}) == len(DEPLOYED)
    assert len({json.dumps(one["LoggingConfig"]) for one in functions}) == len(DEPLOYED)


def test_the_environment_is_what_the_settings_read(assembly: Assembly, described: dict[str, Described]) -> None:
    """Variable by variable, and read back as the connector it was made of."""
    for name, one in described.items():
        functions = assembly.template(name).functions()
        for function in FUNCTIONS:
            variables = functions[function.name]["Environment"]["Variables"]
            settings = Settings.from_env({key: joined(value) for key, value in variables.items()})
            assert settings.to_env().keys() == variables.keys()
            assert settings.connector.source == one.connector.source
            assert settings.connector.deletes == one.connector.deletes
            assert "fields" not in settings.connector.index.settings
        variables = functions["trigger"]["Environment"]["Variables"]
        trigger = TriggerSettings.from_env({key: joined(value) for key, value in variables.items()})
        assert trigger.to_env().keys() == variables.keys()
        assert trigger.state_machine.endswith(f":stateMachine:docferry-{name}")
        of_s3 = one.connector.source.kind == "s3"
        assert trigger.source_bucket == (one.connector.source.settings["bucket"] if of_s3 else "")


def test_the_workflow_is_the_one_definition_with_every_placeholder_filled(template: Template) -> None:
    """The deployed text is the text of the repository."""
    machine = template.only("AWS::StepFunctions::StateMachine")

    assert machine["DefinitionString"] == DEFINITION.read_text(encoding="utf-8")
    assert set(machine["DefinitionSubstitutions"]) == set(re.findall(r"\$\{(\w+)\}", machine["DefinitionString"]))


def test_the_state_machine_is_logged_and_traced(template: Template) -> None:
    """A person can see what each execution did."""
    machine = template.only("AWS::StepFunctions::StateMachine")

    assert machine["LoggingConfiguration"]["Level"] == "ALL"
    assert machine["TracingConfiguration"] == {"Enabled": True}


def test_the_state_bucket_is_private_versioned_and_cleans_itself(template: Template) -> None:
    """The manifest can be restored; runs and staged content go after their time; nobody comes without TLS."""
    (bucket,) = template.resources("AWS::S3::Bucket").values()
    (policy,) = template.resources("AWS::S3::BucketPolicy").values()
    rules = {rule["Id"]: rule for rule in bucket["LifecycleConfiguration"]["Rules"]}

    assert bucket["VersioningConfiguration"] == {"Status": "Enabled"}
    assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
    assert bucket["NotificationConfiguration"] == {"EventBridgeConfiguration": {"EventBridgeEnabled": True}}
    assert (rules["runs"]["Prefix"], rules["runs"]["ExpirationInDays"]) == ("runs/", 90)
    assert (rules["staging"]["Prefix"], rules["staging"]["ExpirationInDays"]) == ("staging/", 7)
    assert (rules["members"]["Prefix"], rules["members"]["ExpirationInDays"]) == ("members/", 90)
    denied = policy["PolicyDocument"]["Statement"][0]
    assert (denied["Effect"], denied["Condition"]) == ("Deny", {"Bool": {"aws:SecureTransport": "false"}})


def test_a_bucket_outlives_its_stack(template: Template) -> None:
    """It knows what the index holds."""
    for resource in template.body["Resources"].values():
        if resource["Type"] in {"AWS::S3::Bucket", "AWS::KMS::Key"}:
            assert resource["DeletionPolicy"] == "Retain"


def test_own_keys_are_asked_for(assembly: Assembly) -> None:
    """With ``kms: own`` the bucket has a key that rotates; without, S3's."""
    template = assembly.template("handbook-q")
    (key,) = template.resources("AWS::KMS::Key").values()

    assert key["EnableKeyRotation"] is True
    assert not assembly.template("contracts").resources("AWS::KMS::Key")


@pytest.mark.parametrize(("name", "days"), [("contracts", 90), ("handbook-q", 30)])
def test_every_log_ends_after_its_retention(assembly: Assembly, name: str, days: int) -> None:
    """No log is kept for ever by oversight."""
    logs = assembly.template(name).resources("AWS::Logs::LogGroup").values()

    assert len(logs) == len(DEPLOYED) + 1
    assert {log["RetentionInDays"] for log in logs} == {days}


def test_existing_indexes_are_left_as_they_are(assembly: Assembly) -> None:
    """Neither an index nor a data source is made when their ids are given."""
    for name in ("contracts", "intranet", "manuals"):
        kinds = {resource["Type"] for resource in assembly.template(name).body["Resources"].values()}
        assert not [kind for kind in kinds if kind.startswith(("AWS::Kendra", "AWS::QBusiness", "AWS::Bedrock"))]


def test_a_kendra_index_and_its_data_source_can_be_made(assembly: Assembly) -> None:
    """A custom data source takes no configuration, no role and no schedule."""
    template = assembly.template("wiki")
    index, source = template.only("AWS::Kendra::Index"), template.only("AWS::Kendra::DataSource")

    assert index["Edition"] == "ENTERPRISE_EDITION"
    assert {field["Name"]: field["Type"] for field in index["DocumentMetadataConfigurations"]} == {
        "department": "STRING_VALUE",
        "revision": "LONG_VALUE",
    }
    assert source["Type"] == "CUSTOM"
    assert source.keys() == {"IndexId", "Name", "Type"}


def test_a_q_business_application_index_and_data_source_can_be_made(assembly: Assembly) -> None:
    """With a retriever, through which the index is searched."""
    template = assembly.template("handbook-q")
    index, source = template.only("AWS::QBusiness::Index"), template.only("AWS::QBusiness::DataSource")

    assert template.only("AWS::QBusiness::Application")["IdentityType"] == "AWS_IAM_IDC"
    assert {field["Name"]: field["Type"] for field in index["DocumentAttributeConfigurations"]} == {
        "department": "STRING",
        "review_date": "DATE",
    }
    assert source["Configuration"] == {"type": "CUSTOM", "version": "1.0.0"}
    assert not {"RoleArn", "SyncSchedule"} & source.keys()
    assert template.only("AWS::QBusiness::Retriever")["Type"] == "NATIVE_INDEX"


def test_a_managed_knowledge_base_and_its_custom_data_source_can_be_made(assembly: Assembly) -> None:
    """With the access control that the connector says, and a role of its own that reads what is staged."""
    template = assembly.template("staff")
    base, source = template.only("AWS::Bedrock::KnowledgeBase"), template.only("AWS::Bedrock::DataSource")
    parameters = source["DataSourceConfiguration"]["ManagedKnowledgeBaseConnectorConfiguration"]["ConnectorParameters"]

    assert base["KnowledgeBaseConfiguration"]["Type"] == "MANAGED"
    assert parameters == {"type": "CUSTOM", "version": "1", "aclEnabled": True}
    assert "s3:GetObject" in json.dumps(list(template.statements(base["RoleArn"])))
    put = template.functions()["put_batch"]["Environment"]["Variables"]
    assert "role_arn" in joined(put["CONNECTOR"])


def test_a_knowledge_base_that_exists_keeps_its_role(assembly: Assembly) -> None:
    """The stack does not know it: content goes inline, until the connector says that the role reads the bucket."""
    template = assembly.template("manuals")

    assert "role_arn" not in joined(template.functions()["put_batch"]["Environment"]["Variables"]["CONNECTOR"])
    assert not [name for name in template.resources("AWS::IAM::Role") if "Content" in name]


def test_the_schedule_starts_the_workflow_with_an_input_it_takes(assembly: Assembly) -> None:
    """In the time zone of the connector; what cannot be delivered becomes a dead letter."""
    template = assembly.template("contracts")
    schedule = template.only("AWS::Scheduler::Schedule")

    assert schedule["ScheduleExpression"] == "cron(0 3 * * ? *)"
    assert schedule["ScheduleExpressionTimezone"] == "Europe/Berlin"
    assert Input(**json.loads(schedule["Target"]["Input"])) == Input(trigger="schedule")
    assert schedule["Target"]["DeadLetterConfig"]
    assert not assembly.template("wiki").resources("AWS::Scheduler::Schedule")


def rule(template: Template, name: str) -> dict[str, Any]:
    """A rule, by the name that the stack has for it."""
    return template.only("AWS::Events::Rule", f"Triggers{name}")


def test_uploads_below_the_prefixes_of_the_source_are_heard(assembly: Assembly) -> None:
    """Documents and sidecars, coming and going; the whole bucket when the source has no prefix."""
    pattern = rule(assembly.template("contracts"), "Uploads")["EventPattern"]
    assert pattern["detail-type"] == ["Object Created", "Object Deleted"]
    assert pattern["detail"] == {
        "bucket": {"name": ["example-contracts"]},
        "object": {"key": [{"prefix": "metadata/"}, {"prefix": "signed/"}]},
    }
    assert rule(assembly.template("handbook-q"), "Uploads")["EventPattern"]["detail"] == {
        "bucket": {"name": ["example-handbook"]}
    }


def test_event_bridge_is_turned_on_for_a_bucket_of_others_when_asked(assembly: Assembly) -> None:
    """Beside the notifications that it has; by a function that may do so to this bucket alone."""
    template = assembly.template("intranet")
    resource = template.only("Custom::S3BucketNotifications")
    handler = template.body["Resources"][resource["ServiceToken"]["Fn::GetAtt"][0]]["Properties"]
    (statements,) = (
        properties["PolicyDocument"]["Statement"]
        for name, properties in template.resources("AWS::IAM::Policy").items()
        if "SourceBucket" in name
    )

    assert resource["BucketName"] == "example-contracts"
    assert resource["NotificationConfiguration"] == {"EventBridgeConfiguration": {}}
    assert (resource["Managed"], resource["SkipDestinationValidation"]) == (False, True)
    assert {one["Action"] for one in statements} == {"s3:PutBucketNotification", "s3:GetBucketNotification"}
    assert {joined(one["Resource"]) for one in statements} == {"arn:<AWS::Partition>:s3:::example-contracts"}
    assert list(template.statements(handler["Role"])) == statements
    assert not assembly.template("contracts").resources("Custom::S3BucketNotifications")


def test_a_source_without_events_has_no_rule_for_them(assembly: Assembly) -> None:
    """A file system tells nobody of its changes."""
    assert not [name for name in assembly.template("wiki").resources("AWS::Events::Rule") if "Uploads" in name]


def test_the_inbox_is_heard(template: Template) -> None:
    """Change sets of other crawlers; not their deletion, which is the crawl's own."""
    pattern = rule(template, "Inbox")["EventPattern"]

    assert pattern["detail-type"] == ["Object Created"]
    assert pattern["detail"]["object"] == {"key": [{"prefix": "inbox/"}]}


def test_events_wait_in_a_queue_until_the_trigger_has_taken_them(template: Template) -> None:
    """What fails five times is kept as a dead letter, and Lambda has six timeouts to take a batch."""
    queue = template.only("AWS::SQS::Queue", "TriggersEvents")
    mapping = template.only("AWS::Lambda::EventSourceMapping")
    trigger = template.functions()["trigger"]

    assert queue["RedrivePolicy"]["maxReceiveCount"] == 5
    assert queue["VisibilityTimeout"] >= 6 * trigger["Timeout"] + mapping["MaximumBatchingWindowInSeconds"]
    assert mapping["BatchSize"] == 1_000
    assert mapping["ScalingConfig"] == {"MaximumConcurrency": 2}
    assert {json.dumps(rule(template, name)["Targets"][0]["Arn"]) for name in ("Inbox", "Ended")} == {
        json.dumps(mapping["EventSourceArn"])
    }


def test_the_end_of_every_run_reaches_the_trigger(template: Template) -> None:
    """However it ended; a pending run is started then."""
    assert rule(template, "Ended")["EventPattern"]["detail"]["status"] == [
        "SUCCEEDED",
        "FAILED",
        "TIMED_OUT",
        "ABORTED",
    ]


def test_a_run_that_died_reaches_the_janitor_as_an_event_it_reads(template: Template) -> None:
    """An execution that is aborted or times out runs no Catch."""
    died = rule(template, "Died")
    (target,) = died["Targets"]
    paths, text = target["InputTransformer"]["InputPathsMap"], target["InputTransformer"]["InputTemplate"]
    event = {"$.detail.name": "run-1", "$.detail.executionArn": "arn:run-1"}
    for name, path in paths.items():
        text = text.replace(f"<{name}>", json.dumps(event[path]))

    assert died["EventPattern"]["detail"]["status"] == ["FAILED", "TIMED_OUT", "ABORTED"]
    assert Request(**json.loads(text)) == Request("run-1", "arn:run-1")
    assert target["DeadLetterConfig"]


def test_a_source_in_a_vpc_is_reached_from_there_by_those_who_call_it(assembly: Assembly) -> None:
    """The other functions need no network interface, and start faster without."""
    functions = assembly.template("wiki").functions()
    inside = {name for name, function in functions.items() if "VpcConfig" in function}

    assert inside == {"crawl", "put_batch", "sync_groups"}
    assert functions["crawl"]["VpcConfig"] == {"SubnetIds": ["subnet-0a1b2c3d"], "SecurityGroupIds": ["sg-0a1b2c3d"]}
    assert functions["crawl"]["FileSystemConfigs"][0]["LocalMountPath"] == "/mnt/wiki"


def test_what_a_person_has_to_know_raises_an_alarm(assembly: Assembly) -> None:
    """To a topic when one is wanted, which only CloudWatch may publish to, over TLS."""
    template = assembly.template("handbook-q")
    alarms = template.resources("AWS::CloudWatch::Alarm").values()
    titles = {alarm["AlarmName"].removeprefix("docferry-handbook-q-") for alarm in alarms}

    assert titles == {
        "RunFailed",
        "RunTimedOut",
        "RunAborted",
        "DocumentsFailed",
        "DeletesWithheld",
        "Throttled",
        "MessagesUnsent",
        "DeadLetters",
        "JanitorErrors",
        "TriggerErrors",
        "Stale",
    }
    assert all(alarm["AlarmActions"] for alarm in alarms)
    assert not assembly.template("contracts").resources("AWS::SNS::Topic")


def test_messages_go_to_an_encrypted_topic_and_to_the_address(assembly: Assembly) -> None:
    """Of the two functions that send them, each knows the topic, and may publish to it alone."""
    template = assembly.template("handbook-q")
    topic = template.only("AWS::SNS::Topic", "Messages")
    (subscription,) = template.resources("AWS::SNS::Subscription").values()

    assert topic["KmsMasterKeyId"] == {"Fn::GetAtt": [*template.resources("AWS::KMS::Key"), "Arn"]}
    assert (subscription["Protocol"], subscription["Endpoint"]) == ("email", "operations@example.com")
    told = {name: f["Environment"]["Variables"].get("MESSAGES_TOPIC") for name, f in template.functions().items()}
    assert {name for name, arn in told.items() if arn} == {"commit", "janitor"}
    assert told["commit"] == subscription["TopicArn"]


def test_messages_go_to_a_topic_that_exists(assembly: Assembly) -> None:
    """The stack makes none, and allows that one."""
    template = assembly.template("wiki")
    arn = "arn:aws:sns:eu-west-1:123456789012:operations"

    assert not template.resources("AWS::SNS::Topic")
    statements = template.statements(template.functions()["commit"]["Role"])
    assert [one["Resource"] for one in statements if one["Action"] == "sns:Publish"] == [arn]


def test_events_are_put_on_the_default_bus_under_one_name(template: Template) -> None:
    """No function can pretend to be another application."""
    statements = list(template.statements(template.functions()["commit"]["Role"]))
    (events,) = (one for one in statements if one["Action"] == "events:PutEvents")

    assert events["Condition"] == {"StringEquals": {"events:source": "docferry"}}
    assert joined(events["Resource"]).endswith(":event-bus/default")


@pytest.mark.parametrize(("name", "scheduled"), [("contracts", True), ("wiki", False)])
def test_docferry_cost_counts_the_alarms_that_there_are(assembly: Assembly, name: str, scheduled: bool) -> None:  # noqa: FBT001  # a case
    """A bill of another stack would be wrong every month."""
    alarms = assembly.template(name).resources("AWS::CloudWatch::Alarm")

    assert len(alarms) == bill.ALARMS + bill.ALARM_OF_SCHEDULE * scheduled


def test_a_missing_success_is_an_alarm_only_where_one_is_scheduled(assembly: Assembly) -> None:
    """Nothing is overdue where nobody said when."""
    (stale,) = (
        alarm
        for alarm in assembly.template("contracts").resources("AWS::CloudWatch::Alarm").values()
        if alarm["AlarmName"].endswith("Stale")
    )

    assert (stale["EvaluationPeriods"], stale["Period"], stale["TreatMissingData"]) == (26, 3600, "breaching")
    assert not [name for name in assembly.template("wiki").resources("AWS::CloudWatch::Alarm") if "Stale" in name]


def test_the_dashboard_shows_what_the_functions_count(template: Template) -> None:
    """Under the dimensions that the functions give their metrics."""
    body = joined(template.only("AWS::CloudWatch::Dashboard")["DashboardBody"])
    widgets = {widget["properties"].get("title"): widget["properties"] for widget in json.loads(body)["widgets"]}

    assert set(widgets) == {
        "Documents",
        "Runs",
        "Run duration",
        "Age of the last success",
        "Throttles",
        "Withheld deletes",
        "Alarms",
    }
    names = [metric[1] for metric in widgets["Documents"]["metrics"]]
    assert names == ["DocumentsAdded", "DocumentsModified", "DocumentsDeleted", "DocumentsFailed"]
    assert widgets["Documents"]["metrics"][0][0] == "Docferry"
    assert {"service", "state"} <= {one for one in widgets["Documents"]["metrics"][0] if isinstance(one, str)}


@pytest.mark.parametrize("kind", sorted(indexes.KINDS))
def test_every_kind_of_index_has_resources(kind: str) -> None:
    """A kind that has none could be configured, and not deployed."""
    assert callable(resources(kind).make)
    assert callable(resources(kind).arns)


def test_an_unknown_kind_of_index_is_refused() -> None:
    """It is not taken for one of the known."""
    with pytest.raises(
        ConfigurationError, match="index kind 'opensearch' does not exist; there are: bedrock, kendra, qbusiness"
    ):
        resources("opensearch")
