"""What a formula may do with its values.

A row formula is a plain function whose name is the output column and whose arguments are the input columns. It uses
``+``, ``-`` and ``*`` only, so that the same function prices one request on floats, runs over table expressions on
any engine, takes quantities with units in the dimension test, and takes named symbols in `explain`. A division
becomes a factor that is resolved beforehand.
"""

from typing import Any, Protocol, TypeVar


class Arithmetic(Protocol):
    """A value that can be added, subtracted and multiplied: a float, a table expression, a quantity, a symbol."""

    def __add__(self, other: Any, /) -> Any:  # noqa: ANN401  (a float adds ints and floats, an expression adds whatever it can)
        """Sum of two values."""
        ...

    def __sub__(self, other: Any, /) -> Any:  # noqa: ANN401  (a float adds ints and floats, an expression adds whatever it can)
        """Difference of two values."""
        ...

    def __mul__(self, other: Any, /) -> Any:  # noqa: ANN401  (a float adds ints and floats, an expression adds whatever it can)
        """Product of two values."""
        ...


N = TypeVar("N", bound=Arithmetic)
"""The type of the columns of one formula: all of them are of the same kind."""
