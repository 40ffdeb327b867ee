"""The parts of the synthetic sample valley: terrain, cover, landslides, light and files."""
