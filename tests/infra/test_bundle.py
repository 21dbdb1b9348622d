"""The bundle: the same input gives the same bytes, with what the functions need and nothing else."""

import subprocess
import sys
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from docferry import sources
from docferry.errors import ConfigurationError
from docferry.runtime.assets import HANDLERS, PACKAGE
from docferry.runtime.lambdas import DEPLOYED
from docferry_infra import wheels
from docferry_infra.bundle import LAPTOP_ONLY, Bundle, bundle, code, digest, find_interpreter
from docferry_infra.wheels import LAMBDA, SERVICES, Target, here
from tests.servers import Reply, Request, as_json, serving

MEMBERS = {
    "thing/__init__.py": "VALUE = 42\n",
    "thing/__init__.pyi": "VALUE: int\n",
    "thing-1.0.data/purelib/thing/more.py": "MORE = 1\n",
    "thing-1.0.data/scripts/thing": "#!python\n",
    "thing-1.0.dist-info/METADATA": "Name: thing\n",
    "thing-1.0.dist-info/RECORD": "",
    "botocore/data/kendra/2019-02-03/service-2.json": "{}",
    "botocore/data/ec2/2016-11-15/service-2.json": "{}",
    "botocore/data/endpoints.json": "{}",
    "boto3/data/ec2/resources-1.json": "{}",
}


class Index:
    """A package index with one wheel; counts how often it is asked."""

    def __init__(self) -> None:
        self.asked: list[list[str]] = []

    def download(self, requirements: Sequence[str], target: Target, folder: Path) -> None:
        """Put the wheel of ``thing``, and of each extra, into a folder."""
        del target
        self.asked.append(list(requirements))
        for requirement in requirements:
            name = requirement.partition("==")[0]
            with zipfile.ZipFile(folder / f"{name}-1.0-py3-none-any.whl", "w") as wheel:
                for member, text in MEMBERS.items():
                    wheel.writestr(member.replace("thing", name), text)


@pytest.fixture
def functions(tmp_path: Path) -> Path:
    """A small folder of functions."""
    folder = tmp_path / "functions"
    (folder / "docferry").mkdir(parents=True)
    (folder / "requirements.txt").write_text("# what the bundle carries\nthing==1.0  # pinned\n")
    (folder / "requirements-web.txt").write_text("scraper==1.0\n")
    (folder / "crawl.py").write_text("import thing\n\ndef handler(event, context):\n    return thing.VALUE\n")
    (folder / "docferry" / "__init__.py").write_text("")
    (folder / "docferry" / "config").mkdir()
    (folder / "docferry" / "config" / "connectors.py").write_text("import yaml\n")
    (folder / "docferry" / "__pycache__").mkdir()
    (folder / "docferry" / "__pycache__" / "old.cpython-311.pyc").write_bytes(b"old")
    return folder


def files(built: Bundle) -> set[str]:
    """What is in a bundle, but for bytecode."""
    return {
        file.relative_to(built.path).as_posix()
        for file in built.path.rglob("*")
        if file.is_file() and file.suffix != ".pyc"
    }


def test_a_bundle_has_the_code_and_the_libraries(functions: Path, tmp_path: Path) -> None:
    """Wheels as pip would install them, without scripts, stubs, records, and models of services that nobody calls."""
    built = bundle(
        "s3", here(), handlers=functions, package=functions / "docferry", build=tmp_path, download=Index().download
    )

    assert files(built) == {
        "crawl.py",
        "docferry/__init__.py",
        "thing/__init__.py",
        "thing/more.py",
        "thing-1.0.dist-info/METADATA",
        "botocore/data/kendra/2019-02-03/service-2.json",
        "botocore/data/endpoints.json",
    }


def test_the_same_input_gives_the_same_bytes(functions: Path, tmp_path: Path) -> None:
    """Built twice, in two places: names, content, bytecode, digest."""
    one, two = (
        bundle(
            "s3",
            here(),
            handlers=functions,
            package=functions / "docferry",
            build=tmp_path / name,
            download=Index().download,
        )
        for name in ("one", "elsewhere")
    )

    assert one.path != two.path
    assert one.digest == two.digest == digest(one.path) == digest(two.path)
    assert list(one.path.rglob("*.pyc"))


def test_another_input_gives_another_digest(functions: Path, tmp_path: Path) -> None:
    """Changed code is deployed."""
    before = bundle(
        "s3", here(), handlers=functions, package=functions / "docferry", build=tmp_path, download=Index().download
    )
    (functions / "crawl.py").write_text("handler = print\n")

    after = bundle(
        "s3", here(), handlers=functions, package=functions / "docferry", build=tmp_path, download=Index().download
    )

    assert after.digest != before.digest


