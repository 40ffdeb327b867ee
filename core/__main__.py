"""``python -m core``: the tasks without a browser."""

from core.cli import main

raise SystemExit(main())
