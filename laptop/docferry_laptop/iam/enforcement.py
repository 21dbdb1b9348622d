"""Enforces the policies of roles: on requests of functions, and on what services do with the role of a stack."""

from collections.abc import Callable, Iterable, Mapping
from io import BytesIO
from itertools import chain
from typing import Any
from urllib.parse import parse_qs

from moto.iam.exceptions import NotFoundException
from moto.iam.models import Role, iam_backends
from moto.s3.exceptions import MissingBucket
from moto.s3.models import s3_backends
from moto.sts.models import STSBackend, sts_backends
from werkzeug.wrappers import Response

from docferry_emulators.wire.protocol import signed_service
from docferry_laptop.iam import policy, refusals, requests
from docferry_laptop.iam.calls import Call, Place, UnknownCall, demands
from docferry_laptop.iam.policy import Statement, UnreadablePolicy
from docferry_laptop.iam.refusals import NotAuthorized
from docferry_laptop.storage import ACCOUNT, REGION

# Longer than any process of a function lives.
SESSION_SECONDS = 43_200

Application = Callable[[dict[str, Any], Any], Iterable[bytes]]
"""A WSGI application."""


class Iam:
    """Gives functions the credentials of their roles, and checks every call that is made with a role.

    A person who assumes a role through STS is restricted as a function is. All other credentials are those of a person,
    who is not restricted.
    """

    def __init__(self) -> None:
        self.used: set[tuple[str, str]] = set()
        """The role, by its name, and the action, of everything that was allowed."""
        self._place = Place(REGION, ACCOUNT, object_exists)

    def credentials(self, role: str, session: str) -> Mapping[str, str]:
        """Return the environment variables with new credentials of a role. ``role`` is its ARN."""
        assumed = _sessions().assume_role(REGION, session, role, "", SESSION_SECONDS, "")
        return {
            "AWS_ACCESS_KEY_ID": assumed.access_key_id,
            "AWS_SECRET_ACCESS_KEY": assumed.secret_access_key,
            "AWS_SESSION_TOKEN": assumed.session_token,
        }

    def check(self, role: str, session: str, service: str, operation: str, **params: Any) -> None:
        """Check a call that a service makes with a role. ``service`` is the name that a signature has for it.

        Raises NotAuthorized.
        """
        self._check(role, session, Call(service, operation, params))

    def guarded(self, application: Application) -> Application:
        """Return a WSGI application that refuses what the credentials of a request do not allow."""

        def guard(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
            session = _sessions().get_assumed_role_from_access_key(_access_key(environ))
            if session is not None:
                service = _service(environ)
                try:
                    self._check(session.role_arn, session.session_name, requests.read(service, _request(environ)))
                except (NotAuthorized, UnknownCall) as error:
                    text = str(error) if isinstance(error, NotAuthorized) else unknown(session.arn, error)
                    status, headers, body = refusals.write(service, text, form=_is_form(environ))
                    return Response(body, status=status, headers=headers)(environ, start_response)
            return application(environ, start_response)

        return guard

    def _check(self, role: str, session: str, call: Call) -> None:
        name = role.rpartition("/")[2]
        principal = f"arn:aws:sts::{ACCOUNT}:assumed-role/{name}/{session}"
        try:
            needed, statements = demands(call, self._place), statements_of(role)
        except UnknownCall as error:
            raise NotAuthorized(unknown(principal, error)) from error
        except UnreadablePolicy as error:
            raise NotAuthorized(f"User: {principal} is not authorized: {error}") from error
        for demand in needed:
            decision = policy.decide(statements, demand)
            if decision != "allowed":
                raise NotAuthorized(refusals.message(principal, demand, decision))
            self.used.add((name, demand.action))


def unknown(principal: str, error: UnknownCall) -> str:
    """Return the message for a call whose permissions are unknown."""
    return f"User: {principal} is not authorized: this machine does not know which permissions {error} needs"


def statements_of(role: str) -> list[Statement]:
    """Return the statements of all policies of a role, as CloudFormation made them. Raises UnreadablePolicy."""
    try:
        made: Role = iam_backends[ACCOUNT]["aws"].get_role_by_arn(role)
    except NotFoundException as error:
        raise UnreadablePolicy(f"there is no role {role}") from error
    versions = (version for attached in made.managed_policies.values() for version in attached.versions)
    managed = (version.document for version in versions if version.is_default)
    return list(chain.from_iterable(map(policy.read, (*made.policies.values(), *managed))))


def _sessions() -> STSBackend:
    return sts_backends[ACCOUNT]["aws"]


def object_exists(bucket: str, key: str) -> bool:
    """Whether there is an object, or no such bucket."""
    try:
        return s3_backends[ACCOUNT]["aws"].get_object(bucket, key) is not None
    except MissingBucket:
        return True  # the answer to the call says it


def _access_key(environ: Mapping[str, Any]) -> str:
    authorization: str = environ.get("HTTP_AUTHORIZATION", "")
    if not authorization and "X-Amz-Credential" in environ.get("QUERY_STRING", ""):
        credential: str = parse_qs(environ["QUERY_STRING"])["X-Amz-Credential"][0]
        return credential.partition("/")[0]
    return authorization.partition("Credential=")[2].partition("/")[0]


def _service(environ: Mapping[str, Any]) -> str:
    # A request with its signature in the query is one for S3.
    return signed_service(environ.get("HTTP_AUTHORIZATION", "")) or "s3"


def _is_form(environ: Mapping[str, Any]) -> bool:
    return str(environ.get("CONTENT_TYPE", "")).startswith("application/x-www-form-urlencoded")


def _request(environ: dict[str, Any]) -> requests.Request:
    def body() -> bytes:
        """Read the body, and put it back for the service."""
        # -1 reads to the end, which only a body in chunks has.
        length = -1 if environ.get("wsgi.input_terminated") else int(environ.get("CONTENT_LENGTH") or 0)
        sent: bytes = environ["wsgi.input"].read(length)
        environ["wsgi.input"] = BytesIO(sent)
        return sent

    headers = {
        name.removeprefix("HTTP_").replace("_", "-").lower(): value
        for name, value in environ.items()
        if name.startswith("HTTP_")
    }
    path, _, query = str(environ.get("RAW_URI") or environ["PATH_INFO"]).partition("?")
    return requests.Request(environ["REQUEST_METHOD"], path, query, headers, body)
