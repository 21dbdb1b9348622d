"""The functions of a connector: each with a role, a log and an environment of its own."""

from collections.abc import Mapping

from aws_cdk import AssetHashType, Duration, RemovalPolicy
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from docferry.config.deployment import Deploy
from docferry.runtime.lambdas import DEPLOYED, FUNCTIONS, Function
from docferry_infra.bundle import Bundle
from docferry_infra.grants import acknowledge, allow, service_role

NO_RESOURCE = "X-Ray's Put actions and EC2's network interfaces have no smaller resource."

# https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html#configuration-vpc-permissions
IN_A_VPC = (
    "ec2:CreateNetworkInterface",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSubnets",
    "ec2:DeleteNetworkInterface",
    "ec2:AssignPrivateIpAddresses",
    "ec2:UnassignPrivateIpAddresses",
)


class Functions(Construct):
    """Every function of ``docferry.runtime.lambdas.DEPLOYED``, by its name."""

    def __init__(
        self,
        scope: Construct,
        name: str,
        *,
        connector: str,
        bundle: Bundle,
        environments: Mapping[str, Mapping[str, str]],
        deploy: Deploy,
    ) -> None:
        super().__init__(scope, name)
        self._connector = connector
        self._deploy = deploy
        self._bundle = bundle
        # The bundle's own digest names the asset, so that ten connectors do not read all of it ten times.
        self._code = lambda_.Code.from_asset(
            str(bundle.path), asset_hash=bundle.digest, asset_hash_type=AssetHashType.CUSTOM
        )
        self.roles: dict[str, iam.Role] = {}
        self.logs: dict[str, logs.LogGroup] = {}
        self.functions = {function.name: self._function(function, environments[function.name]) for function in DEPLOYED}

    def arns(self) -> dict[str, str]:
        """The ARN of each function that the workflow calls, under its placeholder."""
        return {function.placeholder: self.functions[function.name].function_arn for function in FUNCTIONS}

    def _function(self, function: Function, environment: Mapping[str, str]) -> lambda_.Function:
        name = f"docferry-{self._connector}-{function.name}"
        scope = Construct(self, function.name.title().replace("_", ""))
        log = log_group(scope, "Log", f"/aws/lambda/{name}", self._deploy)
        role = service_role(scope, "Role", "lambda.amazonaws.com")
        allow(role, ["logs:CreateLogStream", "logs:PutLogEvents"], [log.log_group_arn])
        deployed = lambda_.Function(
            scope,
            "Function",
            function_name=name,
            description=f"Docferry, connector {self._connector}: {function.name}",
            runtime=lambda_.Runtime(f"python{self._bundle.python}", lambda_.RuntimeFamily.PYTHON),
            architecture=lambda_.Architecture.custom(self._bundle.machine),
            code=self._code,
            handler=function.handler,
            role=role,
            memory_size=function.memory,
            timeout=Duration.seconds(function.timeout),
            environment=dict(environment),
            log_group=log,
            tracing=lambda_.Tracing.ACTIVE,
        )
        acknowledge(role, "AwsSolutions-IAM5[Resource::*]", NO_RESOURCE)
        acknowledge(
            deployed, "AwsSolutions-L1", "The bundle's wheels are of this Python; `make bundle` builds another."
        )
        if function.source:
            self._reach_source(deployed, role)
        self.roles[function.name], self.logs[function.name] = role, log
        return deployed

    def _reach_source(self, function: lambda_.Function, role: iam.Role) -> None:
        """Let a function that calls the source run in the source's VPC, and see its file system."""
        vpc, mount = self._deploy.vpc, self._deploy.mount
        resource = function.node.default_child
        assert isinstance(resource, lambda_.CfnFunction)
        if vpc:
            resource.vpc_config = lambda_.CfnFunction.VpcConfigProperty(
                subnet_ids=list(vpc.subnets), security_group_ids=list(vpc.security_groups)
            )
            allow(role, IN_A_VPC, ["*"], because=NO_RESOURCE)
        if mount:
            resource.file_system_configs = [
                lambda_.CfnFunction.FileSystemConfigProperty(arn=mount.access_point, local_mount_path=mount.path)
            ]
            file_system = f"{mount.access_point.rpartition(':access-point/')[0]}:file-system/*"
            allow(
                role,
                ["elasticfilesystem:ClientMount"],
                [file_system],
                because="The condition names the one access point, which is of one file system.",
                conditions={"StringEquals": {"elasticfilesystem:AccessPointArn": mount.access_point}},
            )


def log_group(scope: Construct, name: str, group: str, deploy: Deploy) -> logs.LogGroup:
    """A log that is kept as long as the connector says, and goes with the stack."""
    log = logs.LogGroup(scope, name, log_group_name=group, removal_policy=RemovalPolicy.DESTROY)
    resource = log.node.default_child
    assert isinstance(resource, logs.CfnLogGroup)
    resource.retention_in_days = deploy.log_retention
    return log
