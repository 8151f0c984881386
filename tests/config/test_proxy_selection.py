import pytest

from backupctl.config.proxy_selection import find_proxy
from backupctl.config.server_address import parse_server
from backupctl.errors import ConfigError, UsageError
from tests import wording

STANDARD = {"HTTPS_PROXY": "http://proxy.example.com:3128"}


def selected_proxy(server: str, environ: dict[str, str], given: str | None = None) -> tuple[str | None, str]:
    found = find_proxy(parse_server(server), () if given is None else (given,), environ)
    return (found.value.url.reveal() if found.value else None), str(found.source)


def test_proxy_without_settings_is_none() -> None:
    assert selected_proxy("vc01", {}) == (None, "default")


@pytest.mark.parametrize(
    ("environ", "given", "expected"),
    [
        (STANDARD, None, ("http://proxy.example.com:3128", "environment HTTPS_PROXY")),
        ({**STANDARD, "https_proxy": "low:1"}, None, ("http://low:1", "environment https_proxy")),
        ({"ALL_PROXY": "https://all:1/"}, None, ("https://all:1", "environment ALL_PROXY")),
        ({**STANDARD, "BACKUPCTL_PROXY": "ours:1"}, None, ("http://ours:1", "environment BACKUPCTL_PROXY")),
        ({**STANDARD, "BACKUPCTL_PROXY": "none"}, None, (None, "environment BACKUPCTL_PROXY")),
        ({**STANDARD, "BACKUPCTL_PROXY": "ours:1"}, "[::1]:8080", ("http://[::1]:8080", "flag --proxy")),
        ({**STANDARD, "BACKUPCTL_PROXY": "ours:1"}, "none", (None, "flag --proxy")),
    ],
)
def test_proxy_is_selected_by_precedence(
    environ: dict[str, str], given: str | None, expected: tuple[str | None, str]
) -> None:
    assert selected_proxy("vc01", environ, given) == expected


@pytest.mark.parametrize(
    ("server", "exceptions", "is_straight"),
    [
        *[("vc01.example.com", "example.com", True), ("vc01.example.com", ".example.com", True)],
        *[("vc01.example.com", "other, VC01.EXAMPLE.COM", True), ("vc01.example.com", "*.example.com", True)],
        *[("vc01.example.com", "ample.com", False), ("vc01.example.com", "", False), ("vc01", "*", True)],
        *[("vc01:5480", "vc01:5480", True), ("vc01:5480", "vc01:443", False), ("vc01", "vc01:443", True)],
        *[("10.1.2.3", "10.0.0.0/8", True), ("11.1.2.3", "10.0.0.0/8", False), ("10.1.2.3", "10.1.2.3", True)],
        *[("[fd00::5]", "fd00::/8", True), ("[fd00::5]:443", "[fd00::5]:443", True), ("[fd00::5]", "fd00::5", True)],
        *[("vc01", "nonsense/99,,.", False), ("127.0.0.1:8443", "", True), ("localhost", "", True)],
    ],
)
def test_no_proxy_exceptions_are_honoured(server: str, exceptions: str, is_straight: bool) -> None:
    assert (selected_proxy(server, {**STANDARD, "NO_PROXY": exceptions})[0] is None) == is_straight


def test_given_proxy_is_used_for_every_host() -> None:
    environ = {"BACKUPCTL_PROXY": "ours:1", "NO_PROXY": "*"}
    assert selected_proxy("127.0.0.1", environ)[0] == "http://ours:1"


def test_credentials_of_a_proxy_are_kept_but_not_shown() -> None:
    found = find_proxy(parse_server("vc01"), (), {"HTTPS_PROXY": "http://me:S3cret@proxy:3128"}).value
    assert found is not None
    assert found.url.reveal() == "http://me:S3cret@proxy:3128"
    assert found.shown == "http://proxy:3128"
    assert "S3cret" not in repr(found)


def test_credentials_of_a_proxy_on_the_command_line_are_refused() -> None:
    with pytest.raises(UsageError, match=r"^--proxy: ") as caught:
        find_proxy(parse_server("vc01"), ["http://me:S3cret@proxy:3128"], {})
    assert "S3cret" not in f"{caught.value!r} {caught.value.hint}"


@pytest.mark.parametrize(
    "text",
    ["socks5://me:S3cret@p:1", "http://me:S3/cret@p:1", "http://me:S3cret@p:x", "http://me:S3cret@", "S3cret p:1"],
)
def test_invalid_proxy_is_an_error_that_does_not_show_it(text: str) -> None:
    with pytest.raises(ConfigError, match=r"^HTTPS_PROXY: ") as caught:
        selected_proxy("vc01", {"HTTPS_PROXY": text})
    assert "cret" not in f"{caught.value!r} {caught.value.hint}"


def test_server_without_tls_uses_no_proxy() -> None:
    environ = {**STANDARD, "BACKUPCTL_PROXY": "http://ours:1"}
    assert selected_proxy("http://127.0.0.1:8080", environ) == (None, "default")
    assert selected_proxy("http://127.0.0.1:8080", environ, "none") == (None, "default")
    with pytest.raises(UsageError, match=f"^{wording.NO_PROXY_TO_LOOPBACK}http://127"):
        selected_proxy("http://127.0.0.1:8080", {}, "http://proxy:1")
