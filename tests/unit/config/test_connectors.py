"""connectors.yaml: what is read from it, and how its mistakes are told."""

import re
from pathlib import Path

import msgspec
import pytest

from docferry import indexes, sources
from docferry.config.connectors import describe, load_connectors
from docferry.config.deployment import Deploy, Described, Schedule, Vpc
from docferry.connector import Connector, DeleteGuard, Part, pick
from docferry.errors import ConfigurationError

GOOD = """
connectors:
  handbook:
    source: {kind: files, path: examples/handbook, include: ["**/*.md"]}
    index: {kind: kendra}
  contracts-2:
    source: {kind: s3, bucket: example-contracts}
    index:
      kind: qbusiness
      application_id: 0a1b2c3d-0000-0000-0000-000000000003
"""


DEPLOYED = """
connectors:
  handbook:
    source: {kind: s3, bucket: example-handbook}
    index: {kind: kendra}
    deletes: {documents: 5, percent: 20}
    schedule: {expression: "cron(0 3 * * ? *)", timezone: Europe/Berlin}
    deploy:
      create: true
      kms: own
      log_retention: 30
      vpc: {subnets: [subnet-0a1b2c3d], security_groups: [sg-0a1b2c3d]}
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Give the place of a connectors.yaml."""
    return tmp_path / "connectors.yaml"


def mistakes(file: Path, text: str) -> list[str]:
    """Return what is said of a file, one line a mistake."""
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigurationError) as error:
        load_connectors(file)
    head, *lines = str(error.value).split("\n  ")
    assert head.endswith(("has a mistake:", f"has {len(lines)} mistakes:"))
    return lines


def of_source(file: Path, source: str) -> list[str]:
    """Return what is said of a source."""
    return mistakes(file, f"connectors: {{a: {{source: {{{source}}}, index: {{kind: kendra}}}}}}")


def test_a_connector_has_a_source_and_an_index(file: Path) -> None:
    """The settings stay as they were written, without the kind."""
    file.write_text(GOOD)
    assert load_connectors(file) == {
        "handbook": Connector(
            "handbook",
            Part("files", {"path": "examples/handbook", "include": ["**/*.md"]}),
            Part("kendra"),
        ),
        "contracts-2": Connector(
            "contracts-2",
            Part("s3", {"bucket": "example-contracts"}),
            Part("qbusiness", {"application_id": "0a1b2c3d-0000-0000-0000-000000000003"}),
        ),
    }


def test_a_connector_travels_as_json(file: Path) -> None:
    """It arrives in a function as it left the laptop."""
    file.write_text(GOOD)
    connector = load_connectors(file)["handbook"]
    assert msgspec.json.decode(msgspec.json.encode(connector), type=Connector) == connector


def test_the_settings_fit_the_classes_they_are_for(file: Path) -> None:
    """Whatever passes here is taken by the source and the index."""
    file.write_text(GOOD)
    for connector in load_connectors(file).values():
        msgspec.convert(connector.source.settings, sources.source_class(connector.source.kind).Settings)
        msgspec.convert(connector.index.settings, indexes.index_class(connector.index.kind).Settings)


def test_the_example_at_the_root_of_the_repository_is_valid() -> None:
    """The first thing that people run works."""
    connectors = load_connectors(Path(__file__).parents[3] / "connectors.yaml")
    assert connectors["handbook"].index.kind == "kendra"
    assert connectors["handbook-q"].index.kind == "qbusiness"


def test_the_commented_examples_are_valid_too(file: Path) -> None:
    """People take the comment marks away and go on from there."""
    text = (Path(__file__).parents[3] / "connectors.yaml").read_text(encoding="utf-8")
    file.write_text(re.sub(r"^  # (?=[ \w-]+:( |$))", "  ", text, flags=re.MULTILINE))
    assert {"wiki", "contracts"} <= set(load_connectors(file))


def test_every_mistake_is_told_at_once(file: Path) -> None:
    """One run of the command is enough to see all that has to be mended, each with its place."""
    lines = mistakes(
        file,
        """
connectors:
  a:
    source: {kind: s3, buckt: x, prefix: 5, include: [1]}
    index: {kind: kendra, index_id: short}
  b:
    source: {path: x}
more: 1
""",
    )
    assert [line.split(": ")[0] for line in lines] == [
        "more",
        "connectors.b.index",
        "connectors.b.source.kind",
        "connectors.a.source.prefix",
        "connectors.a.source.include[0]",
        "connectors.a.source.bucket",
        "connectors.a.source.buckt",
        "connectors.a.index.index_id",
    ]


