"""The command line: arguments become a verb of `reconciler.app`, its record becomes text or JSON.

Nothing is decided here. Only the module of the verb that is asked for is imported.
"""
