"""exercise: ex03_1
task: versions
loses: all

2 counts as older than 2.0.0, because the shorter list comes first.
"""

# %% grade_id: versions-answer
def too_old(installed, required):
    def numbers(text):
        return [int(part) for part in text.split(".")]

    return [name for name in required if name not in installed or numbers(installed[name]) < numbers(required[name])]
