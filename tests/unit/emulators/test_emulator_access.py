"""Who finds what: the access control of both services, enforced."""

import base64
import json
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from docferry_emulators.engine.access import Control, Identity, Principal, Tree, fold_address, visible
from tests.unit.emulators.emulated_services import ONCE, REGION, ROLE, KendraService, QBusinessService, code_of


def allow(name: str, kind: str = "USER", access: str = "ALLOW", **more: str) -> dict[str, str]:
    """One entry of Kendra's list."""
    return {"Name": name, "Type": kind, "Access": access, **more}


def test_no_user_information_returns_everything(kendra: KendraService) -> None:
    """Kendra authenticates nobody; with a user, documents without access control stay public."""
    kendra.sync(kendra.document("open", "giraffe"), kendra.document("ann", "giraffe", AccessControlList=[allow("ann")]))
    assert sorted(kendra.search("giraffe")) == ["ann", "open"]
    assert sorted(kendra.search("giraffe", UserContext={"UserId": "ann"})) == ["ann", "open"]
    assert kendra.search("giraffe", UserContext={"UserId": "bob"}) == ["open"]


def test_deny_beats_allow(kendra: KendraService) -> None:
    """However the reader is allowed."""
    acl = [allow("staff", "GROUP"), allow("ann"), allow("ann", access="DENY")]
    kendra.sync(kendra.document("a", "giraffe", AccessControlList=acl))
    assert kendra.search("giraffe", UserContext={"UserId": "ann", "Groups": ["staff"]}) == []
    assert kendra.search("giraffe", UserContext={"UserId": "bob", "Groups": ["staff"]}) == ["a"]


def test_groups_are_resolved_through_nested_mappings(kendra: KendraService) -> None:
    """A user is in a group through a group, once the mappings are processed."""
    kendra.sync(kendra.document("a", "giraffe", AccessControlList=[allow("company", "GROUP")]))
    for group, members in {
        "research": {"MemberUsers": [{"UserId": "ann"}]},
        "company": {"MemberGroups": [{"GroupId": "research"}]},
    }.items():
        kendra.client.put_principal_mapping(IndexId=kendra.index, GroupId=group, GroupMembers=members)
    assert kendra.search("giraffe", UserContext={"UserId": "ann"}) == []
    kendra.settle()
    assert kendra.search("giraffe", UserContext={"UserId": "ann"}) == ["a"]
    kendra.client.delete_principal_mapping(IndexId=kendra.index, GroupId="research")
    kendra.settle()
    assert kendra.search("giraffe", UserContext={"UserId": "ann"}) == []


def test_groups_of_a_data_source_count_for_its_documents(kendra: KendraService) -> None:
    """A mapping or a group of a data source opens nothing of another."""
    other = kendra.add_source()
    acl = [allow("sales", "GROUP")]
    kendra.sync(kendra.document("mine", "giraffe", AccessControlList=acl))
    job = kendra.start(other)
    kendra.put(kendra.document("theirs", "giraffe", AccessControlList=acl), job=job, source=other)
    kendra.client.put_principal_mapping(
        IndexId=kendra.index,
        DataSourceId=other,
        GroupId="sales",
        GroupMembers={"MemberUsers": [{"UserId": "ann"}]},
    )
    kendra.settle()
    assert kendra.search("giraffe", UserContext={"UserId": "ann"}) == ["theirs"]
    scoped = [{"GroupId": "sales", "DataSourceId": kendra.source}]
    assert kendra.search("giraffe", UserContext={"DataSourceGroups": scoped}) == ["mine"]


def test_the_user_may_stand_in_the_attribute_filter(kendra: KendraService) -> None:
    """As _user_id and _group_ids, which no document has as attributes."""
    kendra.sync(
        kendra.document("ann", "giraffe", AccessControlList=[allow("ann")]),
        kendra.document("staff", "giraffe", AccessControlList=[allow("staff", "GROUP")]),
        kendra.document("boss", "giraffe", AccessControlList=[allow("boss")]),
    )
    user = {"EqualsTo": {"Key": "_user_id", "Value": {"StringValue": "ann"}}}
    groups = {"ContainsAny": {"Key": "_group_ids", "Value": {"StringListValue": ["staff"]}}}
    assert kendra.search("giraffe", AttributeFilter=user) == ["ann"]
    assert sorted(kendra.search("giraffe", AttributeFilter={"OrAllFilters": [user, groups]})) == ["ann", "staff"]


