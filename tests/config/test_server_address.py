import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backupctl.config.server_address import parse_server
from backupctl.errors import UsageError
from tests import wording

PIECES = st.lists(
    st.sampled_from(
        [
            *["https", "http", "://", ":", "/", "@", "?", "[", "]", "::1", "443", "0", "-", ".", " ", "é", "\n"],
            *["vc01", "localhost", "127.0.0.1", "\udcff", "%", "S3cret"],
        ]
    ),
    max_size=8,
).map("".join)


@pytest.mark.parametrize(
    ("text", "base_url", "name"),
    [
        ("vc01.example.com", "https://vc01.example.com", "vc01.example.com"),
        ("VC01.Example.com.", "https://vc01.example.com", "vc01.example.com"),
        ("vc01:5480", "https://vc01:5480", "vc01:5480"),
        ("vc01:443", "https://vc01", "vc01"),
        ("vc01:", "https://vc01", "vc01"),
        ("https://vc01/", "https://vc01", "vc01"),
        ("HTTPS://vc01:8443", "https://vc01:8443", "vc01:8443"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080", "127.0.0.1:8080"),
        ("http://localhost", "http://localhost", "localhost"),
        ("http://[::1]", "http://[::1]", "[::1]"),
        ("::1", "https://[::1]", "[::1]"),
        ("[::1]:443", "https://[::1]", "[::1]"),
        ("[FD00:0::1]:5480", "https://[fd00::1]:5480", "[fd00::1]:5480"),
        ("höst", "https://höst", "höst"),
    ],
)
def test_server_in_any_form_gives_its_url_and_name(text: str, base_url: str, name: str) -> None:
    server = parse_server(text)
    assert (server.base_url, server.name) == (base_url, name)


def test_server_has_host_and_port_apart() -> None:
    server = parse_server("http://[::1]:80")
    assert (server.host, server.port, server.scheme) == ("::1", 80, "http")
    assert server.is_loopback
    assert not parse_server("vc01").is_loopback


@pytest.mark.parametrize(
    ("text", "part"),
    [
        *[
            ("", "empty"),
            ("-vc01", wording.STARTS_WITH_DASH("the server")),
            ("https://-vc01", wording.STARTS_WITH_DASH("the host in the server")),
            ("vc01 ", "space"),
            ("a\tb", "control"),
        ],
        *[("https://vc01/ui", "path"), ("vc01/ui", "path"), ("vc01?x", "path"), ("vc01#x", "path"), ("vc01//", "path")],
        *[
            ("ftp://vc01", "scheme"),
            ("http://vc01", wording.CLEAR_TEXT),
            ("http://127.0.0.1.example.com", wording.CLEAR_TEXT),
        ],
        *[("vc01:0", "port"), ("vc01:99999", "port"), ("vc01:x", "port"), (":443", "no host"), ("https://", "no host")],
        *[
            ("[::1", "host or port"),
            ("[vc01]", "IPv6"),
            ("1::2::3", "IPv6"),
            ("vc01:443:1", "IPv6"),
            ("[::1%eth0]", "IPv6"),
        ],
        *[
            ("a..b", "too long"),
            ("vc01\\x", "path"),
            ("a,b", "host name"),
            ("vc²", "host name"),
            ("{server}", "host name"),
        ],
    ],
)
def test_invalid_server_is_rejected(text: str, part: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_server(text)
    assert part in caught.value.message


@pytest.mark.parametrize(
    "text", ["root:S3cret@vc01", "https://root:S3cret@vc01/", "S3cret@", "-S3cret@vc01", " a:S3cret@vc01"]
)
def test_credentials_in_a_server_are_refused_and_not_shown(text: str) -> None:
    with pytest.raises(UsageError, match="before an '@'") as caught:
        parse_server(text)
    assert "S3cret" not in f"{caught.value!r} {caught.value.hint}"


@settings(max_examples=80, deadline=None)
@given(PIECES)
def test_any_text_is_a_server_or_a_usage_error(text: str) -> None:
    try:
        server = parse_server(text)
    except UsageError:
        return
    assert parse_server(server.name).host == server.host
    assert parse_server(server.base_url) == server
