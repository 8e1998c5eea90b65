"""How much the service can make the gate take: every limit on an answer, with its reason.

Not here, as they are rules of the wait: what a side channel may take and the last seconds after the deadline
(`gate.core.watch`, `gate.core.wait`), pauses and rates
(`gate.core.schedule`), the clock (`gate.codearts.service_clock`). Redirects: none is followed. Nesting: an
answer nested more deeply than the interpreter's own JSON reader goes is no answer.
"""

MAX_BYTES = 8 * 1024 * 1024
"""The body of an answer, unpacked: logs are large, and only their end is shown."""

MAX_JSON_BYTES = 2 * 1024 * 1024
"""The body of an answer that is read as JSON: a page of 100 builds takes 80 KB, and parsed lists take 30 times as much
memory as their text."""

MAX_HEADER_BYTES = 256 * 1024
"""The headers of an answer (and `http.client` takes 100 of them, each up to 64 KiB)."""

MAX_LINES = 200
"""Lines in a row: the headers of an answer with those of interim ones before it, or the trailers behind its body."""

MAX_WIRE_BYTES = MAX_BYTES + MAX_BYTES // 2
"""An answer behind its headers as it comes, chunk sizes and trailers included: these have no limit of their own."""

MAX_TEXT = 4096
"""Characters of one text of a record (a branch, a message): each may come to stand in a report."""

MAX_LOG = 100_000
"""Characters of a log that are kept of each target; nobody shows more bytes."""

MAX_STAGE = 120
"""Characters of a stage's name: it is the name of a case."""

MAX_STAGES = 200
"""Stages of a build: each becomes a case of the report, which is written in the seconds after the deadline."""

MAX_CONNECTIONS = 8
"""Requests under way at once; with the limits above this bounds the gate's memory."""

LOG_SECONDS = 5.0
"""Seconds for reading a log."""

MAX_TOKEN_BYTES = 100_000
"""A token; the vendor's schema allows `X-Auth-Token` as many characters."""

TOKEN_SECONDS = 4.0
"""Seconds for a token that comes through a pipe: it is read before anything else, and even a `--timeout` of a second
must hold. Behind a slower command, write the token to a file first."""
