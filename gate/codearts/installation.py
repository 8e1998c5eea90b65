"""How this program was installed, and so how a package is added that it needs."""

import importlib.util
import os
import shlex
import sys
import sysconfig
import tomllib
from pathlib import Path

PROGRAM = "codearts-gate"

SIGNER = "huaweicloudsdkcore>=3.1.100,<3.1.136"
"""What the extra `aksk` requires; newer versions need much that the signer does not use."""


def how_to_add_signer() -> str:
    """Return the sentence with the command that adds the vendor's signer to this installation; the one file has it."""
    prefix, python = Path(sys.prefix), _quoted(sys.executable or "python3")
    has_pip = importlib.util.find_spec("pip") is not None  # uv makes environments without it
    command = f"{python} -m pip install" if has_pip else f"uv pip install --python {python}"
    command += f' "{SIGNER}"'
    if "pipx" in prefix.parts and prefix.parent.name == ".cache":
        command = f'pipx run --spec "{PROGRAM}[aksk]" {PROGRAM}'
    elif (prefix / "pipx_metadata.json").is_file():
        command = f'pipx inject {_quoted(prefix.name)} "{SIGNER}"'
    elif "uv" in prefix.parts and "archive-v0" in prefix.parts:
        command = f'uvx --with "{SIGNER}" {PROGRAM}'
    elif (prefix / "uv-receipt.toml").is_file() and _is_from_index(prefix / "uv-receipt.toml"):
        command = f'uv tool install --with "{SIGNER}" {PROGRAM}'
    elif sys.prefix == sys.base_prefix and Path(sysconfig.get_path("stdlib"), "EXTERNALLY-MANAGED").is_file():
        inner = str(Path("gate-environment", "Scripts" if os.name == "nt" else "bin", "python"))
        return (
            f"The system of this machine manages {python}, so use an environment beside it: {python} -m venv "
            f'gate-environment, then {inner} -m pip install "{PROGRAM}[aksk]", then run {inner} -m gate'
        )
    return f"Add it: {command}"


def _is_from_index(receipt: Path) -> bool:
    """Return whether uv would find this program by its name alone, and not in a folder, a file or a repository."""
    try:
        requirements = tomllib.loads(receipt.read_text(encoding="utf-8"))["tool"]["requirements"]
        return any(set(one) <= {"name", "specifier", "extras"} for one in requirements if one["name"] == PROGRAM)
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _quoted(text: str) -> str:
    """Return a word of a command, in quotes if it needs them."""
    if os.name == "nt":
        return f'"{text}"' if " " in text else text
    return shlex.quote(text)
