"""The camera: a process of its own beside the panel. It keeps the last half minute in memory and writes a
clip only when something was pressed. Killing it costs no press; the panel never imports what it needs.
"""
