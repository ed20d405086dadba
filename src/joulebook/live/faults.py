"""Everything that can go wrong with a service for hourly values, each with the next step; none of it shows a key."""

from joulebook.errors import LiveError, UsageError, translatable


class LiveKeyMissing(UsageError):
    """A service needs a key that nobody gave."""

    template = translatable(
        "{source} needs {key}. Next: set {variable}, or write it under [{source}] in {file}; it is sent to nobody else."
    )


class LiveInsecure(UsageError):
    """A key would travel in the clear."""

    template = translatable("{source}: a key is not sent to {url}. Next: give an address that begins with https://.")


class LiveRefused(LiveError):
    """A service refuses the key, or the key is not for what was asked."""

    template = translatable(
        "{source} refuses the key or the zone (status {status}). Next: check the key, and that your plan covers the "
        "zone and the time."
    )


class LiveNotFound(LiveError):
    """A service has no such zone."""

    template = translatable("{source} has no such zone. Next: give the zone as {source} writes it.")


class LiveBusy(LiveError):
    """A service asks to wait."""

    template = translatable(
        "{source} has had too many questions and asks to wait {pause} s. Next: fetch again then; what came before is "
        "kept."
    )


class LiveFailed(LiveError):
    """A service cannot answer."""

    template = translatable(
        "{source} cannot answer now (status {status}). Next: fetch again later; what came before is kept."
    )


class LiveUnreachable(LiveError):
    """No answer."""

    template = translatable(
        "{source} cannot be reached: {reason}. Next: fetch again when there is a network; until then the hours that "
        "were fetched before are used, else the factor of the year."
    )


class LiveUnreadable(LiveError):
    """An answer of another form than the service documents."""

    template = translatable(
        "The answer of {source} is not of the form it documents: {reason}. Next: update joulebook, or tell its "
        "developers."
    )


class SeriesDamaged(LiveError):
    """A file of fetched hours is not what its name says."""

    template = translatable("{file} is damaged: it does not match its hash. Next: delete it and fetch the hours again.")


class SeriesUnwritable(LiveError):
    """Fetched hours cannot be kept."""

    template = translatable(
        "{path} cannot be written: {reason}. Next: make room, allow writing, or choose another folder with "
        "XDG_CACHE_HOME."
    )
