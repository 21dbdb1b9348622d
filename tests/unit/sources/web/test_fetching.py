"""How a website is asked: never at an address that is not allowed, never longer, more or faster than it may."""

import gzip
import ssl
import time
import zlib
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from docferry.errors import ConfigurationError, SourceUnavailable
from docferry.sources.web import sitemaps
from tests.unit.sources.web.site import Answer, Crawled, Handler, Site, SkippingClock, crawl, send, source, website


class Names:
    """A name server whose answers a test says, one after the other; the last is said for ever."""

    def __init__(self, *answers: list[str]) -> None:
        self._answers = list(answers)
        self.asked: list[str] = []

    def __call__(self, host: str, port: int) -> list[str]:
        """See Resolve."""
        self.asked.append(f"{host}:{port}")
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if not answer:
            raise OSError("Name or service not known")
        return answer


def crawl_by_name(site: Site, names: Names, **settings: object) -> Crawled:
    """Crawl a site under a name that stands for whatever the name server says."""
    port = site.host.rpartition(":")[2]
    made = source(site, **{"start": [f"http://docs.example.com:{port}/"], **settings})
    made.resolve = names
    return Crawled(site, list(made.pages(None)))


class TestAddresses:
    """A page must not send the crawler to a machine that only the crawler can reach."""

    def test_a_private_address_is_not_connected_to(self, site: Site) -> None:
        """The message says which it is, and the setting; the server has heard nothing."""
        site.html("/")
        with pytest.raises(SourceUnavailable, match=r"is 127\.0\.0\.1, which is not a public address; allow_private"):
            crawl(site, allow_private=False)
        assert not site.asked

    @pytest.mark.parametrize(
        "host", ["localhost", "2130706433", "0x7f.1", "127.1", "[::1]", "[::ffff:127.0.0.1]", "0.0.0.0"]
    )
    def test_no_spelling_of_an_address_helps(self, site: Site, host: str) -> None:
        """What counts is the address that would be connected to."""
        port = site.host.rpartition(":")[2]
        with pytest.raises(SourceUnavailable, match=r"is not a public address|is no address of one machine"):
            crawl(site, start=[f"http://{host}:{port}/"], allow_private=False)
        assert not site.asked

    def test_the_metadata_address_is_never_connected_to(self, site: Site) -> None:
        """Not even in a private network."""
        with pytest.raises(SourceUnavailable, match="metadata"):
            crawl(site, start=["http://169.254.169.254/latest/meta-data/"])

    def test_a_name_is_looked_up_once_and_the_address_that_was_checked_is_used(self, site: Site) -> None:
        """The Host header keeps the name."""
        site.html("/")
        names = Names(["127.0.0.1"], ["10.255.255.1"])

        found = crawl_by_name(site, names)

        assert len(found.documents) == 1
        assert len(names.asked) == 1
        assert {headers["Host"] for headers in site.headers} == {names.asked[0]}

    def test_a_name_that_changes_between_check_and_use_is_checked_again(self, site: Site) -> None:
        """A public address for the check and a private one for the use: the second is never connected to."""
        site.html("/")
        names = Names(["169.254.169.254"], ["127.0.0.1"])

        with pytest.raises(SourceUnavailable, match=r"docs\.example\.com is 169\.254\.169\.254"):
            crawl_by_name(site, names)

        assert not site.asked

    def test_a_name_with_a_forbidden_and_an_allowed_address_gets_the_allowed_one(self, site: Site) -> None:
        """Whatever their order."""
        site.html("/")
        assert len(crawl_by_name(site, Names(["169.254.169.254", "127.0.0.1"])).documents) == 1

    def test_a_redirect_is_checked_too(self, site: Site) -> None:
        """The page is allowed, and what it redirects to is not."""
        site.html("/", links=("/a",))
        site.status("/a", 301, Location="http://169.254.169.254/latest/meta-data/")

        found = crawl(site, hosts=[site.host, "169.254.169.254"])

        assert "is 169.254.169.254, which is a link-local or metadata address" in " ".join(found.skipped.values())

    def test_a_redirect_of_robots_txt_is_checked_too(self, site: Site) -> None:
        """It may lead to any host, but to no forbidden address."""
        site.html("/")
        site.status("/robots.txt", 302, Location="http://169.254.169.254/robots.txt")
        with pytest.raises(SourceUnavailable, match="metadata"):
            crawl(site)

    def test_an_unknown_name_fails(self, site: Site) -> None:
        """As a website that is down does."""
        with pytest.raises(SourceUnavailable, match=r"docs\.example\.com is unknown"):
            crawl_by_name(site, Names([]))

    def test_the_next_address_is_tried_when_one_does_not_answer(self, site: Site) -> None:
        """A host may have several."""
        site.html("/")
        assert len(crawl_by_name(site, Names(["::1", "127.0.0.1"])).documents) == 1

    def test_no_proxy_is_taken(self, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
        """It would look up names by itself, and connect to anything."""
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, "http://127.0.0.1:9")
        site.html("/")
        assert len(crawl(site).documents) == 1