def test_a_missing_setting_is_told_with_its_meaning(file: Path) -> None:
    """Nobody has to look it up."""
    assert of_source(file, "kind: files") == [
        "connectors.a.source.path: is required (the folder that holds the documents)"
    ]


def test_an_unknown_setting_is_told_with_the_nearest_known(file: Path) -> None:
    """Most unknown settings are slips of the keyboard."""
    (line,) = of_source(file, "kind: files, path: x, exlude: []")
    assert line.startswith("connectors.a.source.exlude: is unknown; did you mean exclude? allowed: acl, exclude,")


def test_an_unknown_kind_is_told_with_the_known_ones(file: Path) -> None:
    """The settings of a kind that does not exist cannot be checked."""
    assert of_source(file, "kind: flies, whatever: 1") == [
        f"connectors.a.source.kind: 'flies' is unknown; did you mean files? allowed: {', '.join(sorted(sources.KINDS))}"
    ]


@pytest.mark.parametrize(
    ("source", "line"),
    [
        ("kind: files, path: 5", "path: must be a text, not 5 (in quotes it is a text)"),
        ("kind: files, path: 2026-01-31", "path: must be a text, not 2026-01-31 (in quotes it is a text)"),
        ("kind: files, path: no", "path: must be a text, not true or false (in quotes it is a text)"),
        ("kind: files, path: ~", "path: must be a text, not nothing"),
        ("kind: files, path: [x]", "path: must be a text, not a list"),
        ("kind: files, path: {}", "path: must be a text, not a mapping"),
        ("kind: files, path: x, include: y", "include: must be a list, not a text"),
        ("kind: files, path: x, follow_symlinks: 1", "follow_symlinks: must be true or false, not 1"),
        ("kind: files, path: x, uri: wiki", "uri: 'wiki' is not valid; wanted: the address where people open the"),
        ("kind: s3, bucket: Nope", "bucket: 'Nope' is not valid; wanted: the name of a bucket: 3 to 63 lower-case"),
    ],
)
def test_a_wrong_value_is_told_with_what_is_wanted(file: Path, source: str, line: str) -> None:
    """The words are those of YAML and of people, not those of a schema."""
    (told,) = of_source(file, source)
    assert told.startswith(f"connectors.a.source.{line}")


def test_a_key_given_twice_is_told_with_both_lines(file: Path) -> None:
    """YAML itself would keep the last one, and a connector would be gone."""
    text = GOOD + GOOD.replace("\nconnectors:\n", "").replace("contracts-2", "contracts-3")
    assert mistakes(file, text) == ["connectors.handbook: is given twice, in lines 3 and 11; keep one"]


@pytest.mark.parametrize("name", ["Hand", "hand book", "-a", "a_b", "x" * 41, "5"])
def test_a_wrong_name_is_refused(file: Path, name: str) -> None:
    """The name goes into ids, keys and the names of stacks."""
    lines = mistakes(file, f"connectors: {{{name}: {{source: {{kind: files, path: x}}, index: {{kind: kendra}}}}}}")
    shown = name if name == "5" else repr(name)
    assert lines == [f"connectors: {shown} is not a valid name; wanted: 1 to 40 lower-case letters, digits, hyphens"]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("", "the file: must be a mapping, not nothing"),
        ("- a", "the file: must be a mapping, not a list"),
        ("connector: {}", "connectors: is required"),
        ("connectors: {}", "connectors: is empty; describe at least one"),
        ("connectors:", "connectors: must be a mapping, not nothing"),
        ("connectors: {a: }", "connectors.a: must be a mapping, not nothing"),
    ],
)
def test_a_file_of_another_shape_is_refused(file: Path, text: str, line: str) -> None:
    """An empty file is a mistake, not a deployment without connectors."""
    assert line in mistakes(file, text)


@pytest.mark.parametrize(
    "text", [b"connectors: [", b"a: b: c", b"\xff\xfe", b"a: !!python/name:os.system x", b"a: 2026-02-31"]
)
def test_what_is_no_yaml_is_refused(file: Path, text: bytes) -> None:
    """The parser's own words tell the line."""
    file.write_bytes(text)
    with pytest.raises(ConfigurationError, match="is not YAML"):
        load_connectors(file)


def test_an_alias_to_itself_is_no_endless_loop(file: Path) -> None:
    """YAML can describe what contains itself."""
    assert mistakes(file, "connectors: &a {b: *a}")


def test_a_missing_file_is_told_with_the_cure(file: Path) -> None:
    """The command was started in the wrong folder, most likely."""
    with pytest.raises(ConfigurationError, match=r"cannot be read .*No such file"):
        load_connectors(file)


