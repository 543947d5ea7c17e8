"""The vault program: takes clips in from kiosks and seals them, apart from the pages."""
