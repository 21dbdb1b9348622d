"""Turns on EventBridge for a source bucket that the stack does not own.

The CDK's own custom resource does it: it reads the notifications of the bucket, adds EventBridge, and writes them all.
When the stack is deleted, EventBridge stays on: another stack may listen to it.
"""

from aws_cdk import CfnResource, Stack, Token
from aws_cdk import aws_s3 as s3
from constructs import Construct, IConstruct

from docferry_infra.grants import acknowledge

HANDLER = "BucketNotificationsHandler050a0587b7544547bf325f094a3db834"
"""The id of the CDK's function, of which a stack has one."""
LOGS = "It is the CDK's function, whose log group has a name that is known only when it is there."


class Uploads(Construct):
    """EventBridge for a bucket. The function may read and write the notifications of this bucket alone."""

    def __init__(self, scope: Construct, name: str, *, bucket: str) -> None:
        super().__init__(scope, name)
        # The name of the bucket is in the id, so that another bucket is another resource. An update in place would take
        # the ids from the notifications that the new bucket has.
        ours = "Bucket" if Token.is_unresolved(bucket) else f"Bucket-{bucket}"
        source = s3.Bucket.from_bucket_name(self, ours, bucket)
        source.enable_event_bridge_notification()
        resource = source.node.find_child("Notifications").node.find_child("Resource")
        assert isinstance(resource, CfnResource)
        # Otherwise S3 sends a test event to each destination of others, and refuses all when one of them is gone.
        resource.add_property_override("SkipDestinationValidation", True)  # noqa: FBT003  # CDK's signature
        _accept(Stack.of(self).node.find_child(HANDLER))


def _accept(handler: IConstruct) -> None:
    policy = "AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole]"
    acknowledge(handler, policy, LOGS)
    acknowledge(handler, "AwsSolutions-L1", "The CDK chooses the Python that it has tested its function with.")
