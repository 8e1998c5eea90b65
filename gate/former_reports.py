"""Reports where the program cannot be loaded: those of a former run are removed before anything heavy is imported.

A killed import, one that fails, or too little memory would leave a report of a pass, and it would be taken for this
run's. Only what a former run of the gate has written is removed, so that a wrong call destroys nothing; everything else
is replaced when the gate has started.
"""

import os
from collections.abc import Mapping, Sequence

WITHOUT_REPORTS = ("doctor", "jobs", "simulate")
"""The commands that write no report. One that does not exist may be meant to: `wiat`."""

INFORMATIONAL = frozenset({"-h", "--help", "-V", "--version"})
"""The options under which a command does nothing but print."""

_OPTIONS = {"--junit": "GATE_JUNIT", "--summary": "GATE_SUMMARY", "--outputs": "GATE_OUTPUTS"}

_DEFAULTS = {"--junit": "gate-report.xml"}

_START = 512
"""Bytes in which a report says that it is one of the gate's."""

_MARKS = (b'<testsuites name="codearts-gate"', b" codearts-gate: ", b"GATE_VERDICT=")
"""What stands near the beginning of a JUnit report, a summary and a dotenv file."""


def paths(arguments: Sequence[str], environment: Mapping[str, str]) -> dict[str, str]:
    """Return the report files of a command line by option, as far as they can be read without its parser.

    Empty for a command without reports, and where only help or the version is asked for.
    """
    if not arguments or arguments[0] in WITHOUT_REPORTS or INFORMATIONAL & set(arguments):
        return {}
    found = dict(_DEFAULTS)
    if arguments[0] != "demo":
        found |= {option: value for option, name in _OPTIONS.items() if (value := environment.get(name, "").strip())}
    for position, argument in enumerate(arguments):
        option, equals, value = argument.partition("=")
        if option in _OPTIONS and (equals or position + 1 < len(arguments)):
            found[option] = value if equals else arguments[position + 1]
    return {option: path for option, path in found.items() if path and "\0" not in path}


def remove(arguments: Sequence[str], environment: Mapping[str, str]) -> None:
    """Remove the reports of a former run from the paths of this one; symbolic links stay. Raises nothing."""
    for path in paths(arguments, environment).values():
        try:
            if _is_report(path) and not _is_named_elsewhere(path, environment):
                os.unlink(os.path.realpath(path))  # noqa: PTH108 - pathlib is not loaded
        except OSError:
            pass


def _is_report(path: str) -> bool:
    """Tell whether an ordinary file begins as a report of the gate does."""
    if not os.path.isfile(path):  # noqa: PTH113 - likewise
        return False
    with open(path, "rb") as file:  # noqa: PTH123 - likewise
        start = file.read(_START)
    return any(mark in start for mark in _MARKS)


def _is_named_elsewhere(path: str, environment: Mapping[str, str]) -> bool:
    """Tell whether a variable that is not the gate's names the file: a runner's own, to which other steps write."""
    real = os.path.realpath(path)
    return any(
        os.path.realpath(value) == real
        for name, value in environment.items()
        if name not in _OPTIONS.values() and os.path.basename(value) == os.path.basename(path)  # noqa: PTH119 - likewise
    )


def write(arguments: Sequence[str], environment: Mapping[str, str], reason: str, exit_code: int) -> None:
    """Write reports that say why the program could not do its work, where no file stands. Raises nothing."""
    contents = {"--junit": _junit(reason), "--summary": f"## codearts-gate: undetermined\n\n{reason}\n"}
    contents["--outputs"] = f"GATE_VERDICT=undetermined\nGATE_EXIT_CODE={exit_code}\n"
    for option, path in paths(arguments, environment).items():
        try:
            with open(os.path.realpath(path), "x", encoding="utf-8", errors="replace") as file:  # noqa: PTH123 - likewise
                file.write(contents[option])
        except (OSError, ValueError):
            pass


def _junit(reason: str) -> str:
    """Return a JUnit report with one error."""
    text = "".join(character if character.isprintable() else " " for character in reason)
    for character, entity in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ('"', "&quot;")):
        text = text.replace(character, entity)
    return (
        '<?xml version="1.0" encoding="utf-8"?>\n<testsuites name="codearts-gate" tests="1" failures="0" errors="1">\n'
        '  <testsuite name="codearts-gate" tests="1" failures="0" errors="1" skipped="0">\n'
        '    <testcase classname="codearts.CodeArts codearts-gate" name="build">\n'
        f'      <error type="Undetermined" message="{text}">{text}</error>\n'
        "    </testcase>\n  </testsuite>\n</testsuites>\n"
    )
