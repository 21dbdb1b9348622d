"""Reads botocore's data once. Otherwise every boto3 session and every backend of moto reads it again.

The endpoints of AWS are a large file, and to list the services means to look into some 400 folders.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import PurePath
from typing import Any
from unittest.mock import patch

from botocore.loaders import JSONFileLoader, Loader

# Not the models of services: the code that loads a model may change it.
ONCE = frozenset({"endpoints", "partitions"})


@contextmanager
def botocore_data_read_once() -> Iterator[None]:
    """While the block runs, remember the endpoints and the names of the services for the whole process."""
    read, found = JSONFileLoader.load_file, Loader.list_available_services
    remembered = cache(read)
    services: dict[tuple[str, ...], list[str]] = {}

    def load_file(loader: JSONFileLoader, file_path: str) -> Any:
        return remembered(_READER, file_path) if PurePath(file_path).name in ONCE else read(loader, file_path)

    def list_available_services(loader: Loader, type_name: str) -> list[str]:
        where = (type_name, *loader.search_paths)
        if where not in services:
            services[where] = found(loader, type_name)
        return services[where]

    with (
        patch.object(JSONFileLoader, "load_file", load_file),
        patch.object(Loader, "list_available_services", list_available_services),
    ):
        yield


_READER = JSONFileLoader()
