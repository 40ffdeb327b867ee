"""The guide: a tour, exercises for a class, and the glossary."""