def test_a_bundle_is_built_once_and_its_wheels_are_downloaded_once(functions: Path, tmp_path: Path) -> None:
    """The second time needs no network; changed code needs none either."""
    index = Index()
    bundle("s3", here(), handlers=functions, package=functions / "docferry", build=tmp_path, download=index.download)
    bundle("s3", here(), handlers=functions, package=functions / "docferry", build=tmp_path, download=index.download)
    (functions / "crawl.py").write_text("handler = print\n")
    bundle("s3", here(), handlers=functions, package=functions / "docferry", build=tmp_path, download=index.download)

    assert index.asked == [["thing==1.0"]]


def test_only_the_extras_of_the_source_are_in_it(functions: Path, tmp_path: Path) -> None:
    """Connectors whose sources need the same share a bundle."""
    index = Index()
    web, s3, plain = (
        bundle(
            kind, here(), handlers=functions, package=functions / "docferry", build=tmp_path, download=index.download
        )
        for kind in ("web", "s3", "files")
    )

    assert "scraper/__init__.py" in files(web)
    assert "scraper/__init__.py" not in files(s3)
    assert s3 == plain
    assert index.asked == [["thing==1.0"], ["scraper==1.0"]]


def test_bytecode_is_taken_without_a_look_at_the_source(functions: Path, tmp_path: Path) -> None:
    """Lambda's code folder is read-only: bytecode that is missing would be made anew at each cold start."""
    built = bundle(
        "s3", here(), handlers=functions, package=functions / "docferry", build=tmp_path, download=Index().download
    )
    (compiled,) = built.path.glob("__pycache__/crawl.*.pyc")

    flags = int.from_bytes(compiled.read_bytes()[4:8], "little")

    assert built.compiled
    assert flags == 0b01  # PEP 552: hash-based, and not checked
    assert b"/var/task/crawl.py" in compiled.read_bytes()


def test_a_foreign_python_that_is_not_here_leaves_the_source_alone(functions: Path, tmp_path: Path) -> None:
    """It works all the same, and the bundle says that it is slow to start."""
    built = bundle(
        "s3",
        Target("3.99", "arm64"),
        handlers=functions,
        package=functions / "docferry",
        build=tmp_path,
        download=Index().download,
    )

    assert not built.compiled
    assert not list(built.path.rglob("*.pyc"))
    assert find_interpreter("3.99") is None


def test_a_wheel_that_leads_out_of_its_folder_is_refused(tmp_path: Path) -> None:
    """A name with dots in it would be written anywhere."""
    bad = tmp_path / "bad-1.0-py3-none-any.whl"
    with zipfile.ZipFile(bad, "w") as wheel:
        wheel.writestr("../outside.py", "")

    with pytest.raises(ValueError, match="leads out of the wheel"):
        wheels.unpack([bad], tmp_path / "content")


def test_the_wheels_are_those_of_lambda() -> None:
    """Python 3.13 on Graviton, with the glibc of Amazon Linux 2023 at most."""
    assert (LAMBDA.python, LAMBDA.machine) == ("3.13", "arm64")
    assert all(platform.endswith("_aarch64") for platform in LAMBDA.platforms)


def test_what_only_a_laptop_needs_stays_there() -> None:
    """The functions carry no yaml; no module that they have imports one that they lack."""
    bundled = dict(code(HANDLERS, PACKAGE))

    assert not [name for name in bundled if name.startswith(LAPTOP_ONLY)]
    for name, file in bundled.items():
        text = file.read_text(encoding="utf-8")
        for folder in LAPTOP_ONLY:
            assert f"from {folder.replace('/', '.').removesuffix('.')}" not in text, name


OWN = """
import msgspec, helper
from docferry.sources import Record, Records

class Letters(Records):
    class Settings(msgspec.Struct, forbid_unknown_fields=True):
        count: int
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder with a source of its own, and modules beside it."""
    folder = tmp_path / "project"
    (folder / "parts").mkdir(parents=True)
    (folder / "own_letters.py").write_text(OWN)
    (folder / "helper.py").write_text("from parts import one\n")
    (folder / "parts" / "__init__.py").write_text("one = 1\n")
    (folder / "parts" / "words.txt").write_text("words\n")
    (folder / "other.py").write_text("nobody imports it\n")
    (folder / "requirements.txt").write_text("docferry[deploy]==0.1.0\naws-cdk-lib\nletterbox>=1.0\n")
    monkeypatch.syspath_prepend(folder)
    names = ("own_letters", "helper", "parts", "crawl")
    for name in names:
        monkeypatch.delitem(sys.modules, name, raising=False)
    yield folder
    for name in names:
        sys.modules.pop(name, None)


