"""Fault kinds at points: what goes wrong at a call of a service, or at an invocation of a handler."""

from typing import Any

from botocore.exceptions import ConnectionClosedError

from docferry.state.runs import Run
from tests.faults.points import Call, Died, Point, Proceed, Watch
from tests.faults.stage import Stage
from tests.state_buckets import refused

Items = dict[str, Any]

SERVICE_LIMITS = {"s3": "SlowDown", "stepfunctions": "ThrottlingException"}
SERVER_ERRORS = {"s3": "InternalError", "stepfunctions": "InternalFailure", "kendra": "InternalServerException"}
# How a request lists its documents, how a reply lists those that it did not take, and how both name a document.
DOCUMENTS = {
    "BatchPutDocument": ("Documents", "documents"),
    "BatchDeleteDocument": ("DocumentIdList", "documents"),
    "IngestKnowledgeBaseDocuments": ("documents",),
    "DeleteKnowledgeBaseDocuments": ("documentIdentifiers",),
}


class Fault:
    """Something that goes wrong at a point: the first time that it is reached, or from then on at every attempt."""

    kind = ""
    always = False
    rebuild = False
    """Whether the cure is a rebuild: the run after it refuses the manifest, and says so."""

    def __init__(self, stage: Stage, watch: Watch, point: Point) -> None:
        self.stage = stage
        self.watch = watch
        self.point = point
        self.run = ""
        self.alone = True
        self.struck = 0
        self.problems: list[str] = []

    def hits(self, call: Call) -> bool:
        """Whether the fault is to happen now."""
        at = call.point
        if call.run != self.run or at.site != self.point.site:
            return False
        return at.n >= self.point.n if self.always else at.n == self.point.n

    def strike(self, call: Call, proceed: Proceed) -> Any:
        """Do what shall go wrong, and proceed or not."""
        raise NotImplementedError

    def returned(self, invocation: int) -> None:
        """Called when an invocation of a handler is over."""

    def end(self) -> None:
        """Called when the run has ended, before anything is looked at."""


class CrashBefore(Fault):
    """The process dies before the call."""

    kind = "crash before"

    def strike(self, call: Call, proceed: Proceed) -> Any:  # noqa: ARG002
        """Die."""
        raise Died


class CrashAfter(Fault):
    """The process dies after the call."""

    kind = "crash after"
    error = "Lambda.Unknown"

    def strike(self, call: Call, proceed: Proceed) -> Any:  # noqa: ARG002
        """Proceed, then die."""
        proceed()
        raise Died(self.error)


class CrashBeforeAlways(CrashBefore):
    """Every attempt dies before the call."""

    kind = "crash before, always"
    always = True


class CrashAfterAlways(CrashAfter):
    """Every attempt dies after the call."""

    kind = "crash after, always"
    always = True


class Timeout(CrashAfter):
    """Lambda ends the invocation, which took too long, after the call."""

    kind = "timeout"
    error = "Sandbox.Timedout"


class Duplicate(Fault):
    """The function is invoked twice with one event; the second result counts."""

    kind = "duplicate delivery"

    def strike(self, call: Call, proceed: Proceed) -> Any:  # noqa: ARG002
        """Invoke twice."""
        proceed()
        return proceed()


class LostReply(Fault):
    """The call takes effect, its reply does not arrive."""

    kind = "lost reply"

    def strike(self, call: Call, proceed: Proceed) -> Any:  # noqa: ARG002
        """Proceed, then lose the connection."""
        proceed()
        raise ConnectionClosedError(endpoint_url="https://service.example")


class Resent(Fault):
    """The reply is lost and the client sends the request again, as botocore does with S3."""

    kind = "lost reply, resent"

    def strike(self, call: Call, proceed: Proceed) -> Any:
        """Proceed twice; the client rewinds a body that is a stream."""
        proceed()
        body: Any = call.params.get("Body")
        if hasattr(body, "seek"):
            body.seek(0)
        return proceed()


class Throttle(Fault):
    """The service asks for fewer calls."""

    kind = "throttle"

    def strike(self, call: Call, proceed: Proceed) -> Any:  # noqa: ARG002
        """Refuse the call."""
        raise refused(call.point.operation, SERVICE_LIMITS.get(call.service, "ThrottlingException"), 429)


class ThrottleAlways(Throttle):
    """The service does not take this operation any more, whoever calls it."""

    kind = "throttle, always"
    always = True

    def hits(self, call: Call) -> bool:
        """Also in every other function, once the point was reached."""
        return super().hits(call) or (self.struck > 0 and call.point.operation == self.point.operation)


class ServerError(Fault):
    """The service fails, without an effect."""

    kind = "500"

    def strike(self, call: Call, proceed: Proceed) -> Any:  # noqa: ARG002
        """Refuse the call."""
        raise refused(call.point.operation, SERVER_ERRORS.get(call.service, "InternalServerException"), 500)


class Partial(Fault):
    """The first document of the request is rejected with InternalError, the others are taken."""

    kind = "partial failure"

    def strike(self, call: Call, proceed: Proceed) -> Any:
        """Take the document out, and add it to what failed."""
        name = next(name for name in DOCUMENTS[call.point.operation] if name in call.params)
        documents = call.params[name]
        first, call.params[name] = documents[0], documents[1:]
        try:
            reply: Items = proceed() if documents[1:] else {}
        finally:
            call.params[name] = documents
        if call.service == "kendra":
            failed = {"Id": first if isinstance(first, str) else first["Id"], "ErrorCode": "InternalError"}
            reply.setdefault("FailedDocuments", []).append(failed)
        elif call.service == "bedrock-agent":
            id_ = first["custom"] if "custom" in first else first["content"]["custom"]["customDocumentIdentifier"]
            detail = {"identifier": {"dataSourceType": "CUSTOM", "custom": id_}, "status": "FAILED"}
            reply.setdefault("documentDetails", []).append(detail)
        else:
            failed = {"id": first.get("id") or first.get("documentId"), "error": {"errorCode": "InternalError"}}
            reply.setdefault("failedDocuments", []).append(failed)
        return reply


class PartialAlways(Partial):
    """The first document of every request is rejected with InternalError."""

    kind = "partial failure, always"
    always = True


class Aborted(Fault):
    """The execution is aborted and the janitor runs while the function is at work; the function goes on to its end.

    The janitor runs once more after it, as a rule that delivers at least once lets it.
    """

    kind = "abort in flight"

    def strike(self, call: Call, proceed: Proceed) -> Any:
        """Abort, clean up, proceed."""
        with self.watch.outside():
            self.stage.abort(call.run)
            self.stage.janitor(Run(call.run, self.stage.arn(call.run)))
        return proceed()


class AbortedDead(Fault):
    """The execution is aborted, and the function dies with it after the call."""

    kind = "abort"

    def strike(self, call: Call, proceed: Proceed) -> Any:
        """Proceed, abort, die."""
        proceed()
        with self.watch.outside():
            self.stage.abort(call.run)
        raise Died


class SourceChanges(Fault):
    """Documents of the source are changed, removed and added while the run is at the point."""

    kind = "source changes"

    def strike(self, call: Call, proceed: Proceed) -> Any:  # noqa: ARG002
        """Change one document that is new, one that is not; remove one that changed; add one."""
        self.stage.write("e.txt", "e, but other than it was listed")
        self.stage.write("a.txt", "a, changed late")
        self.stage.remove("b.txt")
        self.stage.write("z.txt", "z, listed by nobody")
        return proceed()