def test_a_connector_can_say_how_it_is_deployed(file: Path) -> None:
    """The functions are told of none of it but the delete guard."""
    file.write_text(DEPLOYED)
    connector = Connector(
        "handbook",
        Part("s3", {"bucket": "example-handbook"}),
        Part("kendra"),
        DeleteGuard(documents=5, percent=20),
    )

    assert describe(file)["handbook"] == Described(
        connector,
        Schedule(expression="cron(0 3 * * ? *)", timezone="Europe/Berlin"),
        Deploy(
            create=True,
            kms="own",
            log_retention=30,
            vpc=Vpc(subnets=("subnet-0a1b2c3d",), security_groups=("sg-0a1b2c3d",)),
        ),
    )
    assert load_connectors(file) == {"handbook": connector}


def test_a_connector_need_not_be_deployed(file: Path) -> None:
    """A laptop's has neither a schedule nor a deploy part, and the guard that every connector has."""
    file.write_text(GOOD)
    described = describe(file)["handbook"]

    assert (described.schedule, described.deploy) == (None, None)
    assert described.connector.deletes == DeleteGuard()


@pytest.mark.parametrize(
    ("part", "line"),
    [
        ("deletes: {percent: 101}", "deletes.percent: must be at most 100, not 101"),
        ("deletes: {documents: -1}", "deletes.documents: must be at least 0, not -1"),
        ("deletes: {documents: many}", "deletes.documents: must be a whole number, not a text"),
        ("deletes: 5", "deletes: must be a mapping, not 5"),
        ("groups: {}", "groups: give file, or source: true, and not both"),
        ("groups: {source: false}", "groups: give file, or source: true, and not both"),
        ("groups: {source: true, file: a.csv}", "groups: give file, or source: true, and not both"),
        ("groups: {file: a.xlsx}", "groups.file: 'a.xlsx' is not valid; wanted: the path of a .csv or .jsonl file, or"),
        ("groups: {file: s3://a.csv}", "groups.file: 's3://a.csv' is not valid; wanted: "),
        ("groups: a.csv", "groups: must be a mapping, not a text"),
        ("schedule: {timezone: UTC}", "schedule.expression: is required (such as cron(0 3 * * ? *)"),
        ("schedule: {expression: rate(1 days)}", "schedule.expression: 'rate(1 days)': write 1 day, or 2 days"),
        ("schedule: {expression: rate(1 day), timezone: Mars}", "schedule.timezone: 'Mars' is no time zone"),
        ("schedule: rate(1 day)", "schedule: must be a mapping, not a text"),
        ("deploy: {creat: true}", "deploy.creat: is unknown; did you mean create?"),
        ("deploy: {kms: mine}", "deploy.kms: 'mine' is not valid; wanted: own, or the ARN of a KMS key"),
        ("deploy: {log_retention: 8}", "deploy.log_retention: 8 is unknown; "),
        ("deploy: {vpc: {subnets: [], security_groups: [sg-0a1b2c3d]}}", "deploy.vpc.subnets: is empty; wanted: "),
        ("deploy: {vpc: {subnets: [x], security_groups: [sg-0a1b2c3d]}}", "deploy.vpc.subnets[0]: 'x' is not valid"),
        ("deploy: {mount: {path: /mnt/wiki}}", "deploy.mount.access_point: is required (the ARN of an EFS access"),
        (
            "deploy: {messages: {topic: mine}}",
            "deploy.messages.topic: 'mine' is not valid; wanted: own, or the ARN of an",
        ),
        ("deploy: {messages: {email: me}}", "deploy.messages.email: 'me' is not valid; wanted: an e-mail address"),
        (
            "deploy: {messages: {topic: 'arn:aws:sns:eu-west-1:123456789012:mine', email: me@example.com}}",
            "deploy: email is for topic: own; subscribe the address to your topic yourself",
        ),
        ("deploy: {stale_hours: 0}", "deploy.stale_hours: must be at least 1, not 0"),
        ("deploi: {}", "deploi: is unknown; did you mean deploy?"),
    ],
)
def test_a_mistake_in_how_it_is_deployed_is_told(file: Path, part: str, line: str) -> None:
    """Before anything is deployed."""
    (told,) = mistakes(
        file, f"connectors: {{a: {{source: {{kind: s3, bucket: docs}}, index: {{kind: kendra}}, {part}}}}}"
    )
    assert told.startswith(f"connectors.a.{line}")


