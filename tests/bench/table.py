"""Tables on stdout, as Markdown."""

from collections.abc import Sequence


def show(title: str, heads: Sequence[str], rows: Sequence[Sequence[object]], note: str = "") -> None:
    """Print a table; floats get two digits behind the point."""
    texts = [list(heads), *([_cell(value) for value in row] for row in rows)]
    widths = [max(len(row[column]) for row in texts) for column in range(len(heads))]
    lines = [" | ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)) for row in texts]
    lines.insert(1, " | ".join("-" * width for width in widths))
    print(f"\n### {title}\n", *(f"| {line} |" for line in lines), sep="\n")
    if note:
        print(f"\n{note}")


def quantile(values: Sequence[float], share: float) -> float:
    """Return the value below which this share of the values lies."""
    return sorted(values)[min(int(share * len(values)), len(values) - 1)]


def _cell(value: object) -> str:
    return f"{value:.2f}" if isinstance(value, float) else str(value)
