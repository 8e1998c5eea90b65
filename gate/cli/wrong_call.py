"""Reports of a call that could not be carried out; a report of a former run would be taken for this one's."""

import os
from collections.abc import Sequence
from pathlib import Path

import click

from gate.cli.options import REPORT
from gate.cli.resolve import FILES, with_labels
from gate.platforms.shared_files import is_shared
from gate.settings import Reports


def write_reports(command: click.Command, arguments: Sequence[str], reason: str, exit_code: int) -> None:
    """Write a report that is no pass to every report path that can be read from the arguments and the variables.

    The file of the token or of the CA is left alone. Of several reports for one path, the first is written.
    """
    from gate import publish

    ctx = command.make_context(command.name, list(arguments), resilient_parsing=True, ignore_unknown_options=True)
    values = ctx.params
    paths = [(name, values[name]) for name in FILES if isinstance(values.get(name), Path)]  # those that are read first
    by_place = {os.path.realpath(path): (name, path) for name, path in reversed(paths)}
    own = dict(by_place.values())
    if is_shared(values.get("junit") or REPORT, os.environ):
        own.pop("junit", None)
    reports = Reports(
        junit=own.get("junit", REPORT),
        summary=own.get("summary"),
        outputs=own.get("outputs"),
        platform=values.get("platform") or "auto",
    )
    targets = values.get("targets") or [target for target in [values.get("target")] if target]
    publish.write_wrong_call(reports, with_labels(targets), reason, exit_code, has_junit="junit" in own)
