"""Variables that look like a misspelt one of the gate's; they would have no effect, and nobody would notice."""

from collections.abc import Collection, Iterable

OUTPUTS = ("GATE_VERDICT", "GATE_EXIT_CODE", "GATE_BUILD_NUMBER", "GATE_REPORT", "GATE_ELAPSED_SECONDS")
"""What a former step's dotenv file sets; none of them is read."""

_PREFIX = "GATE_"
_SIMILAR = 0.8
"""How alike the rest of two names must be, from 0 to 1; names of other programs stay below that."""


def warnings(names: Iterable[str], known: Collection[str]) -> list[str]:
    """Return a warning for each of `names` that resembles one of the `known` variables and is none of them."""
    unknown = [name for name in names if name.upper().startswith(_PREFIX) and name not in known and name not in OUTPUTS]
    return [
        f"warning: the variable {name} is not known and has no effect; did you mean {meant}?"
        for name in sorted(unknown)
        if name.isidentifier() and (meant := _similar(name, known))
    ]


def _similar(name: str, known: Collection[str]) -> str:
    """Return the known variable that `name` was probably meant to be, or an empty text."""
    import difflib

    rest = name.upper().removeprefix(_PREFIX)
    candidates = {variable.removeprefix(_PREFIX): variable for variable in known if variable.startswith(_PREFIX)}
    for candidate, variable in candidates.items():
        if candidate.endswith(f"_{rest}") and len(rest) > 3:  # GATE_PASSWORD for GATE_IAM_PASSWORD
            return variable
    found = difflib.get_close_matches(rest, candidates, n=1, cutoff=_SIMILAR)
    return candidates[found[0]] if found else ""
