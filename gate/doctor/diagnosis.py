"""What the steps share: the connection, its sessions, and the results of earlier steps."""

from functools import cached_property
from urllib.parse import SplitResult, urlsplit

from requests.utils import get_environ_proxies, select_proxy

from gate.codearts.auth import NoAuth
from gate.codearts.client import Client
from gate.codearts.connect import Say, make_auth
from gate.codearts.error_mapping import PROXY_HINT, proxy_address
from gate.codearts.fallback_routes import Routes
from gate.codearts.responses import Reply
from gate.codearts.service_clock import ServiceClock
from gate.codearts.session import Session
from gate.errors import PermanentError, ServiceError
from gate.model import Target
from gate.settings import Connection, is_loopback

NO_JOB = "0" * 32
"""A job id for questions whose answer depends on no job."""

PROBES = ("/v3/jobs/{job}/status", "/v1/record/{job}/1/record-info")
"""Paths of which every known deployment publishes one."""


class CheckFailed(Exception):
    """Raised when a step failed: one sentence of facts, and one that says what to fix."""

    def __init__(self, facts: str, fix: str, *, ends: bool = True) -> None:
        """Take the two sentences; `ends`: whether the later steps make no sense."""
        super().__init__(facts)
        self.fix = fix
        self.ends = ends


class CheckSkipped(Exception):
    """Raised when a step has nothing to check; says why."""


class Diagnosis:
    """The state of one diagnosis; a step may add what later steps need."""

    def __init__(self, connection: Connection, target: Target | None, project: str | None, note: Say) -> None:
        """Nothing is sent yet. Raises `UsageProblem` when the credential cannot be used."""
        self.connection = connection
        self.target = target
        self.project = project
        self.job_id = (target.job_id or None) if target else None
        """`None` also as long as only the job's name is known."""
        self.clock = ServiceClock()
        self.auth = make_auth(connection, note, self.clock)
        self.session = Session(connection, self.auth, note, self.clock)
        self.client = Client(Routes(self.session))
        self.has_status = False
        self.is_running: bool | None = None
        self.refusal: PermanentError | None = None
        self.build_number: int | None = None
        self.project_id: str | None = None
        self.job_name: str | None = None
        self.record_route = ""
        self._bare = Session(connection, NoAuth(), note, self.clock)

    @property
    def asked_job(self) -> str:
        """The job that is asked about."""
        return self.job_id or NO_JOB

    @property
    def url(self) -> SplitResult:
        """The endpoint in its parts."""
        return urlsplit(self.connection.endpoint)

    @cached_property
    def proxy(self) -> SplitResult | None:
        """The proxy that the environment names for the endpoint; it may have a password in it. Raises `CheckFailed`."""
        if is_loopback(self.url.hostname or ""):
            return None
        endpoint = self.connection.endpoint
        found = select_proxy(endpoint, get_environ_proxies(endpoint))
        if not found:
            return None
        try:
            return proxy_address(found)
        except ValueError:
            raise CheckFailed("the URL of the proxy in HTTPS_PROXY cannot be read", PROXY_HINT) from None

    @cached_property
    def anonymous_reply(self) -> Reply | ServiceError:
        """The answer to a request without a credential, or the error instead; sent once."""
        try:
            for path in PROBES:
                reply = self._bare.get(path.format(job=self.asked_job))
                if reply.status != 404:
                    break
        except ServiceError as error:
            return error
        return reply
