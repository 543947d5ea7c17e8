"""The kiosk's screen: a process of its own, beside the kiosk; ending it costs no press.

It shows what the panel says over a Unix socket, and hands it what is touched (messages.py).
"""
