"""joulebook inside other tools: training frameworks, experiment trackers, pytest, other daemons' meters.

Each module imports its framework when it is imported itself; nothing here is loaded otherwise.
"""
