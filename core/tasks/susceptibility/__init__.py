"""Susceptibility: where landslides are likely, from what is known of places with and without one."""
