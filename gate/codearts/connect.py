"""From the settings of a connection to the one session: the credential's family decides how requests are signed."""

from collections.abc import Callable
from dataclasses import replace
from typing import assert_never

from gate.codearts.auth import Auth, TokenAuth
from gate.codearts.service_clock import ServiceClock
from gate.codearts.session import Session
from gate.settings import Connection, IamUser, KeyPair, Token

Say = Callable[[str], None]


def connect(connection: Connection, remark: Say, warn: Say) -> Session:
    """Make the session; nothing is sent yet.

    `remark` takes one line about each request, `warn` a sentence about a clock that is off. Raises `UsageProblem` when
    the credential cannot be used.
    """
    clock = ServiceClock(warn)
    return Session(connection, make_auth(connection, remark, clock), remark, clock)


def make_auth(connection: Connection, remark: Say, clock: ServiceClock) -> Auth:
    """Make the `Auth` of a connection's credential; raises `UsageProblem` when it cannot be used."""
    match connection.credential:
        case Token() as token:
            return TokenAuth(token)
        case KeyPair() as pair:
            from gate.codearts.signing import KeyPairAuth

            return KeyPairAuth(pair, clock.now)
        case IamUser() as user:
            from gate.codearts.iam_auth import IamAuth
            from gate.codearts.iam_sign_in import SignInAuth, sign_in

            auth = IamAuth(user, lambda: sign_in(iam, user))
            iam = Session(replace(connection, endpoint=connection.iam_endpoint), SignInAuth(auth.secrets), remark)
            return auth
        case _:
            assert_never(connection.credential)
