"""What the user asked for: validated once, then frozen; secrets are hidden from `repr`."""

import ipaddress
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import field
from datetime import datetime
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from gate.errors import UsageProblem
from gate.model import Order, Target
from gate.value_types import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """An `X-Auth-Token`, given as it is (`value`) or through a file that may be rewritten (`file`)."""

    value: str = field(default="", repr=False)
    file: Path | None = None
    source: str = "GATE_TOKEN"
    """The variable, or the option with its file, for messages."""

    @property
    def description(self) -> str:
        """What kind of credential this is and where it comes from, for people; never a value."""
        return f"token from {self.source}"


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyPair:
    """An access key and its secret key; temporary ones come with a security token."""

    access_key: str = field(repr=False)
    secret_key: str = field(repr=False)
    security_token: str = field(default="", repr=False)
    project_id: str = ""

    @property
    def description(self) -> str:
        """What kind of credential this is and where it comes from, for people; never a value."""
        kind = "temporary AK/SK" if self.security_token else "AK/SK"
        return f"{kind} from HUAWEICLOUD_SDK_AK and HUAWEICLOUD_SDK_SK"


@dataclass(frozen=True, slots=True, kw_only=True)
class IamUser:
    """An IAM user's name and password, and the project (a region's name) that its token is for."""

    name: str
    password: str = field(repr=False)
    domain: str
    project: str

    @property
    def description(self) -> str:
        """What kind of credential this is and where it comes from, for people; never a value."""
        return "IAM user from GATE_IAM_USER and GATE_IAM_PASSWORD"


Credential = Token | KeyPair | IamUser


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """How to reach the service. `request_timeout` in seconds, from connect to last byte."""

    endpoint: str
    iam_endpoint: str = ""
    credential: Credential
    ca_bundle: Path | None = None
    request_timeout: float = 10.0
    also_secret: Sequence[str] = field(default=(), repr=False)
    """Texts besides the credential that are masked wherever the service or a build repeats them."""
    not_secret: Sequence[str] = ()
    """Texts that are left as they are where a value of an answer is one of them: answers are compared with them."""

    def __post_init__(self) -> None:
        """Refuse endpoints that would send the credential in the clear."""
        check_endpoint(self.endpoint, "--endpoint")
        if self.iam_endpoint:
            check_endpoint(self.iam_endpoint, "--iam-endpoint")
        elif isinstance(self.credential, IamUser):
            raise UsageProblem("no IAM endpoint to sign in at: give --region or --iam-endpoint (GATE_IAM_ENDPOINT)")
        require(self.request_timeout, "--request-timeout")


DEFAULT_MAX_AGE = 900.0
"""Seconds since the end of a build, without which an old result would be judged as this pipeline's."""


TIMEOUT_OPTION = "--timeout"

DEFAULT_MAX_RATE = 60.0
"""Requests a minute."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """How to select, wait and judge; all times in seconds."""

    commit: str | None = None
    commit_advice: str = ""
    """What to tell people if no build of `commit` is found: that it is a pull request's merge commit."""
    branch: str | None = None
    """Judge the newest build of this branch; with `commit`, of both."""
    since: datetime | None = None
    """Judge only builds created at or after this instant."""
    codearts_project: str | None = None
    """The CodeArts project in which jobs that are given by name are looked up."""
    max_age: float | None = None
    """How old an ended build may be; `None` when it was not asked for: see `age_limit`."""
    appear_timeout: float = 300.0
    timeout: float = 3600.0
    timeout_source: str = TIMEOUT_OPTION
    """What set `timeout`, for people: the option, or the end of the job of the CI system that comes before it."""
    queue_timeout: float | None = None
    """How long a build may be queued before it runs; `None`: as long as `timeout` allows."""
    poll_interval: float = 10.0
    error_budget: float = 300.0
    connection_options: str = ""
    """The options of this call that lead to the service, for the commands that people are told to use."""
    error_budget_source: str = "--error-budget"
    """What sets `error_budget`, for people; empty where no option does."""
    verdict_from: Literal["record", "status"] = "record"
    require_tests: bool = False
    fail_fast: bool = False
    max_rate: float = DEFAULT_MAX_RATE
    log_tail: int = 50
    keep_running: bool = False
    """Whether a build that this gate started goes on when the gate gives up on it."""
    if_none: Literal["fail", "pass"] = "fail"
    """What it means when no build appeared in time although the service answered."""
    follow: bool = False
    """Whether the log of a running build is shown while it grows."""
    no_wait: bool = False
    """Whether the gate ends as soon as its builds have been started."""
    retries: int = 0
    """How often a build is ordered again that ended with `SCHEDULE_FAILURE`."""
    reuse: bool = False
    """Whether `run` takes the newest build of the commit, if that runs or has passed, instead of starting one."""
    stop: bool = False
    """Whether `wait` stops the builds that it was given by number when it ends before they have (`--stop`)."""

    def __post_init__(self) -> None:
        """Refuse times that would make the wait endless or senseless."""
        require(self.timeout, "--timeout")
        require(self.poll_interval, "--poll-interval")
        require(self.max_rate, "--max-rate")
        if self.max_age is not None:
            require(self.max_age, "--max-age", zero=True)
        require(self.appear_timeout, "--appear-timeout", zero=True)
        if self.queue_timeout is not None:
            require(self.queue_timeout, "--queue-timeout")
        require(self.error_budget, "--error-budget", zero=True)

    @property
    def age_limit(self) -> float | None:
        """How many seconds ago a build may have ended and still be judged; `None`: any time ago.

        With a commit, a branch or a time, any build that fits is this pipeline's, unless `--max-age` was given.
        """
        if self.max_age is None:
            return None if self.commit or self.branch or self.since else DEFAULT_MAX_AGE
        return self.max_age


