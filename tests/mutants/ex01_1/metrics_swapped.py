"""exercise: ex01_1
task: metrics
loses: all

Efficiency and purity change places.
"""

# %% grade_id: metrics-answer
def leaf_metrics(counts):
    all_signal = sum(signal for signal, _ in counts)
    all_background = sum(background for _, background in counts)
    found = sum(signal for signal, background in counts if signal > background)
    false = sum(background for signal, background in counts if signal > background)
    accuracy = (found + all_background - false) / (all_signal + all_background)
    return (found / (found + false) if found else 0.0), found / all_signal, accuracy
