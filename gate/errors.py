"""All errors of the gate, as one tree.

    GateError
    ├── UsageProblem            the call or the configuration is wrong
    ├── ReportFailed            a report could not be written
    └── ServiceError            the service gave no usable answer
        ├── TransientError      may pass by itself: retried within the error budget
        │   ├── Unreachable     no connection, or it was interrupted
        │   ├── TooSlow         no complete answer within the request timeout
        │   ├── Throttled       the service asks for fewer requests
        │   ├── ServiceFailing  the service or its gateway reports an internal fault
        │   ├── CredentialRefused   a credential that was accepted before, or a permission, is refused
        │   └── InvalidAnswer   an unusable answer: not JSON, too large, about another build
        ├── GaveUp              transient errors lasted longer than the error budget
        ├── StartLost           a build was ordered, but the answer was lost
        ├── OrderNotSent        the gate began to end before a build was ordered
        └── PermanentError      will not pass by itself: ends the wait at once
            ├── Unauthorised    the credential was refused
            ├── Forbidden       the credential is valid, but lacks a permission
            ├── NotFound        no such job, build or record
            │   └── NoBuildAppeared   no build was started in time
            ├── WrongBuild      another build than the one that was asked for
            ├── RouteMissing    this host does not publish the path
            ├── Untrusted       the server's certificate is not trusted
            └── Refused         the request was rejected as wrong

A message states facts (host, HTTP status, the service's code and text) and never contains a secret. `hint` tells the
user what to do.
"""

import errno
import re

OPTIONS_OF_WAITING = ("--error-budget", "--max-rate", "--poll-interval")
"""Options that only `wait` and `run` have, of those that hints name."""

NEW_CREDENTIAL = "Use a new token with project scope in this region, or a valid AK/SK."


class GateError(Exception):
    """The base class of all errors that the gate raises on purpose."""

    hint = ""

    def __init__(self, message: str, *, hint: str = "") -> None:
        """`message`: one sentence of facts. `hint`: advice that replaces the hint of the class."""
        super().__init__(message)
        self.hint = hint or self.hint

    def hint_for(self, command: str) -> str:
        """Return the hint without the sentences that a command (`jobs`, say) cannot follow: on options, or itself."""
        unfit = [f"`codearts-gate {command}`"] + ([] if command in ("wait", "run") else [*OPTIONS_OF_WAITING])
        sentences = re.split(r"(?<=\.) ", self.hint)
        return " ".join(one for one in sentences if not any(words in one for words in unfit))


class UsageProblem(GateError):
    """Raised when an option, a variable or an argument is wrong, before any request is sent."""


class ReportFailed(GateError):
    """Raised when a report could not be written."""

    hint = "Use a path that this user can write to."


class ServiceError(GateError):
    """Raised when the service gave no usable answer."""

    def __init__(self, message: str, *, status: int | None = None, code: str = "", hint: str = "") -> None:
        """`status`: the HTTP status, if there was an answer. `code`: the error code in it, such as `APIGW.0301`."""
        super().__init__(message, hint=hint)
        self.status = status
        self.code = code

    def as_transient(self) -> "InvalidAnswer":
        """Return the same error as one that may pass by itself."""
        return InvalidAnswer(str(self), status=self.status, code=self.code, hint=self.hint)


class TransientError(ServiceError):
    """Raised when the same request may succeed later."""

    hint = (
        "The service may have a temporary problem: try it again later. To let the gate try for longer, increase "
        "--error-budget."
    )
    lasted = 0.0
    """Seconds from the start of the call to this error, as far as the caller has measured them."""
    retry_after: float | None = None
    """Seconds to wait before the next request, if the service stated them."""
    sent = True
    """Whether the service may have carried out the request; false only if it certainly did not: nothing left this
    machine, or the service refused to admit it."""


class Unreachable(TransientError):
    """Raised when no connection could be established, or when it ended before the answer was complete."""

    hint = (
        "Check --endpoint or --region, name resolution, the proxy and the firewall. `codearts-gate doctor` checks each."
    )


class TooSlow(TransientError):
    """Raised when the answer was not complete within the request timeout."""

    hint = (
        "The service is slow, or a proxy or firewall holds the connection. Increase --request-timeout if this persists."
    )


