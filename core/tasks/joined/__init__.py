"""What joins two tasks."""
