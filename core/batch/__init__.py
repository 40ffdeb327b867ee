"""Batches: several images that are worked on alike, each as an ordinary run, with one table, one zip and one report."""
