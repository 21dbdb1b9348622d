"""The text of every content type, and what happens to files that are not what they say."""

import io
import zipfile
from typing import Any

import docx
import pypdf
import pytest
from pypdf.generic import DecodedStreamObject, DictionaryObject, NameObject

from docferry_emulators.engine.extraction import Unreadable, extract
from docferry_emulators.engine.search import BEGIN, END
from tests.unit.emulators.emulated_services import KendraService


def pdf(text: str) -> bytes:
    """A page with one line of text."""
    writer = pypdf.PdfWriter()
    page = writer.add_blank_page(200, 200)
    stream = DecodedStreamObject()
    stream.set_data(f"BT /F1 12 Tf 20 100 Td ({text}) Tj ET".encode())
    font = DictionaryObject(
        {
            NameObject("/Type"): NameObject("/Font"),
            NameObject("/Subtype"): NameObject("/Type1"),
            NameObject("/BaseFont"): NameObject("/Helvetica"),
        }
    )
    fonts = DictionaryObject({NameObject("/F1"): writer._add_object(font)})
    page[NameObject("/Resources")] = DictionaryObject({NameObject("/Font"): fonts})
    page[NameObject("/Contents")] = writer._add_object(stream)
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def word(text: str) -> bytes:
    """A paragraph and a table."""
    document = docx.Document()
    document.add_paragraph(text)
    document.add_table(1, 1).cell(0, 0).text = "cell"
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


def zipped(name: str, xml: str) -> bytes:
    """An Office file with one part."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr(name, xml)
    return out.getvalue()


SLIDE = '<p xmlns:a="urn:a"><a:t>giraffe zebra</a:t></p>'
SHEET = "<sst><si><t>giraffe</t></si><si><t>zebra</t></si></sst>"


@pytest.mark.parametrize(
    ("content_type", "content"),
    [
        (None, b"giraffe zebra"),
        ("PLAIN_TEXT", b"\xef\xbb\xbfgiraffe zebra"),
        ("MD", b"# giraffe\n\n*zebra*"),
        ("HTML", b"<title>giraffe</title><script>lion()</script><style>lion</style><p>zebra"),
        ("XML", b"<a><b>giraffe</b><!-- lion --><c>zebra</c></a>"),
        ("XSLT", b"<x:s xmlns:x='urn:x'>giraffe <b>zebra</b></x:s>"),
        ("CSV", b'name,animal\n1,"giraffe, zebra"\n'),
        ("JSON", b'{"giraffe": [1, null, {"x": "zebra"}]}'),
        ("RTF", rb"{\rtf1{\fonttbl{\f0 lion;}}giraffe\par {\*\x lion}z\'65bra \u252?}"),
        ("PDF", pdf("giraffe zebra")),
        ("MS_WORD", word("giraffe zebra")),
        ("PPT", zipped("ppt/slides/slide1.xml", SLIDE)),
        ("MS_EXCEL", zipped("xl/sharedStrings.xml", SHEET)),
    ],
)
def test_every_content_type_has_its_text(content_type: str | None, content: bytes) -> None:
    """The words are found, markup and what is not shown are not."""
    words = extract(content_type, content)
    assert "giraffe" in words
    assert "zebra" in words
    assert "lion" not in words


@pytest.mark.parametrize(
    "content_type", ["PDF", "MS_WORD", "PPT", "MS_EXCEL", "RTF", "JSON", "PLAIN_TEXT", "HTML", "CSV"]
)
def test_files_that_are_not_what_they_say(content_type: str) -> None:
    """Are unreadable, with a reason, whatever the parser raised."""
    with pytest.raises(Unreadable):
        extract(content_type, b"\xff\xfe\x00garbage\x80")


@pytest.mark.parametrize("content_type", ["HTML", "PLAIN_TEXT", "MD", "CSV", "XML"])
def test_nothing_is_text_too(content_type: str) -> None:
    """An empty file is no broken file."""
    assert extract(content_type, b"") == ""


def test_control_characters_never_reach_the_index() -> None:
    """The marks of the highlighter are two of them."""
    assert extract("PLAIN_TEXT", f"a{BEGIN}b{END}c\x00d\te\n".encode()) == "a b c d\te\n"


def test_an_unreadable_document_is_failed_with_the_reason(kendra: KendraService) -> None:
    """It is accepted, because nobody looks at content before."""
    kendra.sync({"Id": "a", "Blob": b"no pdf", "ContentType": "PDF"})
    found = kendra.client.batch_get_document_status(IndexId=kendra.index, DocumentInfoList=[{"DocumentId": "a"}])
    status = found["DocumentStatusList"][0]
    assert status["DocumentStatus"] == "FAILED"
    assert status["FailureCode"] == "InvalidRequest"
    assert "PDF" in status["FailureReason"]


def test_inline_enrichment(kendra: KendraService) -> None:
    """Attributes are set, changed and taken away before anything is checked; Lambda hooks are not emulated."""
    kendra.declare(city="STRING_VALUE", people="LONG_VALUE")

    def condition(key: str, operator: str, **value: object) -> dict[str, object]:
        return {"ConditionDocumentAttributeKey": key, "Operator": operator, "ConditionOnValue": value}

    def target(key: str, **value: object) -> dict[str, object]:
        return {"TargetDocumentAttributeKey": key, "TargetDocumentAttributeValue": value}

    steps = [
        {"Target": target("city", StringValue="Bern")},
        {
            "Condition": condition("city", "BeginsWith", StringValue="Be"),
            "Target": target("people", LongValue=1),
        },
        {
            "Condition": condition("people", "GreaterThan", LongValue=5),
            "Target": target("city", StringValue="wrong"),
        },
        {"Target": {"TargetDocumentAttributeKey": "undeclared", "TargetDocumentAttributeValueDeletion": True}},
        {"Condition": condition("city", "NotContains", StringValue="x"), "DocumentContentDeletion": True},
    ]
    attributes = [{"Key": "undeclared", "Value": {"StringValue": "x"}}]
    document = kendra.document("a", "giraffe", Title="zebra", Attributes=attributes)
    enrichment: dict[str, Any] = {"CustomDocumentEnrichmentConfiguration": {"InlineConfigurations": steps}}
    assert kendra.put(document, **enrichment) == []
    kendra.settle()
    assert kendra.search("giraffe") == []
    item = kendra.client.query(IndexId=kendra.index, QueryText="zebra")["ResultItems"][0]
    values = {attribute["Key"]: attribute["Value"] for attribute in item["DocumentAttributes"]}
    assert values == {"city": {"StringValue": "Bern"}, "people": {"LongValue": 1}}