@pytest.mark.parametrize(
    ("setting", "place"),
    [
        ("password: hunter2", "password"),
        ("client_secret: hunter2", "client_secret"),
        ("login: {token: hunter2}", "login.token"),
        ("accounts: [{api_key: hunter2}]", "accounts[0].api_key"),
        ("options: {account_key: hunter2}", "options.account_key"),
        ("options: {connection_string: hunter2}", "options.connection_string"),
        ("secret_arn: hunter2", "secret_arn"),
        ("password: 12345", "password"),
        ("url: postgresql://wiki:hunter2@db.example.com/wiki", "url"),
    ],
)
def test_a_secret_in_plain_text_is_refused_and_not_repeated(file: Path, setting: str, place: str) -> None:
    """The file is in version control, and the message in a build log."""
    lines = of_source(file, f"kind: s3, bucket: docs, {setting}")

    assert any(line.startswith(f"connectors.a.source.{place}: ") and "Secrets Manager" in line for line in lines)
    assert not [line for line in lines if "hunter2" in line or "12345" in line]


@pytest.mark.parametrize(
    ("setting", "place"),
    [
        ("headers: {Authorization: Bearer hunter2}", "headers.Authorization"),
        ("headers: {Private-Token: hunter2}", "headers.Private-Token"),
        ("auth: {type: bearer, token: hunter2}", "auth.token"),
        ("auth: {type: http_basic, username: me, password: hunter2}", "auth.password"),
        ("params: {api_key: hunter2}", "params.api_key"),
        ("base_url: https://hunter2@kb.example.com/api", "base_url"),
        ("base_url: https://me:hunter2@kb.example.com/api", "base_url"),
    ],
)
def test_a_secret_of_an_api_in_plain_text_is_refused_and_not_repeated(file: Path, setting: str, place: str) -> None:
    """In a header, whatever its spelling, in the authentication, in a parameter, in the address."""
    settings = (
        "kind: http, resource: a, paginator: {type: single_page}, document: {id: i, content: c, content_type: MD}"
    )
    base = "" if "base_url" in setting else ", base_url: 'https://kb.example.com/'"
    lines = of_source(file, f"{settings}{base}, {setting}")

    assert any(line.startswith(f"connectors.a.source.{place}: ") for line in lines)
    assert not [line for line in lines if "hunter2" in line]


def test_a_variable_of_this_machine_is_no_secret(file: Path) -> None:
    """What it holds is read when a sync runs."""
    file.write_text(
        "connectors: {a: {index: {kind: kendra}, source: {kind: http, base_url: 'https://kb.example.com/', "
        "resource: a, paginator: {type: single_page}, document: {id: id, content: c, content_type: MD}, "
        "auth: {type: bearer, token: 'env:TOKEN'}, headers: {Private-Token: 'env:TOKEN'}}}}"
    )

    assert load_connectors(file)["a"].source.settings["auth"] == {"type": "bearer", "token": "env:TOKEN"}


def test_the_arn_of_a_secret_is_no_secret(file: Path) -> None:
    """Where a source has such a setting, which it says itself."""
    arn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:wiki-AbCdEf"
    lines = of_source(file, f'kind: s3, bucket: docs, password: "{arn}", page_token: ~')

    assert not [line for line in lines if "Secrets Manager" in line]


def test_a_connector_is_picked_by_its_name(file: Path) -> None:
    """Names are unique in the file."""
    file.write_text(GOOD)
    assert pick(load_connectors(file), "handbook").name == "handbook"


def test_an_unknown_connector_is_told_with_the_known_ones(file: Path) -> None:
    """The names to choose from are in the text."""
    file.write_text(GOOD)
    with pytest.raises(ConfigurationError, match="no connector 'hanbook'; there are: contracts-2, handbook"):
        pick(load_connectors(file), "hanbook")


@pytest.mark.parametrize(
    ("index", "access", "line"),
    [
        (
            "{kind: bedrock, acl: true}",
            "public",
            "connectors.a.access: the index shows a document without access control",
        ),
        ("{kind: bedrock}", "required", "connectors.a.access: the index has no access control"),
    ],
)
def test_an_access_that_the_index_contradicts_is_refused(file: Path, index: str, access: str, line: str) -> None:
    """With the reason; every other one is taken."""
    text = f"connectors: {{a: {{source: {{kind: files, path: x}}, index: {index}, access: %s}}}}"

    (found,) = mistakes(file, text % access)

    assert found.startswith(line)
    file.write_text(text % ("required" if access == "public" else "public"))
    assert load_connectors(file).keys() == {"a"}
