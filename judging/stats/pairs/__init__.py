"""Preferences between pairs: strengths, calibration, judges' consistency."""
