"""The queue at work: workers, Dask, sharding, and doing what a run asks for."""
