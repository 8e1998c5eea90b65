"""Everything that can go wrong, as one tree.

    GateError
    ├── UsageProblem            the call or the configuration is wrong
    ├── ReportFailed            a report could not be written
    └── ServiceError            the service gave no usable answer
        ├── TransientError      may heal by itself: asked again within the error budget
        │   ├── Unreachable     no connection, or it broke
        │   ├── TooSlow         no complete answer within the request timeout
        │   ├── Throttled       the service asks for fewer requests
        │   ├── ServiceFailing  the service, or the gateway before it, has a fault
        │   └── InvalidAnswer   an answer that is no answer: not JSON, too large, about another build
        ├── GaveUp              transient errors went on for longer than the error budget
        ├── StartLost           a build was ordered, and the answer got lost
        └── PermanentError      will not heal by itself: ends the wait at once
            ├── Unauthorised    the credential was refused
            ├── Forbidden       the credential is good, but may not do this
            ├── NotFound        no such job, build or record
            ├── RouteMissing    this deployment does not publish the path
            ├── Untrusted       the server's certificate is not trusted
            └── Refused         the request was refused as wrong

A message holds facts (host, HTTP status, the service's code and text), never a secret. `hint` says what to do.
"""


class GateError(Exception):
    """Raised when the gate cannot do what it was asked to do; the base of all below."""

    hint = ""

    def __init__(self, message: str, *, hint: str = "") -> None:
        """`message`: one sentence of facts. `hint`: one sentence of advice, else the class's own."""
        super().__init__(message)
        self.hint = hint or self.hint


class UsageProblem(GateError):
    """Raised when an option, a variable or an argument is wrong; nothing was asked of the service."""


class ReportFailed(GateError):
    """Raised when a report could not be written."""

    hint = "Give a path that this user may write to."


class ServiceError(GateError):
    """Raised when the service gave no usable answer."""

    def __init__(self, message: str, *, status: int | None = None, code: str = "", hint: str = "") -> None:
        """`status`: the HTTP status, if there was one. `code`: the service's own error code, such as `APIGW.0301`."""
        super().__init__(message, hint=hint)
        self.status = status
        self.code = code


class TransientError(ServiceError):
    """Raised when asking again later may help."""

    hint = "The service may be having trouble; run the gate again, or raise --error-budget."
    retry_after: float | None = None
    """Seconds that the service asked us to wait, if it did."""
    sent = True
    """Whether the request may have reached the service; false only when that is certain."""


class Unreachable(TransientError):
    """Raised when no connection could be made, or when it broke before the answer was complete."""

    hint = (
        "Check --endpoint or --region, name resolution, the proxy and the firewall; `codearts-gate doctor` tries each."
    )


class TooSlow(TransientError):
    """Raised when the answer was not complete within the request timeout."""

    hint = (
        "The service is slow or something between holds the connection; raise --request-timeout if it is always slow."
    )


class Throttled(TransientError):
    """Raised when the service asks for fewer requests (429, APIGW.0308, CB.00060211)."""

    hint = "Too many requests under this account; lower --max-rate, raise --poll-interval or --error-budget."


class ServiceFailing(TransientError):
    """Raised when the service or its gateway reports a fault of its own."""


class InvalidAnswer(TransientError):
    """Raised when an answer cannot be read as what was asked for."""

    hint = "Check that --endpoint is the API host of CodeArts Build and that no proxy answers in its place."


class GaveUp(ServiceError):
    """Raised when transient errors went on for longer than the error budget."""


class StartLost(ServiceError):
    """Raised when nobody can say whether a build was started; it is never ordered a second time."""

    hint = "Look at the job in the CodeArts console before you start another build."


class PermanentError(ServiceError):
    """Raised when asking again cannot help."""


class Unauthorised(PermanentError):
    """Raised when the credential was refused."""

    hint = (
        "Use a fresh project-scoped token of this region, or a valid AK/SK; nothing was tried again, so that no "
        "account gets locked."
    )


class Forbidden(PermanentError):
    """Raised when the credential is good but lacks a permission."""

    hint = "Give the user permission to view (and for `run`, to run) this build job in its CodeArts project."


class NotFound(PermanentError):
    """Raised when the service knows no such job, build or record."""

    hint = (
        "Check the job id (the last part of the build job's address in the browser), the build number and the region."
    )


class RouteMissing(PermanentError):
    """Raised when this host does not publish the path (404 with gateway code 0101): says nothing about a build."""

    hint = "Check --endpoint; `codearts-gate doctor` lists the routes that this host publishes."


class Untrusted(PermanentError):
    """Raised when the server's TLS certificate is not trusted."""

    hint = "Name the file with your CA's certificate in --ca-bundle or REQUESTS_CA_BUNDLE."


class Refused(PermanentError):
    """Raised when the service refuses the request as wrong, or sends the gate elsewhere."""

    hint = "Check --endpoint, the job id and the build number; --verbose shows what was asked."