@pytest.mark.parametrize("form", ["jwt", "json"])
def test_a_token_says_who_asks(kendra: KendraService, form: str) -> None:
    """Its signature is not checked; with the policy USER_TOKEN no token finds what is public only."""
    configuration = {
        "JwtTokenTypeConfiguration": {
            "KeyLocation": "URL",
            "URL": "https://example.com/keys",
            "UserNameAttributeField": "sub",
            "GroupAttributeField": "roles",
        }
    }
    kendra.client.update_index(Id=kendra.index, UserContextPolicy="USER_TOKEN", UserTokenConfigurations=[configuration])
    kendra.settle()
    kendra.sync(
        kendra.document("open", "giraffe"),
        kendra.document("ann", "giraffe", AccessControlList=[allow("ann")]),
        kendra.document("staff", "giraffe", AccessControlList=[allow("staff", "GROUP")]),
    )
    claims = json.dumps({"sub": "ann", "roles": ["staff"]})
    part = base64.urlsafe_b64encode(claims.encode()).decode().rstrip("=")
    token = claims if form == "json" else f"e30.{part}.c2ln"
    assert kendra.search("giraffe") == ["open"]
    assert sorted(kendra.search("giraffe", UserContext={"Token": token})) == ["ann", "open", "staff"]
    with pytest.raises(ClientError) as error:
        kendra.search("giraffe", UserContext={"Token": "???"})
    assert code_of(error) == "ValidationException"


def test_members_of_a_group_from_s3(kendra: KendraService) -> None:
    """As JSON lines; what cannot be read fails, with the reason."""
    s3 = boto3.client("s3", region_name="us-east-1")
    s3.create_bucket(Bucket="groups")
    lines = [{"type": "USER", "id": "ann"}, {"type": "GROUP", "id": "temps"}]
    s3.put_object(Bucket="groups", Key="good", Body="\n".join(json.dumps(line) for line in lines).encode())
    s3.put_object(Bucket="groups", Key="bad", Body=b"<xml/>")
    kendra.sync(kendra.document("a", "giraffe", AccessControlList=[allow("staff", "GROUP")]))

    def put(key: str) -> str:
        path = {"S3PathforGroupMembers": {"Bucket": "groups", "Key": key}}
        at = {"IndexId": kendra.index, "GroupId": "staff"}
        kendra.client.put_principal_mapping(**at, GroupMembers=path, RoleArn=ROLE)
        kendra.settle()
        summary = kendra.client.describe_principal_mapping(**at)["GroupOrderingIdSummaries"][0]
        status: str = summary["Status"]
        return status

    assert put("good") == "SUCCEEDED"
    assert put("bad") == "FAILED"
    assert put("missing") == "FAILED"
    for context in ({"UserId": "ann"}, {"Groups": ["temps"]}):
        assert kendra.search("giraffe", UserContext=context) == ["a"]


def test_the_states_of_a_group(kendra: KendraService) -> None:
    """PROCESSING, SUCCEEDED, DELETING, DELETED; an unknown one is not found."""
    at = {"IndexId": kendra.index, "GroupId": "g"}
    with pytest.raises(ClientError) as error:
        kendra.client.describe_principal_mapping(**at)
    assert code_of(error) == "ResourceNotFoundException"

    def statuses() -> list[str]:
        summaries = kendra.client.describe_principal_mapping(**at)["GroupOrderingIdSummaries"]
        return [summary["Status"] for summary in summaries]

    kendra.client.put_principal_mapping(**at, GroupMembers={"MemberUsers": [{"UserId": "u"}]}, OrderingId=1)
    seen = [statuses()]
    kendra.settle()
    seen.append(statuses())
    older = kendra.client.list_groups_older_than_ordering_id(IndexId=kendra.index, OrderingId=2)
    assert older["GroupsSummaries"] == [{"GroupId": "g", "OrderingId": 1}]
    kendra.client.delete_principal_mapping(**at, OrderingId=2)
    seen.append(statuses())
    kendra.settle()
    seen.append(statuses())
    assert seen == [["PROCESSING"], ["SUCCEEDED"], ["DELETING", "SUCCEEDED"], ["DELETED", "SUCCEEDED"]]


def control(*principals: dict[str, Any], **more: str) -> dict[str, Any]:
    """One control of a tree of Q Business."""
    return {"principals": list(principals), **more}


def user(name: str, access: str = "ALLOW", **more: str) -> dict[str, Any]:
    """A user in it."""
    return {"user": {"id": name, "access": access, **more}}


def group(name: str, access: str = "ALLOW", **more: str) -> dict[str, Any]:
    """A group in it."""
    return {"group": {"name": name, "access": access, **more}}


def check(service: QBusinessService, who: str, document: str = "a", **more: Any) -> Any:
    """CheckDocumentAccess."""
    return service.client.check_document_access(**service.at, userId=who, documentId=document, **more)


