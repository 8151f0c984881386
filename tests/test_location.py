import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from backupctl.errors import UsageError
from backupctl.location import Location, parse_location_type
from tests import wording

REQUESTED = "sftp://backup.example.com/vcenter"
FOLDER = f"{REQUESTED}/vCenter/sn_vc01.example.com/M_8.0.2.00100_20260301-020000_"

PIECES = st.lists(
    st.sampled_from(
        [
            *["sftp", "smb", "x", "://", ":", "/", "@", "?", "#", "%", "[", "]", "[::1]", "22", "0", "-", ".", " "],
            *["\\", "host", "é", "$", "{", "}", "\n", "\x00", "\udcff", "%0a", "S3cret"],
        ]
    ),
    max_size=9,
).map("".join)


def parsed(text: str, location_type: str | None = None) -> Location:
    return Location.parse(text).of_type(None if location_type is None else parse_location_type(location_type))


def parse_error(text: str, location_type: str | None = None) -> UsageError:
    with pytest.raises(UsageError) as caught:
        parsed(text, location_type)
    return caught.value


def all_texts(error: UsageError) -> str:
    context = error.__context__
    return f"{error.message} {error.hint} {error.details} {error!r} {context!r} {getattr(context, 'hint', '')}"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("sftp://backup.example.com/vcenter", ("SFTP", "backup.example.com", None, "/vcenter")),
        ("sftp://10.78.119.95:2222/backup", ("SFTP", "10.78.119.95", 2222, "/backup")),
        ("sftp://10.0.0.250:/root/backups", ("SFTP", "10.0.0.250", None, "/root/backups")),
        ("nfs://10.10.10.10:/nfs/iso_datastore/vc/", ("NFS", "10.10.10.10", None, "/nfs/iso_datastore/vc/")),
        ("smb://10.30.20.40/F$/Backups", ("SMB", "10.30.20.40", None, "/F$/Backups")),
        ("scp://HOST//path", ("SCP", "host", None, "//path")),
        ("FTP://host", ("FTP", "host", None, "")),
        ("https://[FE80::1]:8443/dav", ("HTTPS", "fe80::1", 8443, "/dav")),
        ("sftp://host/a%20b/c@d", ("SFTP", "host", None, "/a%20b/c@d")),
        ("sftp://höst/später", ("SFTP", "höst", None, "/später")),
    ],
)
def test_url_is_parsed_and_kept_verbatim(text: str, expected: tuple[str, str, int | None, str]) -> None:
    location = parsed(text)
    assert (location.type, location.host, location.port, location.path) == expected
    assert location.text == text


@pytest.mark.parametrize(
    "text", ["10.144.99.5/vcsa-2016", "10.50.5.63/F$/My Backups/x", "[::1]:21/x", "host:2121/x", "host", "ftp/x"]
)
def test_bare_path_with_a_type_is_accepted(text: str) -> None:
    assert parsed(text, "ftp").type == "FTP"


def test_bare_path_without_a_type_asks_for_it() -> None:
    assert "--location-type" in str(parse_error("10.144.99.5/vcsa").hint)


def test_type_that_agrees_with_the_scheme_is_accepted_in_any_case() -> None:
    assert parsed("sftp://host/x", "Sftp").type == "SFTP"


@pytest.mark.parametrize("location_type", ["SCP", "FTP", "SFPT", "S3"])
def test_type_in_conflict_with_the_scheme_is_rejected(location_type: str) -> None:
    assert "sftp://" in parse_error("sftp://host/x", location_type).message


def test_unknown_scheme_without_a_type_names_the_known_ones() -> None:
    error = parse_error("sfpt://host/x")
    assert "sfpt://" in error.message
    assert "sftp scp" in str(error.hint) or "scp sftp" in str(error.hint)


def test_unknown_type_is_accepted_if_given_explicitly() -> None:
    assert parsed("s3://host/x", "s3").type == "S3"
    assert parsed("host/x", "new_type").type == "NEW_TYPE"


@pytest.mark.parametrize("location_type", ["", "a b", "-x", "9P", "a\n", "é"])
def test_type_that_is_no_identifier_is_rejected(location_type: str) -> None:
    with pytest.raises(UsageError, match="location type"):
        parse_location_type(location_type)