class TestTimeAndSize:
    """A page has a time and a size."""

    def test_a_page_that_comes_too_slowly_is_given_up(self, site: Site) -> None:
        """A byte now and then keeps no crawler busy, however long it goes on."""
        site.html("/", links=("/slow", "/late"))

        def body(handler: Handler) -> None:
            handler.send_response(200)
            handler.send_header("Content-Type", "text/html")
            handler.end_headers()
            drip(handler)

        def head(handler: Handler) -> None:
            handler.wfile.write(b"HTTP/1.1 200 OK\r\nX: ")
            drip(handler)

        def drip(handler: Handler) -> None:
            until = time.monotonic() + 20
            while time.monotonic() < until:
                handler.wfile.write(b"x")

        site.answers.update({"/slow": body, "/late": head})
        begun = time.monotonic()

        found = crawl(site, timeout=0.3, max_bytes=50_000_000)

        assert time.monotonic() - begun < 10
        assert set(found.skipped) == {"/slow", "/late"}
        assert found.incomplete

    def test_a_page_that_never_comes_is_given_up(self, site: Site) -> None:
        """The reason names the time."""
        site.html("/", links=("/a",))

        def nothing(handler: Handler) -> None:
            handler.connection.settimeout(20)
            handler.rfile.read(1)  # until the crawler closes the connection
            handler.close_connection = True

        site.answers["/a"] = nothing
        assert crawl(site, timeout=0.2).skipped["/a"] == "did not answer in full within 0.2 seconds"

    def test_a_large_page_is_not_read_to_its_end(self, site: Site) -> None:
        """Whether it says how large it is, or not."""
        site.html("/", links=("/a.txt", "/b.txt"))
        site.put("/a.txt", b"x" * 10_001, "text/plain")

        def endless(handler: Handler) -> None:
            handler.send_response(200)
            handler.send_header("Content-Type", "text/plain")
            handler.end_headers()
            while True:
                handler.wfile.write(b"x" * 10_000)

        site.answers["/b.txt"] = endless
        found = crawl(site, max_bytes=10_000)

        assert found.skipped == {"/a.txt": "is larger than 10,000 bytes", "/b.txt": "is larger than 10,000 bytes"}

    def test_a_page_that_unpacks_to_too_much_is_stopped(self, site: Site) -> None:
        """The cap counts what is unpacked."""
        site.html("/", links=("/a.txt", "/b.txt"))
        for path, size in (("/a.txt", 10_001), ("/b.txt", 10_000)):
            site.put(path, gzip.compress(b"x" * size), "text/plain", Content_Encoding="gzip")

        found = crawl(site, max_bytes=10_000)

        assert found.skipped == {"/a.txt": "is larger than 10,000 bytes"}
        assert found.contents["/b.txt"] == b"x" * 10_000

    @pytest.mark.parametrize("packed", [True, False])
    def test_a_sitemap_of_ten_gigabytes_is_stopped_and_deletes_nothing(
        self, site: Site, monkeypatch: pytest.MonkeyPatch, *, packed: bool
    ) -> None:
        """What came before the cap is read; the listing is incomplete."""
        monkeypatch.setattr(sitemaps, "MOST_BYTES", 200_000)
        site.html("/a")

        def endless(handler: Handler) -> None:
            handler.send_response(200)
            handler.end_headers()
            packer = zlib.compressobj(wbits=31)
            head = f"<urlset><url><loc>{site.url}/a</loc></url>".encode()
            handler.wfile.write(packer.compress(head) if packed else head)
            for _ in range(10_000):
                blanks = b" " * 1_000_000
                handler.wfile.write(packer.compress(blanks) if packed else blanks)

        site.answers["/sitemap.xml"] = endless
        found = crawl(site, sitemaps=[f"{site.url}/sitemap.xml"])

        assert list(found.documents) == ["/a"]
        assert found.incomplete
        assert found.skipped["/sitemap.xml"] == "the sitemap is larger than 200,000 bytes"

    def test_a_page_that_breaks_off_fails(self, site: Site) -> None:
        """Half a page is not indexed."""
        site.html("/", links=("/a", "/b"))

        def half(handler: Handler) -> None:
            handler.send_response(200)
            handler.send_header("Content-Type", "text/html")
            handler.send_header("Content-Length", "1000")
            handler.end_headers()
            handler.wfile.write(b"<p>half")
            handler.close_connection = True

        site.answers["/a"] = half
        site.put("/b", gzip.compress(b"<p>text")[:-9], Content_Encoding="gzip")
        found = crawl(site)

        assert found.skipped["/a"].startswith("cannot be reached")
        assert found.skipped["/b"] == "sent gzip data that breaks off"

    def test_an_encoding_that_was_not_asked_for_fails(self, site: Site) -> None:
        """Its bytes are not taken for the page."""
        site.html("/", links=("/a",))
        site.put("/a", b"?", Content_Encoding="br")
        assert "'br', which was not asked for" in crawl(site).skipped["/a"]

    @pytest.mark.parametrize("answer", [b"", b"\x00" * 100, b"HTTP/1.1 200 OK\r\nX: " + b"x" * 200_000])
    def test_what_is_no_http_fails(self, site: Site, answer: bytes) -> None:
        """Any service may listen on a port."""
        site.html("/", links=("/a",))

        def garbage(handler: Handler) -> None:
            handler.wfile.write(answer)
            handler.close_connection = True

        site.answers["/a"] = garbage
        assert crawl(site).skipped["/a"].startswith("cannot be reached")


