"""The end of a log, as a terminal would show it: what people need is the error, not the progress before it."""

import re
import time

from hypothesis import given
from hypothesis import strategies as st

from gate.codearts.log_text import CUT, KEPT_BYTES, MAX_LINE, LogEnd, WholeLog, last_lines
from gate.codearts.masking import Masker
from gate.limits import MAX_BYTES, MAX_LOG, MAX_TEXT
from tests.tables import each_row

SECRET = "MIIDtoken-that-nobody-may-see"
MASKER = Masker(lambda: (SECRET,))


def lines_of(body: bytes | str, count: int = 5) -> list[str]:
    """Return the last lines of a log."""
    return last_lines(body if isinstance(body, bytes) else body.encode(), count, MASKER)


@each_row(
    ("line", "shown"),
    [
        ("progress 10%\rprogress 20%\rprogress 30%", "progress 30%"),
        ("progress 10%\rprogress 20%\r", "progress 20%"),
        ("ordinary\r", "ordinary"),
        ("old\r\x1b[Knew", "new"),
        ("old\r\x1b[K", ""),
        ("old\x1b[2Knew", "new"),
        ("old\x1b[2K\rnew", "new"),
        ("old\x1b[1Jnew", "new"),
        ("foo.c:\x1b[m\x1b[K error\x1b[K", "foo.c:\x1b[m\x1b[K error\x1b[K"),
        ("error: no such file\r \r", "error: no such file"),
        ("progress 10%\r            \r", " " * 12),
        ("done 10%\b\b\b20%\b\b\b30%", "done 30%"),
        ("done 100%\b\b\b\b", "done 100%"),
        ("section_start:1:build\r\x1b[0KBuild", "Build"),
    ],
)
def test_line_is_what_a_terminal_shows_of_it(line: str, shown: str) -> None:
    """What stands behind the last carriage return or erase sequence; colours stay, and blanks hide no error."""
    assert lines_of(f"first\n{line}\nlast\n", 2) == [shown, "last"]


def test_progress_does_not_hide_the_error() -> None:
    """Seventy states of a progress line are one line."""
    progress = "".join(f"\rDownloading {share}%" for share in range(70))
    assert lines_of(f"{progress}\n[ERROR] COMPILATION ERROR\nBUILD FAILURE\n", 3) == [
        "Downloading 69%",
        "[ERROR] COMPILATION ERROR",
        "BUILD FAILURE",
    ]


@each_row("blank", ["\n", "\r\n", "  \t\n", "\x1b[0m\n", "x\x1b[2K\n"])
def test_blank_lines_at_the_end_do_not_count(blank: str) -> None:
    """Those between other lines do."""
    assert lines_of("one\n\ntwo\n" + blank * 200, 3) == ["one", "", "two"]


def test_end_of_a_long_line_is_kept_and_the_cut_is_marked() -> None:
    """A command with a long class path ends with its error."""
    [line] = lines_of("x" * 200_000 + " error: the end")
    assert (line[:2], line[-14:], len(line)) == (f"{CUT}x", "error: the end", MAX_TEXT)


@each_row(("body", "shown"), [
    ("编译失败".encode("gbk"), "编译失败"),
    ("编译失败 \U0001f600".encode("gb18030"), "编译失败 \U0001f600"),
    ("编译失败".encode(), "编译失败"),
    (b"thr\xffee", "thr\ufffdee"),
    ("中".encode("gbk") * 100_000, CUT + "中" * (MAX_TEXT - 1)),
    ("x中".encode() * 100_000, CUT + ("x中" * MAX_TEXT)[1 - MAX_TEXT :]),
    ("中".encode("gbk"), "中"),
    ("[ERROR] 编译失败".encode("gbk")[:-1], "[ERROR] 编译失\ufffd"),
    ("[ERROR] 译失败".encode()[:-1], "[ERROR] 译失\ufffd"),
    (b"x" + "中".encode("gbk") * 100_000, CUT + "中" * (MAX_TEXT - 1)),
])  # fmt: skip
def test_text_of_chinese_tools_is_decoded(body: bytes, shown: str) -> None:
    """GBK and GB18030 line by line, as one log may hold both; whatever is neither is replaced."""
    assert lines_of(b"utf-8: \xe4\xb8\xad\n" + body + b"\n", 2) == ["utf-8: 中", shown]


def test_secret_that_begins_before_the_last_lines_is_masked() -> None:
    """A build folds a long token, and the service puts the time before each line: some of these lines are the last."""
    token = "".join(f"{number:04}~" for number in range(300))
    folded = [token[start : start + 76] for start in range(0, len(token), 76)]
    body = "".join(f"[2024/09/24 11:18:49.123 GMT+08:00] {line}\n" for line in ["first", *folded, "last"])
    for count in (2, 3, len(folded) + 1):
        lines = last_lines(body.encode(), count, Masker(lambda: (token,)))
        assert len(lines) <= count
        assert lines[-1].endswith("] last")
        assert not [line for line in lines if "~" in line]


