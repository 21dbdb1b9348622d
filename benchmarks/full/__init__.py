"""Everything that is measured for docs/benchmarks.md: `make bench-full`."""
