"""Build what a release consists of: source archive, wheel, the one file, its bill of materials, and SHA256SUMS.

    python3 .ci/build_release.py [FOLDER]      the default is dist/

The same commit gives the same bytes with the same versions of Python: only tracked files go in, as they are in the work
tree; times are `SOURCE_DATE_EPOCH`, by default the time of the last commit; what others wrote comes from
`.github/requirements.txt` and, for the signer, `.github/requirements-aksk.txt`, which have a hash for each file. pip's
own variables (PIP_NO_INDEX, PIP_FIND_LINKS) hold.

Compiling its sources is most of what a start of the one file would take, so that it holds them compiled as well, for
each Python from 3.11 on that is there at the build as `python3.N`; any other compiles the sources as before.
"""

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Iterator
from email.message import Message
from email.parser import HeaderParser
from pathlib import Path

import index_page

ROOT = Path(__file__).parent.parent
LOCK = ROOT / ".github" / "requirements.txt"
SIGNER_LOCK = ROOT / ".github" / "requirements-aksk.txt"
ONE_FILE, MATERIALS = "codearts-gate.pyz", "codearts-gate.cdx.json"

SIGNER = ("huaweicloudsdkcore", "pyasn1", "six")
"""The packages of the vendor's request signer, as far as the gate uses it; all of them are pure Python."""

SIGNER_PARTS = ("__init__", "sdk_request", "exceptions", "signer", "utils")
"""The modules of `huaweicloudsdkcore` that are the signer's; the others need more packages."""

WITH_DATA = ("certifi/",)
"""The packages that look for data beside their modules, so that these are not taken from elsewhere."""

VERSIONS = range(11, 15)
"""The minor versions of Python 3 for which the one file holds compiled modules, where they are there at the build."""

START = """\
import sys

if sys.version_info < (3, 11):
    sys.stderr.write("codearts-gate needs Python 3.11 or newer; this is Python %d.%d.\\n" % sys.version_info[:2])
    sys.exit(5)

sys.path.insert(0, sys.path[0] + "/" + sys.implementation.cache_tag)  # where compiled modules are

from gate.__main__ import main

main()
"""
"""The `__main__.py` of the one file, which an old Python must be able to read too."""

BUILD = "import sys; from flit_core.buildapi import *; build_wheel(sys.argv[1]); build_sdist(sys.argv[1])"

COMPILE = """\
import py_compile, sys
unchecked = py_compile.PycInvalidationMode.UNCHECKED_HASH
for name in sys.argv[1:]:
    target = f"{sys.implementation.cache_tag}/{name}c"
    py_compile.compile(name, target, dfile=name, doraise=True, invalidation_mode=unchecked)
"""
"""Compiles the files that are named into a folder that is called after this Python."""

OF_THE_INSTALLATION = ("RECORD", "INSTALLER", "REQUESTED")
"""Files of pip's that tell of the machine where it ran."""


def copy_tracked_files(target: Path) -> None:
    """Copy the files that git tracks to `target`."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True)
    for name in filter(None, listed.stdout.split("\0")):
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, target / name)


def install_locked(lock: Path, target: Path) -> None:
    """Install what a lock pins into `target`: wheels in pure Python, which suit every system."""
    pure = ["--only-binary=:all:", "--implementation=py", "--abi=none", "--platform=any"]
    pip = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "--root-user-action=ignore",
    ]
    what = ["--no-compile", "--no-deps", "--require-hashes", f"--requirement={lock}", f"--target={target}"]
    subprocess.run([*pip, *pure, *what], check=True)


def add_signer(site: Path, work: Path) -> None:
    """Add the vendor's signer to `site`, with its licences."""
    entries = re.findall(r"^[\w.-]+==.*(?:\n    .*)*\n", SIGNER_LOCK.read_text(), re.MULTILINE)
    lock, folder = work / "signer.txt", work / "signer"
    lock.write_text("".join(entry for entry in entries if entry.split("==")[0] in SIGNER))
    install_locked(lock, folder)
    core = folder / "huaweicloudsdkcore"
    for path in core.iterdir():
        if path.stem not in SIGNER_PARTS:
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    shutil.copytree(folder, site, dirs_exist_ok=True)


def compile_modules(site: Path) -> None:
    """Put the modules below `site`, compiled, into a folder of it for each Python that is there.

    Their hashes are unchecked, so that Python takes them without a look at the sources.
    """
    names = sorted(path.relative_to(site).as_posix() for path in site.rglob("*.py"))
    names = [name for name in names if not name.startswith(WITH_DATA)]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    for version in VERSIONS:
        python = shutil.which(f"python3.{version}")
        if python is None or subprocess.run([python, "--version"], capture_output=True, check=False).returncode:
            print(f"There is no Python 3.{version} here: {ONE_FILE} compiles its sources there at every start.")
            continue
        command = [python, "-S", "-c", COMPILE, *names]
        subprocess.run(command, cwd=site, env={**environment, "PYTHONHASHSEED": "0"}, check=True)


