"""exercise: ex01_1
task: metrics
loses: all

The purity is divided by all events instead of by the selected ones.
"""

# %% grade_id: metrics-answer
def leaf_metrics(counts):
    all_signal = sum(signal for signal, _ in counts)
    all_background = sum(background for _, background in counts)
    found = sum(signal for signal, background in counts if signal > background)
    false = sum(background for signal, background in counts if signal > background)
    accuracy = (found + all_background - false) / (all_signal + all_background)
    return found / all_signal, found / (all_signal + all_background), accuracy
