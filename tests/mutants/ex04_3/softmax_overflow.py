"""exercise: ex04_3
task: softmax
loses: part

No shift: large logits overflow to nan.
"""

# %% grade_id: softmax-answer
def softmax(z):
    exponentials = np.exp(z)
    return exponentials / exponentials.sum(axis=-1, keepdims=True)
