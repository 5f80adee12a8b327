"""Grading outside the process that runs the student's code.

Modules, and rooms with the modules in them::

    run         a whole class: what is open, to the pool, to the journal, to the gradebook
    pool        this process, or Dask workers here and elsewhere
    grader      asks the child case by case, compares outside, gives the verdicts of one submission
    assemble    results -> the notebook that nbgrader shows, and the record
    tasks       what a worker is given and gives back: plain data
    scratch     temporary folders that do not outlive a killed run
    version     the version of everything that decides about points
    preprocessor  the same grader inside plain `nbgrader autograde`

    ingest/     a submitted file -> the steps to run: the course's cells with the student's sources in them
                (folder, notebook, assignment, submission, timestamp, rebuild)
    sandbox/    the walls (sandbox, walls), what runs inside them (inside), what the two sides say (link, protocol),
                and two processes beside it: one computes withheld functions
                (oracle), one compares answers (judge)
    store/      what is kept on disk: an nbgrader course directory (course), records, the append-only journal, the
                gradebook
"""
