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

    A path that another option names too is left alone: it may be that of the token.
    """
    from gate import publish

    ctx = command.make_context(command.name, list(arguments), resilient_parsing=True, ignore_unknown_options=True)
    values = ctx.params
    paths = {name: values[name] for name in FILES if isinstance(values.get(name), Path)}
    real = [os.path.realpath(path) for path in paths.values()]
    own = {name: path for name, path in paths.items() if real.count(os.path.realpath(path)) == 1}
    if is_shared(paths.get("junit", REPORT), os.environ):
        del own["junit"]
    reports = Reports(
        junit=own.get("junit", REPORT),
        summary=own.get("summary"),
        outputs=own.get("outputs"),
        platform=values.get("platform") or "auto",
    )
    targets = values.get("targets") or [target for target in [values.get("target")] if target]
    publish.write_wrong_call(reports, with_labels(targets), reason, exit_code, has_junit="junit" in own)