@pytest.mark.parametrize(
    "text",
    [
        *["sftp://backup:S3cret@host/x", "sftp://backup@host/x", "backup:S3cret@host/x", "sftp://a:S3cret/b@host/x"],
        *["sftp://a:S3cret?b@host/x", "sftp://a:S3cret#@host/x", "sftp://a:S3c@S3cret@host/x", "nope://a:S3cret@host"],
        *["sftp://a:S3cret b@host/x", "sftp://a:/S3cret b@host/x", "sftp://:S3cret@host", "sftp://-a:S3cret@host"],
    ],
)
def test_credentials_in_a_location_are_rejected_and_not_shown(text: str) -> None:
    error = parse_error(text, None if "://" in text else "SFTP")
    assert "--location-user" in str(error.hint)
    assert "S3cret" not in all_texts(error)


@pytest.mark.parametrize(
    "text", ["\\\\a:S3cret@host\\x", " sftp://a:S3cret@host", "-sftp://a:S3cret@host", "sftp://a:S3cret\n@h"]
)
def test_other_errors_do_not_show_credentials(text: str) -> None:
    assert "S3cret" not in all_texts(parse_error(text))


@pytest.mark.parametrize(
    ("text", "part"),
    [
        *[("", "empty"), ("  ", "empty"), ("-oProxyCommand=x", "start with"), ("sftp://-oProxyCommand=x/y", "host")],
        *[("sftp:///x", "no host"), ("/x", "no host"), ("sftp://:22/x", "no host"), ("sftp://host:0/x", "port")],
        *[("sftp://host:65536/x", "port"), ("sftp://host:22x/x", "port"), ("sftp://host:٢/x", "port")],
        *[("sftp://fe80::1/x", "host or port"), ("sftp://[::1/x", "host or port"), ("sftp://[host]/x", "IPv6")],
        *[("sftp://[fe80::1%eth0]/x", "IPv6"), ("sftp://a b/x", "host name"), ("sftp://a;b/x", "host name")],
        *[("sftp://a..b/x", "too long"), ("sftp://" + "a" * 64 + "/x", "too long")],
        *[("sftp://host/x?y", "'?'"), ("sftp://host/x#y", "'#'"), ("sftp://host/x%0ay", "control")],
        *[("sftp://host/x\ny", "control"), ("sftp://host/x\udcff", "UTF-8"), ("sftp://host/x ", "space")],
        *[("sftp:/host/x", "not a valid URL"), ("sftp://host\\x", "backslash")],
    ],
)
def test_invalid_location_is_rejected(text: str, part: str) -> None:
    assert part in parse_error(text, "SFTP").message


def test_space_in_a_url_is_rejected_with_the_encoded_url() -> None:
    assert parse_error("smb://host/My Share/x").hint == "use smb://host/My%20Share/x"


URL = "use a URL such as sftp://backup.example.com/vcenter"
LOGIN = (
    f"{wording.LOGIN_IN_LOCATION} before an '@'",
    (
        "give the user with --location-user and the password with --location-password-file; "
        "write an '@' in a folder's name as %40"
    ),
)
TYPES = "FTP HTTP FTPS HTTPS SCP SFTP NFS SMB"
BACKSLASH = "the location contains a backslash"
SHARE = "use smb://server/share/folder for a Windows share"


