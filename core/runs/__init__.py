"""The store of scenes and runs: everything computed has an id, a folder and its provenance."""
