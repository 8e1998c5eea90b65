"""The tokens of an IAM user during a long wait: renewed before they expire, and when they are refused.

A new token does not invalidate the old one (api-iam/iam_30_0001, 2025-12-27).
"""

import copy
import math
import threading
import time
from collections.abc import Callable

from requests import PreparedRequest

from gate.codearts.auth import TOKEN_HEADER, Auth
from gate.codearts.iam_sign_in import IssuedToken
from gate.errors import PermanentError, ServiceError
from gate.settings import IamUser

RENEW_BEFORE_EXPIRY = 300.0
"""Seconds before a token expires at which it is renewed; half of its lifetime if that is shorter."""


class IamAuth(Auth):
    """A token that is fetched when it is first needed, by one thread while the others wait for it.

    A refused token is replaced once: if the new one is refused before the service ever accepted it, no further token is
    fetched. A sign-in that IAM refuses is never repeated.
    """

    def __init__(
        self, user: IamUser, sign_in: Callable[[], IssuedToken], now: Callable[[], float] = time.monotonic
    ) -> None:
        """`sign_in` fetches a token; `now` returns seconds of a monotonic clock."""
        self._password = user.password
        self._sign_in = sign_in
        self._now = now
        self._lock = threading.Lock()
        self._tokens: tuple[str, ...] = ()
        self._renew_at = self._expires_at = -math.inf
        self._refused = False  # the newest token
        self._unproven = False  # the newest token replaced a refused one and was not accepted yet
        self._tries = 0
        self._problem: ServiceError | None = None

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        """Set the token header. Raises a `ServiceError` when a token is needed and none can be fetched.

        While one thread renews a token that is still valid, the others use it: IAM may hang.
        """
        tries = self._tries
        if self._now() >= self._renew_at and self._lock.acquire(blocking=self._now() >= self._expires_at):
            try:
                if self._now() >= self._renew_at:
                    self._renew_early(tries)
            finally:
                self._lock.release()
        request.headers[TOKEN_HEADER] = self._tokens[-1]
        return request

    def renew(self, refused: PreparedRequest) -> bool:
        """Fetch a new token unless another thread already did. Return whether there is one that may be tried."""
        tries = self._tries
        with self._lock:
            if refused.headers.get(TOKEN_HEADER) == self._tokens[-1]:
                if self._unproven:
                    return False
                self._renew_at = self._expires_at = -math.inf
                self._refused = True
                self._fetch(tries)
            return True

    def accepted(self, request: PreparedRequest) -> None:
        """Record that the token is valid, so that it may be replaced when it is refused later."""
        super().accepted(request)
        if self._unproven and request.headers.get(TOKEN_HEADER) == self._tokens[-1]:
            self._unproven = False

    def secrets(self) -> tuple[str, ...]:
        """Return the password and every token so far."""
        return (self._password, *self._tokens)

    def _renew_early(self, tries: int) -> None:
        """Fetch a token; a failure is ignored while the old token is still valid."""
        try:
            self._fetch(tries)
        except ServiceError:
            if self._now() >= self._expires_at:
                raise
            self._renew_at = self._expires_at

    def _fetch(self, tries: int) -> None:
        """Fetch a token, or raise the error of another thread's attempt that came after attempt number `tries`."""
        if self._problem and (self._tries != tries or isinstance(self._problem, PermanentError)):
            raise copy.copy(self._problem)
        try:
            issued = self._sign_in()
        except ServiceError as error:
            self._problem = error
            raise
        finally:
            self._tries += 1
        self._problem = None
        self._unproven, self._refused = self._refused, False
        self._tokens = (*self._tokens, issued.token)
        self._expires_at = self._now() + issued.seconds
        self._renew_at = self._expires_at - min(RENEW_BEFORE_EXPIRY, issued.seconds / 2)