class TestPoliteness:
    """A crawler that is welcome tomorrow, too."""

    def test_requests_keep_their_distance(self, site: Site) -> None:
        """At most so many a second to one host."""
        for number in range(5):
            site.html(f"/{number or ''}", links=(f"/{number + 1}",))
        made = source(site, requests_per_second=2)
        clock = made.clock

        list(made.pages(None))

        assert isinstance(clock, SkippingClock)
        assert len(clock.slept) == 6  # robots.txt, five pages and one that is not there: six waits
        assert all(0.3 < seconds <= 0.5 for seconds in clock.slept)

    def test_a_crawl_delay_is_obeyed(self, site: Site) -> None:
        """When it is longer than that of the settings, up to a minute."""
        site.html("/", links=("/a",))
        site.html("/a")
        for said, waited in (("7", 7), ("86400", 60)):
            site.put("/robots.txt", f"User-agent: *\nCrawl-delay: {said}\n", "text/plain")
            made = source(site)
            list(made.pages(None))
            assert isinstance(made.clock, SkippingClock)
            assert round(made.clock.slept[-1]) == waited

    def test_robots_txt_says_what_is_no_part_of_the_source(self, site: Site) -> None:
        """For every robot, or for this one."""
        site.html("/", links=("/private/a", "/b", "/c"))
        for path in ("/private/a", "/b", "/c"):
            site.html(path)
        rules = "User-agent: *\nDisallow: /private\n\nUser-agent: Docferry\nDisallow: /b\n"
        site.put("/robots.txt", rules, "text/plain")

        assert set(crawl(site).documents) == {"/", "/private/a", "/c"}
        assert set(crawl(site, user_agent="Other/1.0").documents) == {"/", "/b", "/c"}
        assert {headers["User-Agent"] for headers in site.headers} == {"Docferry", "Other/1.0"}

    @pytest.mark.parametrize("status", [401, 403, 404])
    def test_without_robots_txt_everything_is_allowed(self, site: Site, status: int) -> None:
        """RFC 9309 says so of every 4xx."""
        site.html("/")
        site.status("/robots.txt", status)
        assert list(crawl(site).documents) == ["/"]

    @pytest.mark.parametrize("status", [500, 503, 429])
    def test_while_robots_txt_cannot_be_read_nothing_is_asked_for(self, site: Site, status: int) -> None:
        """And nothing is deleted."""
        site.html("/")
        first = crawl(site)
        site.taken()
        site.status("/robots.txt", status)
        with pytest.raises(SourceUnavailable, match=rf"robots\.txt answered {status}"):
            crawl(site, first)
        assert not site.taken()

    def test_robots_txt_of_any_size_and_any_bytes_is_read(self, site: Site) -> None:
        """As much of it as has to be."""
        site.html("/", links=("/a",))
        site.html("/a")
        rules = b"\xef\xbb\xbfUser-agent: *\nDisallow: /a\n" + b"\xff\x00#" * 1_000_000
        site.put("/robots.txt", rules, "text/plain")
        assert list(crawl(site).documents) == ["/"]

    @pytest.mark.parametrize("status", [429, 503])
    def test_a_server_that_asks_to_come_later_is_asked_later(self, site: Site, status: int) -> None:
        """After as many seconds, or at the time, that it says."""
        moment = format_datetime(datetime.now(UTC) + timedelta(seconds=30), usegmt=True)
        for said, least, most in (("5", 4, 5), (moment, 25, 30)):
            site.html("/", "text")
            page = site.answers["/"]
            site.answers["/"] = first_then(status, said, page, site)
            made = source(site)
            found = Crawled(site, list(made.pages(None)))
            assert list(found.documents) == ["/"]
            assert isinstance(made.clock, SkippingClock)
            assert least < made.clock.slept[-1] <= most

    @pytest.mark.parametrize("said", ["3600", "", "soon", "-1", "9" * 400])
    def test_a_server_that_asks_to_come_much_later_is_left_alone(self, site: Site, said: str) -> None:
        """Its page stays as it is indexed."""
        site.html("/", links=("/a",))
        site.status("/a", 429, Retry_After=said)
        made = source(site)
        found = Crawled(site, list(made.pages(None)))
        assert "asks for fewer requests" in found.skipped["/a"]
        assert isinstance(made.clock, SkippingClock)
        assert max(made.clock.slept, default=0) < 1

    def test_a_host_that_is_down_is_not_asked_for_every_page(self, site: Site) -> None:
        """The pages stay as they are indexed; now and then one is asked for, in case it is up again."""
        paths = tuple(f"/{number}" for number in range(60))
        site.html("/", links=paths)
        for path in paths:
            site.html(path)
        first = crawl(site)

        def hang_up(handler: Handler) -> None:
            site.asked.append((handler.path, 0))
            handler.close_connection = True

        site.answers.update(dict.fromkeys(paths, hang_up))
        site.taken()
        second = crawl(site, first)

        assert len(second.skipped) == 60
        assert not second.incomplete
        assert len(site.taken()) < 20


