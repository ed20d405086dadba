"""Hourly series from services: fetched when the user asks, kept in the user's cache, read from there ever after."""
