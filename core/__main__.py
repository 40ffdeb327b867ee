"""``python -m core``: the tasks without a browser."""

from core.cli.main import main

raise SystemExit(main())