class TestHeaders:
    """What a website needs to let the crawler in."""

    def test_headers_go_to_the_hosts_of_the_source_alone(self, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
        """A secret is read when it is needed; a redirect of robots.txt does not carry it away."""
        monkeypatch.setenv("DOCS_TOKEN", "Bearer abc")
        site.html("/")
        port = site.host.rpartition(":")[2]
        site.status("/robots.txt", 302, Location=f"http://localhost:{port}/elsewhere")
        site.put("/elsewhere", "", "text/plain")

        crawl(site, headers={"Authorization": "env:DOCS_TOKEN", "X-Team": "docs"})

        sent = [(headers.get("Authorization"), headers.get("X-Team")) for headers in site.headers]
        assert sent == [("Bearer abc", "docs"), (None, None), ("Bearer abc", "docs")]

    def test_a_secret_that_is_missing_is_named(self, site: Site) -> None:
        """Before anything is asked for."""
        with pytest.raises(ConfigurationError, match="NO_SUCH_VARIABLE"):
            crawl(site, headers={"Authorization": "env:NO_SUCH_VARIABLE"})
        assert not site.asked

    def test_cookies_are_not_kept(self, site: Site) -> None:
        """Every page is that of a visitor who comes for the first time."""
        site.html("/", links=("/a",), Set_Cookie="session=1; Path=/")
        site.html("/a")
        crawl(site)
        assert not [headers for headers in site.headers if "Cookie" in headers]


def first_then(status: int, said: str, page: Answer, site: Site) -> Answer:
    """Answer once with a status, and then with a page."""

    def answer(handler: Handler) -> None:
        site.answers["/"] = page
        send(handler, status, {"Retry-After": said}, b"")

    return answer


class TestTls:
    """The connection goes to an address, and the certificate is that of the name."""

    @pytest.fixture
    def certificate(self, tmp_path: Path) -> Path:
        """A certificate for docs.example.com, which signs itself, with its key."""
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "docs.example.com")])
        made = (
            x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
            .not_valid_before(datetime.now(UTC) - timedelta(days=1))
            .not_valid_after(datetime.now(UTC) + timedelta(days=1))
            .add_extension(x509.SubjectAlternativeName([x509.DNSName("docs.example.com")]), critical=False)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .sign(key, hashes.SHA256())
        )
        private = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        file = tmp_path / "certificate.pem"
        file.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
        return file

    def test_the_certificate_of_the_name_is_asked_for(self, certificate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Under another name, the same server is not believed."""
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        names: list[str | None] = []
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        context.sni_callback = lambda _socket, name, _context: names.append(name)
        with website(context) as site:
            site.html("/")
            port = site.host.rpartition(":")[2]
            found = crawl_by_name(site, Names(["127.0.0.1"]), start=[f"https://docs.example.com:{port}/"])
            with pytest.raises(SourceUnavailable, match="CERTIFICATE_VERIFY_FAILED"):
                crawl_by_name(site, Names(["127.0.0.1"]), start=[f"https://other.example.com:{port}/"])
            assert len(site.taken()) == 1

        assert len(found.documents) == 1
        assert names == ["docs.example.com", "other.example.com"]
