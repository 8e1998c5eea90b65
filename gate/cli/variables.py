"""Variables that look like a misspelt one of the gate's: they have no effect, and nobody would notice."""

from collections.abc import Collection, Iterable

_PREFIX = "GATE_"
_SIMILAR = 0.8
"""How alike the rest of two names must be, from 0 to 1; names of other programs stay below that."""


def warnings(unknown: Iterable[str], known: Collection[str]) -> list[str]:
    """Return a warning for each `unknown` variable that resembles one of the `known` ones."""
    return [
        f"warning: the variable {name} is not known and has no effect; did you mean {meant}?"
        for name in sorted(unknown)
        if name.isidentifier() and (meant := _similar(name, known))
    ]


def _similar(name: str, known: Collection[str]) -> str:
    """Return the known variable that `name` was probably meant to be, or an empty text."""
    rest = name.upper().removeprefix(_PREFIX)
    candidates = {variable.removeprefix(_PREFIX): variable for variable in known if variable.startswith(_PREFIX)}
    if rest in candidates:  # in another case
        return candidates[rest]
    for candidate, variable in candidates.items():
        if candidate.endswith(f"_{rest}") and len(rest) > 3:  # GATE_PASSWORD for GATE_IAM_PASSWORD
            return variable
    import difflib

    found = difflib.get_close_matches(rest, candidates, n=1, cutoff=_SIMILAR)
    return candidates[found[0]] if found else ""
