"""A connector, for a stack of anybody's: everything that keeps one index data source in step with one source."""

import re
from collections.abc import Mapping
from contextlib import suppress

from constructs import Construct
from msgspec import Struct, structs, to_builtins

from docferry import indexes, sources
from docferry.config.connectors import checked
from docferry.config.deployment import Deploy, Described, Schedule
from docferry.connector import DeleteGuard, Groups, Policy, slug
from docferry.errors import ConfigurationError
from docferry.runtime.lambdas import DEPLOYED, EXPANDS, FUNCTIONS
from docferry.runtime.settings import Settings
from docferry.sources.remote.extras import bundle_name
from docferry.workflow.trigger import TriggerSettings
from docferry_infra import bundle as bundles
from docferry_infra.bundle import Bundle
from docferry_infra.deployable import missing
from docferry_infra.functions import Functions
from docferry_infra.index import Index
from docferry_infra.messages import Messages
from docferry_infra.monitoring import Monitoring
from docferry_infra.own_source import named
from docferry_infra.source_access import grant_groups, grant_reader, grant_source
from docferry_infra.state import StateBucket
from docferry_infra.triggers import Triggers
from docferry_infra.workflow import Workflow, grant_executions, machine_arn


class DescribedConnector(Construct):
    """A connector as connectors.yaml describes it.

    ``state_machine`` runs a sync, ``state_bucket`` holds what is known of the index, ``index`` has the ids of the index
    and its data source, ``alarms`` and ``alarms_topic`` tell when something is wrong. ``messages_topic`` is the
    topic of the stack that its messages go to, None without one.
    """

    def __init__(self, scope: Construct, id: str, *, described: Described, bundle: Bundle) -> None:  # noqa: A002  # CDK's name
        super().__init__(scope, id)
        connector, deploy = described.connector, described.deploy or Deploy()
        state = StateBucket(self, "State", deploy=deploy)
        index = Index(self, "Index", connector=connector.name, part=connector.index, deploy=deploy)
        found = structs.replace(connector.source, kind=named(connector.source.kind))
        settings = Settings(state.bucket.bucket_name, structs.replace(connector, source=found, index=index.part))
        documents = connector.source.settings["bucket"] if connector.source.kind == "s3" else ""
        trigger = TriggerSettings(
            state.bucket.bucket_name, machine_arn(self, connector.name), connector.name, documents
        )
        messages = Messages(self, "Messages", connector=connector.name, deploy=deploy, key=state.key)
        environments = {function.name: messages.settings(settings, function).to_env() for function in FUNCTIONS} | {
            "trigger": trigger.to_env()
        }
        functions = Functions(
            self, "Functions", connector=connector.name, bundle=bundle, environments=environments, deploy=deploy
        )
        workflow = Workflow(
            self, "Workflow", connector=connector.name, arns=functions.arns(), state=state, deploy=deploy
        )
        triggers = Triggers(
            self,
            "Triggers",
            described=described,
            state=state,
            machine=workflow.machine,
            functions=functions,
        )
        monitoring = Monitoring(
            self,
            "Monitoring",
            described=described,
            machine=workflow.machine,
            functions=functions,
            dead_letters=triggers.dead_letters,
        )

        for function in DEPLOYED:
            role = functions.roles[function.name]
            state.grant(role, function)
            index.grant(role, function.index, groups=connector.groups is not None)
            grant_source(role, connector.source, deploy, function.source)
            reads_groups = "groups" in function.source if index.knows_groups else function.name == EXPANDS
            if reads_groups:
                grant_groups(role, connector.groups, deploy)
            grant_executions(role, connector.name, function.executions)
            messages.grant(role, function)
        if index.role:
            grant_reader(index.role, connector.source, deploy, state)

        self.state_machine = workflow.machine
        self.state_bucket = state.bucket
        self.index = index.part
        self.dead_letters = triggers.dead_letters
        self.alarms = monitoring.alarms
        self.alarms_topic = monitoring.topic
        self.messages_topic = messages.topic


class Connector(DescribedConnector):
    """A connector in typed keywords; they are those of connectors.yaml, under the same names.

    ``source`` and ``index`` are the settings of a kind, such as ``S3Settings(bucket=...)`` and
    ``KendraSettings(index_id=...)``; a source may also be a mapping, as connectors.yaml writes it. A value may be a
    token, known only when the stack is deployed. ``name`` is in the
    names of all resources, and is made of the construct's id when left out. ``bundle`` is what the functions run:
    without it the one for Lambda, built or found again. Raises ConfigurationError with everything that is wrong.
    """

    def __init__(  # noqa: PLR0913  # the parts of a connector
        self,
        scope: Construct,
        id: str,  # noqa: A002  # CDK's name
        *,
        source: Struct | Mapping[str, object],
        index: Struct,
        name: str | None = None,
        schedule: Schedule | None = None,
        deploy: Deploy | None = None,
        deletes: DeleteGuard | None = None,
        access: Policy | None = None,
        groups: Groups | None = None,
        bundle: Bundle | None = None,
    ) -> None:
        described = describe(
            name or name_of(id),
            source=part_of("source", source),
            index=part_of("index", index),
            schedule=schedule,
            deploy=deploy,
            deletes=deletes,
            access=access,
            groups=groups,
        )
        built = bundle or bundles.bundle(bundle_name(described.connector.source))
        super().__init__(scope, id, described=described, bundle=built)


def describe(name: str, **parts: object) -> Described:
    """A connector of its parts, checked as connectors.yaml is. Raises ConfigurationError."""
    written = {part: to_builtins(value) for part, value in parts.items() if value is not None}
    described = checked({"connectors": {name: written}}, f"the connector {name}")[name]
    if problems := [f"connectors.{name}.{problem}" for problem in missing(described)]:
        raise ConfigurationError("\n  ".join([f"the connector {name} cannot be deployed:", *problems]))
    return described


def part_of(what: str, settings: Struct | Mapping[str, object]) -> dict[str, object]:
    """A source or an index as connectors.yaml writes it: the kind, and the settings that are not their defaults."""
    if isinstance(settings, Mapping):
        return dict(settings)
    kinds = _kinds(what)
    kind = kinds.get(type(settings))
    if kind is None:
        known = ", ".join(sorted(known.__name__ for known in kinds))
        raise ConfigurationError(f"{what}: {type(settings).__name__} is no settings of a kind; there are: {known}")
    defaults = {field.name: field.default for field in structs.fields(settings)}
    given = {name: value for name, value in structs.asdict(settings).items() if value not in (defaults[name], {})}
    return {"kind": kind, **given}


def _kinds(what: str) -> dict[type[Struct], str]:
    """The kinds of sources, or of indexes, by the types of their settings; none whose extra is missing here."""
    kinds, load = (sources.KINDS, sources.source_class) if what == "source" else (indexes.KINDS, indexes.index_class)
    found: dict[type[Struct], str] = {}
    for kind in kinds:
        with suppress(ConfigurationError):
            found[load(kind).Settings] = kind
    return found


def name_of(id: str) -> str:  # noqa: A002  # CDK's name
    """The id of a construct, such as ``SignedContracts``, as the name of a connector: ``signed-contracts``."""
    return slug(re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", id))