@pytest.mark.parametrize(
    ("inner", "outer", "who"),
    [
        ("OR", "AND", {"ann@x"}),
        ("AND", "OR", {"ann@x", "cy@x"}),
        ("OR", "OR", {"ann@x", "bob@x", "cy@x"}),
        ("AND", "AND", set()),
    ],
)
def test_member_relations(qbusiness: QBusinessService, inner: str, outer: str, who: set[str]) -> None:
    """AND and OR, inside a control and between controls: (ann ? staff) ?? (ann ? cy ? staff)."""
    members = {"memberUsers": [{"userId": name} for name in ("ann@x", "bob@x")]}
    qbusiness.client.put_group(**qbusiness.at, groupName="staff", type="INDEX", groupMembers=members)
    controls = [
        control(user("ann@x"), group("staff"), memberRelation=inner),
        control(user("cy@x"), *([user("ann@x")] if inner == "OR" else []), memberRelation=inner),
    ]
    if outer == "AND" and inner == "AND":
        controls.append(control(user("nobody@x")))
    access = {"accessControls": controls, "memberRelation": outer}
    qbusiness.sync(qbusiness.document("a", accessConfiguration=access))
    names = ("ann@x", "bob@x", "cy@x", "dee@x")
    assert {name for name in names if check(qbusiness, name)["hasAccess"]} == who


def test_check_document_access_tells_why(qbusiness: QBusinessService) -> None:
    """Groups and aliases of the user, and the access control of the document, allowed and denied apart."""
    at, source = qbusiness.at, qbusiness.source
    aliases = [{"indexId": qbusiness.index, "dataSourceId": source, "userId": "local-ann"}]
    qbusiness.client.create_user(applicationId=qbusiness.application, userId="ann@x", userAliases=aliases)
    members = {"memberUsers": [{"userId": "local-ann", "type": "DATASOURCE"}]}
    where = {**at, "dataSourceId": source}
    qbusiness.client.put_group(**where, groupName="staff", type="DATASOURCE", groupMembers=members)
    access = {
        "accessControls": [
            control(group("staff", membershipType="DATASOURCE"), user("bob@x", "DENY"), memberRelation="OR")
        ]
    }
    qbusiness.sync(qbusiness.document("a", accessConfiguration=access))
    reply = check(qbusiness, "ann@x", dataSourceId=source)
    assert reply["hasAccess"] is True
    assert reply["userGroups"] == [{"name": "staff", "type": "DATASOURCE"}]
    assert reply["userAliases"] == [{"id": "local-ann", "type": "DATASOURCE"}]
    assert reply["documentAcl"]["allowlist"]["conditions"][0]["groups"] == [{"name": "staff", "type": "DATASOURCE"}]
    assert reply["documentAcl"]["denyList"]["conditions"][0]["users"] == [{"id": "bob@x", "type": "INDEX"}]
    assert check(qbusiness, "bob@x")["hasAccess"] is False
    for wrong in ({"document": "unknown"}, {"dataSourceId": qbusiness.add_source()}):
        with pytest.raises(ClientError) as error:
            check(qbusiness, "ann@x", **wrong)
        assert code_of(error) == "ResourceNotFoundException"


def test_addresses_compare_without_case_and_tag(qbusiness: QBusinessService) -> None:
    """user+tag@x is user@x since December 2024."""
    access = {"accessControls": [control(user("Ann+news@Example.com"))]}
    qbusiness.sync(qbusiness.document("a", accessConfiguration=access))
    assert check(qbusiness, "ann@example.com")["hasAccess"] is True
    assert fold_address("A+b@C.d") == "a@c.d"
    assert fold_address("Not+An-Address") == "Not+An-Address"


def test_users_and_their_aliases(qbusiness: QBusinessService) -> None:
    """Created once, changed by index and data source, deleted."""
    at = {"applicationId": qbusiness.application, "userId": "ann/ü?@x"}
    qbusiness.client.create_user(**at)
    with pytest.raises(ClientError) as error:
        qbusiness.client.create_user(**at)
    assert code_of(error) == "ConflictException"
    place = {"indexId": qbusiness.index, "dataSourceId": qbusiness.source}
    one, two = {**place, "userId": "one"}, {**place, "userId": "two"}
    assert qbusiness.client.update_user(**at, userAliasesToUpdate=[one])["userAliasesAdded"] == [one]
    assert qbusiness.client.update_user(**at, userAliasesToUpdate=[two])["userAliasesUpdated"] == [two]
    assert qbusiness.client.get_user(**at)["userAliases"] == [two]
    assert qbusiness.client.update_user(**at, userAliasesToDelete=[one])["userAliasesDeleted"] == [two]
    qbusiness.client.delete_user(**at)
    with pytest.raises(ClientError) as error:
        qbusiness.client.get_user(**at)
    assert code_of(error) == "ResourceNotFoundException"


