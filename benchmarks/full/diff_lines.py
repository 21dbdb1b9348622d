"""Finding that nothing has changed: our diff beside DuckDB, sqlite and dicts."""

from benchmarks import diff
from benchmarks.full.figures import Figure, Figures


def diff_lines() -> Figures:
    """The ratios of benchmarks.diff."""
    ratios = diff.ratios()
    goals = {"docferry": 1.5}
    return Figures(
        key="diff",
        title="Finding that nothing has changed",
        how=(
            f"A manifest and a listing of {diff.DOCUMENTS:,} unchanged documents, compared; by processor time, against "
            "DuckDB on the same JSON lines. Only ours unpacks its input and takes it from S3 (in memory)."
        ),
        unit="times as long",
        figures=tuple(Figure(name, ratio, goals.get(name)) for name, ratio in ratios.items()),
    )
