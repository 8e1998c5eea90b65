"""Credentials as `requests.auth.AuthBase`: set on every request, so that `.netrc` cannot replace them."""

import threading
from contextlib import AbstractContextManager, nullcontext

from requests import PreparedRequest
from requests.auth import AuthBase

from gate.codearts.given_token import checked, read_token
from gate.errors import UsageProblem
from gate.settings import Token

TOKEN_HEADER = "X-Auth-Token"  # noqa: S105 - the header's name, from the vendor's page on ShowJobStatus


class Auth(AuthBase):
    """A credential that signs requests and may have a newer version of itself."""

    family = ""
    """What kind of credential this is and where it comes from, for people."""

    def renew(self, refused: PreparedRequest) -> bool:  # noqa: ARG002 - for those who can
        """Tell whether there is a newer credential than the one that was `refused`, which may be tried once."""
        return False

    def turn(self) -> AbstractContextManager[object]:
        """Give what a request must hold while it is sent; nothing, for a credential that may be tried in parallel."""
        return nullcontext()

    def accepted(self, request: PreparedRequest) -> None:
        """Take note that the service accepted the credential of `request`."""

    def secrets(self) -> tuple[str, ...]:
        """Give the texts that must not be shown."""
        return ()


class NoAuth(Auth):
    """No credential at all, to see what the gateway says then."""

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        """Leave the request as it is."""
        return request


class TokenAuth(Auth):
    """An IAM token; one from a file is read again when it is refused, as long waits outlive tokens."""

    def __init__(self, token: Token) -> None:
        """Read the token; raises `UsageProblem` when the file has none."""
        self._file = token.file
        self._lock = threading.Lock()
        self._token = read_token(token.file) if token.file else checked(token.value, "GATE_TOKEN")
        self._former: tuple[str, ...] = ()
        self.family = f"token from {self._file}" if self._file else "token from GATE_TOKEN"

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        """Put the token in its header."""
        request.headers[TOKEN_HEADER] = self._token
        return request

    def renew(self, refused: PreparedRequest) -> bool:
        """Read the token file again; the token counts as newer when it differs from the refused one."""
        if self._file is None:
            return False
        with self._lock:
            try:
                token = read_token(self._file)
            except UsageProblem:
                return False
            if token != self._token:
                self._former = (*self._former, self._token)
                self._token = token
            return token != refused.headers.get(TOKEN_HEADER)

    def secrets(self) -> tuple[str, ...]:
        """Give all tokens that were read."""
        return (self._token, *self._former)
