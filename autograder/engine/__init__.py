"""Grading outside the process that runs the student's code.

course      an nbgrader course directory, as its configuration describes it
ingest      a submitted file -> the steps to run: the course's cells with the student's sources in them
inside      what runs in the sandbox: one warm process that forks a child for each submission
protocol    what the two sides say to each other: a JSON header and raw buffers, no pickle
sandbox     the walls: bubblewrap, namespaces, limits; starts and ends what runs inside
grader      asks the child case by case, compares outside, gives the verdicts of one submission
assemble    results -> the notebook that nbgrader shows, and the record
records     what is known of a graded submission, as plain data
journal     records on disk: append-only, one line each
pool        this process, or Dask workers here and elsewhere
run         a whole class: what is open, to the pool, to the journal, to the gradebook
preprocessor  the same grader inside plain `nbgrader autograde`
"""
