"""What scripts/bench consists of: runtimes.py (what is compared), table.py (how it is
printed), suites.py (what is measured), growth.py (how cost grows with number)."""
