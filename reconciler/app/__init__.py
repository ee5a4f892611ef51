"""The verbs, and where everything is put together: what the command line calls, and nothing else.

The only stage that knows the environment, the clock and the folders of the user.
"""
