"""What tasks on georeferenced images share."""
