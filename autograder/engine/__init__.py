"""Grading outside the process that runs the student's code.

ingest      a submitted file -> the steps to run: the course's cells with the student's sources in them
inside      what runs in the sandbox: one warm process that forks a child for each submission
protocol    what the two sides say to each other: a JSON header and raw buffers, no pickle
sandbox     the walls: bubblewrap, namespaces, limits; starts and ends what runs inside
grader      asks the child case by case, compares outside, gives the verdicts of one submission
records     what is known of a graded submission, as plain data
run         a whole class: many workers, a journal, one writer of the gradebook
preprocessor  the same grader inside plain `nbgrader autograde`
"""