@pytest.mark.parametrize(
    ("text", "location_type", "message", "hint"),
    [
        ("", None, "the location is empty", URL),
        ("x" * 4097, "FTP", wording.LOCATION_TOO_LONG(4097), None),
        ("ftp://h/\n", None, "the location contains a control character (at character 9)", None),
        (
            "-x",
            None,
            wording.STARTS_WITH_DASH("the location"),
            "a tool on the appliance could read it as an option",
        ),
        ("ftp://h/x ", None, "the location starts or ends with a space", None),
        ("\\\\nas\\x", "SMB", BACKSLASH, "use smb://nas/x"),
        ("\\\\X\\x", "SMB", BACKSLASH, "use smb://X/x"),
        ("\\\\nas\\my x", "SMB", BACKSLASH, SHARE),
        ("\\\\u@nas\\x", "SMB", BACKSLASH, SHARE),
        ("nas\\x", "SMB", BACKSLASH, SHARE),
        ("ftp://u@h/x", None, *LOGIN),
        ("ftp://h/a b", None, "the location contains a space", "use ftp://h/a%20b"),
        ("ftp://h/a b", "FTP", "the location contains a space", "use ftp://h/a%20b"),
        (
            "ftp://h/a?b",
            None,
            "the location contains a '?' or '#'",
            "write %3F or %23 if it is part of a name",
        ),
        ("ftp://h/%7f", None, wording.QUOTED_CONTROL_CHARACTER, None),
        ("ftp://h/%7F", None, wording.QUOTED_CONTROL_CHARACTER, None),
        ("ftp://h/%1A", None, wording.QUOTED_CONTROL_CHARACTER, None),
        ("SFTP:/h/x", None, "the location is not a valid URL", "use sftp://host/path"),
        ("/x", "FTP", wording.LOCATION_WITHOUT_HOST, "use sftp://host/x"),
        ("ftp:///x", None, wording.LOCATION_WITHOUT_HOST, None),
        (
            "h/x",
            None,
            wording.LOCATION_WITHOUT_TYPE,
            "use a URL such as sftp://host/path, or add --location-type",
        ),
        (
            "ftp://h/x",
            "scp",
            wording.LOCATION_OF_ANOTHER_TYPE("SCP", "ftp://"),
            "omit --location-type, or change one of them",
        ),
        (
            "x1://h/x",
            None,
            wording.UNKNOWN_SCHEME("x1://"),
            f"use one of {TYPES.lower()}; for a scheme of a newer release, add --location-type",
        ),
        ("h/x", "a b", wording.INVALID_LOCATION_TYPE("a b"), f"use one of {TYPES}"),
    ],
    ids=lambda value: repr(value)[:30].replace("[", "(").replace("\\", "/"),
)
def test_error_has_a_message_and_a_hint(text: str, location_type: str | None, message: str, hint: str | None) -> None:
    error = parse_error(text, location_type)
    assert (error.message, error.hint) == (message, hint)


def test_longest_location_is_accepted() -> None:
    assert len(parsed("ftp://h/" + "x" * 4088).text) == 4096


def test_host_is_normalized_and_a_bare_path_has_no_scheme() -> None:
    assert [Location.parse(text).host for text in ("sftp://HOST./x", "X.Y:1/x")] == ["host", "x.y"]
    assert [Location.parse(text).scheme for text in ("SFTP://h/x", "h/x")] == ["sftp", ""]


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("sftp://backup:22:/vc", wording.WRITE_HOST_AND_PORT),
        ("sftp://10.0.0.5:22:22/vc", wording.WRITE_HOST_AND_PORT),
        ("sftp://abc:22:/vc", wording.WRITE_HOST_AND_PORT),
        ("sftp://fe80::1/vc", wording.WRITE_IPV6_IN_BRACKETS),
        ("sftp://1:2:3:4:5:6:7:8/vc", wording.WRITE_IPV6_IN_BRACKETS),
        ("sftp://[::1/vc", wording.WRITE_IPV6_IN_BRACKETS),
    ],
)
def test_hint_distinguishes_extra_colons_from_an_ipv6_address(text: str, hint: str) -> None:
    assert parse_error(text).hint == hint


def test_windows_share_is_rejected_with_its_url() -> None:
    assert parse_error("\\\\nas\\backup\\vc", "SMB").hint == "use smb://nas/backup/vc"


@settings(max_examples=100, deadline=None)
@given(PIECES, st.sampled_from([None, "SFTP", "smb", "new", ""]))
@example("sftp://[:]", None)
@example("sftp?@", "SFTP")
def test_any_text_is_parsed_or_a_usage_error(text: str, location_type: str | None) -> None:
    failure = None
    try:
        location = parsed(text, location_type)
    except UsageError as error:
        failure = all_texts(error)
    else:
        assert location.text == text
        assert location.is_same_as(Location.reported(text))
        assert not text.startswith("-")
    assert failure is None or "@" not in text or "S3cret" not in failure


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("sftp://host/x", "sftp://host/x"),
        ("sftp://host:22/a@b", "sftp://host:22/a@b"),
        ("sftp://host:/a@b", "sftp://host:/a@b"),
        ("sftp://[::1]:22/a@b", "sftp://[::1]:22/a@b"),
        ("sftp://user@host/x", "sftp://user@host/x"),
        ("sftp://user:pw@host/x", "sftp://user:***@host/x"),
        ("sftp://user:p/w@host/x", "sftp://user:***@host/x"),
        ("sftp://user:p@w@host/x", "sftp://user:***@host/x"),
        ("sftp://user:p:w@host/x", "sftp://user:***@host/x"),
        ("user:pw@host/x", "user:***@host/x"),
        ("", ""),
    ],
)
def test_masked_location_hides_only_the_password(text: str, masked: str) -> None:
    location = Location.reported(text)
    assert (location.text, location.masked, str(location)) == (text, masked, masked)
    assert repr(location) == f"Location({masked!r})"