@each_row("encoding", ["utf-8", "gb18030"])
@each_row("shift", range(4))
def test_start_of_a_log_that_is_cut_within_a_character_is_found(encoding: str, shift: int) -> None:
    """Where only the end of a log is kept, its first line may start anywhere."""
    end = LogEnd()
    end(("\U0001f600" * (KEPT_BYTES // 4)).encode(encoding) * 3 + b"." * shift)
    (line,) = end.last_lines(1, MASKER, is_complete=True)
    assert line == CUT + ("\U0001f600" * MAX_TEXT + "." * shift)[1 - MAX_TEXT :]


def test_start_of_what_is_kept_leaves_no_part_of_a_secret() -> None:
    """Only blank lines follow, so that the first line that is kept is shown."""
    for part in (6, len(SECRET) - 1):
        end = LogEnd()
        blank = (b" " * 299 + b"\n") * (KEPT_BYTES // 300)
        end(b"." * 2 * KEPT_BYTES + SECRET.encode() + b"\n" * (KEPT_BYTES - len(blank) - part) + blank)
        shown = "".join(end.last_lines(1, MASKER, is_complete=True))
        assert not shown or SECRET[-part:][:6] not in shown


def test_start_of_a_long_line_leaves_no_part_of_a_secret() -> None:
    """Backspaces remove all that follows, so that it is shown."""
    for part in (6, 7, len(SECRET) - 1):
        removed = MAX_LINE + MASKER.longest() - part
        (shown,) = lines_of(SECRET + "x\b" * (removed // 2) + "x" * (removed % 2), 1)
        assert SECRET[-part:][:6] not in shown


WORDS = st.sampled_from(["编译", "plain ", SECRET, "\n", "\r", SECRET[:9], SECRET[9:], "\U0001f600"])


@given(st.lists(WORDS, max_size=12), st.lists(st.integers(1, 90)), st.sampled_from(["utf-8", "gb18030"]))
def test_whole_log_is_the_same_however_it_is_cut(words: list[str], cuts: list[int], encoding: str) -> None:
    """No secret is left in it, and no character is lost or garbled."""
    data, parts = "".join(words).encode(encoding), [[""], [""]]
    for lengths, written in zip((cuts, [len(data)]), parts, strict=True):
        whole, at = WholeLog(MASKER, written.append), 0
        for length in (*lengths, len(data)):
            whole(data[at : at + length])
            at += length
        whole.end()
    assert "".join(parts[0]) == "".join(parts[1])
    assert SECRET not in re.sub("[\r\n]", "", "".join(parts[0]))


@each_row("at", range(1, len(SECRET)))
def test_secret_in_two_lines_of_two_parts_is_masked(at: int) -> None:
    """As a tool prints it that breaks long lines."""
    written: list[str] = []
    whole = WholeLog(MASKER, written.append)
    whole(f"a {SECRET[:at]}\n".encode())
    whole(f"{SECRET[at:]} b\n".encode())
    whole.end()
    assert "".join(written) == "a *** b\n"


def test_whole_log_of_one_endless_line_is_handed_on() -> None:
    """In parts, none of which starts within a character."""
    for character, encoding in (("中", "utf-8"), ("中 x", "gb18030"), ("\U0001f600", "utf-8"), ("y", "utf-8")):
        written: list[str] = []
        whole = WholeLog(MASKER, written.append)
        text = character * 600_001
        data = text.encode(encoding)
        for start in range(0, len(data), 65_537):
            whole(data[start : start + 65_537])
        assert len(data) < 1_048_576 or written
        whole.end()
        assert "".join(written) == text


@given(st.integers(0, len(SECRET) + 4), st.integers(0, 3))
def test_cut_of_a_long_line_leaves_no_part_of_a_secret(offset: int, more: int) -> None:
    """Wherever the cut falls, also among other secrets."""
    room = MAX_LINE + MASKER.longest()
    secrets = SECRET * (1 + more)
    body = "y" * 1000 + secrets + "x" * (room - len(secrets) + offset)
    shown = "".join(lines_of(body))
    assert not any(SECRET[start : start + 6] in shown for start in range(len(SECRET) - 6))


def test_line_of_secrets_alone_leaves_no_part_of_one() -> None:
    """Masked, the kept end of the line is shorter than the part that may hold half a secret."""
    for shift in range(len(SECRET)):
        shown = "".join(lines_of("z" * 1000 + SECRET * 5000 + "e" * shift))
        assert SECRET[1:9] not in shown
        assert SECRET[-8:] not in shown


PATTERNS = (b"x", b"\n", b"\x1b[m\n", b"\r", b"x\r", b"\xff", b"\x1b[2K", b"x\b")


@each_row(
    ("pattern", "count"),
    [*((pattern, MAX_BYTES // len(pattern)) for pattern in PATTERNS), (b"\x1b[31m" * 10_000 + b"\n", 160)],
)
def test_largest_log_takes_little_time(pattern: bytes, count: int) -> None:
    """It is read in the seconds after the deadline."""
    body = pattern * count
    started = time.process_time()
    shown = lines_of(body, 50)
    assert time.process_time() - started < 1.5
    assert sum(map(len, shown)) <= MAX_LOG


@given(st.binary(max_size=300), st.integers(1, 4))
def test_any_bytes_are_lines(body: bytes, count: int) -> None:
    """Never more of them than asked for, and none with a line end inside."""
    shown = lines_of(body, count)
    assert len(shown) <= count
    assert not any("\n" in line for line in shown)
