"""Does once what moto repeats for every call and every execution: half of the time of a small run."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import cache, lru_cache
from typing import Any
from unittest.mock import patch

import botocore.context
import jsonpath_ng.ext
from antlr4.RuleContext import RuleContext
from botocore.context import ClientContext
from botocore.useragent import UserAgentString
from moto.core import responses
from moto.core.base_backend import BaseBackend
from moto.stepfunctions.parser.asl.component.common.path import result_path
from moto.stepfunctions.parser.asl.component.state.exec.state_map.item_reader.eval import resource_eval_s3
from moto.stepfunctions.parser.asl.component.state.exec.state_task import lambda_eval_utils
from moto.stepfunctions.parser.asl.parse import asl_parser
from moto.stepfunctions.parser.asl.parse.preprocessor import Preprocessor
from moto.stepfunctions.parser.asl.utils import json_path
from moto.stepfunctions.parser.asl.utils.boto_client import boto_client_for


@lru_cache(maxsize=16)
def tree(definition: str) -> Any:
    """The parsed definition of a state machine. Nothing changes it, so a process parses each text once."""
    stream = asl_parser.InputStream(definition)
    parser = asl_parser.ASLParser(asl_parser.CommonTokenStream(asl_parser.ASLLexer(stream)))
    return parser.state_machine()


@contextmanager
def shortcuts() -> Iterator[None]:
    """Remember URLs and names of operations, parsed definitions, parsed JSON paths, and the interpreter's clients.

    A state machine is still built for each execution, but from the remembered tree of its definition. The nodes of the
    tree remember their texts.
    """
    made = cache(boto_client_for)
    urls = BaseBackend.urls.fget
    assert urls is not None
    known: dict[type[BaseBackend], Any] = {}
    text = RuleContext.getText

    def urls_of(backend: BaseBackend) -> Any:
        kind = type(backend)
        if kind not in known:
            known[kind] = urls(backend)
        return known[kind]

    def parse(definition: str) -> Any:
        parsed = tree(definition)
        return Preprocessor().visit(parsed), parsed

    def text_of(node: Any) -> str:
        if not hasattr(node, "known_text"):
            node.known_text = text(node)
        known_text: str = node.known_text
        return known_text

    def client_for(region: str, service: str, state_credentials: object = None) -> Any:
        del state_credentials  # moto does not use them either
        return made(region, service)

    with ExitStack() as stack:
        stack.enter_context(patch.object(BaseBackend, "urls", property(urls_of)))
        stack.enter_context(patch.object(asl_parser.AmazonStateLanguageParser, "parse", staticmethod(parse)))
        stack.enter_context(patch.object(RuleContext, "getText", text_of))
        for paths in (json_path, result_path, jsonpath_ng.ext):
            stack.enter_context(patch.object(paths, "parse", cache(paths.parse)))
        for name in ("camelcase_to_underscores", "method_names_from_class"):
            stack.enter_context(patch.object(responses, name, cache(getattr(responses, name))))
        for module in (lambda_eval_utils, resource_eval_s3):
            stack.enter_context(patch.object(module, "boto_client_for", client_for))
        yield


@contextmanager
def calls_within() -> Iterator[None]:
    """Make calls cheaper that never leave this process: a tenth of each.

    The user agent is not read, and what botocore copies for each call is a set of texts.
    """

    def copied(context: ClientContext) -> ClientContext:
        return replace(context, features=set(context.features))

    with ExitStack() as stack:
        stack.enter_context(patch.object(botocore.context, "deepcopy", copied))
        stack.enter_context(patch.object(UserAgentString, "to_string", lambda _: "docferry"))
        yield
