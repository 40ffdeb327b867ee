"""What the browser fetches beside the pages: map tiles, files of a run, map scripts, a sign of life."""
