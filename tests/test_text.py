"""Remote text is made safe before anybody shows it."""

import re
import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from gate.text import CUT, INVISIBLE, clean, is_telling, one_line, share_out, tail, tails, telling_lines, word
from tests.tables import each_row

ANY_TEXT = st.lists(
    st.characters() | st.sampled_from(["\x1b[", "\x1b]", "\x9b", "\x9d", "\x1b\\", "\x07", "31m", "\r\n", "\ud800"])
).map("".join)


@each_row(
    ("text", "expected"),
    [
        ("\x1b[1;31mERROR\x1b[0m", "ERROR"),
        ("\x1b[38:2::255:0:0mred", "red"),
        ("\x1b[?25lhidden\x1b[2K", "hidden"),
        ("a\x1b[31", "a"),
        ("\x9b31mred\x9b0m", "red"),
        ("\x1b]0;title\x07text", "text"),
        ("\x1b]8;;https://example.com\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("\x9d0;title\x9ctext", "text"),
        ("\x1bPq#0\x1b\\text", "text"),
        ("\x1b_payload\x1b\\text", "text"),
        ("one\x1b]0;never ended\ntwo", "one\ntwo"),
        ("\x1b]0;never ended\x1b[31mred", "red"),
        ("\x1b(Bplain\x1b=\x1b7", "plain"),
        ("end\x1b", "end"),
        ("\x1b\x1b[31mred", "red"),
    ],
)
def test_escape_sequences_are_removed_whole(text: str, expected: str) -> None:
    """Nothing of a sequence is left, neither its parameters nor its payload."""
    assert clean(text) == expected


@each_row(
    ("text", "expected"),
    [
        ("a\tb\nc", "a\tb\nc"),
        ("a\r\nb\rc\x0bd\x0ce\x85f\u2028g\u2029h", "a\nb\nc\nd\ne\nf\ng\nh"),
        ("a\x00\x08\x1f\x7f\x80b", "ab"),
        ("\ud800a\udfff", "\ufffda\ufffd"),
        ("a\ufffe\uffffb", "ab"),
        ("構建失敗 é 🚀 👩\u200d💻", "構建失敗 é 🚀 👩\u200d💻"),
        ("user\u202etxt.exe\u202c \u2066x\u2069", "usertxt.exe x"),
        ("\u200eleft \u200fright \u061carabic", "left right arabic"),
    ],
)
def test_characters_that_do_harm_are_removed_and_others_stay(text: str, expected: str) -> None:
    """Line ends become newlines, controls vanish, lone surrogates are replaced, and every script and emoji stays."""
    assert clean(text) == expected


@each_row(
    ("text", "expected"),
    [
        ("SUCCESS", "SUCCESS"),
        ("構建成功", "構建成功"),
        ("SUCCESS\x00", r"'SUCCESS\x00'"),
        ("SUCCESS ", "'SUCCESS '"),
        ("SUC\u200bCESS", r"'SUC\u200bCESS'"),
        ("SUCCESS\x1b]never ended", r"'SUCCESS\x1b]never ended'"),
        ("x" * 99, "x" * 59 + "…"),
    ],
)
def test_word_that_is_more_than_it_looks_like_is_shown_escaped(text: str, expected: str) -> None:
    """No word is shown as another one."""
    assert word(text) == expected


@given(ANY_TEXT)
def test_any_text_becomes_harmless(text: str) -> None:
    """What is left can be encoded, has no control but tab and newline, no bidi control, and is clean already."""
    cleaned = clean(text)
    assert cleaned.encode().decode() == cleaned
    assert {char for char in cleaned if unicodedata.category(char) == "Cc"} <= {"\t", "\n"}
    assert not re.search("[\u202a-\u202e\u2066-\u2069\ufffe\uffff]", cleaned)
    assert clean(cleaned) == cleaned


@given(ANY_TEXT, st.integers(min_value=1, max_value=50))
def test_any_text_fits_one_line(text: str, limit: int) -> None:
    """One line has no line end, no white space but single spaces, and no more characters than allowed."""
    line = one_line(text, limit=limit)
    assert len(line) <= limit
    assert line.split() == line.split(" ") or line == ""
    assert len(line.splitlines()) <= 1


def test_long_line_ends_with_an_ellipsis() -> None:
    """A shortened line says so, and shows no space before the ellipsis."""
    assert one_line("one\n two   three", limit=9) == "one two…"
    assert one_line("one two", limit=7) == "one two"


def test_short_log_is_given_whole() -> None:
    """Lines within the limit are joined and cleaned."""
    assert tail(["\x1b[31mone\x1b[0m", "two", ""], 100) == "one\ntwo"


def test_long_log_keeps_its_end_and_whole_lines() -> None:
    """A cut log starts with a note, then with the first line that fits whole."""
    assert tail(["a" * 50, "second", "third"], len(CUT) + 15) == f"{CUT}second\nthird"


def test_long_last_line_is_cut_between_characters() -> None:
    """A line over the limit loses its beginning, and no character is halved."""
    assert tail(["é" * 40], len(CUT) + 11) == CUT + "é" * 5


@given(st.lists(ANY_TEXT), st.integers(min_value=0, max_value=60))
def test_any_log_stays_within_its_limit(lines: list[str], limit: int) -> None:
    """The limit counts bytes, the note included."""
    assert len(tail(lines, limit).encode()) <= limit


@each_row(
    ("sizes", "limit", "shares"),
    [
        ([], 10, []),
        ([3, 4], 10, [3, 4]),
        ([8, 8], 10, [5, 5]),
        ([2, 9, 9], 10, [2, 4, 4]),
        ([9, 2, 9], 11, [4, 2, 5]),
        ([1, 100], 10, [1, 9]),
        ([5], 0, [0]),
        ([5, 5], -1, [0, 0]),
    ],
)
def test_large_sizes_share_what_the_small_ones_leave(sizes: list[int], limit: int, shares: list[int]) -> None:
    """A size below its share is granted whole, and its rest goes to the others."""
    assert share_out(sizes, limit) == shares


@given(st.lists(st.integers(0, 10**9)), st.integers(0, 10**6))
def test_any_shares_use_the_limit_and_keep_to_it(sizes: list[int], limit: int) -> None:
    """Nothing of the limit is left unused while a size is not granted, and large sizes get the same."""
    shares = share_out(sizes, limit)
    assert sum(shares) == min(sum(sizes), limit)
    cut = [share for size, share in zip(sizes, shares, strict=True) if share < size]
    assert all(share <= size for size, share in zip(sizes, shares, strict=True))
    assert max(cut, default=0) - min(cut, default=0) <= 1
    assert max(shares, default=0) <= max(cut, default=10**9)


def test_logs_of_many_targets_stay_within_one_limit() -> None:
    """Short logs are whole, long ones get the same size, and all keep their end."""
    ends = tails([["x" * 99] * 1000, ["short"], ["y" * 99] * 1000], 10_000, each=8_000)
    assert ends[1] == "short"
    assert [end.startswith(CUT) for end in ends] == [True, False, True]
    assert 9_700 < sum(len(end.encode()) for end in ends) <= 10_000
    assert len(ends[0]) == len(ends[2])


def test_half_a_character_does_not_keep_the_logs_from_being_measured() -> None:
    """A lone surrogate, which cannot be encoded, is replaced."""
    assert tails([["a\ud83d"], ["b"]], 100, each=100) == ["a\ufffd", "b"]


def test_single_log_stays_within_its_own_limit() -> None:
    """One long log does not take the whole of what all may have."""
    assert len(tails([["x" * 99] * 1000], 50_000, each=8_000)[0]) <= 8_000


ODD = "ab[]0;m\\ \t\n\r\x07\x1b\x00\x7f\x85\x90\x9b\x9c\x9d\u061c\u200f\u2028\u202a\u2066\ufeff\ud800"


@given(st.text(alphabet=st.sampled_from(ODD)))
def test_what_is_invisible_is_what_cleaning_removes(text: str) -> None:
    """And line ends; only a lone surrogate is shown, by another character."""
    assert re.sub(INVISIBLE, "", text) == clean(text).replace("\n", "").replace("\ufffd", "")


@each_row(
    ("line", "tells"),
    [
        ("[ERROR] COMPILATION ERROR :", True), ("fatal: not a git repository", True), ("Build FAILED in 3 s", True),
        ("java.lang.IllegalStateException: x", True), ("Exception in thread main", True), ("3 failed, 2 passed", True),
        ("Tests run: 42, Failures: 0, Errors: 0", False), ("0 errors, no failures", False), ("[INFO] done", False),
        ("Tests run: 42, Failures: 2, Errors: 0", True), ("1 error", True), ("terrors", False),
    ],
)  # fmt: skip
def test_line_that_tells_why_is_known(line: str, tells: bool) -> None:
    """By the words that build tools use, unless they count to zero."""
    assert is_telling(line) is tells


def test_telling_lines_come_without_the_time_of_the_service() -> None:
    """The first ones that look so, else the last ones; blank ones do not count."""
    stamp = "[2024/09/24 11:18:49.123 GMT+08:00] "
    log = [f"{stamp}step {number}" for number in range(9)]
    assert telling_lines([*log, f"{stamp}error: x\x1b[2J", *log], 5) == ["error: x"]
    assert telling_lines([*log, "", " "], 2) == ["step 7", "step 8"]
