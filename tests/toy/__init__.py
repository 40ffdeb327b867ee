"""A task that shares nothing with those of the application: its input is one table, and it has no grid and no model.

It is known only through ``SLIDELENS_TASKS=tests.toy.task:TASK``. That every page, command and job works for it shows
that none of them assumes an image.
"""
