"""Records of clusters: schedulers, exporters of meters, and allocations of shared machines."""
