"""Why a page cannot be had. Its text goes on after the address of the page."""


class PageFailed(Exception):  # noqa: N818  # as errors.py: named after what happened
    """The page cannot be read now; it may be there all the same."""


class PageRefused(Exception):  # noqa: N818
    """The server, or a limit, keeps the page from us until somebody changes something."""
