# The stranger's package is not installed here; test_wheels.py runs its tests where it is.
collect_ignore = ["third_party"]
