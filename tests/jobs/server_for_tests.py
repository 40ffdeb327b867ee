"""A server that orders one run and then waits to be killed: ``python server_for_tests.py HOME``."""

from __future__ import annotations

import sys
import time
from pathlib import Path

from core.jobs.jobs import ClusterJobs
from core.jobs.local_cluster import LocalCluster
from core.runs.database import database_url
from core.runs.records import Order
from core.runs.store import open_store
from core.tasks.imagery.result import image_inputs

if __name__ == "__main__":
    home = Path(sys.argv[1])
    jobs = ClusterJobs(open_store(home, database_url(home)), LocalCluster(1), performer="work_for_tests:perform")
    run_id = jobs.submit(Order("mapping", "mapping", {"does": "until cancelled"}, image_inputs("")))
    print(run_id, flush=True)
    if "--leave" in sys.argv:
        while jobs.store.run(run_id).status != "running":
            time.sleep(0.1)
        sys.exit(0)
    time.sleep(600)