@dataclass(frozen=True, slots=True, kw_only=True)
class Reports:
    """Where the reports go, and how much is said."""

    junit: Path = Path("gate-report.xml")
    build_url: str | None = None
    """The template of the link to a build."""
    summary: Path | None = None
    outputs: Path | None = None
    log_dir: Path | None = None
    """The folder for the whole log of each judged build."""
    named_by: Mapping[str, str] = field(default_factory=dict, compare=False)
    """The option or variable that names each file or folder; a default has none."""
    platform: str = "auto"
    json: bool = False
    quiet: bool = False
    verbose: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything one run of the gate needs to know."""

    targets: Sequence[Target]
    order: Order | None = None
    """What to build where the gate starts builds: one of each target's job."""
    connection: Connection
    region: str = ""
    rules: Rules = field(default_factory=Rules)
    reports: Reports = field(default_factory=Reports)

    def __post_init__(self) -> None:
        """Refuse an empty set of targets, and ambiguous ones."""
        if not self.targets:
            raise UsageProblem("no target: name at least one JOB_ID, or set GATE_TARGETS")
        check_targets(self.targets)


def check_targets(targets: Sequence[Target], source: str = "") -> None:
    """Raise `UsageProblem`, which begins with `source`, when two targets are the same build or have one label."""
    builds = [(target.job, target.build_number) for target in targets]
    check_unique(builds, f"{source}the same build is given twice")
    labels = [target.label for target in targets]
    check_unique(labels, f"{source}give each target its own LABEL=; two have the label")


def check_unique(values: Sequence[object], complaint: str) -> None:
    """Raise `UsageProblem` with `complaint` when a value stands twice."""
    seen: set[object] = set()
    for value in values:
        if value in seen:
            shown = ":".join(str(part) for part in value if part) if isinstance(value, tuple) else value
            raise UsageProblem(f"{complaint}: {shown}")
        seen.add(value)


def require(number: float, option: str, *, zero: bool = False) -> None:
    """Raise `UsageProblem` unless `number` is finite and positive (or zero, where zero makes sense)."""
    if not math.isfinite(number) or number < 0 or (number == 0 and not zero):
        raise UsageProblem(f"{option} must be a finite number above zero, not {number}")


def is_loopback(host: str) -> bool:
    """Whether `host` is this machine, where plain http is as safe as https."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


_EXAMPLE = "https://cloudbuild-ext.cn-north-4.myhuaweicloud.com"

_NETLOC = re.compile(
    r"(?:\[[0-9A-Fa-f:.]+\]|(?!.{254})[A-Za-z0-9_-]{1,63}(?:\.[A-Za-z0-9_-]{1,63})*\.?)(?::\d{1,5})?", re.ASCII
)


def check_endpoint(url: str, option: str) -> None:
    """Raise `UsageProblem` unless `url` is a bare base URL: https, or http on loopback. It is not quoted."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        host = None
    if host is None or parts.scheme not in ("http", "https"):
        raise UsageProblem(f"{option} must be a URL such as {_EXAMPLE}")
    if "@" in parts.netloc or "?" in url or "#" in url:
        raise UsageProblem(f"{option} must be a base URL without user, query or fragment, such as {_EXAMPLE}")
    if not _NETLOC.fullmatch(parts.netloc) or not url.isprintable() or " " in url:
        raise UsageProblem(f"{option} names no host that can be asked; it must be a URL such as {_EXAMPLE}")
    if version := re.search(r"/v\d[\d.]*/?$", parts.path):
        raise UsageProblem(f"{option} must be a base URL: leave {version[0]} at its end out")
    if parts.scheme == "http" and not is_loopback(host):
        raise UsageProblem(f"{option} must use https: http would send the credential in the clear to {host}")
