"""Code that others have written, fetched and differentiated as it stands; see ``__main__``."""
