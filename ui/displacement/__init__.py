"""The page of displacement: a monitored slope, its forecasts, and what they are worth."""