# Comparison with reported locations


@pytest.mark.parametrize(
    ("location", "requested"),
    [
        (REQUESTED, REQUESTED),
        (FOLDER, REQUESTED),
        (f"{FOLDER}/", REQUESTED),
        (FOLDER, FOLDER),
        (f"{REQUESTED}/", REQUESTED),
        ("SFTP://Backup.Example.COM/vcenter", REQUESTED),
        ("backup.example.com/vcenter", REQUESTED),
        ("backup.example.com:22/vcenter", REQUESTED),
        ("sftp://backup.example.com:22/vcenter", REQUESTED),
        (REQUESTED, "sftp://backup.example.com:22/vcenter"),
        ("nfs://[FE80::1]:2049/vc", "nfs://[fe80::1]/vc"),
        ("ftp://h/a%20b", "ftp://h/a b"),
        ("ftp://h/a//b", "ftp://h/a/b"),
        ("ftp://h:odd:port/x", "ftp://h:odd:port/x"),
        ("ftp://H:odd:port/x", "ftp://h:odd:port/x"),
        ("\\\\backup.example.com\\vcenter", REQUESTED),
        (f"{REQUESTED}\\sn_vc01\\S_8.0.2.00100", REQUESTED),
        ("sftp://backup@backup.example.com/vcenter", REQUESTED),
        ("sftp://backup:p@ss@backup.example.com./vcenter", REQUESTED),
        ("sftp:///backup.example.com/vcenter", REQUESTED),
        ("nfs://[0:0::1]/vc@home", "nfs://[::1]/vc@home"),
        ("ftp://h:0021/x", "ftp://h/x"),
    ],
)
def test_location_contains_a_backup_in_any_spelling(location: str, requested: str) -> None:
    assert Location.reported(requested).contains_backup_at(location)


@pytest.mark.parametrize(
    ("location", "requested"),
    [
        (None, REQUESTED),
        ("ftp://backup.example.com/vcenter", REQUESTED),
        ("sftp://backup.example.com:2222/vcenter", REQUESTED),
        (REQUESTED, "sftp://backup.example.com:2222/vcenter"),
        ("sftp://other.example.com/vcenter", REQUESTED),
        ("sftp://backup.example.com/Vcenter", REQUESTED),
        (f"{REQUESTED}/X", REQUESTED),
        (f"{REQUESTED}X", REQUESTED),
        (f"{REQUESTED}/deeper", REQUESTED),
        (REQUESTED, FOLDER),
        ("ftp://Xh/x", "ftp://h/x"),
        ("ftp://h:odd:port/x", "ftp://h/x"),
        ("ftp://h:99999/x", "ftp://h/x"),
        ("ftp://[h]/x", "ftp://h/x"),
        ("ftp://::1/x", "ftp://[::1]/x"),
        ("new://h/x", "new://h:1/x"),
        ("://backup.example.com/vcenter", REQUESTED),
        ("sftp://backup:p/w@backup.example.com/vcenter", REQUESTED),
        (f"{REQUESTED}/sn_vc01/X_8.0.2.00100", REQUESTED),
        (f"{REQUESTED}/sn_vc01/M_8.0.2.00100/deeper", REQUESTED),
        (f"{REQUESTED}/vCenter", REQUESTED),
    ],
)
def test_location_does_not_contain_a_backup_elsewhere(location: str | None, requested: str) -> None:
    assert not Location.reported(requested).contains_backup_at(location)
