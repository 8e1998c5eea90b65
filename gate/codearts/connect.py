"""Build the HTTP session from the settings of a connection; the kind of credential decides how requests are signed."""

from collections.abc import Callable
from dataclasses import replace
from typing import assert_never

from gate.codearts.auth import Auth, TokenAuth
from gate.codearts.service_clock import ServiceClock
from gate.codearts.session import Session
from gate.settings import Connection, IamUser, KeyPair, Token

Say = Callable[[str], None]


def connect(connection: Connection, debug: Say, warn: Say) -> Session:
    """Return a session; nothing is sent yet.

    `debug` is called with one line for each request, `warn` with a sentence when this machine's clock is wrong. Raises
    `UsageProblem` when the credential cannot be used.
    """
    clock = ServiceClock(warn)
    return Session(connection, make_auth(connection, debug, clock), debug, clock)


def make_auth(connection: Connection, debug: Say, clock: ServiceClock) -> Auth:
    """Return the `Auth` for a connection's credential. Raises `UsageProblem` when the credential cannot be used."""
    match connection.credential:
        case Token() as token:
            return TokenAuth(token)
        case KeyPair() as pair:
            from gate.codearts.signing import KeyPairAuth

            return KeyPairAuth(pair, clock.now)
        case IamUser() as user:
            from gate.codearts.iam import IamAuth, SignInAuth, sign_in

            auth = IamAuth(user, lambda: sign_in(iam, user))
            iam = Session(replace(connection, endpoint=connection.iam_endpoint), SignInAuth(auth.secrets), debug)
            return auth
        case _:
            assert_never(connection.credential)
