"""Lets moto's interpreter call AWS with the role of its state machine. Moto knows the role, and does not use it.

Seen in moto 5.2.5: all calls of the interpreter are made with made-up credentials.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest.mock import patch

from moto.stepfunctions.parser.api import HistoryEventType, TaskFailedEventDetails
from moto.stepfunctions.parser.asl.component.common.error_name.custom_error_name import CustomErrorName
from moto.stepfunctions.parser.asl.component.common.error_name.failure_event import FailureEvent, FailureEventException
from moto.stepfunctions.parser.asl.component.common.error_name.states_error_name import StatesErrorName
from moto.stepfunctions.parser.asl.component.common.error_name.states_error_name_type import StatesErrorNameType
from moto.stepfunctions.parser.asl.component.state.exec.state_map.item_reader.eval.resource_eval_s3 import (
    ResourceEvalS3,
)
from moto.stepfunctions.parser.asl.component.state.exec.state_map.iteration.distributed_iteration_component import (
    DistributedIterationComponent,
)
from moto.stepfunctions.parser.asl.component.state.exec.state_task import lambda_eval_utils
from moto.stepfunctions.parser.asl.eval.event.event_detail import EventDetails

from docferry_laptop.iam.enforcement import Iam
from docferry_laptop.iam.refusals import NotAuthorized

SESSION = "docferry"
"""The name of the session in messages. Step Functions makes up a random one."""

INVOCATION = CustomErrorName("Lambda.AWSLambdaException")
ITEM_READER = StatesErrorName(StatesErrorNameType.StatesItemReaderFailed)
MAP_RUN = StatesErrorName(StatesErrorNameType.StatesPermissions)
"""What Step Functions calls the error when its role may not invoke, read the items of a Map, or start its children."""


@contextmanager
def with_its_role(iam: Iam) -> Iterator[None]:
    """Check what a state machine does with its role: it invokes functions, and reads and runs a Distributed Map."""
    invoke = lambda_eval_utils.execute_lambda_function_integration
    get_object = ResourceEvalS3._handle_get_object  # noqa: SLF001  # moto has no hook
    run = DistributedIterationComponent._map_run  # noqa: SLF001  # same

    def check(env: Any, error: Any, service: str, operation: str, **params: Any) -> None:
        try:
            iam.check(env.aws_execution_details.role_arn, SESSION, service, operation, **params)
        except NotAuthorized as refused:
            raise _failed(env, error, str(refused)) from refused

    def checked_invoke(env: Any, parameters: dict[str, Any], **options: Any) -> None:
        check(env, INVOCATION, "lambda", "Invoke", FunctionName=parameters["FunctionName"])
        invoke(env=env, parameters=parameters, **options)

    def checked_get_object(env: Any, *options: Any) -> None:
        check(env, ITEM_READER, "s3", "GetObject", **env.stack[-1])
        get_object(env, *options)

    def checked_run(component: Any, env: Any, eval_input: Any) -> None:
        machine = env.states.context_object.context_object_data["StateMachine"]["Id"]
        check(env, MAP_RUN, "states", "StartExecution", stateMachineArn=machine)
        run(component, env, eval_input)

    with ExitStack() as stack:
        stack.enter_context(patch.object(lambda_eval_utils, "execute_lambda_function_integration", checked_invoke))
        stack.enter_context(patch.object(ResourceEvalS3, "_handle_get_object", staticmethod(checked_get_object)))
        stack.enter_context(patch.object(DistributedIterationComponent, "_map_run", checked_run))
        yield


def _failed(env: Any, error: Any, cause: str) -> FailureEventException:
    details = TaskFailedEventDetails(error=error.error_name, cause=cause)
    return FailureEventException(
        FailureEvent(
            env=env,
            error_name=error,
            event_type=HistoryEventType.TaskFailed,
            event_details=EventDetails(taskFailedEventDetails=details),
        )
    )
