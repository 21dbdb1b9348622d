"""``python -m tests.faults``: every fault at every point, and every mistake of a person, on every service.

The tables and the exit code say it all.
"""

import argparse
import sys
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor

from rich.console import Console
from rich.table import Table

from tests.faults.catalogue import KINDS, LATE_AND_LOST, TWO, Case, pairs, spread
from tests.faults.harness import SCENARIOS
from tests.faults.mistakes import MISTAKES, violations
from tests.faults.stage import PLACES, SERVICES
from tests.faults.workers import CONTEXT, Result, catalogue, tried

COMMAND = "python -m tests.faults --case"


def main() -> int:
    """Parse the command line, try the cases, and print what came of them. Returns the exit code."""
    options = parsed()
    console = Console(soft_wrap=True)
    began = time.monotonic()
    if options.mistake:
        return slips(console, options)
    cases = [Case.parse(options.case)] if options.case else chosen(options)
    console.print(f"{len(cases):,} cases, {options.jobs} processes")
    results = []
    for result in tried(cases, options.jobs):
        results.append(result)
        case, violations = result
        for violation in violations:
            console.print(f"[red]violation[/red] {violation}\n  {COMMAND} {str(case)!r}", highlight=False)
        if len(results) % 100 == 0:
            console.print(f"{len(results):,} of {len(cases):,} after {time.monotonic() - began:,.0f} s")
    console.print(table(results))
    bad = sum(bool(found) for _, found in results)
    console.print(f"{len(results):,} cases, {bad} with violations, in {time.monotonic() - began:,.0f} s")
    lost = len(cases) - len(results)
    if lost:
        console.print(f"[red]{lost:,} cases were not tried: a process ended early[/red]")
    whole = not (options.case or options.sample or options.kind or options.scenario)
    return 1 if bad or lost or (whole and slips(console, options)) else 0


def slips(console: Console, options: argparse.Namespace) -> int:
    """Make the mistakes, and print what came of them. Returns the exit code."""
    names = [options.mistake] if options.mistake else list(MISTAKES)
    services = [options.service] if options.service in SERVICES else list(SERVICES)
    tried = [(name, service) for name in names for service in services if service in MISTAKES[name].concerns]
    with ProcessPoolExecutor(options.jobs, mp_context=CONTEXT) as pool:
        results = list(pool.map(violations, *zip(*tried, strict=True)))
    found = dict(zip(tried, results, strict=True))
    for (name, service), problems in found.items():
        for problem in problems:
            console.print(f"[red]violation[/red] {service} | {name}: {problem}", highlight=False)
    shown = Table(title="Mistakes of people")
    shown.add_column("mistake")
    shown.add_column("what the run says")
    for service in services:
        shown.add_column(f"{service}: violations", justify="right")
    for name in names:
        said = "; ".join(MISTAKES[name].says).format(run="RUN")
        shown.add_row(name, said, *(_count(found.get((name, service))) for service in services))
    console.print(shown)
    bad = sum(map(bool, results))
    console.print(f"{len(tried)} mistakes, {bad} with violations")
    return 1 if bad else 0


def _count(problems: list[str] | None) -> str:
    return "cannot be made" if problems is None else f"{len(problems)}"


def parsed() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--sample", type=int, metavar="N", help="only so many cases, evenly over kinds and points")
    parser.add_argument("--pairs", default="1:100", metavar="SEED:COUNT", help="pairs of faults, besides the singles")
    parser.add_argument("--service", choices=PLACES, help="only this one")
    parser.add_argument("--kind", choices=[*KINDS, LATE_AND_LOST, TWO], metavar="KIND", help="only faults of this kind")
    parser.add_argument("--scenario", choices=SCENARIOS, metavar="NAME", help="only this scenario")
    parser.add_argument("--mistake", choices=MISTAKES, metavar="NAME", help="only this mistake of a person")
    parser.add_argument("--case", help="one case, as a violation names it")
    parser.add_argument("--jobs", type=int, default=2, metavar="N", help="processes (2)")
    return parser.parse_args()


def chosen(options: argparse.Namespace) -> list[Case]:
    """The cases that the command line asks for."""
    services = [options.service] if options.service else list(PLACES)
    found = catalogue(services)
    seed, _, count = options.pairs.partition(":")
    found += pairs(found, int(seed), int(count or 0))
    if options.scenario:
        found = [case for case in found if case.scenario == options.scenario]
    if options.kind:
        found = [case for case in found if case.kind == options.kind]
    return spread(found, options.sample or len(found))


def table(results: list[Result]) -> Table:
    """Fault kind by service: points tried, and cases with violations."""
    counts: Counter[tuple[str, str]] = Counter((case.kind, case.service) for case, _ in results)
    bad = Counter((case.kind, case.service) for case, violations in results if violations)
    services = [service for service in PLACES if any(case.service == service for case, _ in results)]
    shown = Table(title="Faults", show_footer=True)
    shown.add_column("fault kind", footer="total")
    for service in services:
        total = sum(count for (_, at), count in counts.items() if at == service)
        shown.add_column(f"{service}: points", footer=f"{total:,}", justify="right")
        found = sum(count for (_, at), count in bad.items() if at == service)
        shown.add_column("violations", footer=f"{found:,}", justify="right")
    for kind in [*KINDS, LATE_AND_LOST, TWO]:
        if any(counts[kind, service] for service in services):
            cells = [f"{tally[kind, service]:,}" for service in services for tally in (counts, bad)]
            shown.add_row(kind, *cells)
    return shown


if __name__ == "__main__":
    sys.exit(main())