class Throttled(TransientError):
    """Raised when the service asks for fewer requests (429, APIGW.0308, CB.00060211): it has not admitted this one."""

    sent = False

    hint = (
        "Too many requests were sent with this account. Lower --max-rate, or increase --poll-interval or "
        "--error-budget."
    )


class ServiceFailing(TransientError):
    """Raised when the service or its gateway reports an internal fault."""


class CredentialRefused(TransientError):
    """Raised when the service, by its own error code, refuses a credential that it accepted before, or a permission.

    It is for the caller to count such refusals; the one that it takes for final is `permanent`.
    """

    hint = "Check whether the token has expired or the permissions of the user were changed."
    sent = False
    kind: "type[PermanentError]"
    """The class of the final error: `Unauthorised` or `Forbidden`."""

    def permanent(self) -> "PermanentError":
        """Return the same refusal as an error that ends the wait."""
        hint = self.hint
        if hint == CredentialRefused.hint:
            hint = NEW_CREDENTIAL if self.kind is Unauthorised else self.kind.hint
        return self.kind(str(self), status=self.status, code=self.code, hint=hint)


class InvalidAnswer(TransientError):
    """Raised when an answer is unusable: not JSON, too large, without a needed field, or about another build."""

    hint = "Check that --endpoint is the API host of CodeArts Build, and that no proxy answers instead of it."


class GaveUp(ServiceError):
    """Raised when transient errors lasted longer than the error budget."""


class StartLost(ServiceError):
    """Raised when it is unknown whether a build was started; it is never ordered a second time."""

    hint = "Check in the CodeArts console whether it runs, before you start another build."


class OrderNotSent(ServiceError):
    """Raised when the gate began to end before an order was sent: nothing of it has left this machine."""

    hint = "No build was started by this run."


class PermanentError(ServiceError):
    """Raised when repeating the request cannot help."""


class Unauthorised(PermanentError):
    """Raised when the credential was refused."""

    hint = f"{NEW_CREDENTIAL} The request was not repeated, so that the account is not locked."


class Forbidden(PermanentError):
    """Raised when the credential is valid but lacks a permission."""

    hint = "Give the user permission to view (and for `run`, to run) this build job in its CodeArts project."


class NotFound(PermanentError):
    """Raised when the service knows no such job, build or record."""

    hint = "Check the job id (the last part of the job's URL in the CodeArts console), the build number and the region."


class NoBuildAppeared(NotFound):
    """Raised when the service answered, but no build was started for this pipeline in time."""


class WrongBuild(PermanentError):
    """Raised when a record or a number cannot be that of the build that was asked for or ordered."""

    hint = "Look at the job in the CodeArts console: another build than the one that was asked for may be running."


class RouteMissing(PermanentError):
    """Raised when this host does not publish the path (404 with gateway code 0101). Says nothing about a build."""

    hint = "Check --endpoint. `codearts-gate doctor` lists the routes that this host publishes."


class Untrusted(PermanentError):
    """Raised when the server's TLS certificate is not trusted."""

    hint = "Set --ca-bundle, REQUESTS_CA_BUNDLE or SSL_CERT_FILE to the file with the certificate of your CA."


class Refused(PermanentError):
    """Raised when the service rejects the request as wrong, or answers with a redirect."""

    hint = "Check --endpoint, the job id and the build number. --verbose shows each request."


CredentialRefused.kind = Unauthorised  # which is defined below it


def explain_surroundings(error: BaseException) -> tuple[str, str] | None:
    """Say what the machine or the installation lacks, and what to do; `None` for an error that has another cause.

    No such error is a bug of the gate, nor an answer of the service.
    """
    if isinstance(error, ImportError | SyntaxError | EOFError | SystemExit):
        what = f"{type(error).__name__}: {error}".rstrip(": ")
        return f"a part of the program could not be loaded: {what}", "Install codearts-gate again."
    return explain_limit(error)


def explain_limit(error: BaseException) -> tuple[str, str] | None:
    """Say which limit of the machine was reached, and what to do; `None` for an error that has another cause."""
    number = error.errno if isinstance(error, OSError) else None
    if number in (errno.EMFILE, errno.ENFILE):
        return "too many files are open", "Raise the limit on open files: ulimit -n."
    if isinstance(error, MemoryError) or number == errno.ENOMEM:
        return (
            "there is not enough memory",
            "Raise the limit on memory: that of the job or its container, or ulimit -v.",
        )
    return None
