"""What can go wrong when a dossier is made or compared."""


class DossierError(Exception):
    """The dossier cannot be made, or read. One line, for the user."""
