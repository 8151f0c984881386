"""SSH host keys in ``known_hosts`` files."""

from pathlib import Path

import pytest

from backupctl.targets.known_hosts import KnownKeys, known_keys

HASHED = "|1|F1E1KeoE/eEWhi10WpGv4OdiO6Y=|3988QV0VE8wmZL7suNrYQLITLCg="
"""``192.168.1.61``, as OpenSSH writes it."""

TRUSTED = {
    "backup.example.com ssh-ed25519 KEY": ("backup.example.com", 22),
    "backup.example.com ssh-ed25519 KEY a comment": ("backup.example.com", 22),
    "nas,backup.example.com\tssh-ed25519\tKEY": ("backup.example.com", 22),
    "BACKUP.example.com ssh-ed25519 KEY": ("backup.example.com", 22),
    "*.example.com ssh-ed25519 KEY": ("backup.example.com", 22),
    "backup?.example.com ssh-ed25519 KEY": ("backup1.example.com", 22),
    "[backup.example.com]:2222 ssh-ed25519 KEY": ("backup.example.com", 2222),
    "10.0.0.9 ssh-ed25519 KEY": ("10.0.0.9", 2222),
    "2001:db8::9 ssh-ed25519 KEY": ("2001:db8::9", 22),
    f"{HASHED} ssh-ed25519 KEY": ("192.168.1.61", 22),
    "rubbish\n\n# nas ssh-ed25519 OTHER\n|1|a|b ssh-ed25519 OTHER\n|1 x y\nnas ssh-ed25519 KEY": ("nas", 22),
}
UNKNOWN = {
    "": ("nas", 22),
    "#nas ssh-ed25519 KEY": ("nas", 22),
    "nas ssh-ed25519": ("nas", 22),
    "nas2 ssh-ed25519 KEY": ("nas", 22),
    "[nas]:2222 ssh-ed25519 KEY": ("nas", 22),
    "[nas]:22222 ssh-ed25519 KEY": ("nas", 2222),
    "*,!nas ssh-ed25519 KEY": ("nas", 22),
    "!nas,* ssh-ed25519 KEY": ("nas", 22),
    f"{HASHED} ssh-ed25519 KEY\n": ("192.168.1.62", 22),
    "@cert-authority * ssh-ed25519 KEY": ("nas", 22),
}


@pytest.fixture(autouse=True)
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".ssh").mkdir()
    return tmp_path / ".ssh" / "known_hosts"


@pytest.mark.parametrize(("text", "place"), [*TRUSTED.items(), *UNKNOWN.items()])
def test_line_names_a_host_or_not(file: Path, text: str, place: tuple[str, int]) -> None:
    file.write_text(text)
    assert known_keys(*place).trusted == ({"KEY"} if text in TRUSTED else set())


def test_all_keys_of_a_host_are_found_with_their_types(file: Path) -> None:
    file.write_text(
        "nas ssh-rsa A\nnas ssh-ed25519 B\n[nas]:2222 ssh-rsa C\n@revoked nas ssh-rsa D\n@revoked * ssh-rsa E"
    )
    without_port = KnownKeys(frozenset("AB"), frozenset("DE"), frozenset({"ssh-rsa", "ssh-ed25519"}))
    assert known_keys("nas", 22) == without_port
    assert known_keys("nas", 2222) == KnownKeys(frozenset("C"), frozenset("E"), frozenset({"ssh-rsa"}))
    assert known_keys("nas", 2223) == without_port


def test_missing_file_knows_nothing() -> None:
    assert known_keys("nas", 22) == KnownKeys()