def build_archives(source: Path, site: Path, target: Path) -> Path:
    """Build the source archive and the wheel of `source` with the flit_core in `site`; return the wheel."""
    environment = os.environ | {"PYTHONPATH": str(site), "PYTHONDONTWRITEBYTECODE": "1"}
    subprocess.run([sys.executable, "-c", BUILD, str(target)], cwd=source, env=environment, check=True)
    (wheel,) = target.glob("*.whl")
    wheel.chmod(0o644)  # flit_core makes it as a temporary file, which only its owner may read
    return wheel


def remove_what_is_not_run(site: Path) -> None:
    """Remove the build backend, scripts, and records of the installation."""
    for folder in (site / "bin", *site.glob("flit_core*")):
        shutil.rmtree(folder)
    for path in site.rglob("__pycache__"):
        shutil.rmtree(path)
    for name in OF_THE_INSTALLATION:
        for path in site.glob(f"*.dist-info/{name}"):
            path.unlink()


def files_below(folder: Path) -> Iterator[Path]:
    """Return the files below `folder`, by name."""
    return (path for path in sorted(folder.rglob("*")) if path.is_file())


def write_one_file(site: Path, target: Path, epoch: int) -> None:
    """Write a zip file that Python runs, with all of `site`, and one time and one mode for all that is in it."""
    with target.open("wb") as file:
        file.write(b"#!/usr/bin/env python3\n")
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            for path in files_below(site):
                info = zipfile.ZipInfo(path.relative_to(site).as_posix(), time.gmtime(epoch)[:6])
                info.external_attr = 0o644 << 16
                # Unpacking the compiled modules would be a tenth of every start.
                how = zipfile.ZIP_STORED if path.suffix == ".pyc" else zipfile.ZIP_DEFLATED
                archive.writestr(info, path.read_bytes(), how)
    target.chmod(0o755)


def component(metadata: Message, kind: str) -> dict[str, object]:
    """Return the entry of a distribution in a bill of materials in CycloneDX's format."""
    name, version = metadata["Name"], metadata["Version"]
    purl = f"pkg:pypi/{name.lower().replace('_', '-')}@{version}"
    found: dict[str, object] = {"type": kind, "bom-ref": purl, "name": name, "version": version, "purl": purl}
    if metadata["License-Expression"]:
        found["licenses"] = [{"expression": metadata["License-Expression"]}]
    elif metadata["License"]:
        found["licenses"] = [{"license": {"name": metadata["License"].splitlines()[0]}}]
    return found


def write_materials(site: Path, target: Path, epoch: int) -> None:
    """Write which distributions the one file holds, as CycloneDX 1.6."""
    parser = HeaderParser()
    held = [parser.parsestr(path.read_text()) for path in sorted(site.glob("*.dist-info/METADATA"))]
    (own,) = (metadata for metadata in held if metadata["Name"] == "codearts-gate")
    document = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "timestamp": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(epoch)),
            "component": component(own, "application"),
        },
        "components": [component(metadata, "library") for metadata in held if metadata is not own],
    }
    target.write_text(json.dumps(document, indent=2) + "\n")
    target.chmod(0o644)


def write_sums(folder: Path) -> None:
    """Write SHA256SUMS, as `sha256sum --check` reads it."""
    lines = [f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in files_below(folder)]
    (folder / "SHA256SUMS").write_text("".join(lines))


def main() -> None:
    """Build everything into the folder that is named on the command line."""
    target = Path(sys.argv[1] if sys.argv[1:] else ROOT / "dist").absolute()
    target.mkdir(parents=True, exist_ok=True)
    if any(target.iterdir()):
        sys.exit(f"{target} is not empty: remove it, or name another folder.")
    if "SOURCE_DATE_EPOCH" not in os.environ:
        last = subprocess.run(
            ["git", "log", "-1", "--format=%ct"], cwd=ROOT, capture_output=True, text=True, check=True
        )
        os.environ["SOURCE_DATE_EPOCH"] = last.stdout.strip()
    with tempfile.TemporaryDirectory() as name:
        source, site = Path(name, "source"), Path(name, "site")
        copy_tracked_files(source)
        index_page.prepare(source)
        install_locked(LOCK, site)
        add_signer(site, Path(name))
        wheel = build_archives(source, site, target)
        remove_what_is_not_run(site)
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(site)
        write_materials(site, target / MATERIALS, int(os.environ["SOURCE_DATE_EPOCH"]))
        compile_modules(site)
        (site / "__main__.py").write_text(START)
        write_one_file(site, target / ONE_FILE, int(os.environ["SOURCE_DATE_EPOCH"]))
    write_sums(target)


if __name__ == "__main__":
    main()
