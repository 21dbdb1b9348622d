"""Applications and retrievers."""

from docferry_emulators.backend import Wire, present
from docferry_emulators.errors import QuotaExceeded
from docferry_emulators.qbusiness.base import QBusinessOperations

KEPT = (
    "displayName",
    "roleArn",
    "identityType",
    "iamIdentityProviderArn",
    "clientIdsForOIDC",
    "description",
    "encryptionConfiguration",
    "attachmentsConfiguration",
    "qAppsConfiguration",
    "personalizationConfiguration",
    "quickSightConfiguration",
    "autoSubscriptionConfiguration",
)
RETRIEVER = ("type", "displayName", "configuration", "roleArn")


class ApplicationOperations(QBusinessOperations):
    """Applications and retrievers."""

    def create_application(self, request: Wire) -> Wire:
        """Create an application. It is CREATING at first."""
        backend, resources = self.backend, self.backend.engine.resources

        def create() -> Wire:
            limit = backend.settings.qbusiness_applications
            if resources.count(backend.scope, "application") >= limit:
                raise QuotaExceeded(f"The account has {limit} applications already.", "APPLICATION", "")
            body = {"identityType": "AWS_IAM_IDC"} | {name: request[name] for name in KEPT if name in request}
            created = resources.create(backend.scope, "application", body)
            arn = backend.arn_of(created.id)
            backend.engine.tags.put(arn, request.get("tags", []))
            return {"applicationId": created.id, "applicationArn": arn}

        return resources.once(backend.scope, "CreateApplication", request.get("clientToken"), request, create)

    def get_application(self, request: Wire) -> Wire:
        """Describe an application."""
        found = self.backend.application(request)
        return present(
            applicationId=found.id,
            applicationArn=self.backend.arn_of(found.id),
            **{name: found.body.get(name) for name in KEPT},
            status=found.status,
            createdAt=found.created,
            updatedAt=found.updated,
        )

    def update_application(self, request: Wire) -> Wire:
        """Change an application."""
        resources = self.backend.engine.resources
        found = resources.active(self.backend.scope, "application", request["applicationId"])
        found.body |= {name: request[name] for name in KEPT if name in request}
        resources.save(found)
        return {}

    def delete_application(self, request: Wire) -> Wire:
        """Delete an application and everything in it. It is DELETING at first."""
        self.backend.engine.delete(self.backend.application(request))
        return {}

    def list_applications(self, request: Wire) -> Wire:
        """List the applications."""
        found, token = self.backend.engine.resources.page(
            self.backend.scope, "application", token=request.get("nextToken"), limit=request.get("maxResults", 100)
        )
        items = [
            {
                "displayName": one.body["displayName"],
                "applicationId": one.id,
                "createdAt": one.created,
                "updatedAt": one.updated,
                "status": one.status,
                "identityType": one.body["identityType"],
            }
            for one in found
        ]
        return present(applications=items, nextToken=token)

    def create_retriever(self, request: Wire) -> Wire:
        """Create a retriever, through which searches go."""
        backend, resources = self.backend, self.backend.engine.resources

        def create() -> Wire:
            application = backend.application(request)
            body = {name: request[name] for name in RETRIEVER if name in request}
            if native := request["configuration"].get("nativeIndexConfiguration"):
                backend.index({"applicationId": application.id, "indexId": native["indexId"]})
            created = resources.create(backend.scope, "retriever", body, parent=application.id)
            arn = f"{backend.arn_of(application.id)}/retriever/{created.id}"
            backend.engine.tags.put(arn, request.get("tags", []))
            return {"retrieverId": created.id, "retrieverArn": arn}

        return resources.once(backend.scope, "CreateRetriever", request.get("clientToken"), request, create)

    def get_retriever(self, request: Wire) -> Wire:
        """Describe a retriever."""
        application = self.backend.application(request)
        found = self.backend.engine.resources.get(
            self.backend.scope, "retriever", request["retrieverId"], parent=application.id
        )
        return present(
            applicationId=application.id,
            retrieverId=found.id,
            retrieverArn=f"{self.backend.arn_of(application.id)}/retriever/{found.id}",
            **{name: found.body.get(name) for name in RETRIEVER},
            status=found.status,
            createdAt=found.created,
            updatedAt=found.updated,
        )

    def delete_retriever(self, request: Wire) -> Wire:
        """Delete a retriever."""
        application = self.backend.application(request)
        resources = self.backend.engine.resources
        resources.delete(resources.get(self.backend.scope, "retriever", request["retrieverId"], parent=application.id))
        return {}

    def list_retrievers(self, request: Wire) -> Wire:
        """List the retrievers of an application."""
        application = self.backend.application(request)
        found, token = self.backend.engine.resources.page(
            self.backend.scope,
            "retriever",
            parent=application.id,
            token=request.get("nextToken"),
            limit=request.get("maxResults", 50),
        )
        items = [
            {
                "applicationId": application.id,
                "retrieverId": one.id,
                "type": one.body["type"],
                "status": one.status,
                "displayName": one.body["displayName"],
            }
            for one in found
        ]
        return present(retrievers=items, nextToken=token)
