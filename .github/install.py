"""Install the gate into a virtual environment of its own: `install.py ENVIRONMENT LOCK PROJECT`, run by action.yml.

When it is done, the file ENVIRONMENT/ready holds the path of the environment's Python. When it fails, stdout has one
sentence that says why and what to do, and the exit status is 1; pip's own messages go to stderr.
"""

import ast
import os
import re
import subprocess
import sys
import venv
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace

KEPT_SETTINGS = frozenset({
    "cache-dir", "cert", "client-cert", "default-timeout", "extra-index-url", "find-links", "index-url",
    "keyring-provider", "no-cache-dir", "no-index", "proxy", "retries", "timeout", "trusted-host",
})  # fmt: skip
"""The runner's settings of pip that are kept: how to reach a package index.

All others are about the user's own installations: `user`, `target` or `prefix` would install elsewhere, `constraint`
and `require-hashes` would refuse what the lock names or this project itself.
"""

CAUSES = {
    r"DO NOT MATCH THE HASHES": "The package index serves other files than the lock names.",
    r"certificate.verify.failed": "The certificate of the package index is not trusted; set PIP_CERT.",
    r"No space left on device": "The disk of this runner is full.",
    r"\b(?:401|403) (?:Client )?Error|\berror (?:401|403)\b": "The package index refuses access; see PIP_INDEX_URL.",
    r"connection broken|connection error": "This runner does not reach the package index; set "
    "PIP_INDEX_URL to one that it reaches, or PIP_PROXY.",
    r"No matching distribution": "The package index lacks a package that the lock names, or has none for this Python.",
}
"""What to tell the user, by what pip says; the first that fits counts."""

NO_INDEX = "pip is told to use no package index (PIP_NO_INDEX), and PIP_FIND_LINKS does not lead to all packages."


class InstallationFailed(Exception):
    """Raised with a sentence for the user when the gate cannot be installed."""


class Environment(venv.EnvBuilder):
    """A new virtual environment; `python` is the path of its interpreter, which differs between systems."""

    def __init__(self, folder: Path) -> None:
        super().__init__(clear=True, symlinks=os.name != "nt", with_pip=True)
        self.python = ""
        try:
            self.create(folder)
        except subprocess.CalledProcessError as error:
            sys.stderr.write(error.output.decode(errors="replace") if isinstance(error.output, bytes) else "")
            remedy = "see the log" if find_spec("ensurepip") else "on Debian and Ubuntu, install python3-venv"
            raise InstallationFailed(f"{_version()} could not make a virtual environment; {remedy}.") from error
        except OSError as error:
            raise InstallationFailed(f"No virtual environment could be made in {folder}: {error.strerror}.") from error

    def post_setup(self, context: SimpleNamespace) -> None:
        """Note the path of the interpreter."""
        self.python = context.env_exe


def without_unsuitable_settings(variables: Mapping[str, str]) -> dict[str, str]:
    """Return environment variables without pip's, apart from those to keep and the name of a settings file."""
    kept = {f"PIP_{name.replace('-', '_').upper()}" for name in KEPT_SETTINGS} | {"PIP_CONFIG_FILE"}
    return {name: value for name, value in variables.items() if not name.startswith("PIP_") or name in kept}


def kept_settings(listing: str) -> dict[str, str]:
    """Return the settings to keep from the output of `pip config list`, as variables for pip.

    A line of it is `global.index-url='...'`; the section `install` counts more than `global`, and variables most.
    """
    kept = {}
    for section in ("global", "install", ":env:"):
        for name, value in re.findall(rf"^{section}\.([\w-]+)=(.+)$", listing, re.MULTILINE):
            if name in KEPT_SETTINGS:
                kept[f"PIP_{name.replace('-', '_').upper()}"] = ast.literal_eval(value)
    return kept


def explain(log: str, *, no_index: bool) -> str:
    """Return a sentence about why pip failed, from its verbose log; the last error in it is quoted."""
    cause = next((cause for pattern, cause in CAUSES.items() if re.search(pattern, log, re.IGNORECASE)), "")
    if no_index and "No matching distribution" in log:
        cause = NO_INDEX
    errors = re.findall(r"^\S+ ERROR: (.+)", log, re.MULTILINE) or ["nothing"]
    return f"{cause} pip says: {errors[-1][:300]}".strip()


def install(environment: Path, lock: Path, project: Path) -> None:
    """Install the packages of `lock`, then `project`. Raises `InstallationFailed`."""
    python = Environment(environment).python
    pip = [python, "-I", "-m", "pip", "--disable-pip-version-check", "--no-input"]
    variables = without_unsuitable_settings(os.environ)
    listing = subprocess.run([*pip, "config", "list"], env=variables, stdout=subprocess.PIPE, text=True, check=False)
    kept = kept_settings(listing.stdout)
    variables |= {**kept, "PIP_CONFIG_FILE": os.devnull}
    for arguments, what in (
        (["--require-hashes", "--only-binary", ":all:", "-r", str(lock)], f"The packages in {lock.name}"),
        (["--no-index", "--no-deps", "--no-build-isolation", str(project)], "The action itself"),
    ):
        log = environment / "pip.log"
        done = subprocess.run(
            [*pip, "install", "--quiet", "--log", log, *arguments], env=variables, stdout=2, check=False
        )
        if done.returncode:
            no_index = kept.get("PIP_NO_INDEX", "").lower() in ("1", "true", "t", "yes", "y", "on")
            reason = explain(log.read_text(errors="replace"), no_index=no_index)
            raise InstallationFailed(f"{what} could not be installed. {reason}")
    (environment / "ready").write_text(f"{python}\n", newline="\n")


def _version() -> str:
    """Return the name and version of this Python."""
    return f"Python {sys.version.split()[0]}"


if __name__ == "__main__":
    try:
        install(*map(Path, sys.argv[1:]))
    except InstallationFailed as problem:
        sys.stdout.write(f"{problem}\n")
        sys.exit(1)
