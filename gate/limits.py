"""Limits on the size and the time of what the gate reads, each with its reason.

Limits of the wait are elsewhere: side channels and the seconds after the deadline in `gate.core.watch` and
`gate.core.wait`, pauses and rates in `gate.core.schedule`, the clock in `gate.codearts.service_clock`. Redirects are
not followed. JSON that is nested too deeply for the interpreter's JSON reader is an invalid answer.
"""

MAX_BYTES = 2 * 1024 * 1024
"""Bytes of the body of an answer after decompression, but not of a log, of which only the end is kept. A page of 100
builds takes 80 KB, and parsed lists use 30 times as much memory as their text."""

MAX_HEADER_BYTES = 256 * 1024
"""Bytes of the headers of an answer (`http.client` allows 100 headers of up to 64 KiB each)."""

MAX_LINES = 200
"""Consecutive lines: the headers of an answer and of the interim answers before it, or the trailers after its body."""

MAX_WIRE_BYTES = MAX_BYTES + MAX_BYTES // 2
"""Bytes of an answer after its headers as sent, with chunk sizes and trailers, which have no limit of their own."""

MAX_BUILD_NUMBER = 2**31 - 1
"""The highest number of a build: the service's own limit (ShowJobBuildRecordDetail)."""

MAX_TEXT = 4096
"""Characters of one text of a record (a branch, a message), because it may appear in a report."""

MAX_LOG = 100_000
"""Characters that are kept of the log of each target; no report shows more."""

MAX_STAGE = 120
"""Characters of a stage's name, which becomes the name of a test case."""

MAX_STAGES = 200
"""Stages of a build: each becomes a test case of the report, which is written in the seconds after the deadline."""

MAX_CHILDREN = 200
"""Child builds of a multi-job build, for the same reason."""

MAX_FAILED_STEPS = 20
"""Failed steps of a build: a reason names one of them, and a build rarely has more than two."""

MAX_PROJECT_PAGES = 60
"""Pages of 100 jobs that are read of a project's list: it only serves as a hint, and each page is a request."""

MAX_HELD_LINE = 65_536
"""Characters of an unfinished line that are kept until its end arrives, for each build whose log is followed."""

MAX_CONNECTIONS = 8
"""Concurrent requests that answer in time; side channels have half as many of their own."""

MAX_SLOW_CALLS = 12
"""Concurrent requests for targets whose last request was slow, so that what hangs holds up nobody else."""

MAX_CALLS = 32
"""Concurrent requests of all kinds, but for stops and orders; together with the limits above this bounds the gate's
memory and threads."""

LOG_START_SECONDS = 5.0
"""Seconds until the answer with a log has to begin."""

MAX_TOKEN_BYTES = 100_000
"""Bytes of a token: the vendor's schema allows `X-Auth-Token` as many characters."""

TOKEN_SECONDS = 4.0
"""Seconds for reading a token from a pipe. It is read before the wait begins, and must not delay a short `--timeout`
for long."""