def test_groups_are_listed_by_age(qbusiness: QBusinessService) -> None:
    """Those last changed before a time, by pages."""
    members = {"memberUsers": [{"userId": "ann@x"}]}
    for number in range(12):
        qbusiness.client.put_group(**qbusiness.at, groupName=f"g{number:02}", type="INDEX", groupMembers=members)
    status = qbusiness.client.get_group(**qbusiness.at, groupName="g00")["status"]["status"]
    assert status == "PROCESSING"
    qbusiness.settle()
    late = qbusiness.clock.now()
    qbusiness.client.put_group(**qbusiness.at, groupName="g00", type="INDEX", groupMembers=members)
    qbusiness.settle()
    pages = qbusiness.client.get_paginator("list_groups").paginate(**qbusiness.at, updatedEarlierThan=late)
    names = [item["groupName"] for page in pages for item in page["items"]]
    assert names == [f"g{number:02}" for number in range(1, 12)]
    qbusiness.client.delete_group(**qbusiness.at, groupName="g01")
    qbusiness.settle()
    status = qbusiness.client.get_group(**qbusiness.at, groupName="g01")["status"]["status"]
    assert status == "DELETED"


def test_groups_of_one_name_are_listed_for_each_data_source(qbusiness: QBusinessService) -> None:
    """Where the list is of no data source, it is of all: none is passed over where a page ends between them."""
    members = {"memberUsers": [{"userId": "ann@x"}]}
    for source in (qbusiness.source, qbusiness.add_source()):
        for name in ("crew", "staff"):
            where = {**qbusiness.at, "dataSourceId": source}
            qbusiness.client.put_group(**where, groupName=name, type="DATASOURCE", groupMembers=members)
    qbusiness.settle()

    pages = qbusiness.client.get_paginator("list_groups").paginate(
        **qbusiness.at, updatedEarlierThan=qbusiness.clock.now(), PaginationConfig={"PageSize": 1}
    )

    assert [item["groupName"] for page in pages for item in page["items"]] == ["crew", "crew", "staff", "staff"]


def test_a_group_of_the_data_source_is_not_the_group_of_the_index(qbusiness: QBusinessService) -> None:
    """Who is in a group of the index with the same name sees nothing by an entry of type DATASOURCE."""
    members = {"memberUsers": [{"userId": "bob@x"}]}
    qbusiness.client.put_group(**qbusiness.at, groupName="admins", type="INDEX", groupMembers=members)
    for name, membership in (("a", "DATASOURCE"), ("b", "INDEX")):
        access = {"accessControls": [control(group("admins", membershipType=membership))]}
        qbusiness.sync(qbusiness.document(name, accessConfiguration=access))

    assert check(qbusiness, "bob@x", document="a")["hasAccess"] is False
    assert check(qbusiness, "bob@x", document="b")["hasAccess"] is True


def test_search_in_q_is_done_by_the_caller(start: Any) -> None:
    """A session token stands in for identity-aware credentials; others carry nobody."""
    service: QBusinessService = start("qbusiness")
    access = {"accessControls": [control(user("ann@x"))]}
    service.sync(service.document("open", "giraffe"), service.document("ann", "giraffe", accessConfiguration=access))
    assert service.search("giraffe") == ["open"]
    plain = service.client
    for who, found in {"ann@x": ["ann", "open"], "bob@x": ["open"]}.items():
        service.client = boto3.client(
            "qbusiness",
            region_name=REGION,
            config=ONCE,
            aws_access_key_id="key",
            aws_secret_access_key="secret",
            aws_session_token=f"user:{who}",
        )
        assert sorted(service.search("giraffe")) == found
    service.client = plain


@pytest.mark.parametrize(("how", "found"), [("all", ["ann"]), ("deny", None)])
def test_search_in_q_without_a_user(start: Any, how: str, found: list[str] | None) -> None:
    """Everything, as a convenience; or refused, as the real service does."""
    service: QBusinessService = start("qbusiness", qbusiness_search_without_user=how)
    service.sync(service.document("ann", "giraffe", accessConfiguration={"accessControls": [control(user("ann@x"))]}))
    if found is not None:
        assert service.search("giraffe") == found
        return
    with pytest.raises(ClientError) as error:
        service.search("giraffe")
    assert code_of(error) == "AccessDeniedException"


def test_a_tree_that_allows_nobody_shows_nothing() -> None:
    """Denying somebody does not allow everybody else."""
    tree = Tree((Control((Principal("USER", "bob", "DENY"),)),))
    assert not visible(tree, Identity(frozenset({("ann", None)}), frozenset()), None)
