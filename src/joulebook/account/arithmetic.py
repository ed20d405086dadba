"""What a formula may do with its values; defined with the other words in `joulebook.terms.arithmetic`."""

from joulebook.terms.arithmetic import Arithmetic, N

__all__ = ["Arithmetic", "N"]
