"""The rows of the benchmark: each module measures one kind of work with ``measure(size)``."""
