"""Plans that would lower the footprint; they propose, never act."""
