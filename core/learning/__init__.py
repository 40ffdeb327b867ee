"""What the tasks share: losses, metrics, splits, the training loop, and the store of models."""
