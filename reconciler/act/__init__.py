"""The only writer: carries out the changes of a plan, each as intent, effect, record.

Called by the loop after planning; nothing comes after it but the next plan, which looks at the world anew.
"""
