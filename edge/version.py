"""Which version of this software runs here."""

from importlib.metadata import PackageNotFoundError, version


def installed() -> str:
    """As it was installed; 0 where it runs from files alone."""
    try:
        return version("floorbell")
    except PackageNotFoundError:
        return "0"
