"""Development, training and inference together: when does use outweigh making, and what is making's share per use."""

from dataclasses import dataclass

from joulebook.account.ranges import propagate
from joulebook.errors import BadValue, translatable
from joulebook.terms.arithmetic import N
from joulebook.terms.range import Range


def life_cycle_energy_kwh(development_energy_kwh: N, training_energy_kwh: N, inference_energy_kwh: N) -> N:
    """Energy of a model's life [kWh]: development (experiments, failed runs), final training, inference.

    Source: Morrison et al., arXiv:2503.05804, section 3; Wu et al., "Sustainable AI", arXiv:2111.00364.
    """
    return development_energy_kwh + training_energy_kwh + inference_energy_kwh


def break_even_count(before_use: float, per_use: float) -> float:
    """How many uses take as much as everything before use did; both in the same unit of energy, CO2e or water.

    Raises:
        BadValue: one use takes nothing.

    Source: Luccioni, Jernite and Strubell, arXiv:2311.16863, table 5 (cost parity).
    """
    if not per_use > 0:
        raise BadValue(
            value=per_use,
            expected=translatable("an amount per use above zero"),
            next_step=translatable("give what one use takes."),
        )
    return before_use / per_use


def break_even_s(before_use: float, per_use: float, uses_per_s: float) -> float:
    """How long until use has taken as much as everything before use did [s].

    Raises:
        BadValue: one use takes nothing, or there are no uses.
    """
    if not uses_per_s > 0:
        raise BadValue(
            value=uses_per_s,
            expected=translatable("a rate of use above zero"),
            next_step=translatable("give uses per second."),
        )
    return break_even_count(before_use, per_use) / uses_per_s


def amortised_per_use(before_use: float, lifetime_uses: float) -> float:
    """Share of everything before use that one use carries, over all uses of the model's life.

    Raises:
        BadValue: there are no uses.
    """
    if not lifetime_uses > 0:
        raise BadValue(
            value=lifetime_uses,
            expected=translatable("a count of uses above zero"),
            next_step=translatable("give a count of uses."),
        )
    return before_use / lifetime_uses


@dataclass(frozen=True, slots=True)
class LifeCycle:
    """A model from its first experiment to its last answer.

    Attributes:
        development: experiments and failed runs; the same unit as the others.
        training: the final run, with fine-tuning.
        per_use: one answer.
        uses_per_s: answers per second.
    """

    development: Range
    training: Range
    per_use: Range
    uses_per_s: Range

    @property
    def before_use(self) -> Range:
        """Development and training."""
        return propagate(lambda d, t: d + t, self.development, self.training)

    @property
    def break_even_count(self) -> Range:
        """Answers until use equals everything before it."""
        return propagate(lambda d, t, p: break_even_count(d + t, p), self.development, self.training, self.per_use)

    @property
    def break_even_s(self) -> Range:
        """Seconds until use equals everything before it."""
        return propagate(
            lambda d, t, p, u: break_even_s(d + t, p, u), self.development, self.training, self.per_use, self.uses_per_s
        )

    def amortised_per_use(self, lifetime_uses: Range) -> Range:
        """What one answer carries of everything before use."""
        return propagate(lambda d, t, n: amortised_per_use(d + t, n), self.development, self.training, lifetime_uses)

    def inference_ratio(self, lifetime_uses: Range) -> Range:
        """Share of inference in the whole life, 0..1; the same answer counts above and below the line."""
        return propagate(
            lambda d, t, p, n: p * n / (d + t + p * n), self.development, self.training, self.per_use, lifetime_uses
        )
