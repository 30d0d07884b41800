"""exercise: ex03_1
task: versions
loses: all

Versions are compared as words, so that 1.9 is newer than 1.26.
"""

# %% grade_id: versions-answer
def too_old(installed, required):
    return [name for name, oldest in required.items() if installed.get(name, "") < oldest]
