"""The state bucket of a connector, and the key that encrypts it."""

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from docferry.config.deployment import Deploy
from docferry.runtime.lambdas import Function
from docferry.state.keys import CARRIED, MEMBERS, RUNS, STAGING
from docferry_infra.grants import acknowledge, allow

OWN_KEYS = "The function's own keys in the connector's own bucket; a run makes as many objects as it has shards."
STAGING_DAYS = 7
OLD_VERSION_DAYS = 30


class StateBucket(Construct):
    """The bucket that holds the manifest, the runs, staged content and the inbox."""

    def __init__(self, scope: Construct, name: str, *, deploy: Deploy) -> None:
        super().__init__(scope, name)
        self.key = self._key(deploy)
        self.bucket = s3.Bucket(
            self,
            "Bucket",
            encryption=s3.BucketEncryption.KMS if self.key else s3.BucketEncryption.S3_MANAGED,
            encryption_key=self.key,
            bucket_key_enabled=bool(self.key) or None,
            enforce_ssl=True,
            minimum_tls_version=1.2,
            versioned=True,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            removal_policy=RemovalPolicy.RETAIN,
            lifecycle_rules=[
                expires(RUNS, deploy.run_retention),
                expires(STAGING, STAGING_DAYS),
                expires(CARRIED, STAGING_DAYS),
                # Written anew in every crawl, and read only by the puts of a run.
                expires(MEMBERS, deploy.run_retention),
                s3.LifecycleRule(
                    id="old-versions",
                    noncurrent_version_expiration=Duration.days(OLD_VERSION_DAYS),
                    abort_incomplete_multipart_upload_after=Duration.days(STAGING_DAYS),
                    expired_object_delete_marker=True,
                ),
            ],
        )
        # Not event_bridge_enabled=True: that adds a Lambda function of CDK's own to do what this property does.
        resource = self.bucket.node.default_child
        assert isinstance(resource, s3.CfnBucket)
        resource.add_property_override("NotificationConfiguration.EventBridgeConfiguration.EventBridgeEnabled", True)  # noqa: FBT003  # CDK's signature
        acknowledge(
            self.bucket,
            "AwsSolutions-S1",
            "Every access is by a role of this stack, and CloudTrail has data events for those who want a log of them.",
        )

    def grant(self, role: iam.Role, function: Function) -> None:
        """Allow a function the keys that it reads, writes and deletes, and no other."""
        if function.reads:
            # Without s3:ListBucket S3 answers AccessDenied for a key that does not exist, instead of NoSuchKey.
            allow(role, ["s3:ListBucket"], [self.bucket.bucket_arn])
        for action, keys in (
            ("s3:GetObject", function.reads),
            ("s3:PutObject", function.writes),
            ("s3:DeleteObject", function.deletes),
        ):
            if keys:
                allow(role, [action], [self.bucket.arn_for_objects(key) for key in keys], because=OWN_KEYS)
        if self.key:
            # A multipart upload decrypts its parts to put them together, so who writes decrypts too.
            actions = ["kms:Decrypt", *(["kms:GenerateDataKey"] if function.writes else [])]
            allow(role, actions, [self.key.key_arn])

    def _key(self, deploy: Deploy) -> kms.IKey | None:
        if deploy.kms is None:
            return None
        if deploy.kms == "own":
            return kms.Key(self, "Key", enable_key_rotation=True, removal_policy=RemovalPolicy.RETAIN)
        return kms.Key.from_key_arn(self, "Key", deploy.kms)


def expires(prefix: str, days: int) -> s3.LifecycleRule:
    """Delete objects under a prefix after some days."""
    return s3.LifecycleRule(id=prefix.rstrip("/"), prefix=prefix, expiration=Duration.days(days))
