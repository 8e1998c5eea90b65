"""An IAM user's tokens through a long wait: renewed before they expire, and when they are refused.

A new token does not end the life of the old one (api-iam/iam_30_0001, 2025-12-27).
"""

import copy
import math
import threading
import time
from collections.abc import Callable

from requests import PreparedRequest

from gate.codearts.auth import TOKEN_HEADER, Auth
from gate.codearts.iam_sign_in import Issued
from gate.errors import PermanentError, ServiceError
from gate.settings import IamUser

AHEAD = 300.0
"""Seconds before its end at which a token is renewed; half of its life for tokens of less than twice that."""


class IamAuth(Auth):
    """A token that is fetched when it is first needed, by the thread that needs it; others wait for that one.

    A refused token is replaced once: when the new one is refused before the service ever accepted it, there is none
    after it. A sign-in that IAM refuses is never repeated, whoever asks.
    """

    family = "IAM user from GATE_IAM_USER"

    def __init__(self, user: IamUser, sign_in: Callable[[], Issued], now: Callable[[], float] = time.monotonic) -> None:
        """`sign_in` fetches a token; `now` gives instants in seconds on a clock that never jumps."""
        self._password = user.password
        self._sign_in = sign_in
        self._now = now
        self._lock = threading.Lock()
        self._tokens: tuple[str, ...] = ()
        self._renew_at = self._ends_at = -math.inf
        self._refused = False  # the newest token
        self._unproven = False  # the newest token, which replaced a refused one, was never accepted
        self._tries = 0
        self._problem: ServiceError | None = None

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        """Put the token in its header; raises a `ServiceError` when one was needed and could not be had."""
        tries = self._tries
        if self._now() >= self._renew_at:
            with self._lock:
                if self._now() >= self._renew_at:
                    self._renew_early(tries)
        request.headers[TOKEN_HEADER] = self._tokens[-1]
        return request

    def renew(self, refused: PreparedRequest) -> bool:
        """Fetch a new token, unless another thread already has; tell whether there is one that may be accepted."""
        tries = self._tries
        with self._lock:
            if refused.headers.get(TOKEN_HEADER) == self._tokens[-1]:
                if self._unproven:
                    return False
                self._renew_at = self._ends_at = -math.inf
                self._refused = True
                self._fetch(tries)
            return True

    def accepted(self, request: PreparedRequest) -> None:
        """Take note that the token is good, so that it may be replaced when it is refused later."""
        if self._unproven and request.headers.get(TOKEN_HEADER) == self._tokens[-1]:
            self._unproven = False

    def secrets(self) -> tuple[str, ...]:
        """Return the password and all tokens so far."""
        return (self._password, *self._tokens)

    def _renew_early(self, tries: int) -> None:
        """Fetch a token; a failure is none while the old token is still good."""
        try:
            self._fetch(tries)
        except ServiceError:
            if self._now() >= self._ends_at:
                raise
            self._renew_at = self._ends_at

    def _fetch(self, tries: int) -> None:
        """Fetch a token, unless that failed for another thread since there were `tries` tries."""
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
        self._ends_at = self._now() + issued.seconds
        self._renew_at = self._ends_at - min(AHEAD, issued.seconds / 2)
