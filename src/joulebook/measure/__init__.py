"""Meters on our own machine: samples in a journal."""
