"""What can go wrong. Each error also is the built-in one that callers may expect."""


class RouterError(Exception):
    """Base of all errors of this package."""


class ModelMissingError(RouterError, FileNotFoundError):
    """The model folder or one of its files does not exist."""


class ModelInvalidError(RouterError, ValueError):
    """The model folder is there, but must not be served."""


class TicketTypeError(RouterError, TypeError):
    """A ticket, or the collection of tickets, has the wrong type."""
