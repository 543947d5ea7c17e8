"""A whole store on one machine without hardware: the real programs, with mock pins under the kiosks."""
