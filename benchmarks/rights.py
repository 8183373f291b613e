"""What rights cost: a passport over the API with its token, what a peer sees of it and when, and a sync of nothing new.

Each part is a module with a function that measures and answers a table and figures; a new part is a line here.
"""

from benchmarks import rights_answers, rights_evaluation, rights_sync, rights_visibility

PARTS = {
    "answers": rights_answers.measure,
    "evaluation": rights_evaluation.measure,
    "visibility": rights_visibility.measure,
    "sync": rights_sync.measure,
}