def test_a_source_of_ones_own_is_in_the_bundle(project: Path, functions: Path, tmp_path: Path) -> None:
    """With the modules beside it that it imports, and with what requirements.txt names for it."""
    del project
    index = Index()
    built = bundle(
        "own_letters:Letters",
        here(),
        handlers=functions,
        package=functions / "docferry",
        build=tmp_path,
        download=index.download,
        resolve=index.download,
    )

    own = {"own_letters.py", "helper.py", "parts/__init__.py", "parts/words.txt"}
    assert own <= files(built)
    assert "other.py" not in files(built)
    assert index.asked[1] == ["letterbox>=1.0", "thing==1.0"]


def test_a_source_of_ones_own_takes_the_place_of_nothing(project: Path, functions: Path, tmp_path: Path) -> None:
    """A module named after a handler would run in its place."""
    (project / "own_letters.py").write_text(OWN.replace("helper", "crawl"))
    (project / "crawl.py").write_text("")

    with pytest.raises(ConfigurationError, match=r"crawl\.py has the name of a module of Docferry's functions"):
        bundle("own_letters:Letters", here(), handlers=functions, package=functions / "docferry", build=tmp_path)


@pytest.fixture(scope="module", params=sorted(sources.KINDS))
def real(request: pytest.FixtureRequest) -> Bundle:
    """The real bundle for this machine, that ``make bundle`` has built."""

    def refuse(*_: object) -> None:
        pytest.fail("the bundle is not built: run `make bundle`")

    return bundle(request.param, here(), download=refuse)


def run(built: Bundle, program: str) -> str:
    """Run a program that has the bundle and the standard library, and nothing else of this machine."""
    ended = subprocess.run(
        [sys.executable, "-I", "-S", "-c", f"import sys; sys.path.insert(0, sys.argv[1])\n{program}", str(built.path)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def test_every_handler_is_imported_from_the_bundle(real: Bundle) -> None:
    """No library is missing."""
    program = "\n".join(f"import {function.name}; assert callable({function.handler})" for function in DEPLOYED)

    run(real, program)


def test_every_source_and_index_is_imported_from_its_bundle(real: Bundle) -> None:
    """The lazy ones too."""
    kinds = [kind for kind in sources.KINDS if bundle(kind, here()).digest == real.digest]
    program = "from docferry import indexes, sources\n" + "\n".join(
        [f"sources.source_class({kind!r})" for kind in kinds]
        + ["[indexes.index_class(kind) for kind in indexes.KINDS]"]
    )

    run(real, program)


def test_an_api_is_read_from_its_bundle() -> None:
    """What dlt imports when it is at work is there."""
    program = (
        "import msgspec\n"
        "from docferry.sources.records.http import Http, HttpSettings\n"
        "document = {'id': 'id', 'content': 'body', 'content_type': 'HTML'}\n"
        "paginator = {'type': 'offset', 'limit': 1}\n"
        "written = {'base_url': %r, 'resource': 'articles', 'records': 'items', 'paginator': paginator}\n"
        "settings = msgspec.convert({**written, 'document': document}, HttpSettings)\n"
        "source = Http(connector='kb', settings=settings, clients=None)\n"
        "print(sum(len(page.contents) for page in source.pages(None)))"
    )

    def articles(request: Request) -> Reply:
        offset = int(request.query["offset"])
        return as_json({"items": [{"id": offset, "body": "text"}], "total": 3})

    with serving(articles) as server:
        assert run(bundle("http", here()), program % server.url).strip() == "3"


def test_the_clients_that_the_functions_use_are_built_from_the_bundle(real: Bundle) -> None:
    """The models, endpoints and defaults that botocore reads are there; those of other services are not."""
    program = (
        "import boto3, zstandard\n"
        f"for service in {sorted(SERVICES)!r}:\n"
        "    print(boto3.client(service, region_name='eu-west-1').meta.endpoint_url)\n"
        "print(sorted(boto3.Session().get_available_services()))"
    )

    *endpoints, services = run(real, program).splitlines()

    assert all(endpoint.startswith("https://") and "eu-west-1" in endpoint for endpoint in endpoints)
    assert services == str(sorted(SERVICES))


def test_the_bundle_is_far_below_the_limit_of_lambda(real: Bundle) -> None:
    """250 MB unpacked; and every MB is loaded at each cold start."""
    size = sum(file.stat().st_size for file in real.path.rglob("*") if file.is_file())

    assert size < (60_000_000 if real in [bundle(kind, here()) for kind in ("files", "s3")] else 250_000_000)
