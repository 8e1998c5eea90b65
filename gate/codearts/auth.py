"""Credentials as `requests.auth.AuthBase`: set on every request, so that `.netrc` cannot replace them."""

import shlex
import threading
from contextlib import AbstractContextManager, nullcontext, suppress

from requests import PreparedRequest
from requests.auth import AuthBase

from gate.codearts.token_input import checked, read_token
from gate.errors import Unauthorised, UsageProblem
from gate.settings import Token

TOKEN_HEADER = "X-Auth-Token"  # noqa: S105 - the header's name, from the vendor's page on ShowJobStatus


class Auth(AuthBase):
    """A credential that signs requests and may have a newer version of itself."""

    family = ""
    """What kind of credential this is and where it comes from, for people."""

    curl_token = ""
    """What a shell would put in the token's header; empty where no shell has the token."""

    def renew(self, refused: PreparedRequest) -> bool:  # noqa: ARG002 - for those who can
        """Tell whether there is a newer credential than the one that was `refused`, which may be tried once."""
        return False

    def turn(self) -> AbstractContextManager[object]:
        """Return what a request must hold while it is sent; nothing, for a credential that may be tried in parallel."""
        return nullcontext()

    def accepted(self, request: PreparedRequest) -> None:
        """Take note that the service accepted the credential of `request`."""

    def secrets(self) -> tuple[str, ...]:
        """Return the texts that must not be shown."""
        return ()


class NoAuth(Auth):
    """No credential at all, to see what the gateway says then."""

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        """Leave the request as it is."""
        return request


class TokenAuth(Auth):
    """An IAM token; one from a file is read again when it is refused, as long waits outlive tokens.

    A token that is refused before it was ever accepted is not sent again: with hundreds of targets, that would take
    hundreds of requests.
    """

    def __init__(self, token: Token) -> None:
        """Read the token; raises `UsageProblem` when the file has none."""
        self._file = token.file
        self._lock = threading.Lock()
        self._token = read_token(token.file) if token.file else checked(token.value, "GATE_TOKEN")
        self._former: tuple[str, ...] = ()
        self._good = self._bad = ""
        self.family = f"token from {self._file}" if self._file else "token from GATE_TOKEN"
        self.curl_token = f"$(cat {shlex.quote(str(self._file))})" if self._file else "$GATE_TOKEN"

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        """Put the token in its header; raises `Unauthorised` when there is none but the refused one."""
        if self._token == self._bad and self._newest() == self._bad:
            raise Unauthorised("the token was refused before, and is not sent again")
        request.headers[TOKEN_HEADER] = self._token
        return request

    def accepted(self, request: PreparedRequest) -> None:
        """Take note that the token is good: a refusal is then that of one request."""
        self._good = request.headers.get(TOKEN_HEADER, "")

    def renew(self, refused: PreparedRequest) -> bool:
        """Read the token file again; the token counts as newer when it differs from the refused one."""
        token = refused.headers.get(TOKEN_HEADER, "")
        if self._newest() != token:
            return True
        if token != self._good:
            self._bad = token
        return False

    def _newest(self) -> str:
        """Return the token that the file holds by now; the one that is known, if it holds none or there is no file."""
        if self._file is not None:
            with self._lock, suppress(UsageProblem):
                token = read_token(self._file)
                if token != self._token:
                    self._former = (*self._former, self._token)
                    self._token = token
        return self._token

    def secrets(self) -> tuple[str, ...]:
        """Return all tokens that were read."""
        return (self._token, *self._former)
