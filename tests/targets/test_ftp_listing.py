"""Listings of FTP servers, line by line."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backupctl.targets.ftp_listing import parse_list
from backupctl.targets.target import TargetEntry, is_plain_name

Expected = tuple[str, str, int | None]

LIST: list[tuple[str, Expected]] = [
    # vsftpd
    ("drwxr-xr-x    2 1000     1000         4096 Mar 01 02:00 vCenter", ("vCenter", "folder", None)),
    ("-rw-r--r--    1 1000     1000   2147483648 Mar 01  2025 large", ("large", "file", 2147483648)),
    ("-rw-r--r--    1 0        0            2048 Mar 01 02:00 with blanks in it", ("with blanks in it", "file", 2048)),
    ("-rw-r--r--    1 0        0            2048 Mar 01 02:00  leading blank", (" leading blank", "file", 2048)),
    ("-rw-r--r--    1 0        0            2048 Mar 01 02:00 trailing ", ("trailing ", "file", 2048)),
    ("-rw-r--r--    1 0        0               4 Mar 01 02:00 a -> b", ("a -> b", "file", 4)),
    ("-rw-r--r--    1 0        0               4 Mar 01 02:00 5 Mar 01 02:00 x", ("5 Mar 01 02:00 x", "file", 4)),
    ("-rw-r--r--    1 0        0               4 Mar 01 02:00 2026 report", ("2026 report", "file", 4)),
    ("lrwxrwxrwx    1 0        0               3 Mar 01 02:00 link -> sub", ("link", "other", None)),
    # ProFTPD and Pure-FTPd
    ("-rw-r--r--   1 ftp      ftp            14 Mar  1 02:00 M_8.0.2_x=", ("M_8.0.2_x=", "file", 14)),
    ("-rw-r--r--    1 1000       users              33 Mar  1 02:00 name", ("name", "file", 33)),
    ("drwxr-sr-t+   1 ftp      ftp            14 Mar  1 02:00 acl", ("acl", "folder", None)),
    ("-rw-r--r--.   1 ftp      ftp            14 Mar  1 02:00 selinux", ("selinux", "file", 14)),
    # numbers beside the size, fewer columns, and groups with blanks
    ("-rw-r--r-- 1 0 0 4096 Mar 1 02:00 x", ("x", "file", 4096)),
    ("-rw-r--r-- 1 root 0 2048 Mar 1 2026 x", ("x", "file", 2048)),
    ("-rw-r--r--   1 ftp 1024 Mar  1 02:00 no group", ("no group", "file", 1024)),
    ("drwxrwxr-x               folder        2 May 10  1996 network", ("network", "folder", None)),
    ("-rwxrwxrwx   1 owner    Domain Users     123 Mar  1  2:00 iis", ("iis", "file", 123)),
    # other forms of dates
    ("-rw-r--r--   1 ftp ftp 7 1 Mar 2026 day first", ("day first", "file", 7)),
    ("-rw-r--r--   1 ftp ftp 7 2026-03-01 02:00 iso", ("iso", "file", 7)),
    ("-rw-r--r--   1 ftp ftp 7 03-01 02:00 short iso", ("short iso", "file", 7)),
    ("-rw-r--r--   1 ftp ftp 7 2026-03-01 02:00:00.000000000 +0100 full iso", ("full iso", "file", 7)),
    ("-rw-r--r--   1 ftp ftp 7 Mar  1 02:00:00 2026 seconds", ("seconds", "file", 7)),
    # not files
    ("crw-rw----    1 root     tty        4,   1 Mar 01 02:00 tty1", ("tty1", "other", None)),
    ("prw-rw----    1 root     tty             0 Mar 01 02:00 pipe", ("pipe", "other", None)),
    # IIS, and other servers on Windows
    ("03-01-26  02:00AM       <DIR>          vCenter", ("vCenter", "folder", None)),
    ("03-01-26  02:00AM       <DIR>           leading blank", (" leading blank", "folder", None)),
    ("03-01-26  02:00AM                 1024 with blanks", ("with blanks", "file", 1024)),
    ("03-01-2026  02:00AM                 1024  leading", (" leading", "file", 1024)),
    ("03-01-2026  14:00              1,048,576 commas", ("commas", "file", 1048576)),
    ("2026-03-01  02:00    <DIR>          iso", ("iso", "folder", None)),
    ("03-01-26  02:00AM       <JUNCTION>     elsewhere", ("elsewhere", "other", None)),
    # what cannot be used
    ("-rw-r--r-- 1 a b 99999999999999999999999 Mar 1 02:00 huge", ("huge", "file", None)),
    ("-rw-r--r-- 1 a b 7 Mar 1 02:00 ../../etc/passwd", ("../../etc/passwd", "other", 7)),
    ("-rw-r--r-- 1 a b 7 Mar 1 02:00 \x1b[2J", ("\x1b[2J", "other", 7)),
    ("-rw-r--r-- 1 a b 7 Mar 1 02:00 ", ("-rw-r--r-- 1 a b 7 Mar 1 02:00 ", "other", None)),
    ("the second half of a name with a line break", ("the second half of a name with a line break", "other", None)),
    ("-rw-r--r-- 1 a b 7 Mär  1 02:00 German", ("-rw-r--r-- 1 a b 7 Mär  1 02:00 German", "other", None)),
    ("name-alone", ("name-alone", "other", None)),
]


@pytest.mark.parametrize(("line", "expected"), LIST)
def test_line_of_list_is_parsed(line: str, expected: Expected) -> None:
    assert list(parse_list(["total 8", line, ""])) == [TargetEntry(*expected)]  # type: ignore[arg-type]


def test_folder_itself_its_parent_and_the_total_are_left_out() -> None:
    folder = "drwxr-xr-x 2 a b 4096 Mar 01 02:00 "
    assert list(parse_list(["insgesamt 8", f"{folder}.", f"{folder}.."])) == []


@given(st.text(st.characters(exclude_characters="\n")), st.sampled_from(sorted({line for line, _ in LIST})))
def test_no_line_is_lost_and_no_name_leads_out(text: str, line: str) -> None:
    for each in (text, line + text, text + line, line[: len(text)] + text + line[len(text) :]):
        found = list(parse_list(["total 8", each]))
        assert len(found) <= 1
        assert all(entry.kind == "other" or is_plain_name(entry.name) for entry in found)
        assert found or not each or "." in each
