"""The law, pure: policy model, check, compile, diff, decide, clocks, law packs, controls.

Values in, values out. No Django, no clock, no network, no database; time is a parameter.
"""
