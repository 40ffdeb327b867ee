"""Point time series of radar interferometry (InSAR): reading them, and how each point moves."""
