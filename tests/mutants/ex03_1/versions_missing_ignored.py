"""exercise: ex03_1
task: versions
loses: all

Packages that are not installed at all are passed over.
"""

# %% grade_id: versions-answer
def too_old(installed, required):
    def numbers(text):
        return ([int(part) for part in text.split(".")] + [0] * 6)[:6]

    return [name for name in required if name in installed and numbers(installed[name]) < numbers(required[name])]
